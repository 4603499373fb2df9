"""The passages of articles in which the words of a search occur.

The search index stores only the positions of words, not the texts. So the texts of the few articles that are
shown are indexed once more, in memory, and searched with the same query.
"""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from contextlib import closing

from articles.catalog.search_words import unsegmented

TEXT_COLUMNS = "title, summary, body"
"""The columns of the index of texts."""
TOKENS = 'tokenize = "unicode61 remove_diacritics 2"'
"""How the index divides texts into words: https://www.sqlite.org/fts5.html#unicode61_tokenizer."""

# A space that replaces the end of a link or of emphasis before a full stop or a comma.
_GAP = re.compile(r"(?<=\w) (?=[.,](?: |$))")
_CREATE = f"CREATE VIRTUAL TABLE texts USING fts5 ({TEXT_COLUMNS}, {TOKENS})"
_ADD = f"INSERT INTO texts (rowid, {TEXT_COLUMNS}) VALUES (?, ?, ?, ?)"
_FIND = "SELECT rowid, snippet(texts, 2, char(2), char(3), '…', 32) FROM texts WHERE texts MATCH ?"


def snippets(expression: str, sources: Mapping[int, bytes]) -> dict[int, str]:
    """Return the best place in each body that has words of an FTS5 expression, by the article's number.

    `sources` are what `packed` returned for the columns of articles that the expression finds.
    """
    texts = {number: unpacked(source)[:3] for number, source in sources.items()}
    if not any(body for _, _, body in texts.values()):
        return {}
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(_CREATE)
        connection.executemany(_ADD, ((number, *columns) for number, columns in texts.items()))
        return {
            number: _GAP.sub("", unsegmented(marked.replace("\2", "").replace("\3", "")))
            for number, marked in connection.execute(_FIND, (expression,))
            if marked and "\2" in marked
        }


def packed(columns: Sequence[str]) -> bytes:
    """Return texts in a compressed form, which `unpacked` reads."""
    return zlib.compress(json.dumps(columns, ensure_ascii=False).encode(), 1)


def unpacked(source: bytes) -> list[str]:
    """Return the texts that were `packed`."""
    columns: list[str] = json.loads(zlib.decompress(source))
    return columns
