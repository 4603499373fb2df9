"""Python-Markdown's admonitions, `!!! note "Title"` with an indented text below, as block quotes.

https://python-markdown.github.io/extensions/admonition/; `???` of pymdown-extensions' details; and its tabs,
`=== "Title"`, one after the other (https://facelessuser.github.io/pymdown-extensions/extensions/tabbed/).
"""

from __future__ import annotations

import re
from html import escape

from text.templates.code import open_fence

_BEGINNING = re.compile(
    r"(?P<margin> {0,3})(?:(?:!!!|\?\?\?\+?) ?(?P<kind>[\w-]+(?: +[\w-]+)*)(?: +\"(?P<title>[^\n]*?)\")?"
    r"|===[!+]? +\"(?P<tab>[^\n]*?)\") *"
)
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_LONGEST = 500
"""Characters of the line that an admonition begins with."""
_MAX_DEPTH = 20
"""Admonitions within each other."""
_INDENT = "    "


def quoted(text: str) -> str:
    """Return a text with its admonitions as block quotes, each with its title or else its kind.

    A tab becomes its title and its text.
    """
    if not any(mark in text for mark in ("!!!", "???", "===")):
        return text
    lines = text.split("\n")
    return "\n".join(_quoted(lines, 0))


def _quoted(lines: list[str], depth: int) -> list[str]:
    if depth > _MAX_DEPTH:
        return lines
    shown: list[str] = []
    fence = ""
    place = 0
    while place < len(lines):
        line = lines[place]
        place += 1
        fence = open_fence(fence, _FENCE.match(line))
        found = None if fence or len(line) > _LONGEST else _BEGINNING.fullmatch(line)
        end = _end(lines, place, found["margin"] + _INDENT) if found else place
        if found is None or end == place:
            shown.append(line)
            continue
        inner = [each[len(found["margin"] + _INDENT) :] for each in lines[place:end]]
        title = _title(found)
        head = [f"<strong>{escape(title, quote=False)}</strong>", ""] if title else []
        block = [*head, *_quoted(inner, depth + 1)]
        shown += ["", *(block if found["tab"] is not None else (f"> {each}".rstrip() for each in block)), ""]
        place = end
    return shown


def _title(found: re.Match[str]) -> str:
    given = found["tab"] if found["tab"] is not None else found["title"]
    return given if given is not None else found["kind"].split()[0].capitalize()


def _end(lines: list[str], place: int, indent: str) -> int:
    """Return the line behind the indented ones, without the blank ones at their end."""
    end = place
    for number in range(place, len(lines)):
        if lines[number].startswith(indent):
            end = number + 1
        elif lines[number].strip():
            break
    return end
