"""Hugo's leaf bundles: a page with the files beside it. https://gohugo.io/content-management/page-bundles/"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from articles.files.scan import Scan

_INDEX = re.compile(
    r"index(?:\.[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,2})?\.(?:md|markdown|mdown|mdx|html)", re.IGNORECASE
)


def with_resources(scan: Scan) -> dict[str, None]:
    """Return the folders, with a slash at their end, whose `index` file has other files as its resources.

    Hugo calls them leaf bundles, and publishes none of these files as a page of its own. Folders without such
    files are left out.
    """
    listings = scan.listings
    bundles = {item.prefix for item in listings if item.prefix and any(map(_INDEX.fullmatch, item.names))}
    with_others = (item.prefix for item in listings if not all(map(_INDEX.fullmatch, item.names)))
    return dict.fromkeys(
        sorted({folder for prefix in with_others for folder in _folders(prefix) if folder in bundles})
    )


def is_resource(path: str, bundles: Container[str]) -> bool:
    """Return whether a file is a resource of the page in one of the `bundles`, in its folder or below it."""
    folder, _, name = path.rpartition("/")
    return not _INDEX.fullmatch(name) and any(above in bundles for above in _folders(f"{folder}/"))


def _folders(prefix: str) -> Iterator[str]:
    """Yield a folder and those that it is in, each with a slash at its end."""
    while prefix:
        yield prefix
        prefix = prefix[: prefix.rfind("/", 0, -1) + 1]
