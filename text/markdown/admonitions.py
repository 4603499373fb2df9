"""Docusaurus' and Pandoc's containers: `:::note Title` … `:::`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from markdown_it.token import Token

_ADMONITION = re.compile(
    r"\s*(?:\{\s*\.)?([A-Za-z][\w-]{0,40})\}?\s*(?:\[((?:[^\[\]]|\[[^\[\]]{0,300}\](?:\([^()\s]{0,500}\))?){0,300})\]|\{[^}]{0,300}\}|([^{}\[\]]{0,300}))\s*\Z"
)
_LINK = re.compile(r"\[([^\[\]]*)\](?:\([^()]*\))?")
_TITLED = frozenset({"caution", "danger", "important", "info", "note", "success", "tip", "warning"})


def is_admonition(parameters: str, _markup: str) -> bool:
    """Return whether the text after the colons begins a container."""
    return bool(_ADMONITION.match(parameters))


def admonition(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    """Render `:::note Title` as a block quote with its title; other containers become a block quote only."""
    token = tokens[index]
    if token.nesting < 0:
        return "</blockquote>\n"
    match = _ADMONITION.match(token.info)
    if not match:
        return "<blockquote>\n"
    title = _LINK.sub(r"\1", match[2] or match[3] or "").strip() or (
        match[1].capitalize() if match[1].lower() in _TITLED else ""
    )
    return "<blockquote>\n" + (f"<p><strong>{escape(title, quote=False)}</strong></p>\n" if title else "")
