"""What Zola's configuration says of addresses.

https://www.getzola.org/documentation/getting-started/configuration/
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from articles.reading import datafiles
from articles.reading.hugo import by_lower

_FILES = ("config.toml", "zola.toml")


def configuration(level: Path) -> dict[str, Any]:
    """Return the configuration in a folder, with its keys in lower case; {} where there is none."""
    for name in _FILES:
        values = datafiles.load(level / name) if os.path.lexists(level / name) else None
        if isinstance(values, Mapping) and values:
            return by_lower(values)
    return {}


def leaves_names(levels: list[Path]) -> bool:
    """Whether no slugs are made of names (`slugify.paths` is not "on")."""
    return bool(_slugify(levels).get("paths", "on") != "on")


def keeps_dates(levels: list[Path]) -> bool:
    """Whether the date in a file's name is a part of its address."""
    return _slugify(levels).get("paths_keep_dates") is True


def _slugify(levels: list[Path]) -> Mapping[str, Any]:
    found = (configuration(level).get("slugify") for level in levels)
    return next((each for each in found if isinstance(each, Mapping)), {})
