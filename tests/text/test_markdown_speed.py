"""The faster loops of the Markdown parser give the same results as the library's own."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from text.markdown.parser import _html_parser, _parser, _size, configured
from text.markdown.simple import simple
from text.oversize import paragraph_bound, token_bound

INLINE = st.sampled_from([
    *"*_`[]()!<>\\&:~$^{}|#-+=.\"' \n\taé’ \u2003",
    "**", "__", "``", "](", "![", "[a](", "[a]", "[a]: /x", "[^n]", "[`c`](/d)",
    "[ab](https://x.example/y?z=1&w)",
    "https://x.example/a_b_", "www.x.example", "a@x.example", "<b>", "</b>", "<a href='/x'>", "</a>", "<!--",
    "-->", "&amp;", "&#35;",
    "&copy", "\\*", "\\\n", "  \n", "{.x}", "{#id}", "{: .y}", ":tada:", "$a_b$", "~~",
    "javascript:x", "[a](javascript:x)", "[a](<b c>)", '[a](b "t")', "word", "two words",
])  # fmt: skip
LINES = st.sampled_from([
    "# h", "## h {#id}", "===", "---", "- a", "  - b", "* c", "+ d", "1. e", "2) f", "- [ ] g", "- [x]",
    "> q", ">> r",
    "> [!NOTE]", "```", "```py", "~~~", "    code", "\tcode", "| a | b |", "|---|:-:|", "a | b",
    "[a]: /b 'c'",
    "[^n]: note", "term", ": def", "~ def", ":::note T", ":::", "<div>", "</div>", "<!-- x -->", "***",
    "_ _ _", "", "", "", "para *one*",
    "[a] and [^n]", "{: .x}", "   indented", "-", "1.", "- \n\n  after", "**a\n> b**",
])  # fmt: skip
TEXTS = st.one_of(
    st.lists(INLINE, max_size=25).map("".join),
    st.lists(LINES, max_size=14).map("\n".join),
    st.lists(st.one_of(LINES, st.lists(INLINE, max_size=6).map("".join)), max_size=10).map("\n".join),
)


@cache
def library() -> MarkdownIt:
    """Return the library's parser with our rules."""
    return configured()


def tokens(parser: MarkdownIt, text: str) -> list[Any]:
    """Return everything in the tokens of a text."""
    return [Token.as_dict(token) for token in parser.parse(text)]


@settings(max_examples=150)
@given(TEXTS)
def test_the_faster_loops_make_the_same_tokens_and_html(text: str) -> None:
    """For any mixture of markup, blocks, paragraphs and HTML equal the library's own."""
    assert tokens(_parser(), text) == tokens(library(), text)
    assert _parser().render(text) == library().render(text)
    assert _html_parser().render(text) == library().render(text)


ITEMS = st.lists(
    st.tuples(
        st.sampled_from(["- ", "- ", "* ", "+ ", "-  ", " - ", "-\t", "  - ", "", "  ", "1. ", "> "]),
        st.sampled_from([
            "a", "[`c`](/d) e", "[a]", "[a]: /b", "[^n]: f", "[x] g", "[ ] h", "**s** t", "*e*", "* i",
            "1. j", "1.5 k", "---", "___", "_l_", "`m`", "```", "# n", "<b>", "> o", ": p", "~ q",
            "| r |", "|---|", "{.x}", "s  ", "é", "\u2003t", "", "\\", "$a$", "![u](/v)", "(w", "=",
        ]),
    ).map("".join),
    max_size=9,
).map("\n".join)  # fmt: skip


@settings(max_examples=80)
@given(ITEMS)
@example("- a\n- [b](/c) `d`\n- [e]\n- f\n\n[e]: /g\n\n: h")
def test_a_list_of_lines_is_written_as_the_library_writes_it(text: str) -> None:
    """Its HTML is the library's, whatever stands in it, before it and after it."""
    assert _html_parser().render(text) == library().render(text)


def test_lists_of_lines_are_written_at_once_and_count_as_their_tokens() -> None:
    """Otherwise the comparison above compares nothing; the limits see what the library would make of it."""
    text = "- a *b* [c](/d)\n- [`e`](/f): **g**\n- h _i_ [j]\n- k\n\nl"
    found = _html_parser().parse(text)
    assert [token.type for token in found].count("simple") == 2
    every = library().parse(text)
    assert sum(map(_size, found)) == sum(map(_size, every))
    assert _counted(found) == _counted(every)


def _counted(tokens: list[Token]) -> int:
    """Return how many tokens there are, those in paragraphs and those that others stand for included."""
    inner = [child for token in tokens for child in token.children or ()]
    return sum(token.meta.get("tokens", 1) for token in [*tokens, *inner])


SIMPLE = st.lists(
    st.sampled_from([
        *"*_`[]()!<>&:~|-.,\"' \n\ta1é’\u2003", "**", "[a](/b)", "[`c`](/d)", "two words", "a_b", "`c`",
        "*e*", "**s**", "  \n", " \n", ":tada:", "https://x.example/a_b.", "http://", "@", "www.x", " & ",
        "\\[", "\\]", "\\*", "*a:*",
    ]),
    max_size=9,
).map(lambda parts: "".join(parts).strip())  # fmt: skip


@settings(max_examples=300)
@given(SIMPLE)
@example("**a** b")
@example("a \\[[`c`](/d)] - **e**: f (g) https://x.example/h.")
@example("https://x.example/a_b.:tada:(")
def test_a_simple_paragraph_is_written_as_the_library_writes_it(text: str) -> None:
    """Its HTML equals the library's, and counts as much towards the limits as the library's tokens."""
    found = simple(text)
    if found:
        children: list[Token] = []
        library().inline.parse(text, library(), {}, children)
        assert found.html == library().renderInline(text)
        assert (found.tokens, 16 * found.tokens + found.characters) == (
            len(children),
            sum(map(_size, children)),
        )


def test_what_most_paragraphs_have_is_simple() -> None:
    """Ordinary paragraphs count as simple, so that the comparison above compares the fast loop."""
    assert simple("One *two* **three:** `four` [five](/5),\nsix_seven & eight! https://nine.example \\[x]")


@settings(max_examples=100)
@given(TEXTS)
def test_tokens_and_paragraphs_are_never_more_or_longer_than_estimated(text: str) -> None:
    """`articles check` parses only those bodies whose estimate may be over a limit."""
    found = _parser().parse(text)
    assert len(found) + sum(len(token.children or ()) for token in found) <= token_bound(text)
    paragraphs = (len(token.content) for token in found if token.type == "inline")
    assert max(paragraphs, default=0) <= paragraph_bound(text)


def test_markup_that_nests_to_the_deepest_level_is_cut_at_the_same_place() -> None:
    """Links, quotes and lists at the depth where the library stops also equal the library's."""
    for depth in range(1, 30):
        for text in (
            "[" * depth + "[a](/b) [`c`](/d) *e*" + "](/f)" * depth,
            "![" * depth + "[a](/b)" + "](/f)" * depth,
            "> " * depth + "[a](/b)\n" + "- " * depth + "*x*",
        ):
            assert tokens(_parser(), text) == tokens(library(), text), depth
