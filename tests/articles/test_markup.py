"""Markdown and HTML are rendered inert, with absolute URLs, in characters that XML can hold."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.waiting import WAIT_SECONDS
from tests.work import calls
from text.characters import xml_safe
from text.limits import MAX_DEPTH
from text.markup import embed_link, one_line, plain, render_markdown, sanitise

BASE = "https://news.example.org/articles/2026/post"

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<a href='java\nscript:alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    '<iframe src="https://x.example/&quot; onmouseover=&quot;alert(1)"></iframe>',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<form action='javascript:alert(1)'><button>x</button></form>",
    "<div style='background:url(javascript:alert(1))'>x</div>",
    "<object data='javascript:alert(1)'></object><embed src='javascript:alert(1)'>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'><base href='//evil.example'>",
    "<!--><script>alert(1)</script>-->",
    "[x](javascript:alert(1)) <javascript:alert(1)> ![x](javascript:alert(1))",
    "<style>@import 'https://evil.example'</style><link rel=stylesheet href=https://evil.example>",
]


class Inspector(HTMLParser):
    """Collects the elements and addresses on which a browser would act."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def assert_inert(markup: str) -> None:
    inspector = Inspector()
    inspector.feed(markup)
    assert not inspector.tags & {
        "script",
        "style",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "form",
        "input",
    }
    for name, value in inspector.attributes:
        assert not name.startswith("on") and name not in {"srcdoc", "srcset"}
        if name in {"id", "class"}:
            assert re.fullmatch(r"[A-Za-z][\w.:+#-]*", value)
        if name in {"href", "src"}:
            assert urlsplit(value).scheme in {"http", "https", "mailto"}
        if name == "style":
            assert re.fullmatch(r"text-align:\s*\w+;?", value)


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_html_is_inert(attack: str) -> None:
    """Nothing that runs, loads a page or takes input remains in Markdown, HTML or an embed."""
    for markup in (render_markdown(attack, BASE), sanitise(attack, BASE), embed_link(attack, BASE)):
        assert_inert(markup)


pieces = st.one_of(
    st.sampled_from(ATTACKS), st.text(st.characters(exclude_categories=())), st.text("<>'\"&=/ax`*[]()#")
)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=5).map("".join))
def test_any_input_becomes_inert_html_that_xml_can_hold(text: str) -> None:
    """The HTML of any input is inert, fits into XML, and stays the same when it is sanitised again."""
    markup = render_markdown(text, BASE)
    assert_inert(markup)
    element = etree.Element("x")
    element.text = markup
    assert etree.fromstring(etree.tostring(element)).text in (markup, markup or None)
    assert sanitise(markup, BASE) == markup


@pytest.mark.parametrize(
    ("written", "absolute"),
    [
        ("/a.png", "https://news.example.org/a.png"),
        ("a.png", "https://news.example.org/articles/2026/a.png"),
        ("../a.png", "https://news.example.org/articles/a.png"),
        ("//cdn.example.com/a.png", "https://cdn.example.com/a.png"),
        ("?page=2", "https://news.example.org/articles/2026/post?page=2"),
        ("#part", "https://paper.example.com/story#part"),
        ("https://x.example/?a=1&b=2", "https://x.example/?a=1&amp;b=2"),
        ("mailto:ann@example.com", "mailto:ann@example.com"),
    ],
)
def test_links_become_absolute(written: str, absolute: str) -> None:
    """Relative URLs resolve against the article's address, and fragments against the page that shows it."""
    assert (
        render_markdown(f"[x]({written})", BASE, page_url="https://paper.example.com/story")
        == f'<p><a href="{absolute}">x</a></p>'
    )


@pytest.mark.parametrize("url", ["http://[bad", "//[bad", "javascript:x", "ftp://x.example/", "tel:1", " "])
def test_a_url_that_leads_nowhere_is_dropped(url: str) -> None:
    """The text of such a link stays."""
    assert sanitise(f'<a href="{url}">text</a>', BASE) == "<a>text</a>"


def test_markdown_has_tables_strikethrough_and_html() -> None:
    """The extensions used in article bodies work, including the alignment of table columns."""
    markup = render_markdown("| a |\n|--:|\n| ~~b~~ |\n\n<kbd>Ctrl</kbd>", BASE)
    assert '<td style="text-align:right"><del>b</del></td>' in markup
    assert "<kbd>Ctrl</kbd>" in markup


def test_code_is_shown_as_written() -> None:
    """Markup in a code block is text, never an embed, a link or a tag."""
    markup = render_markdown('```html\n<iframe src="https://x.example/"></iframe>\n```', BASE)
    assert markup == (
        '<pre><code class="language-html">&lt;iframe src="https://x.example/"&gt;&lt;/iframe&gt;\n</code></pre>'
    )


