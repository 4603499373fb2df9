"""The characters that XML documents can hold (XML 1.0 §2.2)."""

from __future__ import annotations

import re

# Spaces in all but name, and then what XML 1.0 §2.2 cannot hold (control characters, lone surrogates, U+FFFE,
# U+FFFF) or what only a decoding error leaves behind (C1 control characters, U+FFFD).
_CONTROL_SPACE = re.compile("[\x0b\x0c\x85]")
_UNSAFE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]")
_ANY_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]")


def xml_safe(text: str) -> str:
    """Return `text` without the characters that XML 1.0 cannot hold; vertical tabs and such become spaces."""
    if not _ANY_UNSAFE.search(text):
        return text
    return _UNSAFE.sub("", _CONTROL_SPACE.sub(" ", text))
