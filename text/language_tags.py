"""Language tags: https://www.rfc-editor.org/rfc/rfc5646#section-2.1."""

from __future__ import annotations

import re

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")


def is_language_tag(text: str) -> bool:
    """Return whether a text is like `en` or `pt-BR`, in any case.

    The first part has two or three letters: no language is registered with more, so `english` is none.
    """
    return _TAG.fullmatch(text) is not None
