"""Patterns between slashes are searched in linear time, and refused when they are invalid."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.planning.filters import LanguageFilter, TextFilter
from text.patterns import MAX_PATTERN, pattern


def test_what_is_between_slashes_is_a_pattern() -> None:
    """Text between slashes is a pattern that ignores case; any other text is a word."""
    found = pattern("/k8s|kubernet(es|ik)/")
    assert found is not None
    assert found.search("Die Kubernetik") is not None
    assert found.search("Docker") is None
    assert pattern("k8s") is pattern("/") is pattern("//") is None


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("/(a/", "is not a pattern that can be used: missing ): (a"),
        ("/(?=a)b/", "is not a pattern that can be used: invalid perl operator"),
        (r"/(a)\1/", "is not a pattern that can be used: invalid escape sequence"),
        ("/(a{1000}){1000}/", "is not a pattern that can be used: "),
        (f"/{'a' * MAX_PATTERN}/", "is a pattern of over 500 characters"),
    ],
)
def test_what_cannot_be_used_is_refused(word: str, says: str) -> None:
    """Look-around and back-references are refused, with the reason: no linear search supports them."""
    with pytest.raises(ValueError, match="is") as caught:
        pattern(word)
    assert str(caught.value).startswith(says)


def test_no_pattern_takes_long() -> None:
    """A pattern for which other engines try 2^5000 ways ends before the test's own time limit."""
    found = pattern("/(a+)+$/")
    assert found is not None
    assert found.search("a" * 5000 + "b") is None


@given(st.text(st.characters(), max_size=30))
def test_any_text_is_searched(text: str) -> None:
    """Any text, also with a lone surrogate, contains a word or does not."""
    has_word = TextFilter(include=frozenset({"z"})).refusal(text) is None
    has_letter = any(letter in text.lower() for letter in "xy")
    found = TextFilter(include=frozenset({"/x|y/", "Z"})).refusal(text)
    assert (found is None) == (has_letter or has_word)


def test_words_and_patterns_together() -> None:
    """An article needs one of the included words and none of the excluded; the reason names the match."""
    found = TextFilter(include=frozenset({"/llms?/", "Rust"}), exclude=frozenset({"/spon[sz]or/"}))
    assert found.refusal("Two LLMs at once") is None
    assert found.refusal("rust in the kernel") is None
    assert found.refusal("Rusty") == "contains none of them"
    assert found.refusal("LLM, sponzored") == "contains 'sponzor'"


@pytest.mark.parametrize(
    ("language", "admitted"), [("pt", True), ("pt-BR", True), ("PT-br", True), ("pts", False), (None, False)]
)
def test_a_language_includes_narrower_ones(language: str | None, admitted: bool) -> None:
    """A language includes its regions; an article without a language is in the site's."""
    assert LanguageFilter(tags=frozenset({"pt"})).admits(language) is admitted
    assert LanguageFilter(tags=frozenset({"pt"}), own="pt").admits(None)
