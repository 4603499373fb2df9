"""Time zones by name, from the tzdata package: every machine then knows the same rules."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

_PART = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*")
MAX_NAME = 64
"""Characters of a zone's name; the longest that there is has 30."""


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return the zone called `name`, such as Europe/Paris. Raises ValueError where there is none."""
    parts = name.split("/")
    if len(name) > MAX_NAME or not all(map(_PART.fullmatch, parts)):
        raise ValueError("write a time zone such as Europe/Paris or UTC")
    file = resources.files("tzdata").joinpath("zoneinfo", *parts)
    try:
        with file.open("rb") as data:
            return ZoneInfo.from_file(data, key=name)
    except (OSError, ValueError):
        raise ValueError("write a time zone such as Europe/Paris or UTC") from None
