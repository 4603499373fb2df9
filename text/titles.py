"""Converts a title with markup into plain text."""

from __future__ import annotations

import re
from html import unescape

_NAMES = "a|abbr|b|br|cite|code|del|em|i|kbd|mark|q|s|small|span|strike|strong|sub|sup|u|var|wbr"
_TAG = re.compile(rf"<(/?)(?:{_NAMES})(?![\w-])[^<>]{{0,500}}>", re.IGNORECASE)
_BLOCKS = "blockquote|div|h[1-6]|hr|img|li|ol|p|section|ul"
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCKS})(?![\w-])[^<>]{{0,500}}>", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{1,1000}(?:[ ]+\"[^\"]{0,300}\")?\)")
_NAME = re.compile(r"</?([A-Za-z]+)")
_VOID = frozenset({"br", "wbr"})


def plain_title(title: str) -> str:
    """Return a title or excerpt without markup: pairs of inline tags, entities, emphasis and code.

    Tags without a counterpart stay, so that `vector<T>` and `a < b` are unchanged.
    """
    if not re.search(r"[<&*_`\\]", title):
        return title
    return unescape(_without_markdown(_without_tags(title))).strip()


def plain_text(text: str) -> str:
    """Return an excerpt or a name without markup: as a title, and without blocks and Markdown's links."""
    if "<" in text:
        text = _BLOCK_TAG.sub(" ", text)
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    return " ".join(plain_title(text).split()) if "  " in text else plain_title(text).strip()


def _without_tags(title: str) -> str:
    """Drop the known inline tags that come in pairs."""
    tags = list(_TAG.finditer(title))
    dropped: set[int] = set()
    opened: dict[str, list[int]] = {}
    for index, tag in enumerate(tags):
        name = next(match[1].lower() for match in [_NAME.match(tag[0])] if match)
        if name in _VOID:
            dropped.add(index)
        elif not tag[1]:
            opened.setdefault(name, []).append(index)
        elif opened.get(name):
            dropped |= {index, opened[name].pop()}
    parts: list[str] = []
    position = 0
    for index in sorted(dropped):
        parts += (
            title[position : tags[index].start()],
            " " if _VOID & {tags[index][0].strip("</> ").lower()} else "",
        )
        position = tags[index].end()
    return "".join((*parts, title[position:]))


def _without_markdown(title: str) -> str:
    """Drop the marks of emphasis and code, where they are marks by CommonMark's rules."""
    if not re.search(r"[*_`\\]", title):
        return title
    # Imported here, as it takes some 80 ms, and most titles have no marks.
    from text.markdown import inline_text

    return inline_text(title)
