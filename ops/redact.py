"""Removes secrets from texts for people or other programs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.services import secret_shapes

_SHAPES = (
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/\"']+@"), r"\1***@"),
    (re.compile(r"(?i)\b(authorization\W{1,4})?(basic|bearer)( +)[\w.~+/=-]{8,}"), r"\1\2\3***"),
)
_SHORTEST = 6


class Redactor:
    """Replaces all `secrets`, and everything that looks like a secret of a chat service, by ***."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # Shorter ones would be found in ordinary words.
        longest_first = sorted(
            {secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True
        )
        self._shapes = (*secret_shapes(), *_SHAPES)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        """Return the text without secrets."""
        if self._known:
            text = self._known.sub("***", text)
        for pattern, replacement in self._shapes:
            text = pattern.sub(replacement, text)
        return text
