"""Markdown as people write it → HTML, not yet sanitised, at a cost that grows with the length alone.

CommonMark (https://spec.commonmark.org) with what GitHub, kramdown, Hugo, Pandoc and Docusaurus add to it:
tables, task lists, strikethrough, bare links, alerts, footnotes, definition lists, heading ids, attribute
lists, admonitions and emoji names. Knows no article.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common import normalize_url
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.container import container_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from text.limits import MAX_MARKUP, MAX_PARAGRAPH, MAX_TOKENS

_ID = r"[A-Za-z][\w.:-]{0,99}"
_ATTRIBUTE = (
    r"""(?:\.-?[A-Za-z_][\w.:-]*|\#[\w.:-]+|[A-Za-z][\w:-]*=(?:"[^"\n{}]*"|'[^'\n{}]*'|[\w./:#-]+)|-)"""
)
# kramdown's and Pandoc's attribute lists (https://kramdown.gettalong.org/syntax.html#attribute-list-definitions).
_ATTRIBUTES = re.compile(rf"\{{(?::[^{{}}\n]{{0,500}}|\s?{_ATTRIBUTE}(?:\s+{_ATTRIBUTE}){{0,20}}\s?)\}}")
_ATTRIBUTES_END = re.compile(r"[ \t]*(?:\n|\Z)")
_EXPLICIT_ID = re.compile(rf"(?<![\w=\"'])#({_ID})")
_SPAN_ENDS = frozenset("*_`)]>~")
_MATH = re.compile(r"\$\$[^$]{1,2000}\$\$|\$(?![\s$])[^$\n]{1,300}(?<!\s)\$(?!\d)")
_BEGINNINGS = re.compile(r"[\n!$&*<\[\]\\_`{~]")
_PLAIN_URL = re.compile(r"(?:https?://[a-z0-9.-]+(?:/|\Z))?(?:[A-Za-z0-9/?&=+$,._!~*'()#-]|%[0-9A-Fa-f]{2})*")
_EMOJI = re.compile(r"(?<![\w:]):([a-z0-9_+-]{1,50}):(?![\w:])")
_BARE = re.compile(
    r"(?<![\w/@.:-])(?:https?://(?=[\w[])|www\.(?=\w))[^\s<>\"`{}|\\^]{1,2000}"
    r"|(?<![\w.+@/-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w@-])"
)
_TRAILING = "?!.,:;*_~'\"[]"


class _TooLargeError(Exception):
    """A body has more tokens, or would become more markup, than is allowed."""


class _Tokens(list[Token]):
    """A list of tokens that refuses to grow beyond MAX_TOKENS."""

    def append(self, token: Token) -> None:
        if len(self) >= MAX_TOKENS:
            raise _TooLargeError
        super().append(token)


def render(text: str) -> str:
    """Return Markdown as HTML that still has to be sanitised.

    A body of more than MAX_TOKENS tokens, or that would become more than MAX_MARKUP characters, is returned
    as its text in paragraphs; so is each paragraph of more than MAX_PARAGRAPH characters.
    """
    parser = _parser()
    env: dict[str, Any] = {}
    tokens = parse(text, env)
    return paragraphs(text) if tokens is None else parser.renderer.render(tokens, parser.options, env)


def parse(text: str, env: MutableMapping[str, Any]) -> list[Token] | None:
    """Return the tokens of a text, or None where there are too many; `env` gets its references."""
    parser = _parser()
    state = StateCore(text, parser, env)
    state.tokens = _Tokens()
    try:
        parser.core.process(state)
        # Only what is defined once and referred to often makes more of less.
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
    """Return about how many characters of HTML a token becomes."""
    attributes = sum(len(str(value)) for value in token.attrs.values())
    children = sum(map(_size, token.children)) if token.children and token.type == "inline" else 0
    return 16 + len(token.content) + attributes + children


