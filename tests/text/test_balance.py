"""The balancer makes HTML of any kind well nested, limits its depth and keeps all its text."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from text.balance import _VOID, FOREIGN, _Balancer, balanced, revealed, texts
from text.limits import MAX_DEPTH, MAX_FORMATTING
from text.markup import plain, sanitise

_TAG = re.compile(r"<(/?)([A-Za-z][^\s/>]*)(?:=\"[^\"]*\"|[^>])*>")
_FORMATTING = {"a", "b", "code", "em", "i", "s", "small", "strong", "u"}
TAGS = [
    "a",
    "b",
    "br",
    "div",
    "em",
    "h2",
    "i",
    "li",
    "p",
    "pre",
    "table",
    "td",
    "tr",
    "ul",
    "svg",
    "script",
    "x-y",
]

pieces = st.one_of(
    st.sampled_from([f"<{name}>" for name in TAGS] + [f"</{name}>" for name in TAGS]),
    st.sampled_from(
        ["<a href='x>y'>", '<p title="', "<!--", "-->", "<!x>", "<", ">", "&", "&lt;", "&#60;b&#62;", "<b"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)


def depths(markup: str) -> tuple[int, int]:
    """Return how deep elements and formatting nest, and check that each end tag closes the innermost one."""
    stack: list[str] = []
    deepest = formatting = 0
    for tag in _TAG.finditer(markup):
        name = tag[2].lower()
        if tag[1]:
            assert stack.pop() == name
        elif name not in _VOID:
            stack.append(name)
        deepest = max(deepest, len(stack))
        formatting = max(formatting, sum(name in _FORMATTING for name in stack))
    assert not stack
    return deepest, formatting


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces, max_size=40).map("".join), st.integers(1, 60))
@example('<b"<p title="<a>', 1)
def test_any_markup_leaves_well_nested(piece: str, times: int) -> None:
    """Every end tag closes the innermost element, within the limits, for any repetition of markup."""
    depth, formatting = depths(balanced(piece * times))
    assert depth <= MAX_DEPTH
    assert formatting <= MAX_FORMATTING


leaves = st.one_of(
    st.sampled_from([
        "<a>b</a>", "<A>b</a>", "<a>b</A>", "<code>c</code>", "<a><code>d</code>e</a>", "<b>f</b >",
        "<em>&lt;</em>", "<a>g", "</a>", "<code>", "</code>", "<strong><code>h</code></strong>", "<p>",
        "</p>", "<table>", "<td>", "<a href='>'>i</a>", '<a title=">j</a>', "<a =b='>c'=>k</a>",
        "<a = >l</a>", "<b/>m</b>",
    ]),
    pieces,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(
    st.lists(leaves, max_size=12).map("".join),
    st.sampled_from(["", "<b>" * 8, "<div>" * 98, "<a>", "<b>" * 12]),
)
def test_elements_without_others_in_them_are_read_at_once(markup: str, before: str) -> None:
    """The result is that of one tag after the other, also where the limits are near."""
    assert balanced(before + markup) == "".join(_Balancer(before + markup, leaves={}).parts())


@pytest.mark.parametrize(
    "unit", ["<div></p>", "<p><b id=1>", "<table><tr><td><div></div>", "<i></p><p>", "<div><b>"]
)
def test_work_grows_only_with_the_length(unit: str) -> None:
    """Twice the markup is twice the work for the sanitiser: no element is opened repeatedly."""
    small, large = len(balanced(unit * 2_000)), len(balanced(unit * 4_000))
    assert large <= 2.1 * small + 1_000
    assert large <= 3 * len(unit * 4_000) + 1_000


@pytest.mark.parametrize(
    "markup",
    [
        "<p>a <b>b</b><br>c <img src=x alt='a > b'></p>",
        "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>",
        "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>",
        "<DIV Class=x>text</DIV>".replace("</DIV>", "</div>"),
    ],
)
def test_well_formed_markup_stays_as_it_is(markup: str) -> None:
    """Well-formed markup stays the same, byte for byte."""
    assert revealed(balanced(markup)) == markup


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<b>a<i>b</b>c</i>", "<b>a<i>b</i></b>c"),
        ("a</p></div>b", "ab"),
        ("<p>a<!-- <b> -->b</p>", "<p>ab</p>"),
        ("<td>x</div>", "<td>x</td>"),
        ("a <3 b & c &lt;d&gt;", "a &lt;3 b &amp; c &lt;d&gt;"),
        ("a<script>if (a < b) {}</script>b", "ab"),
        ("a <b", "a "),
    ],
)
def test_what_browsers_repair_is_repaired_here(written: str, shown: str) -> None:
    """Optional end tags are added, and end tags without an element are dropped."""
    assert revealed(balanced(written)) == shown


def test_the_text_after_a_tag_of_svg_or_mathml_is_shown() -> None:
    """`vector<int>` and `cp <path>` lose a tag, and not the rest of their paragraph."""
    for name in sorted(FOREIGN):
        text = sanitise(f"<p>a<{name}> b<b>c</b></p></{name}><p>d</p>", "https://x.example/")
        assert text == "<p>a b<b>c</b></p><p>d</p>", name
    assert sanitise("a<svg><path d='M0'/><text>b</text></svg>c", "https://x.example/") == "ac"


@settings(deadline=None)
@given(st.lists(st.sampled_from(("&gt", *"&<>;#x1Aaltmp ")), max_size=60).map("".join))
@example("<lt>&gt")
def test_references_become_characters(text: str) -> None:
    """The next parser sees no references, each of which would copy the text; readers see the same text."""
    markup = balanced(text)
    assert not re.search("[&]", re.sub(r"<[^>]*>", "", markup))
    assert plain(sanitise(text, "https://x.example/")) == plain(
        "".join(texts(text, ())).replace("&", "&amp;").replace("<", "&lt;")
    )
