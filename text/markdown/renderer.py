"""Tokens → HTML, as `markdown_it.renderer` writes it, without a call for each text and each tag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token


class FastRenderer(RendererHTML):
    """The library's renderer with the same rules, and a shortcut for texts and tags without attributes."""

    def renderInline(self, tokens: Sequence[Token], options: Any, env: Any) -> str:  # noqa: N802
        """Return the tokens of a paragraph as HTML."""
        parts: list[str] = []
        rules = self.rules
        for index, token in enumerate(tokens):
            kind = token.type
            if kind == "text":
                parts.append(escapeHtml(token.content))
            elif kind == "simple":
                parts.append(token.content)
            elif kind in rules:
                parts.append(rules[kind](tokens, index, options, env))
            elif token.nesting < 0 and not token.block and not token.attrs and not token.hidden:
                parts.append(f"</{token.tag}>")
            else:
                parts.append(self.renderToken(tokens, index, options, env))
        return "".join(parts)

    def renderToken(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:  # noqa: N802
        """Return a token that has no rule as a tag."""
        token = tokens[idx]
        if token.hidden:
            return ""
        if token.attrs or token.nesting == 0:
            return super().renderToken(tokens, idx, options, env)
        if not token.block:
            return f"</{token.tag}>" if token.nesting < 0 else f"<{token.tag}>"
        if token.nesting < 0:
            return f"</{token.tag}>\n"
        start = "\n<" if idx and tokens[idx - 1].hidden else "<"
        following = tokens[idx + 1] if idx + 1 < len(tokens) else None
        is_followed_inline = following is not None and (
            following.type == "inline"
            or following.hidden
            or (following.nesting < 0 and following.tag == token.tag)
        )
        return f"{start}{token.tag}>" if is_followed_inline else f"{start}{token.tag}>\n"
