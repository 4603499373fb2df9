"""The language that a file's path names: `fr/post.md`, `post.fr.md`."""

from __future__ import annotations

import re
from functools import lru_cache

from articles.identity import identity

# ISO 639-1.
_CODE_NAMES = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id
ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu
lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu
rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr
ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
_CODES = frozenset(_CODE_NAMES.split())
_TAG = re.compile(r"([a-z]{2})(?:[-_][Hh]an[st])?(?:[-_][A-Za-z]{2})?")
_SUFFIX = re.compile(r"\.([a-z]{2}(?:[-_][A-Za-z]{2,4}){0,2})\.[^./]+$")


@lru_cache(maxsize=4096)
def language_in_path(path: str) -> str | None:
    """Return the tag of the language that a path names, in its suffix or first folder, or None."""
    suffix = _SUFFIX.search(path)
    first = path.partition("/")[0] if "/" in path else ""
    for name in (suffix[1] if suffix else "", first):
        match = _TAG.fullmatch(name)
        if match and match[1] in _CODES:
            return name.replace("_", "-")
    return None


def without_language(path: str, folder: str = "") -> str:
    """Return what the paths of an article's translations have in common: without extension and language.

    `folder` is where the articles of its language are, with a slash at its end, where a site says so.
    """
    language = language_in_path(path)
    below = path.removeprefix(folder)
    if language and below == path and path.partition("/")[0].replace("_", "-") == language:
        below = path.partition("/")[2]
    stem = identity(below)
    suffix = _SUFFIX.search(below)
    return identity(f"{stem.removesuffix(f'.{suffix[1]}')}.md") if suffix and language else stem