@cache
def _parser() -> MarkdownIt:
    options = {"html": True, "tasklists": True, "alerts": True}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.use(deflist_plugin).use(footnote_plugin, inline=False)
    parser.use(container_plugin, "admonition", validate=_is_admonition, render=_admonition)
    parser.inline.ruler.push("math", _math)
    parser.inline.ruler.push("attribute_list", _attribute_list)
    # Text is read in one step up to where a rule can begin; the default stops twice as often.
    parser.inline.terminator_re = _BEGINNINGS
    parser.normalizeLink = _normalized  # type: ignore[method-assign]
    parser.core.ruler.at("inline", _inline)
    parser.core.ruler.after("inline", "attributes", _attributes)
    parser.core.ruler.push("names_and_addresses", _names_and_addresses)
    for name, markup in _MARKUP.items():
        parser.add_render_rule(name, _constant(markup))
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


def _constant(markup: str) -> Callable[..., str]:
    def show(_renderer: object, *_: object) -> str:
        return markup

    return show


def _list_item(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Open an item of a list; of a task list, with a box as a character: feeds take no forms."""
    item: str = renderer.renderToken(tokens, index, options, env)
    checked = tokens[index].meta.get("checked")
    return item if checked is None else f"{item}{'☑' if checked else '☐'} "


# Inline: what an attribute list or a formula holds is never read as Markdown.


def _inline(state: StateCore) -> None:
    """Parse what is in paragraphs, headings and cells, as far as the limits go."""
    left = MAX_TOKENS - len(state.tokens)
    for token in state.tokens:
        if token.type == "inline":
            token.children = []
            if len(token.content) > MAX_PARAGRAPH:
                text = Token("text", "", 0)
                text.content = token.content
                token.children.append(text)
            else:
                state.md.inline.parse(token.content, state.md, state.env, token.children)
            left -= len(token.children)
            if left < 0:
                raise _TooLargeError


def _math(state: StateInline, silent: bool) -> bool:
    """Leave a formula between dollar signs as it is written: its * and _ are no emphasis."""
    if state.src[state.pos] != "$":
        return False
    formula = _MATH.match(state.src, state.pos, state.posMax)
    if not formula:
        return False
    if not silent:
        state.pending += formula[0]
    state.pos = formula.end()
    return True


def _attribute_list(state: StateInline, silent: bool) -> bool:
    """Take an attribute list out of the text: at the end of a line, or right behind a span."""
    if state.src[state.pos] != "{":
        return False
    found = _ATTRIBUTES.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    is_behind = state.pos > 0 and state.src[state.pos - 1] in _SPAN_ENDS
    ends_line = _ATTRIBUTES_END.match(state.src, found.end(), state.posMax)
    if not is_behind and not (ends_line and found[0][1] in ":#."):
        return False
    if not silent:
        state.pending = state.pending.rstrip(" \t") if ends_line else state.pending
        named = _EXPLICIT_ID.search(found[0])
        state.push("attribute_list", "", 0).meta = {"id": named[1] if named else None}
    state.pos = found.end()
    return True


def _attributes(state: StateCore) -> None:
    """Give headings the ids of their attribute lists, and drop paragraphs that are only such a list."""
    used: set[str] = set()
    remaining: list[Token] = []
    tokens = iter(state.tokens)
    for token in tokens:
        if token.type not in ("heading_open", "paragraph_open"):
            remaining.append(token)
            continue
        inline, end = next(tokens), next(tokens)
        name = _take_id(inline)
        heading = token if token.type == "heading_open" else _heading_before(remaining)
        is_empty = not inline.children and token.type == "paragraph_open" and bool(inline.content)
        if name and name not in used and heading and (heading is token or is_empty):
            used.add(name)
            heading.attrSet("id", name)
        if not is_empty:
            remaining += (token, inline, end)
    state.tokens[:] = remaining


def _take_id(inline: Token) -> str | None:
    """Drop the attribute lists of a paragraph or heading, and return the id that the last one gives."""
    name = None
    children = inline.children or []
    if not any(child.type == "attribute_list" for child in children):
        return None
    left: list[Token] = []
    for child in children:
        if child.type == "attribute_list":
            name = child.meta["id"] or name
            if left and left[-1].type == "softbreak":
                left.pop()
        else:
            left.append(child)
    inline.children = left
    return name


def _heading_before(tokens: Sequence[Token]) -> Token | None:
    return tokens[-3] if len(tokens) > 2 and tokens[-1].type == "heading_close" else None


# Blocks


_ADMONITION = re.compile(
    r"\s*(?:\{\s*\.)?([A-Za-z][\w-]{0,40})\}?\s*(?:\[([^\]]{0,300})\]|\{[^}]{0,300}\}|([^{}\[\]]{0,300}))\s*\Z"
)
_TITLED = frozenset({"caution", "danger", "important", "info", "note", "success", "tip", "warning"})


def _is_admonition(parameters: str, _markup: str) -> bool:
    return bool(_ADMONITION.match(parameters))


def _admonition(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    """Show `:::note Title` as a block quote with its title; a container of another name only sets apart."""
    token = tokens[index]
    if token.nesting < 0:
        return "</blockquote>\n"
    found = _ADMONITION.match(token.info)
    if not found:
        return "<blockquote>\n"
    title = (found[2] or found[3] or "").strip() or (
        found[1].capitalize() if found[1].lower() in _TITLED else ""
    )
    return "<blockquote>\n" + (f"<p><strong>{escape(title, quote=False)}</strong></p>\n" if title else "")


# Names of emoji and bare addresses, in text that is neither code nor a link already.


def _names_and_addresses(state: StateCore) -> None:
    for token in state.tokens:
        if (
            token.type == "inline"
            and token.children
            and (":" in token.content or "@" in token.content or "www." in token.content)
        ):
            token.children = list(_linked(token.children))


def _linked(tokens: Iterable[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        if token.type in ("link_open", "link_close"):
            depth += token.nesting
        elif token.type == "html_inline":
            depth += _anchor_nesting(token.content)
        if token.type != "text":
            yield token
        elif depth > 0:
            token.content = _with_emoji(token.content)
            yield token
        else:
            yield from _with_links(token)


def _anchor_nesting(markup: str) -> int:
    if re.match(r"<a[\s>]", markup, re.IGNORECASE):
        return 1
    return -1 if re.match(r"</a\s*>", markup, re.IGNORECASE) else 0


def _with_links(token: Token) -> Iterator[Token]:
    text, start = token.content, 0
    for found in _BARE.finditer(text):
        address = _trimmed(found[0])
        if len(address) < 5:
            continue
        yield _text(_with_emoji(text[start : found.start()]), token.level)
        yield from _link(address, token.level)
        start = found.start() + len(address)
    token.content = _with_emoji(text[start:])
    yield token


def _trimmed(address: str) -> str:
    """Return an address without what ends the sentence around it (GFM §6.9)."""
    while address:
        last = address[-1]
        if last not in _TRAILING and not (last == ")" and address.count(")") > address.count("(")):
            break
        address = address[:-1]
    return address


def _link(address: str, level: int) -> Iterator[Token]:
    scheme = "http://" if address.startswith("www.") else "" if "://" in address else "mailto:"
    opening = Token("link_open", "a", 1, attrs={"href": _normalized(scheme + address)}, level=level)
    yield opening
    yield _text(address, level + 1)
    yield Token("link_close", "a", -1, level=level)


def _normalized(url: str) -> str:
    """Return an address percent-encoded; nearly all are so already."""
    return url if _PLAIN_URL.fullmatch(url) else normalize_url.normalizeLink(url)


def _text(content: str, level: int) -> Token:
    return Token("text", "", 0, content=content, level=level)


def _with_emoji(text: str) -> str:
    """Return `text` with `:tada:` and such as the characters that GitHub shows for them."""
    if text.count(":") < 2:
        return text
    return _EMOJI.sub(lambda name: _emoji().get(name[0], name[0]), text)


@cache
def _emoji() -> dict[str, str]:
    """Return the names of emoji that GitHub and Slack know, each between colons."""
    # Imported late: it loads a table of 2 MB, and few articles have a name in them.
    from emoji import EMOJI_DATA

    names: dict[str, str] = {}
    for character, data in EMOJI_DATA.items():
        for name in (data["en"], *data.get("alias", ())):
            names.setdefault(name, character)
    return names


def inline_text(text: str) -> str:
    """Return one line of Markdown as plain text: its emphasis and code without their marks.

    Tags and entities stay as they are written.
    """
    parser = _titles()
    tokens = parser.parseInline(text[:MAX_PARAGRAPH])
    return "".join(child.content for token in tokens for child in token.children or ())


@cache
def _titles() -> MarkdownIt:
    return MarkdownIt("zero", {}).enable(["emphasis", "backticks", "escape", "balance_pairs"])
