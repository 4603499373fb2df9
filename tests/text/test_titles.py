"""Titles lose their markup and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from text.titles import plain_title


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("A <em>bold</em> &amp; `plain` **plan**", "A bold & plain plan"),
        ("Announcing *Stable* 2", "Announcing Stable 2"),
        ("vector<T> & <b>x", "vector<T> & <b>x"),
        ("</b>a<b>", "</b>a<b>"),
        ("a < b > c", "a < b > c"),
        ("snake_case_name", "snake_case_name"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("What<br>now", "What now"),
        ("C&#43;&#43; AT&T", "C++ AT&T"),
        ("`<T>`", "<T>"),
        ("[a](b)", "[a](b)"),
        (r"\*x\*", "*x*"),
        ("<span class='a'>x</span> <strike>y</strike>", "x y"),
        ("&lt;b&gt;x&lt;/b&gt;", "<b>x</b>"),
    ],
)
def test_markup_in_titles(written: str, title: str) -> None:
    """Pairs of inline tags, entities, emphasis and code become text; anything else stays."""
    assert plain_title(written) == title


@given(st.text(st.characters(exclude_characters="<&*_`\\"), max_size=100))
def test_titles_without_markup_stay_as_they_are(title: str) -> None:
    """A title without markup stays the same, including its spaces."""
    assert plain_title(title) == title
