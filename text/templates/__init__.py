"""Templates in bodies (Liquid, Hugo's and Zola's shortcodes, MDX) → Markdown or HTML without them.

A few known templates are converted to what they stand for: pictures, videos, code, links to other articles.
All others are removed, and the text within them stays. Code is left unchanged. Nothing is executed. The text
is read in one pass, in a time that grows linearly with the length.
"""

from __future__ import annotations

from text.templates.expand import ExpandedText, expand

__all__ = ["ExpandedText", "expand"]
