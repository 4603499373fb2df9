"""What Pelican's settings say of folders: https://docs.getpelican.com/en/latest/settings.html."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from articles.reading import datafiles

FILES = ("pelicanconf.py", "publishconf.py")


def pages(levels: list[Path]) -> Iterator[str]:
    """Yield the folders of pages (PAGE_PATHS), which are in none of Pelican's feeds.

    They are relative to the folder of content, and once more to the project, of which that is `content`.
    """
    found: Any = ["pages"]
    for level in reversed(levels):
        for name in FILES:
            values = datafiles.load(level / name) if os.path.lexists(level / name) else None
            if isinstance(values, Mapping) and "PAGE_PATHS" in values:
                found = values["PAGE_PATHS"]
    for each in found if isinstance(found, (list, tuple)) else ():
        if isinstance(each, str) and (folder := each.strip("./")):
            yield from (folder, f"content/{folder}")
