"""Markdown → tokens → HTML: the parser, its limits, and how some tokens are shown.

CommonMark (https://spec.commonmark.org) with what GitHub, kramdown, Hugo, Pandoc and Docusaurus add to it:
tables, task lists, strikethrough, bare links, alerts, footnotes, definition lists, heading ids, attribute
lists, admonitions and emoji names. This module does not know articles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping, Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from text.limits import MAX_MARKUP, MAX_PARAGRAPH, MAX_TOKENS
from text.markdown.admonitions import admonition, is_admonition
from text.markdown.attributes import attribute_list, attributes, math
from text.markdown.blocks import FastBlock, Rule
from text.markdown.inline import EMPHASIS, Emphasis, FastInline
from text.markdown.lists import flat_list
from text.markdown.names import names_and_addresses, normalized, web_address
from text.markdown.renderer import FastRenderer
from text.markdown.simple import simple, simple_token

_RULE_START = re.compile(r"[\n!$&*:<\[\]\\_`{~]")


class _TooLargeError(Exception):
    """A body has more tokens, or its HTML more characters, than the limits allow."""


class _Tokens(list[Token]):
    """A list of at most MAX_TOKENS tokens; a further one raises _TooLargeError."""

    def append(self, token: Token) -> None:
        if len(self) >= MAX_TOKENS:
            raise _TooLargeError
        super().append(token)


def render(text: str, emphasis: Emphasis = "commonmark") -> str:
    """Return Markdown as HTML that still has to be sanitised.

    A body of more than MAX_TOKENS tokens, or of more than MAX_MARKUP characters of HTML, is returned as plain
    text in paragraphs; so is each paragraph of more than MAX_PARAGRAPH characters.
    """
    parser = _html_parser()
    env = _environment(emphasis)
    tokens = _parsed(parser, text, env)
    return paragraphs(text) if tokens is None else parser.renderer.render(tokens, parser.options, env)


def parse(text: str, emphasis: Emphasis = "commonmark") -> list[Token] | None:
    """Return the tokens of a text, or None if there are too many."""
    return _parsed(_parser(), text, _environment(emphasis))


def _environment(emphasis: Emphasis) -> dict[str, Any]:
    return {} if emphasis == "commonmark" else {EMPHASIS: emphasis}


def _parsed(parser: MarkdownIt, text: str, env: MutableMapping[str, Any]) -> list[Token] | None:
    state = StateCore(text, parser, env)
    state.tokens = _Tokens()
    try:
        parser.core.process(state)
        # Only an address that is defined once and used often makes the HTML much longer than the text.
        if "references" in env and sum(map(_size, state.tokens)) > MAX_MARKUP:
            return None
    except _TooLargeError:
        return None
    return state.tokens


def paragraphs(text: str) -> str:
    """Return plain text as HTML paragraphs, one for each run of lines."""
    return "\n".join(
        f"<p>{escape(part, quote=False)}</p>" for part in re.split(r"\n\s*\n", text) if part.strip()
    )


def _size(token: Token) -> int:
    """Return approximately how many characters of HTML a token has."""
    if token.type == "simple":
        return 16 * int(token.meta["tokens"]) + int(token.meta["characters"])
    attributes = sum(len(str(value)) for value in token.attrs.values())
    children = sum(map(_size, token.children)) if token.children and token.type == "inline" else 0
    return 16 + len(token.content) + attributes + children


@cache
def _parser() -> MarkdownIt:
    return _fast_parser()


@cache
def _html_parser() -> MarkdownIt:
    """Return the parser that only renders HTML: simple paragraphs and lists become no tokens."""
    parser = _fast_parser(flat_list)
    parser.core.ruler.at("inline", _inline_or_html)
    parser.add_render_rule("simple", _simple)
    return parser


def _fast_parser(flat_list: Rule | None = None) -> MarkdownIt:
    parser = configured(FastRenderer)
    parser.block = FastBlock(parser.block, parser.options["maxNesting"], flat_list)
    parser.inline = FastInline(parser.inline, parser.options["maxNesting"])
    return parser


def configured(renderer: type[RendererHTML] = RendererHTML) -> MarkdownIt:
    """Return the library's parser with all rules. `render` has the same result, and is faster."""
    options = {"html": True, "tasklists": True, "alerts": True, "xhtmlOut": False}
    parser = MarkdownIt("commonmark", options, renderer_cls=renderer).enable(["table", "strikethrough"])
    parser.use(deflist_plugin).use(footnote_plugin, inline=False)
    parser.use(container_plugin, "admonition", validate=is_admonition, render=admonition)
    parser.inline.ruler.push("web_address", web_address)
    parser.inline.ruler.push("math", math)
    parser.inline.ruler.push("attribute_list", attribute_list)
    # Text is read in one step up to where a rule can match; the default stops twice as often.
    parser.inline.terminator_re = _RULE_START
    parser.normalizeLink = normalized  # type: ignore[method-assign]
    parser.core.ruler.at("inline", _inline)
    parser.core.ruler.after("inline", "attributes", attributes)
    parser.core.ruler.push("names_and_addresses", names_and_addresses)
    for name, markup in _MARKUP.items():
        parser.add_render_rule(name, _constant_rule(markup))
    parser.add_render_rule("list_item_open", _list_item)
    return parser


