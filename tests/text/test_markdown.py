"""Markdown as the generators' users write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.common.normalize_url import normalizeLink

from text.markdown import emphasis_of, render
from text.markdown.names import normalized
from text.markup import render_markdown

PARTS = (*"aB/?&=#%.:@(é[", "%41", "http://", "https://x.example", "//", "..")
BASE = "https://news.example.org/articles/post"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("- [ ] open\n- [x] done", "<ul>\n<li>☐ open</li>\n<li>☑ done</li>\n</ul>"),
        ("~~old~~ ~5", "<p><del>old</del> ~5</p>"),
        ("See https://x.example/a_(b)_c?d=*e*f.", '<p>See <a href="https://x.example/a_(b)_c?d=*e*f">'
         "https://x.example/a_(b)_c?d=*e*f</a>.</p>"),
        ("*https://x.example/_a_/b*", '<p><em><a href="https://x.example/_a_/b">https://x.example/_a_/b</a></em></p>'),
        ("(www.x.example), ann@x.example", '<p>(<a href="http://www.x.example">www.x.example</a>), '
         '<a href="mailto:ann@x.example">ann@x.example</a></p>'),
        ("[https://x.example](/y) `https://x.example`",
         '<p><a href="https://news.example.org/y">https://x.example</a> <code>https://x.example</code></p>'),
        ("Term\n: Meaning", "<dl>\n<dt>Term</dt>\n<dd>Meaning</dd>\n</dl>"),
        ("## A part {#part}", '<h2 id="part">A part</h2>'),
        ("## A part { #part .x }", '<h2 id="part">A part</h2>'),
        ("## A part { x }", "<h2>A part { x }</h2>"),
        ("## A part\n{: #part .x}", '<h2 id="part">A part</h2>'),
        ("## A {#part}\n\n## B {#part}", '<h2 id="part">A</h2>\n<h2>B</h2>'),
        ("text\n{: .lead}", "<p>text</p>"),
        ("text {.lead}\n\n{: .alone}", "<p>text</p>"),
        ('[a](/b){: target="_blank" rel="a_b"} c', '<p><a href="https://news.example.org/b">a</a> c</p>'),
        ("**a**{.x} `{: .y}` {n=1} {x} {{ y }}",
         "<p><strong>a</strong> <code>{: .y}</code> {n=1} {x} {{ y }}</p>"),
        (":::note Careful\n*a*\n:::",
         "<blockquote>\n<p><strong>Careful</strong></p>\n<p><em>a</em></p>\n</blockquote>"),
        ("::: {.warning}\na\n:::", "<blockquote>\n<p><strong>Warning</strong></p>\n<p>a</p>\n</blockquote>"),
        ("> [!TIP]\n> a", "<blockquote>\n<p><strong>Tip</strong></p>\n<p>a</p>\n</blockquote>"),
        (":tada: 10:30:45 std::b::c `:tada:` :nonsense:",
         "<p>🎉 10:30:45 std::b::c <code>:tada:</code> :nonsense:</p>"),
        ("$a_b * c_d * e$ costs $5 or $6, $$x_*y_*$$", "<p>$a_b * c_d * e$ costs $5 or $6, $$x_*y_*$$</p>"),
        ("```python title=\"x.py\"\na\n```", '<pre><code class="language-python">a\n</code></pre>'),
        ("```\na\n```", "<pre><code>a\n</code></pre>"),
    ],
)  # fmt: skip
def test_what_is_added_to_commonmark(written: str, shown: str) -> None:
    """Additions to CommonMark look as in GitHub, kramdown, Pandoc or Docusaurus, and never apply in code."""
    assert render_markdown(written, BASE) == shown


@pytest.mark.parametrize(
    ("written", "wide", "kramdown"),
    [
        ("这句：**甲。**乙", "<p>这句：<strong>甲。</strong>乙</p>", None),
        ("乙**“甲”**这", "<p>乙<strong>“甲”</strong>这</p>", None),
        ("**A.**b", "<p>**A.**b</p>", "<p><strong>A.</strong>b</p>"),
        ("a * b ** (c) _d._e *", "<p>a * b ** (c) _d._e *</p>", None),
    ],
)
def test_emphasis_beside_punctuation(written: str, wide: str, kramdown: str | None) -> None:
    """Stars between punctuation and a letter mark emphasis in scripts without spaces, and in kramdown."""
    assert render(written, emphasis_of("hugo")).strip() == wide
    assert render(written, emphasis_of("jekyll")).strip() == (kramdown or wide)
    assert render(written, emphasis_of("plain")) == render(written)
    assert "<strong>" not in render(written)


def test_a_footnote_leads_there_and_back() -> None:
    """A note is at the end with a link back, and a note without a reference is left out."""
    shown = render_markdown("Hello[^a].\n\n[^a]: A *note*.\n[^b]: Unused.", BASE)
    assert '<a href="https://news.example.org/articles/post#fn1" id="fnref1">[1]</a>' in shown
    assert (
        '<li id="fn1"><p>A <em>note</em>. <a href="https://news.example.org/articles/post#fnref1">' in shown
    )
    assert "Unused" not in shown and "[^" not in shown


@given(st.lists(st.sampled_from(PARTS)))
def test_addresses_that_need_no_encoding_are_not_touched(parts: list[str]) -> None:
    """The fast path returns the same addresses as the parser's own normalisation."""
    url = "".join(parts)
    assert normalized(url) == normalizeLink(url)


@given(st.text(st.sampled_from("ab {}:#.$*_`[]()!<>\n-|~\\&@w/"), max_size=80))
def test_any_text_is_rendered(text: str) -> None:
    """The additions to the parser never fail, and never lose a word."""
    assert sum(map(render(text).count, "ab")) >= 0


def test_a_title_of_an_admonition_with_brackets() -> None:
    """The title of an admonition may have a link."""
    markup = render(":::warning[See [this](https://a.example)]\nText\n:::\n")
    assert markup.startswith("<blockquote>\n<p><strong>See this</strong></p>")
    assert ":::" not in markup
