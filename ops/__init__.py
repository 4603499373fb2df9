"""Operations: health, metrics, logs, secrets, and settings from the host's environment."""
