"""Markdown as people write it → HTML, not yet sanitised, at a cost that grows only with the length."""

from __future__ import annotations

from text.markdown.parser import inline_text, parse, render

__all__ = ["inline_text", "parse", "render"]
