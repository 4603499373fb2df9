"""Templates in bodies (Liquid, Hugo's and Zola's shortcodes, MDX) → Markdown or HTML without them.

A few that are known become what they mean: pictures, videos, code, links to other articles. All others
vanish, and the text within them stays. Code stays as it is written. Nothing is ever executed. One pass, whose
time grows only with the length.
"""

from __future__ import annotations

from text.templates.expand import Expanded, expand

__all__ = ["Expanded", "expand"]
