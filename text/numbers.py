"""Numbers with their nouns, in English."""

from __future__ import annotations


def counted(count: int, noun: str, several: str = "") -> str:
    """Return "1 file", "2 files", "1,000 files"; `several` is the plural where that is not an s more."""
    return f"1 {noun}" if count == 1 else f"{count:,} {several or f'{noun}s'}"
