"""Text that tries to be more than text, and a check that is independent of the code under test."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

PIECES = (
    "\n", "\r", "\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "\x9d0;t\x9c", "\x00", "\x08", "\x7f", "\x85",
    "\u2028", "\u2029", "\u202a", "\u202e", "\u2066", "\u2069", "\ud800", "\udcff", "\uffff",
    "::error::", "::set-output name=x::", "##[error]", "##vso[task.setvariable variable=x]", "##teamcity[x]",
)  # fmt: skip
HOSTILE = (
    "A\n::error::pwned\r\n::add-mask::x\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\u2066"
    " ##[error]x ##vso[task] end"
)
"""One text with a piece of every kind."""

_DIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def hostile_text(max_size: int = 12) -> st.SearchStrategy[str]:
    """Return texts made of hostile pieces and any characters between them."""
    characters = st.characters(exclude_categories=())
    pieces = st.one_of(st.sampled_from(PIECES), st.sampled_from([" ", "::", "##", "[", "a"]), characters)
    return st.lists(pieces, max_size=max_size).map("".join)


def assert_safe(output: str, *, lines: int | None = None) -> None:
    """Fail if a terminal or a CI system would interpret part of `output`, or if its line count differs."""
    found = output.split("\n")
    if lines is not None:
        assert len(found) == lines, found
    for line in found:
        for character in line:
            assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp"), (character, line)
            assert unicodedata.bidirectional(character) not in _DIRECTIONAL, (character, line)
            assert character not in "\ufffe\uffff", line
        assert not line.strip().startswith("::"), line
        assert "##[" not in line, line
        assert "##vso[" not in line, line
        assert "##teamcity[" not in line, line