@pytest.mark.parametrize(
    ("embed", "url", "label"),
    [
        (
            '<iframe width="800" src="https://www.youtube.com/embed/WJk-Y8LQlfE" allowfullscreen></iframe>',
            "https://www.youtube.com/watch?v=WJk-Y8LQlfE",
            "Watch on YouTube",
        ),
        (
            "<iframe src='//www.youtube-nocookie.com/embed/abc_1?rel=0'></iframe>",
            "https://www.youtube.com/watch?v=abc_1",
            "Watch on YouTube",
        ),
        (
            "<IFRAME SRC=https://player.vimeo.com/video/76979871></IFRAME>",
            "https://vimeo.com/76979871",
            "Watch on Vimeo",
        ),
        (
            '<iframe src="https://www.sounds.example/p?a=1&amp;b=2"></iframe>',
            "https://www.sounds.example/p?a=1&amp;b=2",
            "Open on sounds.example",
        ),
        (
            '<video controls><source src="/clip.mp4"></video>',
            "https://news.example.org/clip.mp4",
            "Open on news.example.org",
        ),
    ],
)
def test_an_embed_becomes_a_link(embed: str, url: str, label: str) -> None:
    """A player becomes a link to the page that it plays, in an embed and in a body."""
    link = f'<a href="{url}">{label}</a>'
    assert embed_link(embed, BASE) == f"<p>{link}</p>"
    assert link in render_markdown(embed, BASE)


def test_character_references_are_no_way_around() -> None:
    """Characters that XML cannot hold are also dropped when HTML writes them as references."""
    assert sanitise("<p>a&#11;b&#xFFFE;&#xD800;&#x1;c</p>", BASE) == "<p>a bc</p>"


def test_what_is_left_reads_the_same_to_the_next_parser() -> None:
    """Dropping a tag leaves no paragraph inside a paragraph, which readers would repair in different ways."""
    assert sanitise("<p>a<marquee><p>b</p></marquee></p>", BASE) == "<p>a</p><p>b</p><p></p>"


def test_an_embed_that_is_no_player_is_sanitised() -> None:
    """A quoted post keeps its text and link, and loses its script."""
    link = '<a href="https://x.example/1">me</a>'
    post = f'<blockquote class="post">Hi {link}</blockquote><script src="x"></script>'
    assert embed_link(post, BASE) == f"<blockquote>Hi {link}</blockquote>"


@pytest.mark.parametrize(
    "unit", ["<iframe ", "<iframe>", "<video src=", "[", "<a href=x>", "*_", "`", "| a "]
)
def test_cost_grows_only_with_the_length(unit: str) -> None:
    """Ten times as many repetitions of a hard piece take at most twelve times as many calls."""

    def render(length: int) -> None:
        render_markdown(unit * (length // len(unit)), BASE)

    render(100)  # some parts are loaded or built at the first use
    assert calls(lambda: render(30_000)) <= 12 * calls(lambda: render(3_000))


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a\x0b\ufffe\ud800b", "a b"),
        ("a\x00\x1b\x9f\ufffd\uffffb", "ab"),
        ("tab\tline\nend", "tab\tline\nend"),
        ("日本語 😀 \u202e\u00ad", "日本語 😀 \u202e\u00ad"),
    ],
)
def test_xml_safe_drops_what_xml_cannot_hold(text: str, safe: str) -> None:
    """All other characters stay, including direction marks and soft hyphens."""
    assert xml_safe(text) == safe


@given(st.text(st.characters(exclude_categories=())))
def test_xml_safe_text_survives_xml(text: str) -> None:
    """lxml accepts the text and reads back the same text."""
    element = etree.Element("x", attribute=one_line(text))
    element.text = xml_safe(text)
    back = etree.fromstring(etree.tostring(element, encoding="UTF-8"))
    assert (back.text or "", back.get("attribute")) == (xml_safe(text), one_line(text))


def test_what_passes_the_quick_check_is_clean() -> None:
    """Of all characters, one_line() passes without a scan none that xml_safe() removes."""
    passed = "".join(filter(str.isprintable, map(chr, range(sys.maxunicode + 1)))).replace("\ufffd", "")
    assert len(passed) > 100_000
    assert xml_safe(passed) == passed
    assert one_line("a\ufffdb") == one_line("ab") == "ab"


def test_plain_is_the_text_on_one_line() -> None:
    """Blocks are separated by a space, entities become characters, and scripts are removed."""
    markup = "<h1>A</h1><p>b &amp; &lt;c&gt;<br>d</p><ul><li>e</li><li>f</li></ul><script>x</script>"
    assert plain(markup) == "A b & <c> d e f"


def test_a_site_of_links_never_loads_the_markdown_parser() -> None:
    """Without bodies the Markdown parser, the costliest import of the package, is not loaded."""
    script = """if True:
        import sys
        from text.markup import sanitise
        sanitise("<p>x", "https://x.example/")
        print("markdown_it" in sys.modules)
    """
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=WAIT_SECONDS
    )
    assert done.stdout.strip() == "False"


def test_markup_nested_too_deeply_loses_its_tags_and_keeps_its_text() -> None:
    """A body of 100,000 nested tags would occupy the sanitiser for minutes."""
    shown = sanitise("<div>" * 100_000 + "the end", "https://news.example.org/")
    assert "the end" in shown
    assert shown.count("<div>") == MAX_DEPTH
