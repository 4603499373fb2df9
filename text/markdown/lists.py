"""Lists whose items are one line each → HTML at once, for a parser that only writes HTML.

Changelogs and lists of links consist of them, and the library creates a dozen tokens for each item. A list
with anything in it that could have another meaning is left to the library.
`tests/text/test_markdown_speed.py` compares the HTML.
"""

from __future__ import annotations

import re

from markdown_it.common.utils import mdTrim
from markdown_it.rules_block import StateBlock

from text.limits import MAX_PARAGRAPH
from text.markdown.simple import simple, simple_token

# An item of one line, whose text does not begin like another block or like the box of a task.
_ITEM = re.compile(
    r"[*+-] ((?:[^\W\d_]|[\"'(\\@/.]|\d++(?![.)])|\[(?!\^|[ xX]\])|\*{1,2}(?=[^\s*])|_(?=[^\s_])|`(?!`))"
    r"[^\n]*)"
)
_MAY_CONTINUE = "*+-:~"  # a line that begins with one of these may belong to the list before it
_LIST_TOKENS, _ITEM_TOKENS = 2, 5


def flat_list(state: StateBlock, start: int, end: int, _silent: bool) -> bool:
    """Read a list that is in no other block, with each item on one line and no empty lines in between."""
    if state.level or state.sCount[start]:
        return False
    items = _items(state, start, end)
    line = start + len(items)
    next_line = state.skipEmptyLines(line)
    if (
        not items
        or (next_line == line and line < end)
        or (next_line < end and _may_continue(state, next_line))
    ):
        return False
    writer = _Writer(state, start, state.src[state.bMarks[start]])
    for item in items:
        writer.add(item)
    writer.finish()
    state.line = next_line
    return True


def _items(state: StateBlock, start: int, end: int) -> list[str]:
    """Return the texts of the items that begin at `start`, up to the first line that is not an item."""
    source, marker = state.src, state.src[state.bMarks[start]]
    items: list[str] = []
    for line in range(start, end):
        position = state.bMarks[line]
        match = _ITEM.match(source, position, state.eMarks[line])
        # `[a]: /b` defines the address of a link.
        if not match or source[position] != marker or (match[1][0] == "[" and "]:" in match[1]):
            break
        items.append(mdTrim(match[1]))
    return items


def _may_continue(state: StateBlock, line: int) -> bool:
    """Return whether a line that is not empty may belong to a list before it."""
    return state.sCount[line] != 0 or state.src[state.bMarks[line]] in _MAY_CONTINUE


class _Writer:
    """Writes the tokens of a list: HTML for simple items, and the library's tokens for others."""

    def __init__(self, state: StateBlock, line: int, marker: str) -> None:
        self._state, self._line, self._marker = state, line, marker
        self._parts = ["<ul>\n"]
        self._tokens, self._characters = _LIST_TOKENS, 0

    def add(self, text: str) -> None:
        """Add the next item."""
        rendered = simple(text) if len(text) <= MAX_PARAGRAPH else None
        if rendered:
            self._parts.append(f"<li>{rendered.html}</li>\n")
            self._tokens += _ITEM_TOKENS + rendered.tokens
            self._characters += len(text) + rendered.characters
        else:
            self._flush()
            self._push(text)
        self._line += 1

    def finish(self) -> None:
        """End the list."""
        self._parts.append("</ul>\n")
        self._flush()

    def _push(self, text: str) -> None:
        push, line_range = self._state.push, [self._line, self._line + 1]
        push("list_item_open", "li", 1).markup = self._marker
        opening = push("paragraph_open", "p", 1)
        inline = push("inline", "", 0)
        inline.content, inline.map, inline.children = text, line_range, []
        closing = push("paragraph_close", "p", -1)
        opening.hidden = closing.hidden = True
        push("list_item_close", "li", -1).markup = self._marker

    def _flush(self) -> None:
        """Add the HTML that was written since the last token, as one token."""
        self._state.tokens.append(simple_token("".join(self._parts), self._tokens, self._characters))
        self._parts, self._tokens, self._characters = [], 0, 0
