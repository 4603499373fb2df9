"""The limits of an article's body, which are checked before the text is parsed.

They are in characters and counts, never in seconds, as all machines must produce the same bytes. A part that
exceeds a limit is shown as plain text, and never refused: `docs/articles.md` describes how.
"""

from __future__ import annotations

MAX_BODY = 1_000_000
"""Characters of a body; the rest is cut off."""

MAX_PARAGRAPH = 20_000
"""Characters of one paragraph, heading or cell; a longer one is shown with its markup as text."""

MAX_TOKENS = 60_000
"""Tokens of a body's Markdown, such as blocks, links and texts; a body with more is shown as text."""

MAX_MARKUP = 4_000_000
"""Characters of the HTML from Markdown, which may repeat one long address in many links."""

MAX_DEPTH = 100
"""The deepest nesting of HTML; deeper tags are removed, and their text stays."""

MAX_FORMATTING = 10
"""The deepest nesting of `b`, `i`, `a` and such: a parser reopens unclosed ones in every later paragraph."""

MAX_URL = 4_000
"""Characters of an address; a longer one is not a link."""

MAX_MARKS = 30
"""Combining marks in a row, as in the Stream-Safe Text Format (UAX #15 §13)."""
