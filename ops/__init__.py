"""Operations: health, metrics, logs, and what a host tells of itself."""
