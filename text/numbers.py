"""Numbers: with their nouns in English, and in settings."""

from __future__ import annotations

from typing import Any


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return "1 file", "2 files", "1,000 files"; `plural` is a plural that does not only add an s."""
    return f"1 {noun}" if count == 1 else f"{count:,} {plural or f'{noun}s'}"


def reject_boolean(value: Any) -> Any:
    """Return a value unchanged unless it is a boolean.

    Raises ValueError for true and false, which Python treats as 1 and 0. YAML 1.1 reads `yes` and
    `on` as true: https://yaml.org/type/bool.html
    """
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - of a validator, pydantic reports a ValueError
    return value
