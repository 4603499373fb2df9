"""Regular expressions between slashes, in settings, whose search time grows only linearly with the text.

RE2 has no backtracking, and so neither look-around nor back-references:
https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

MAX_PATTERN = 500
"""Characters of a pattern."""

_MEMORY = 1 << 20
"""The most bytes of a compiled pattern."""


class Pattern(Protocol):
    """A compiled pattern."""

    def search(self, text: str) -> Any:
        """Return the first match, or None."""


def is_pattern(word: str) -> bool:
    """Return whether a word is written as a pattern: `/k8s|kubernetes/`."""
    return len(word) > 2 and word.startswith("/") and word.endswith("/")


@lru_cache(maxsize=256)
def pattern(word: str) -> Pattern | None:
    """Return the pattern that a word is, or None for a plain word; case makes no difference.

    Raises ValueError for a pattern that cannot be used.
    """
    if not is_pattern(word):
        return None
    if len(word) > MAX_PATTERN:
        raise ValueError(f"is a pattern of over {MAX_PATTERN} characters")
    # Imported here, as most installations have no pattern.
    import re2

    options = re2.Options()
    options.case_sensitive, options.max_mem, options.log_errors = False, _MEMORY, False
    try:
        compiled: Pattern = re2.compile(word[1:-1], options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"is not a pattern that can be used: {text}") from None
    return compiled
