"""How long it takes to read a text."""

from __future__ import annotations

import pytest

from text.reading_time import CHARACTERS_A_MINUTE, WORDS_A_MINUTE, reading_minutes


@pytest.mark.parametrize(
    ("markup", "minutes"),
    [
        ("", 0),
        ("<p><img src='a b c.png'></p>", 0),
        ("<p>One</p>", 1),
        ("<p title='a long one'>word</p>" * WORDS_A_MINUTE * 3, 3),
        ("<p>文字。</p>" * CHARACTERS_A_MINUTE, 3),
        ("한국어 " * WORDS_A_MINUTE * 2, 2),
        ("文字" * CHARACTERS_A_MINUTE + " word" * WORDS_A_MINUTE, 3),
    ],
)
def test_minutes(markup: str, minutes: int) -> None:
    """Words between spaces count, and characters where there are no spaces; tags do not."""
    assert reading_minutes(markup) == minutes
