"""Wiki links, `[[Page]]`, `[[Page|text]]` and `![[picture.png]]`, as links and pictures of HTML.

Obsidian's notation, which Quartz and digital gardens read: https://help.obsidian.md/links.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from text.templates.code import outside_code
from text.templates.elements import anchor, figure

_LINK = re.compile(
    r"(?<![\\!\[$])(?P<picture>!?)\[\[(?P<target>[^\s\[\]|#\n](?:[^\[\]|#\n]{0,298}[^\s\[\]|#\n])?)?"
    r"(?:#(?P<part>[^\[\]|\n]{1,300}))?(?:\\?\|(?P<text>[^\[\]\n]{1,500}))?\]\](?![(\[\]])"
)
# What no other notation has,
_CERTAIN = re.compile(
    r"!\[\[[^\s\[\]]|(?<!\[)\[\[[^\s\[\]|]{1,300}(?: [^\s\[\]|]{1,100}){0,20}\|[^\[\]\n]{1,300}\]\]"
)
# and with Astro's conventions, which Quartz follows, also several words and parts of pages,
_WORDS = re.compile(r"(?<!\[)\[\[(?=[^\s\[\]][^\[\]\n]{1,600}\]\](?![(\[\]]))[^\[\]\n|#/ ]+[|#/ ]")
# and a single word with a capital,
_WORD = re.compile(r"(?<![\\!\[$\w}])\[\[([A-Z][\w-]{2,60})\]\](?![(\[\]])")
# unless it is an internal slot or method of ECMAScript: https://tc39.es/ecma262/#sec-object-type
_SLOTS = frozenset(
    {
        "Call", "Class", "Configurable", "Construct", "DefineOwnProperty", "Delete", "Description",
        "Enumerable", "Environment", "Extensible", "Get", "GetOwnProperty", "GetPrototypeOf", "HasProperty",
        "HomeObject", "IsExtensible", "OwnPropertyKeys", "PreventExtensions", "PrimitiveValue",
        "PromiseResult", "PromiseState", "Prototype", "Realm", "Scope", "Scopes", "Set", "SetPrototypeOf",
        "Target", "ThisMode", "ThisValue", "Value", "Writable",
    }
)  # fmt: skip
_PICTURE = re.compile(r".*\.(?:avif|gif|jpe?g|png|svg|webp)", re.IGNORECASE)
_WIDTH = re.compile(r"\d{1,5}(?:x\d{1,5})?")
_BETWEEN_WORDS = re.compile(r"[^\w-]+")


def without_wiki_links(text: str, *, words: bool) -> str:
    """Return a text with links for its wiki links; unchanged where none of them is certain to be one.

    With `words`, words alone are certain too.
    """
    is_certain = _CERTAIN.search(text) is not None
    if not is_certain and words:
        is_certain = _WORDS.search(text) is not None
        is_certain = is_certain or any(word[1] not in _SLOTS for word in _WORD.finditer(text))
    return outside_code(text, _LINK, _replacement) if is_certain else text


def _replacement(match: re.Match[str]) -> str:
    target, part, text = (group or "" for group in match.group("target", "part", "text"))
    if not (target or part):
        return match[0]
    if match["picture"] and _PICTURE.fullmatch(target):
        label = "" if _WIDTH.fullmatch(text) else text
        return figure({"src": quote(target), "alt": label})
    fragment = f"#{_BETWEEN_WORDS.sub('-', part.lower()).strip('-')}" if part else ""
    label = text or " > ".join(filter(None, (target.rpartition("/")[2].removesuffix(".md"), part)))
    return anchor(f"{f'/@~{quote(target)}' if target else ''}{fragment}", label)
