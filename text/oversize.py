"""What of a body is over a limit, in words for its author."""

from __future__ import annotations

import re
from collections.abc import Iterator

from text.limits import MAX_BODY, MAX_PARAGRAPH, MAX_TOKENS

_MARK = re.compile(r"[^\w\s]|\n")
_MOST_TOKENS_A_MARK = 6  # a list in a list, with its items and their paragraphs


def over_limits(body: str, markup: str) -> Iterator[str]:
    """Yield what `docs/markdown.md` says of each limit that a body exceeds; `markup` is how it is written."""
    if len(body) > MAX_BODY:
        yield f"the text is longer than {MAX_BODY:,} characters: the rest is left out"
    if markup == "html" or len(body) <= MAX_PARAGRAPH:
        return
    is_long = any(len(part) > MAX_PARAGRAPH for part in re.split(r"\n[ \t]*\n", body))
    if not is_long and len(_MARK.findall(body)) * _MOST_TOKENS_A_MARK <= MAX_TOKENS:
        return
    # Imported late: it costs some 80 ms, and few bodies are that long.
    from text import markdown

    tokens = markdown.parse(body[:MAX_BODY], {})
    if tokens is None:
        yield f"the text has more than {MAX_TOKENS:,} parts: it is shown as it is written"
    elif any(token.type == "inline" and len(token.content) > MAX_PARAGRAPH for token in tokens):
        yield f"a paragraph is longer than {MAX_PARAGRAPH:,} characters: it is shown as it is written"