_MARKUP = {
    "attribute_list": "",
    "s_open": "<del>",
    "s_close": "</del>",
    "alert_open": "<blockquote>\n",
    "alert_close": "</blockquote>\n",
    "alert_title_open": "<p><strong>",
    "alert_title_close": "</strong></p>\n",
    "footnote_block_open": "<hr>\n<ol>\n",
    "footnote_block_close": "</ol>\n",
}


def _constant_rule(markup: str) -> Callable[..., str]:
    def rule(_renderer: object, *_: object) -> str:
        return markup

    return rule


def _simple(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    """Return the content of a token that is already HTML."""
    return tokens[index].content


def _list_item(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Open an item of a list. The box of a task is a character, because feeds may not contain forms."""
    item: str = renderer.renderToken(tokens, index, options, env)
    checked = tokens[index].meta.get("checked")
    return item if checked is None else f"{item}{'☑' if checked else '☐'} "


def _inline(state: StateCore) -> None:
    """Parse the texts of paragraphs, headings and cells, up to the limits."""
    _parse_inlines(state, with_html=False)


def _inline_or_html(state: StateCore) -> None:
    """Do the same as `_inline`, with one token of HTML for each simple paragraph."""
    _parse_inlines(state, with_html=True)


def _parse_inlines(state: StateCore, *, with_html: bool) -> None:
    remaining = MAX_TOKENS - len(state.tokens)
    for token in state.tokens:
        if token.type == "simple":
            remaining += 1 - token.meta["tokens"]
        elif token.type == "inline":
            remaining -= _parse_inline(state, token, with_html=with_html)
        if remaining < 0:
            raise _TooLargeError


def _parse_inline(state: StateCore, token: Token, *, with_html: bool) -> int:
    """Parse the text of one paragraph, heading or cell, and return for how many tokens it counts."""
    token.children = []
    source = token.content
    if len(source) > MAX_PARAGRAPH:
        text = Token("text", "", 0)
        text.content = source
        token.children.append(text)
    elif with_html and source and (rendered := simple(source)):
        token.children.append(simple_token(rendered.html, rendered.tokens, rendered.characters))
        return rendered.tokens
    else:
        state.md.inline.parse(source, state.md, state.env, token.children)
    return len(token.children)


def inline_text(text: str) -> str:
    """Return one line of Markdown as plain text, without the marks of emphasis and code.

    Tags and entities are left unchanged.
    """
    parser = _title_parser()
    tokens = parser.parseInline(text[:MAX_PARAGRAPH])
    return "".join(child.content for token in tokens for child in token.children or ())


@cache
def _title_parser() -> MarkdownIt:
    return MarkdownIt("zero", {}).enable(["emphasis", "backticks", "escape", "balance_pairs"])
