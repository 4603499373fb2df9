"""What a search asks for: the words of a question, and the expression of FTS5 that finds them."""

from __future__ import annotations

import re
from functools import cache

MAX_LENGTH = 200
"""How many characters a question may have."""
MAX_WORDS = 10
"""How many distinct words of a question are searched for: the first ones."""

# SQLite splits text into words at spaces and punctuation. The scripts that use neither (and Korean, whose
# words carry endings) are split into characters first, and searched for as phrases of them.
_UNSPACED = (
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff])"
)
_WORD = re.compile(r"[\w'’]+")


def words(question: str) -> list[str]:
    """Return the first `MAX_WORDS` distinct words of a question; upper and lower case are the same."""
    found = (word for word in _WORD.findall(question[:MAX_LENGTH]) if any(map(str.isalnum, word)))
    return list({word.casefold(): word for word in found}.values())[:MAX_WORDS]


def match_expression(question: str) -> str:
    """Return a question as an FTS5 expression: every word must be there, the last at least as a beginning.

    Not every one, because the beginning of a word costs as much as all the words that begin so.
    """
    phrases = [f'"{segmented(word).strip()}"' for word in words(question)]
    return f"{' '.join(phrases)}*" if phrases else ""


def segmented(text: str) -> str:
    """Return a text with spaces around each character of a script that has no words for SQLite."""
    return _unspaced().sub(r" \1 ", text).encode("utf-8", "replace").decode()


@cache
def _unspaced() -> re.Pattern[str]:
    # Compiled when first needed: so many characters take 3 ms.
    return re.compile(_UNSPACED)
