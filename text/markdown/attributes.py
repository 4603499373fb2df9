"""Braces and dollar signs: attribute lists are removed from the text, formulas are left unchanged."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

_ID = r"[A-Za-z][\w.:-]{0,99}"
_ATTRIBUTE = (
    r"""(?:\.-?[A-Za-z_][\w.:-]*|\#[\w.:-]+|[A-Za-z][\w:-]*=(?:"[^"\n{}]*"|'[^'\n{}]*'|[\w./:#-]+)|-)"""
)
# kramdown's and Pandoc's attribute lists
# (https://kramdown.gettalong.org/syntax.html#attribute-list-definitions).
_ATTRIBUTES = re.compile(rf"\{{(?::[^{{}}\n]{{0,500}}|\s?{_ATTRIBUTE}(?:\s+{_ATTRIBUTE}){{0,20}}\s?)\}}")
_ATTRIBUTES_END = re.compile(r"[ \t]*(?:\n|\Z)")
_EXPLICIT_ID = re.compile(rf"(?<![\w=\"'])#({_ID})")
_SPAN_ENDS = frozenset("*_`)]>~")
_MATH = re.compile(r"\$\$[^$]{1,2000}\$\$|\$(?![\s$])[^$\n]{1,300}(?<!\s)\$(?!\d)")


def math(state: StateInline, silent: bool) -> bool:
    """Leave a formula between dollar signs unchanged: its * and _ are not emphasis."""
    if state.src[state.pos] != "$":
        return False
    formula = _MATH.match(state.src, state.pos, state.posMax)
    if not formula:
        return False
    if not silent:
        state.pending += formula[0]
    state.pos = formula.end()
    return True


def attribute_list(state: StateInline, silent: bool) -> bool:
    """Remove an attribute list from the text: at the end of a line, or directly after a span."""
    if state.src[state.pos] != "{":
        return False
    match = _ATTRIBUTES.match(state.src, state.pos, state.posMax)
    if not match:
        return False
    follows_span = state.pos > 0 and state.src[state.pos - 1] in _SPAN_ENDS
    ends_line = _ATTRIBUTES_END.match(state.src, match.end(), state.posMax)
    if not follows_span and not (ends_line and match[0][1:].lstrip()[0] in ":#."):
        return False
    if not silent:
        state.pending = state.pending.rstrip(" \t") if ends_line else state.pending
        explicit_id = _EXPLICIT_ID.search(match[0])
        state.push("attribute_list", "", 0).meta = {"id": explicit_id[1] if explicit_id else None}
    state.pos = match.end()
    return True


def attributes(state: StateCore) -> None:
    """Set the ids of headings from their attribute lists, and remove paragraphs that are only such a list."""
    used: set[str] = set()
    remaining: list[Token] = []
    tokens = iter(state.tokens)
    for token in tokens:
        if token.type not in ("heading_open", "paragraph_open"):
            remaining.append(token)
            continue
        inline, end = next(tokens), next(tokens)
        explicit_id = _take_id(inline)
        heading = token if token.type == "heading_open" else _heading_before(remaining)
        is_empty = not inline.children and token.type == "paragraph_open" and bool(inline.content)
        if explicit_id and explicit_id not in used and heading and (heading is token or is_empty):
            used.add(explicit_id)
            heading.attrSet("id", explicit_id)
        if not is_empty:
            remaining += (token, inline, end)
    state.tokens[:] = remaining


def _take_id(inline: Token) -> str | None:
    """Remove the attribute lists of a paragraph or heading, and return the id in the last one, or None."""
    explicit_id = None
    children = inline.children or []
    if not any(child.type == "attribute_list" for child in children):
        return None
    remaining: list[Token] = []
    for child in children:
        if child.type == "attribute_list":
            explicit_id = child.meta["id"] or explicit_id
            if remaining and remaining[-1].type == "softbreak":
                remaining.pop()
        else:
            remaining.append(child)
    inline.children = remaining
    return explicit_id


def _heading_before(tokens: Sequence[Token]) -> Token | None:
    return tokens[-3] if len(tokens) > 2 and tokens[-1].type == "heading_close" else None
