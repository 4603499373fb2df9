"""Python-Markdown's admonitions, `!!! note "Title"` with an indented text below, as block quotes.

https://python-markdown.github.io/extensions/admonition/. Also the `???` of pymdown-extensions' details, and
its tabs, `=== "Title"`, one after the other (https://facelessuser.github.io/pymdown-extensions/extensions/tabbed/).
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
_MAX_LINE = 500
"""Characters of the first line of an admonition."""
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
    output: list[str] = []
    fence = ""
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        fence = open_fence(fence, _FENCE.match(line))
        opening = None if fence or len(line) > _MAX_LINE else _BEGINNING.fullmatch(line)
        end = _end(lines, position, opening["margin"] + _INDENT) if opening else position
        if opening is None or end == position:
            output.append(line)
            continue
        inner = [line[len(opening["margin"] + _INDENT) :] for line in lines[position:end]]
        title = _title(opening)
        head = [f"<strong>{escape(title, quote=False)}</strong>", ""] if title else []
        block = [*head, *_quoted(inner, depth + 1)]
        output += [
            "",
            *(block if opening["tab"] is not None else (f"> {line}".rstrip() for line in block)),
            "",
        ]
        position = end
    return output


def _title(opening: re.Match[str]) -> str:
    title = opening["tab"] if opening["tab"] is not None else opening["title"]
    return title if title is not None else opening["kind"].split()[0].capitalize()


def _end(lines: list[str], position: int, indent: str) -> int:
    """Return the number of the line after the last indented one that is not blank."""
    end = position
    for number in range(position, len(lines)):
        if lines[number].startswith(indent):
            end = number + 1
        elif lines[number].strip():
            break
    return end
