"""Describes, for its author, which limits a body exceeds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from text.limits import MAX_BODY, MAX_PARAGRAPH, MAX_TOKENS

# What a token can begin with: a line, a cell, a mark within a line, the mark of a list or a bare address.
_MARK = re.compile(r"[\n!$&*:<>\[\\_`{~|@]|\d[.)]|www\.|(?<![^\s>])[-+]")
# Where a paragraph ends in any case: at a blank line, and before the item of a list.
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n|\n(?= {0,3}[-+*][ \t]+\S)")
_MAX_TOKENS_PER_MARK = 6  # a list in a list, with its items and their paragraphs


def over_limits(body: str, markup: str) -> Iterator[str]:
    """Yield one text for each limit that a body in the format `markup` exceeds: see `docs/markdown.md`."""
    if len(body) > MAX_BODY:
        yield f"the text is longer than {MAX_BODY:,} characters: the rest is left out"
    if markup == "html" or len(body) <= MAX_PARAGRAPH:
        return
    if paragraph_bound(body) <= MAX_PARAGRAPH and token_bound(body) <= MAX_TOKENS:
        return
    # Imported here, as it takes some 80 ms, and few bodies are that long.
    from text import markdown

    tokens = markdown.parse(body[:MAX_BODY])
    if tokens is None:
        yield f"the text has more than {MAX_TOKENS:,} parts: it is shown as it is written"
    elif any(token.type == "inline" and len(token.content) > MAX_PARAGRAPH for token in tokens):
        yield f"a paragraph is longer than {MAX_PARAGRAPH:,} characters: it is shown as it is written"


def token_bound(body: str) -> int:
    """Return an upper limit for the number of tokens, in a fraction of the time that parsing takes."""
    return (len(_MARK.findall(body)) + 1) * _MAX_TOKENS_PER_MARK


def paragraph_bound(body: str) -> int:
    """Return an upper limit for the length of the longest paragraph."""
    return max(map(len, _PARAGRAPH_END.split(body.expandtabs(4))))
