"""A picture in a light and a dark version is shown once."""

from __future__ import annotations

import pytest

from text.themes import without_dark_pictures


@pytest.mark.parametrize(
    "image",
    [
        '<img className="w-full dark-image" src="/a_dark.webp" />',
        "<img src='/a.png' class='hidden dark:block'>",
        '<img src="/a.png#gh-dark-mode-only" alt="">',
        '<img alt="x" src="/a.png#only-dark">',
    ],
)
def test_a_picture_for_dark_pages_is_left_out(image: str) -> None:
    """A picture for dark pages is recognised by its class or the fragment of its address."""
    assert without_dark_pictures(f"<p>a{image}b</p>") == "<p>ab</p>"


@pytest.mark.parametrize(
    "image",
    [
        '<img className="w-full light-image" src="/a.webp">',
        '<img src="/hidden.png" alt="a dark-image">',
        '<img src="/a.png#gh-light-mode-only">',
        '<img class="dark:invert overflow-hidden" src="/a.png">',
        '<code>&lt;img class="hidden"&gt;</code>',
    ],
)
def test_another_picture_stays(image: str) -> None:
    """A picture that only mentions dark pages stays."""
    assert without_dark_pictures(image) == image
