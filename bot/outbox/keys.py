"""Texts and keys in the form that the outbox can store, and the keys of posts."""

from __future__ import annotations

import hashlib
import re
import secrets

MAX_KEY = 500
"""The most bytes of UTF-8 that are indexed unhashed; PostgreSQL refuses index rows above 2,704 bytes.

https://www.postgresql.org/docs/current/btree.html
"""

MAX_TITLE = 2000
"""Characters of a title that the outbox stores, to name an article that no longer exists."""

# PostgreSQL's text cannot hold NUL, and no encoding can hold a lone surrogate.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def index_key(text: str) -> str:
    """Return the key of `text` in an index: the text, or its hash if it is long or cannot be stored."""
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) <= MAX_KEY and not _UNSTORABLE.search(text):
        return text
    return f"sha256:{hashlib.sha256(encoded).hexdigest()}"


def storable(text: str) -> str:
    """Return `text` with U+FFFD in place of each character that a database refuses."""
    return _UNSTORABLE.sub("\ufffd", text)


def is_storable(text: str) -> bool:
    """Return whether every database accepts `text` as it is."""
    return _UNSTORABLE.search(text) is None


def new_post_key() -> str:
    """Return a key that no other post has, in this outbox or another: 24 hexadecimal digits."""
    return secrets.token_hex(12)
