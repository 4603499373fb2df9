"""The summary of an article without one: the first words of its text.

That is the text before the author's mark, `<!-- more -->` or one of its variants, or else the first paragraph
of prose: not a heading, table, code, picture or caption. Only the beginning of a body is searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from text.markup import one_line, plain, plain_of_sanitised, sanitise
from text.templates import expand

if TYPE_CHECKING:
    from markdown_it.token import Token

SUMMARY_LENGTH = 300
"""Characters of a summary from the first paragraph."""

MARKED_LENGTH = 1_000
"""Characters of a summary that the author marked."""

_MARK_SEARCH_LENGTH = 20_000  # characters in which the author's mark is searched for
# Characters in which the first paragraph is searched for: first in a short beginning, then in a longer one.
_PROSE_SEARCH_LENGTHS = (1_500, 6_000)
_MORE = re.compile(
    r"<!--\s*(?:more|read[ -]?more|truncate|excerpt|end[ _-]?excerpt)\s*-->"
    r"|\{/\*\s*(?:truncate|more)\s*\*/\}",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"^ {0,3}\[[^\]\n]{1,200}\]:[ \t]*\S[^\n]*$", re.MULTILINE)
_PARAGRAPH = re.compile(r"<p>.*?(?:</p>|\Z)", re.DOTALL)
_FORMULA = re.compile(r"\$\$.*?\$\$|\\\[.*?\\\]", re.DOTALL)
_FOOTNOTE = re.compile(r"\[\^\w{1,40}\]")
_FIRST_BLOCK = re.compile(r"\s*\S[^\n]*(?:\n[ \t]*\S[^\n]*)*")
_SENTENCE_END = re.compile(r"""[.!?](?:["'”’)\]]*)(?=\s)|[。！？]""")


def summarise(body: str, *, generator: str = "plain", markup: str = "markdown") -> str:
    """Return the summary of a body on one line of plain text, cut at a sentence or a word; "" for none.

    `generator` and `markup` are those of `text.templates.expand`.
    """
    mark = _MORE.search(body, 0, _MARK_SEARCH_LENGTH)
    max_length = _PROSE_SEARCH_LENGTHS[-1]
    head = body[: mark.start()] if mark else _whole_blocks(body, max_length) or body[:max_length]
    if markup == "html":
        summary = _of_html(expand(head, generator=generator, markup=markup).text, whole=bool(mark))
    else:
        summary = _of_markdown(head, body, generator, markup, whole=bool(mark))
    return cut(one_line(summary), MARKED_LENGTH if mark else SUMMARY_LENGTH)


def cut(text: str, length: int) -> str:
    """Return `text`, or its beginning up to the last sentence or else word that ends within `length`.

    A word is followed by an ellipsis.
    """
    if len(text) <= length:
        return text
    ends = [end.end() for end in _SENTENCE_END.finditer(text, 0, length)]
    if ends and ends[-1] >= length // 3:
        return text[: ends[-1]]
    start, space, _ = text[:length].rpartition(" ")
    return f"{start if space else text[:length]}…"


def is_in(summary: str, markup: str) -> bool:
    """Return whether all of a summary is also in the text of a sanitised HTML fragment, word by word."""
    if not summary:
        return False
    words = summary.removesuffix("…")
    beginnings = (markup[:length].rpartition("</")[0] for length in _PROSE_SEARCH_LENGTHS)
    return any(words in plain_of_sanitised(part) for part in (*beginnings, markup))


def _of_html(markup: str, *, whole: bool) -> str:
    clean = sanitise(markup, "https://localhost/")
    if whole or "<p>" not in clean:
        return plain(clean)
    return next(filter(_is_prose, (plain(paragraph[0]) for paragraph in _PARAGRAPH.finditer(clean))), "")


def _is_prose(text: str) -> bool:
    """Return whether a text has words besides its formulas."""
    return any(map(str.isalnum, _FORMULA.sub("", text) if "$$" in text or "\\[" in text else text))


def _of_markdown(head: str, body: str, generator: str, markup: str, *, whole: bool) -> str:
    for part in [head] if whole else _beginnings(head):
        text = expand(part, generator=generator, markup=markup).text
        references = _references(body)
        if "{" in references:
            references = expand(references, generator=generator, markup=markup).text
        prose = " ".join(_prose(text + references, generator, whole=whole))
        if prose:
            return prose
    return ""


def _beginnings(head: str) -> Iterator[str]:
    """Yield longer and longer beginnings of a text, each cut between two blocks."""
    first = _FIRST_BLOCK.match(head)
    if first and first[0].lstrip()[:1].isalnum():
        yield first[0]
    short = _whole_blocks(head, _PROSE_SEARCH_LENGTHS[0])
    if short and short != head:
        yield short
    yield head


def _whole_blocks(text: str, length: int) -> str:
    """Return the longest beginning of a text within `length` that ends at a blank line, or the whole text."""
    return text if len(text) <= length else text[: max(0, text.rfind("\n\n", 0, length))]


def _references(body: str) -> str:
    """Return the definitions to which `[text][name]` refers, from anywhere in a body."""
    if "]:" not in body:
        return ""
    definitions = [match[0] for match in _REFERENCE.finditer(body)]
    # Footnotes last, with blank lines between: the lines below a footnote belong to it.
    notes = [definition for definition in definitions if definition.lstrip().startswith("[^")]
    return "\n\n".join(
        ["", "\n".join(definition for definition in definitions if definition not in notes), *notes]
    )


def _prose(text: str, generator: str, *, whole: bool) -> Iterator[str]:
    """Yield the text of the first paragraph of prose, or with `whole` of all of them."""
    # Imported here, as it takes some 80 ms, and a site of links only does not need it.
    from text import markdown

    tokens = markdown.parse(text, markdown.emphasis_of(generator)) or []
    nested: list[str] = []
    was_picture = False
    for before, token in zip_longest(tokens, tokens[1:]):
        if before.type == "footnote_block_open":
            break
        if before.type == "html_block":
            prose = _of_html(before.content, whole=False) if "<p" in before.content else ""
        elif before.type == "paragraph_open" and token:
            children = token.children or ()
            is_caption = _is_caption(children, after_picture=was_picture)
            was_picture = any(child.type == "image" for child in children)
            prose = "" if is_caption else _text(children)
        else:
            continue
        if _is_prose(prose):
            if whole or before.level == 0:
                yield prose
                if not whole:
                    return
            nested.append(prose)
    if not whole:
        yield from nested[:1]


def _is_caption(children: Sequence[Token], *, after_picture: bool) -> bool:
    """Return whether a paragraph is only emphasis, beside or below a picture."""
    if not after_picture and not any(child.type == "image" for child in children):
        return False
    depth = 0
    for child in children:
        depth += child.nesting if child.type in ("em_open", "em_close") else 0
        if child.type in ("text", "code_inline") and child.content.strip() and depth == 0:
            return False
    return True


def _text(children: Sequence[Token]) -> str:
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else _without_marks(child)
        for child in children
        if child.type in ("text", "code_inline", "softbreak", "hardbreak")
    )


def _without_marks(token: Token) -> str:
    """Return a text without the marks of footnotes whose notes are not in the part that was read."""
    content = token.content
    return _FOOTNOTE.sub("", content) if token.type == "text" and "[^" in content else content
