r"""Parses the Markdown subset of templates into formatted text.

It has `**bold**`, `*italic*`, `~~struck~~`, `[words](address)`, lists with `-`, and `\` to escape a
character. Everything else is text, including HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.services.rich import BREAK, Line, Run, Text
from bot.services.text import web_url

MAX_ADDRESS = 2000

_SPECIAL = re.compile(r"[!-/:-@\[-`{-~]")
_STYLES = {"strong": "bold", "em": "italic", "s": "struck"}
_EMPTY = Line(runs=(Run(text=" "),))


def escape(text: str) -> str:
    """Return one line of `text` with the characters escaped that have a meaning in Markdown.

    https://spec.commonmark.org/0.31.2/#backslash-escapes
    """
    return _SPECIAL.sub(r"\\\g<0>", text)


def formatted(text: str) -> Text:
    """Return Markdown as formatted text, with an empty line between paragraphs and without unusable links."""
    lines = list(_lines(_parser().parse(text)))
    while lines and lines[-1] == _EMPTY:
        lines.pop()
    return tuple(lines)


@cache
def _parser() -> MarkdownIt:
    rules = ["emphasis", "strikethrough", "link", "escape", "list", "newline"]
    return MarkdownIt("zero").enable(rules)


def _lines(tokens: Sequence[Token]) -> Iterator[Line]:
    bullets = 0
    for token in tokens:
        if token.type == "list_item_open":
            bullets += 1
        elif token.type == "list_item_close":
            bullets -= 1
        elif token.type == "inline":
            yield from _broken(tuple(_runs(token.children or ())), is_item=bullets > 0)
        elif (token.type == "paragraph_close" and not bullets) or token.type == "bullet_list_close":
            yield _EMPTY


def _broken(runs: Sequence[Run], *, is_item: bool) -> Iterator[Line]:
    """Yield the lines between line breaks; the lines of a list item stay together."""
    if is_item:
        yield Line(runs=tuple(runs), bullet=True)
        return
    line: list[Run] = []
    for run in (*runs, BREAK):
        if run != BREAK:
            line.append(run)
        elif line:
            yield Line(runs=tuple(line))
            line = []


def _runs(tokens: Sequence[Token]) -> Iterator[Run]:
    styles = {"bold": 0, "italic": 0, "struck": 0}
    link = ""
    for token in tokens:
        name, _, end = token.type.rpartition("_")
        if name in _STYLES and end in ("open", "close"):
            styles[_STYLES[name]] += 1 if end == "open" else -1
        elif name == "link":
            link = (web_url(str(token.attrs.get("href", "")), MAX_ADDRESS) or "") if end == "open" else ""
        elif token.type in ("softbreak", "hardbreak"):
            yield BREAK
        elif token.content:
            yield Run(
                text=token.content,
                link=link,
                bold=styles["bold"] > 0,
                italic=styles["italic"] > 0,
                struck=styles["struck"] > 0,
            )
