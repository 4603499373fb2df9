"""How long it takes to read a text."""

from __future__ import annotations

import re

WORDS_A_MINUTE = 238
"""Words that adults read silently in a minute: https://doi.org/10.1016/j.jml.2019.104047 (English)."""
CHARACTERS_A_MINUTE = 500
"""Characters a minute, with punctuation, of scripts without spaces between words: Chinese and Japanese."""

_TAG = re.compile(r"<[^<>]*>")
_UNSPACED = re.compile("[\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff01-\uff60]+")


def reading_minutes(markup: str) -> int:
    """Return in how many whole minutes an HTML fragment is read: at least 1, and 0 if it has no text."""
    text = _TAG.sub(" ", markup)
    characters = 0
    if not text.isascii():
        spaced, runs = _UNSPACED.subn(" ", text)
        characters, text = len(text) - len(spaced) + runs, spaced
    words = len(text.split())
    if not words and not characters:
        return 0
    return max(1, round(words / WORDS_A_MINUTE + characters / CHARACTERS_A_MINUTE))
