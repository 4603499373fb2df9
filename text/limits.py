"""How large a text may be before it has a meaning: every limit of an article's body in one place.

They are in characters and counts, never in seconds: all machines must give the same bytes. What is over is
shown as its text, never refused: `docs/articles.md` says how.
"""

from __future__ import annotations

MAX_BODY = 1_000_000
"""Characters of a body; the rest is cut off."""

MAX_PARAGRAPH = 20_000
"""Characters of one paragraph, heading or cell; in a longer one, markup is shown as it is written."""

MAX_TOKENS = 60_000
"""Blocks, links, emphases and texts that Markdown becomes; a body with more is shown as it is written."""

MAX_MARKUP = 4_000_000
"""Characters of HTML that Markdown becomes: one long address can be linked to from everywhere."""

MAX_DEPTH = 100
"""How deep HTML nests; tags beyond it are dropped, and their text stays."""

MAX_FORMATTING = 10
"""How deep `b`, `i`, `a` and such nest: a parser opens them again in every paragraph that they run into."""

MAX_URL = 4_000
"""Characters of an address; a longer one is no link."""

MAX_MARKS = 30
"""Combining marks in a row, as in the Stream-Safe Text Format (UAX #15 §13)."""
