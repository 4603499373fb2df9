"""Reads whole numbers in paths, queries and forms."""

from __future__ import annotations

import re

MAX_ID = 2**63 - 1
"""The largest id of a row, in SQLite and in PostgreSQL's bigint."""

MAX_DIGITS = 19
_NUMBER = re.compile(rf"[+-]?[0-9]{{1,{MAX_DIGITS}}}")


def whole_number(text: str, low: int, high: int) -> int | None:
    """Return `text` as a number, or None unless it is a whole number from `low` to `high`.

    The length is checked first, as Python takes long to convert many digits, and refuses more than 4,300.
    """
    if not _NUMBER.fullmatch(text):
        return None
    number = int(text)
    return number if low <= number <= high else None
