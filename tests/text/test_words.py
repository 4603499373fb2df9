"""Names as people compare and sort them."""

from __future__ import annotations

import pytest

from text.words import sort_key, without_accents


@pytest.mark.parametrize(
    "names",
    [
        ["Archive", "Ärzte", "Auto", "Zebra"],
        ["Apple", "apple", "Äpple", "Apples"],
        ["été", "éteint", "etf", "Œuvre", "of"],
        ["единица", "ёлка", "ель", "жук", "инжир", "йога", "каша"],  # a ё is an е, but a й is no и
        ["Lodz", "Łódź", "Lodz a", "Lof"],
        ["Python", "Python 3.9", "python 3.10", "Python 10"],
        ["かき", "がく", "きく"],
    ],
)
def test_names_are_sorted_as_in_a_dictionary(names: list[str]) -> None:
    """Case and accents matter only between names that are equal otherwise."""
    assert sorted(set(names), key=sort_key) == names


def test_accents_are_dropped_for_a_search() -> None:
    """A search finds a name without its accents, in any case."""
    assert without_accents("Müller, ÉTÉ, Straße") == "muller, ete, strasse"
    assert without_accents("로그") == "로그"
