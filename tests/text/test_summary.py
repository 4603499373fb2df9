"""A summary is the text before the author's mark, or the first paragraph of prose."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.text.test_limits import calls
from text.summary import MARKED_LENGTH, SUMMARY_LENGTH, cut, summarise


@pytest.mark.parametrize(
    ("body", "summary"),
    [
        ("Turned *twice* as fast.", "Turned twice as fast."),
        ("# T\n\n![a](b.png)\n\n*Caption*\n\n| a |\n|--|\n| b |\n\n```\nc\n```\n\nReal [p](x), at\nlast.\n\n",
         "Real p, at last."),
        ("One.\n\nTwo.\n\n<!-- more -->\n\nThree.", "One. Two."),
        ("One.\n<!--more-->\nTwo.", "One."),
        ("One.\n\n<!-- truncate -->\n\nTwo.", "One."),
        ("One. {/* truncate */}\n\nTwo.", "One."),
        ("See [the guide][g][^1].\n\nMore.\n\n[^1]: A [note][g].\n\nMore.\n\n[g]: /x", "See the guide."),
        ("See [the guide][g] and a note[^1].\n\nMore.\n\n[g]: /x\n[^1]: Note.", "See the guide and a note."),
        ("See a note[^1] in `[^1]`.\n\nMore.\n\n[^1]:\n    Note.", "See a note in [^1]."),
        ("$$\n\\def\\a{x}\n$$\n\nWords.", "Words."),
        ("- only\n- a list", "only"),
        ("<p>HTML <b>prose</b></p>\n\nMarkdown.", "HTML prose"),
        ("<p>HTML alone</p>", "HTML alone"),
        ("![picture](a.png)", ""),
        ("```\ncode\n```", ""),
        ("", ""),
        ("Hello :tada: {: .lead}", "Hello 🎉"),
    ],
)  # fmt: skip
def test_summary_of_markdown(body: str, summary: str) -> None:
    """Headings, tables, code, pictures and captions are not taken for prose."""
    assert summarise(body) == summary


@pytest.mark.parametrize(
    ("generator", "markup", "body", "summary"),
    [
        ("docusaurus", "mdx", "import A from 'a';\n\nBuilds are fast {/* yes */} now. {/* truncate */}\n\nX",
         "Builds are fast now."),
        ("jekyll", "markdown", "{% include banner.html %}\n\nProse {{ page.x }} here.", "Prose here."),
        ("jekyll", "markdown", "A [b][c] d.\n\n[c]: https://x.example/{{ page.x }}/{{ page.y }}", "A b d."),
        ("hugo", "markdown", "{{< toc >}}\n\nProse.", "Prose."),
        ("plain", "markdown", "Use {{ mustache }}.", "Use {{ mustache }}."),
        ("plain", "html", "<div><h1>T</h1><p>One.</p><p>Two.</p></div>", "One."),
        ("plain", "html", "<p>$$ \\def\\a{x} $$</p><p>Words.</p>", "Words."),
        ("plain", "html", "<p>One.</p><p>Two.</p><!-- more --><p>Three.</p>", "One. Two."),
    ],
)  # fmt: skip
def test_summary_of_other_kinds(generator: str, markup: str, body: str, summary: str) -> None:
    """Templates and components are left out, and HTML is read as HTML."""
    assert summarise(body, generator=generator, markup=markup) == summary


@given(st.text(st.sampled_from("ab .!日。"), max_size=500), st.integers(10, 100))
def test_a_summary_is_cut_at_a_sentence_or_word(text: str, length: int) -> None:
    """A summary is within the limit, and is the beginning of the text."""
    shown = cut(text, length)
    assert len(shown.removesuffix("…")) <= length
    assert text.startswith(shown.removesuffix("…"))


def test_a_long_first_paragraph_ends_with_a_sentence() -> None:
    """A cut is after a sentence, or else after a word, with an ellipsis."""
    assert summarise("Short one. " * 100) == ("Short one. " * 27).strip()
    assert summarise("word " * 100) == ("word " * 60).strip() + "…"
    assert len(summarise("a. " * 1_000 + "<!-- more -->")) <= MARKED_LENGTH


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ab \n*_`#>|-[]()<!{}%:&;"), max_size=300))
def test_any_body_has_a_summary_on_one_line(body: str) -> None:
    """Any body has a summary on one line, or none."""
    for generator in ("plain", "jekyll", "hugo", "docusaurus"):
        shown = summarise(body, generator=generator)
        assert "\n" not in shown and len(shown) <= SUMMARY_LENGTH + 1


@pytest.mark.parametrize("unit", ["a\n\n", "word ", "# a\n\n", "[a]: b\n", "<p>", "```\n", "![a](b)\n\n"])
def test_a_long_body_costs_no_more_than_its_beginning(unit: str) -> None:
    """After the first 20,000 characters, only the targets of links are searched for."""
    summarise(unit)  # work that is done once is not counted
    large = calls(lambda: summarise(unit * (400_000 // len(unit))))
    small = calls(lambda: summarise(unit * (100_000 // len(unit))))
    assert large < 4.5 * small + 1_000 if unit == "[a]: b\n" else large < 1.2 * small + 1_000
