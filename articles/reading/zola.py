"""Zola's settings for addresses.

https://www.getzola.org/documentation/getting-started/configuration/
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from articles.reading import datafiles
from articles.reading.hugo import with_lower_keys

_FILES = ("config.toml", "zola.toml")


def configuration(level: Path) -> dict[str, Any]:
    """Return the configuration in a folder, with its keys in lower case; {} where there is none."""
    for name in _FILES:
        values = datafiles.load(level / name) if os.path.lexists(level / name) else None
        if isinstance(values, Mapping) and values:
            return with_lower_keys(values)
    return {}


def keeps_names(levels: list[Path]) -> bool:
    """Return whether names are used without changes (`slugify.paths` is not "on")."""
    return bool(_slugify(levels).get("paths", "on") != "on")


def keeps_dates(levels: list[Path]) -> bool:
    """Whether the date in a file's name is a part of its address."""
    return _slugify(levels).get("paths_keep_dates") is True


def _slugify(levels: list[Path]) -> Mapping[str, Any]:
    values = (configuration(level).get("slugify") for level in levels)
    return next((value for value in values if isinstance(value, Mapping)), {})
