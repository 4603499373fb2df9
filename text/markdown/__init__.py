"""Converts Markdown to HTML, not yet sanitised, in a time that grows linearly with the length."""

from __future__ import annotations

from text.markdown.inline import Emphasis
from text.markdown.parser import inline_text, parse, render

__all__ = ["Emphasis", "emphasis_of", "inline_text", "parse", "render"]


def emphasis_of(generator: str) -> Emphasis:
    """Return the rule of emphasis for the texts of a generator; CommonMark's for "plain"."""
    return "kramdown" if generator == "jekyll" else "commonmark" if generator == "plain" else "wide"
