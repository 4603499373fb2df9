"""The characters that are valid in XML documents (XML 1.0 §2.2)."""

from __future__ import annotations

import re

# Control characters that count as spaces.
_SPACES = dict.fromkeys((0x0B, 0x0C, 0x85), " ")
# Characters that are invalid in XML 1.0 §2.2 (control characters, lone surrogates, U+FFFE, U+FFFF) or result
# only from decoding errors (C1 control characters, U+FFFD).
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd-\uffff]")


def xml_safe(text: str) -> str:
    """Return `text` without characters that are invalid in XML 1.0; vertical tabs and such become spaces."""
    return _UNSAFE.sub("", text.translate(_SPACES)) if _UNSAFE.search(text) else text
