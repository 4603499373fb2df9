"""The id of an article, and which file has it when several claim it.

An id must not depend on history: whichever file came first, the same files give the same articles.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

EXTENSIONS = (".md", ".markdown", ".mdown", ".mdx", ".html")
"""Of files that differ in their extension only, the first of these has the id; other extensions follow."""

# A folder such as `v1.2` or a name such as `release-1.2` ends with no extension.
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]*\Z")


@lru_cache(maxsize=64)
def identity(path: str) -> str:
    """Return the id of an article whose file gives none: its path without the extension, in NFC."""
    folder, slash, name = path.rpartition("/")
    return unicodedata.normalize("NFC", f"{folder}{slash}{_EXTENSION.sub('', name) or name}")


def precedence(article_id: str, path: str) -> str:
    """Return a sort key: of all files with this id, the one with the lowest key is the article.

    First comes a file whose own path gives the id, by its extension: no `id:` in another file can take it
    away. Of files that claim it by `id:`, the one with the lowest path comes first.
    """
    if identity(path) != article_id:
        return f"1 {path}"
    found = _EXTENSION.search(path)
    extension = found[0].lower() if found else ""
    rank = EXTENSIONS.index(extension) if extension in EXTENSIONS else len(EXTENSIONS)
    return f"0{rank} {path}"
