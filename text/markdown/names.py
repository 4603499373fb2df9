"""Replaces names of emoji, and makes links of bare addresses, in text that is neither code nor a link."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache

from markdown_it.common import normalize_url
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

_PLAIN_URL = re.compile(r"(?:https?://[a-z0-9.-]+(?:/|\Z))?(?:[A-Za-z0-9/?&=+$,._!~*'()#-]|%[0-9A-Fa-f]{2})*")
_EMOJI = re.compile(r"(?<![\w:]):([a-z0-9_+-]{1,50}):(?![\w:])")
_BARE = re.compile(
    r"(?<![\w/@.:-])www\.(?=\w)[^\s<>\"`{}|\\^]{1,2000}"
    r"|(?<![\w.+@/-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w@-])"
)
_SCHEME = re.compile(r"(?<![\w/@.:-])https?\Z")
_URL = re.compile(r"://(?=[\w[])[^\s<>\"`{}|\\^]{1,2000}")
_TRAILING = "?!.,:;*_~'\"[]"
_AUTOMATIC = "auto"  # as the library marks `<https://…>`: the text of the link is its address


def web_address(state: StateInline, silent: bool) -> bool:
    """Convert a bare `https://…` to a link, before anything in it can be emphasis (GFM §6.9)."""
    if silent or state.linkLevel > 0 or not state.src.startswith("://", state.pos):
        return False
    address = bare_address(state.src, state.pos, state.posMax)
    scheme = address.partition(":")[0]
    if not address or not state.pending.endswith(scheme):
        return False
    state.pending = state.pending[: -len(scheme)]
    opening = state.push("link_open", "a", 1)
    opening.attrs, opening.info = {"href": normalized(address)}, _AUTOMATIC
    state.push("text", "", 0).content = address
    state.push("link_close", "a", -1)
    state.pos += len(address) - len(scheme)
    return True


def bare_address(source: str, position: int, end: int = sys.maxsize) -> str:
    """Return the bare `https://…` whose `://` is at `position`, "" if there is none."""
    scheme = _SCHEME.search(source, max(0, position - 6), position)
    match = _URL.match(source, position, end) if scheme else None
    rest = _trimmed(match[0]) if match else ""
    return f"{scheme[0]}{rest}" if scheme and len(rest) >= len("://a") else ""


def names_and_addresses(state: StateCore) -> None:
    """Replace names of emoji by characters, and bare addresses by links, in all paragraphs."""
    for token in state.tokens:
        if (
            token.type == "inline"
            and token.children
            and (":" in token.content or "@" in token.content or "www." in token.content)
        ):
            token.children = list(_linked(token.children))


def _linked(tokens: Iterable[Token]) -> Iterator[Token]:
    depth = 0
    is_address = False
    for token in tokens:
        if token.type in ("link_open", "link_close"):
            depth += token.nesting
            is_address = token.nesting == 1 and token.info == _AUTOMATIC
        elif token.type == "html_inline":
            depth += _anchor_nesting(token.content)
        if token.type != "text" or is_address:
            yield token
        elif depth > 0:
            token.content = with_emoji(token.content)
            yield token
        else:
            yield from _with_links(token)


def _anchor_nesting(markup: str) -> int:
    if re.match(r"<a[\s>]", markup, re.IGNORECASE):
        return 1
    return -1 if re.match(r"</a\s*>", markup, re.IGNORECASE) else 0


def _with_links(token: Token) -> Iterator[Token]:
    text, start = token.content, 0
    if "@" not in text and "www." not in text:
        token.content = with_emoji(text)
        yield token
        return
    for match in _BARE.finditer(text):
        address = _trimmed(match[0])
        if len(address) < 5:
            continue
        yield _text(with_emoji(text[start : match.start()]), token.level)
        yield from _link(address, token.level)
        start = match.start() + len(address)
    token.content = with_emoji(text[start:])
    yield token


def _trimmed(address: str) -> str:
    """Return an address without the punctuation of the sentence after it (GFM §6.9)."""
    while address:
        last = address[-1]
        if last not in _TRAILING and not (last == ")" and address.count(")") > address.count("(")):
            break
        address = address[:-1]
    return address


def _link(address: str, level: int) -> Iterator[Token]:
    scheme = "http://" if address.startswith("www.") else "mailto:"
    opening = Token("link_open", "a", 1, attrs={"href": normalized(scheme + address)}, level=level)
    yield opening
    yield _text(address, level + 1)
    yield Token("link_close", "a", -1, level=level)


def normalized(url: str) -> str:
    """Return an address percent-encoded; nearly all are so already."""
    return url if _PLAIN_URL.fullmatch(url) else normalize_url.normalizeLink(url)


def _text(content: str, level: int) -> Token:
    return Token("text", "", 0, content=content, level=level)


def with_emoji(text: str) -> str:
    """Return `text` with `:tada:` and such as the characters that GitHub shows for them."""
    if text.count(":") < 2:
        return text
    return _EMOJI.sub(lambda name: _emoji().get(name[0], name[0]), text)


@cache
def _emoji() -> dict[str, str]:
    """Return the names of emoji that GitHub and Slack know, each between colons."""
    # Imported here, as its table takes 2 MB, and few articles have such names.
    from emoji import EMOJI_DATA

    names: dict[str, str] = {}
    for character, data in EMOJI_DATA.items():
        for name in (data["en"], *data.get("alias", ())):
            names.setdefault(name, character)
    return names
