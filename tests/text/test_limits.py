"""Twice the text is twice the work, for any text, counted in calls."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.topics import slugify
from text import markdown
from text.limits import MAX_BODY, MAX_MARKS, MAX_PARAGRAPH, MAX_TOKENS, MAX_URL
from text.markup import render_markdown, sanitise
from text.oversize import over_limits
from text.urls import http_url
from text.words import fold, stream_safe

BASE = "https://news.example.org/articles/post"

UNITS = [
    "*_", "**a", "[", "![", "[a](", "[a]: b\n", "[a]\n", "[^a]: b\n", "`a``", "<a ", "<!--", "<?", "> ",
    "- a\n  ", "* a\n", "a\n", "# x\n", "a|b\n-|-\n", "|a|b|c|\n|-|-|-|\n", "~~", "&", "$a", "{: .a}\n",
    "{#a .b ", ":::a\n", "a\n: b\n", ":tada:", "http://a.b/((( ", "www.a_b ", "a@b.c ", "- [ ] a\n", "```\n",
    "<div>\n", "<div></p>", "![a ", "> [!TIP]\n", "[a](<", "a  \n",
]  # fmt: skip


def calls(work: Callable[[], object]) -> int:
    """Return how many functions, of Python and of C, were called during some work."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("unit", UNITS)
def test_rendering_twice_the_text_is_twice_the_work(unit: str) -> None:
    """No repeated piece of Markdown or HTML makes the parser read it again and again."""
    render_markdown(unit, BASE)  # work that is done once is not counted
    size = 2_000 // len(unit)
    small = calls(lambda: render_markdown(unit * size, BASE))
    large = calls(lambda: render_markdown(unit * (2 * size), BASE))
    assert large <= 2.2 * small + 2_000


def test_a_body_of_too_many_parts_is_shown_as_it_is_written() -> None:
    """All its text is shown in paragraphs.

    The limit counts tokens, so that every machine gives the same bytes.
    """
    body = "- *a*\n" * (MAX_TOKENS // 5)
    assert render_markdown(body, BASE).startswith("<p>- *a*\n- *a*\n")
    assert render_markdown("- *a*\n" * (MAX_TOKENS // 50), BASE).startswith("<ul>\n<li><em>a</em>")


def test_a_long_address_linked_to_from_everywhere_is_not_multiplied() -> None:
    """A reference of 3,000 characters used 1,500 times would make 4.5 MB of HTML."""
    body = f"[a]: https://x.example/{'x' * 3_000}\n\n" + "[a] " * 1_500
    assert markdown.parse(body) is None
    assert len(render_markdown(body, BASE)) < 4 * len(body)


def test_a_paragraph_of_too_many_characters_is_shown_as_it_is_written() -> None:
    """The other paragraphs are not affected."""
    shown = render_markdown("*a* " * MAX_PARAGRAPH + "\n\n*b*", BASE)
    assert "*a* *a*" in shown
    assert shown.endswith("<p><em>b</em></p>")


def test_an_address_that_is_too_long_is_no_link() -> None:
    """The link's text stays, and the address is not normalised before its length is checked."""
    long = "https://x.example/" + "a" * MAX_URL
    assert sanitise(f'<a href="{long}">text</a>', BASE) == "<a>text</a>"
    assert http_url(long) is None
    assert http_url("https://" + "e\u0301" * 1_000 + ".example/") is None


@settings(deadline=None)  # the first call builds the table of marks
@given(st.text(st.sampled_from("ae\u0301\u0323\u0327日ﷺ"), max_size=200), st.integers(1, 50))
def test_runs_of_combining_marks_are_cut(text: str, times: int) -> None:
    """At most 30 marks in a row stay, as in the Stream-Safe Text Format; other texts are unchanged."""
    run = longest = 0
    for character in stream_safe(text * times):
        run = run + 1 if unicodedata.combining(character) else 0
        longest = max(longest, run)
    assert longest <= MAX_MARKS
    if not any(map(unicodedata.combining, text)):
        assert stream_safe(text) == text


def test_words_and_topics_are_normalised_after_their_marks_are_cut() -> None:
    """A word with a million marks is normalised to no more than a word with thirty."""
    marks = "\u0301\u0323" * 100_000
    assert len(fold("a" + marks)) <= MAX_MARKS + 1
    assert slugify("a" + marks).startswith(fold("a" + marks)[:10])


@pytest.mark.parametrize(
    ("body", "markup", "reasons"),
    [
        ("short", "markdown", []),
        ("a\n\n" * 10_000, "markdown", []),
        ("word " * 5_000, "markdown", ["a paragraph is longer"]),
        ("word " * 5_000, "html", []),
        ("```\n" + "word " * 5_000 + "\n```", "markdown", []),
        ("- a\n" * 20_000, "markdown", ["the text has more than"]),
        ("a" * (MAX_BODY + 1), "html", ["the text is longer"]),
    ],
)
def test_what_is_over_a_limit_is_named(body: str, markup: str, reasons: list[str]) -> None:
    """`flask articles check` names a body over a limit, and parses only bodies that may be over it."""
    found = list(over_limits(body, markup))
    assert len(found) == len(reasons)
    assert all(text.startswith(reason) for text, reason in zip(found, reasons, strict=True))
