"""What Hexo's configuration says of addresses: https://hexo.io/docs/permalinks.

Hexo's files are read by Jekyll's conventions; its placeholders have Jekyll's names, and other meanings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDERS = ("scaffolds", "source/_posts")
"""Every project of Hexo has one of these folders, and none of Jekyll's does."""
_DEFAULT = ":year/:month/:day/:title/"
_NAMES = {"title": ":hexo_title", "category": ":hexo_category", "name": ":basename"}
_DATES = frozenset({"year", "month", "i_month", "day", "i_day", "hour", "minute", "second", "lang"})
_NAME = re.compile(r":([a-z_]+)")
DATA = "{data:"
"""How a placeholder for a value of the front matter begins, as `:abbrlink` of a plugin is."""
_DATA = re.compile(r"\{data:([a-z_]+)\}")


def is_home(level: Path) -> bool:
    """Whether a folder with a `_config.yml` is a project of Hexo."""
    return any((level / folder).is_dir() for folder in FOLDERS)


def permalink(config: Mapping[str, Any]) -> str:
    """Return the pattern of addresses in Hexo's configuration, in this program's placeholders."""
    given = config.get("permalink")
    pattern = given if isinstance(given, str) and given.strip() else _DEFAULT
    return _NAME.sub(
        lambda match: match[0] if match[1] in _DATES else _NAMES.get(match[1], f"{DATA}{match[1]}}}"), pattern
    )


def filled(pattern: str, values: Mapping[str, Any]) -> str:
    """Return a pattern with the values of the front matter, by key in lower case, that it has places for."""

    def fill(match: re.Match[str]) -> str:
        value = values.get(match[1])
        is_text = isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""
        return str(value) if is_text else f":{match[1]}"

    return _DATA.sub(fill, pattern)


def keeps_dates(config: Mapping[str, Any]) -> bool:
    """Whether the date in a file's name is a part of its address: it is unless `new_post_name` has one.

    Octopress, which is Jekyll's with the same folders, has no such key.
    """
    name = config.get("new_post_name")
    return isinstance(name, str) and ":day" not in name
