"""Time zones by name, from the tzdata package, so that every machine has the same rules."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

_ADVICE = "write a time zone such as Europe/Paris or UTC"
_PART = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*")
MAX_NAME = 64
"""The most characters of a zone's name; the longest existing one has 30."""


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return the zone `name`, such as Europe/Paris. Raises ValueError if there is none."""
    parts = name.split("/")
    if len(name) > MAX_NAME or not all(map(_PART.fullmatch, parts)):
        raise ValueError(_ADVICE)
    file = resources.files("tzdata").joinpath("zoneinfo", *parts)
    try:
        with file.open("rb") as data:
            return ZoneInfo.from_file(data, key=name)
    except (OSError, ValueError):
        nearest = _nearest(name)
        raise ValueError(f"{_ADVICE}; did you mean {nearest}?" if nearest else _ADVICE) from None


def _nearest(name: str) -> str | None:
    """Return the zone with the most similar name, or with a city of a similar name; None if there is none."""
    names = resources.files("tzdata").joinpath("zones").read_text(encoding="ascii").split()
    by_name = {zone_name.rpartition("/")[2].casefold(): zone_name for zone_name in names}
    by_name |= {zone_name.casefold(): zone_name for zone_name in names}
    close = difflib.get_close_matches(name.casefold(), by_name, n=1, cutoff=0.75)
    return by_name[close[0]] if close else None
