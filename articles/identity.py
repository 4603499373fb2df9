"""The id of an article, and which file has the id if several files claim it.

An id does not depend on history: the same files always result in the same articles.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

EXTENSIONS = (".md", ".markdown", ".mdown", ".mdx", ".html")
"""Of files that differ only in their extension, the first in this order has the id; others follow."""

# A folder such as `v1.2` or a name such as `release-1.2` does not end with an extension.
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]*\Z")


@lru_cache(maxsize=64)
def identity(path: str) -> str:
    """Return the id of an article without an `id`: its path without the extension, in NFC."""
    folder, slash, name = path.rpartition("/")
    return unicodedata.normalize("NFC", f"{folder}{slash}{_EXTENSION.sub('', name) or name}")


def precedence(article_id: str, path: str) -> str:
    """Return a sort key: of all files with this id, the one with the lowest key is the article.

    Files whose path is the id come first, sorted by extension, so that no `id:` in another file can take the
    id from them. They are followed by the files that claim it by `id:`, sorted by path.
    """
    if identity(path) != article_id:
        return f"1 {path}"
    match = _EXTENSION.search(path)
    extension = match[0].lower() if match else ""
    rank = EXTENSIONS.index(extension) if extension in EXTENSIONS else len(EXTENSIONS)
    return f"0{rank} {path}"
