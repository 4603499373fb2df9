"""Times in the outbox: aware and in UTC, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, TypeDecorator

_UTC = "+00:00"
"""The offset in a time as text; an early version stored some times with it, all others are without."""


class Utc(TypeDecorator[datetime]):
    """An aware time in UTC; SQLite, which has no time zones, stores it naive, as text that can be sorted."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], object]:
        """Return the function that converts a time for the driver; it raises ValueError for a naive time."""
        return _utc_text if dialect.name == "sqlite" else _utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """Return the function that converts the driver's value to an aware time."""
        return _time_in if dialect.name == "sqlite" else _utc


def _utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"a naive time: {value}")
    return value.astimezone(UTC)


def _utc_text(value: datetime | None) -> str | None:
    instant = _utc(value)
    return None if instant is None else instant.isoformat(" ", "microseconds").removesuffix(_UTC)


def _time_in(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text.removesuffix(_UTC) + _UTC)
