"""The text of a paragraph → tokens, as `markdown_it.parser_inline` makes them, in half of its time.

Of the dozen rules only those are called that can match at the current character. Links without a title,
emphasis and plain text are each read in one step. The library's own rules do everything else:
`tests/text/test_markdown_speed.py` compares the tokens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.common.utils import isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import link as library_link
from markdown_it.rules_inline.state_inline import Delimiter, StateInline
from markdown_it.token import Token

Rule = Callable[[StateInline, bool], bool]

# The first characters of what a rule can match; a rule that is not listed is called for all characters.
_FIRST_CHARACTERS = {
    "newline": "\n",
    "escape": "\\",
    "backticks": "`",
    "strikethrough": "~",
    "emphasis": "*_",
    "link": "[",
    "image": "!",
    "autolink": "<",
    "html_inline": "<",
    "entity": "&",
    "linkify": ":",
    "footnote_ref": "[",
    "footnote_inline": "^",
    "web_address": ":",
    "math": "$",
    "attribute_list": "{",
}

# `[text](address)` and `[`code`](address)`, with nothing in them that has another meaning.
PLAIN_LINK = (
    r"\[(?:([^\n!$&*:<\[\]\\_`{~]+)|`([^ \n\[\]`\\](?:[^\n\[\]`\\]*[^ \n\[\]`\\])?)`)\]"
    r"\(([^\x00-\x20\x7f()<>\\&\"']+)\)"
)
_LINK = re.compile(PLAIN_LINK)
_LINK_LEVELS = 4  # of nesting, which a link and its text need

SPACE, PUNCTUATION, OTHER = 1, 2, 0

Emphasis = Literal["commonmark", "wide", "kramdown"]
"""Where * may stand beside punctuation and a letter, as in `**word.**word`.

CommonMark sees no emphasis there. "wide" does where one of the two characters is Chinese, Japanese or Korean,
as these have no spaces between words, and "kramdown" does always.
"""
EMPHASIS = "emphasis"
"""The key of the parser's environment for an Emphasis; without it, CommonMark's rule applies."""


class _CharacterKinds(dict[str, int]):
    """Whether a character is white space, punctuation or something else, for the rules of emphasis."""

    def __missing__(self, character: str) -> int:
        if isWhiteSpace(ord(character)):
            kind = SPACE
        elif unicodedata.category(character)[0] in "PS":
            kind = PUNCTUATION
        else:
            kind = OTHER
        if character.isascii():
            self[character] = kind
        return kind


character_kinds = _CharacterKinds()


class FastToken(Token):
    """The same token, created without default factories, which are slow."""

    __slots__ = ()

    def __init__(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> None:
        self.type = ttype
        self.tag = tag
        self.nesting = nesting
        self.attrs = {}
        self.map = None
        self.level = 0
        self.children = None
        self.content = ""
        self.markup = ""
        self.info = ""
        self.meta = {}
        self.block = False
        self.hidden = False


class _State(StateInline):
    """The library's state with a shorter way to add a token."""

    def pushPending(self) -> Token:  # noqa: N802 - the library's name
        token = FastToken("text", "", 0)
        token.content = self.pending
        token.level = self.pendingLevel
        self.tokens.append(token)
        self._pending = ""
        return token

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        if self._pending_buffer or self._pending:
            self.pushPending()
        token = FastToken(ttype, tag, nesting)
        meta = None
        if nesting < 0:
            self.level -= 1
            self.delimiters = self._prev_delimiters.pop()
        token.level = self.level
        if nesting > 0:
            self.level += 1
            self._prev_delimiters.append(self.delimiters)
            self.delimiters = []
            meta = {"delimiters": self.delimiters}
        self.pendingLevel = self.level
        self.tokens.append(token)
        self.tokens_meta.append(meta)
        return token


class FastInline(ParserInline):
    """The library's parser of paragraphs, with the same rules; it calls only those that can match."""

    def __init__(self, library: ParserInline, nesting: int) -> None:
        self.__dict__.update(library.__dict__)
        self.ruler.at("emphasis", _emphasis)
        self.ruler.at("link", _link_within(nesting - _LINK_LEVELS))
        self._nesting = nesting
        names = dict(zip(self.ruler.get_active_rules(), self.ruler.getRules(""), strict=True))
        del names["text"]
        self._others = tuple(rule for name, rule in names.items() if name not in _FIRST_CHARACTERS)
        self._rules = {
            first: tuple(rule for name, rule in names.items() if first in _FIRST_CHARACTERS.get(name, first))
            for first in "".join(_FIRST_CHARACTERS.values())
        }

    def tokenize(self, state: StateInline) -> None:
        """Add the tokens from the state's position to its end."""
        source, end = state.src, state.posMax
        search, rules, others = self.terminator_re.search, self._rules, self._others
        while state.pos < end:
            position = state.pos
            if state.level < self._nesting:
                match = search(source, position)
                start = match.start() if match else state.posMax
                if start != position:
                    state.append_pending(source[position:start])
                    state.pos = start
                    continue
                for rule in rules.get(source[position], others):
                    if rule(state, False):
                        break
                else:
                    state.append_pending(source[position])
                    state.pos = position + 1
                continue
            state.append_pending(source[position])
            state.pos = position + 1
        if state.pending:
            state.pushPending()

    def skipToken(self, state: StateInline) -> None:  # noqa: N802 - the library's name
        """Move the state past the next token."""
        position = state.pos
        if position in state.cache:
            state.pos = state.cache[position]
            return
        if state.level >= self._nesting:
            state.pos = state.posMax + 1
        else:
            match = self.terminator_re.search(state.src, position)
            start = match.start() if match else state.posMax
            if start != position:
                state.pos = start
            else:
                state.level += 1
                for rule in self._rules.get(state.src[position], self._others):
                    if rule(state, True):
                        break
                else:
                    state.pos += 1
                state.level -= 1
        state.cache[position] = state.pos

    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        """Add the tokens of a paragraph to `tokens`, and return them."""
        state = _State(src, md, env, tokens)
        self.tokenize(state)
        if state.delimiters or any(meta and meta["delimiters"] for meta in state.tokens_meta):
            for rule in self.ruler2.getRules(""):
                rule(state)
        return state.tokens


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Add a run of * or _ as the library's rule does: each as a text of its own, which may become a tag."""
    start, source, maximum = state.pos, state.src, state.posMax
    marker = source[start]
    if silent or marker not in "*_":
        return False
    end = start + 1
    while end < maximum and source[end] == marker:
        end += 1
    before = character_kinds[source[start - 1]] if start else SPACE
    after = character_kinds[source[end]] if end < maximum else SPACE
    is_ambiguous = marker == "*" and {before, after} == {PUNCTUATION, OTHER} and EMPHASIS in state.env
    if is_ambiguous and _marks_emphasis(state.env[EMPHASIS], source[start - 1] + source[end]):
        before = after = OTHER
    left_flanking = after == OTHER or (after == PUNCTUATION and before != OTHER)
    right_flanking = before == OTHER or (before == PUNCTUATION and after != OTHER)
    can_split_word = marker == "*"
    opens = left_flanking and (can_split_word or not right_flanking or before == PUNCTUATION)
    closes = right_flanking and (can_split_word or not left_flanking or after == PUNCTUATION)
    for _ in range(end - start):
        state.push("text", "", 0).content = marker
        state.delimiters.append(Delimiter(ord(marker), end - start, len(state.tokens) - 1, -1, opens, closes))
    state.pos = end
    return True


def _marks_emphasis(emphasis: Emphasis, beside: str) -> bool:
    """Return whether stars between these two characters, punctuation and a letter, mark emphasis."""
    is_wide = any(unicodedata.east_asian_width(character) in "WF" for character in beside)
    return emphasis == "kramdown" or is_wide


def _link_within(max_level: int) -> Rule:
    """Return a rule for links, which is faster for plain ones in fewer than `max_level` levels."""

    def link(state: StateInline, silent: bool) -> bool:
        match = _LINK.match(state.src, state.pos, state.posMax) if state.level < max_level else None
        if not match:
            return library_link(state, silent)
        text, code, address = match.groups()
        # The library caches its result for a position, also if the nesting was too deep there.
        text_end = match.start(3) - len("](")
        if state.cache.setdefault(state.pos + 1, text_end) != text_end:
            return library_link(state, silent)
        href = state.md.normalizeLink(address)
        if not state.md.validateLink(href):
            return library_link(state, silent)
        if not silent:
            state.push("link_open", "a", 1).attrs = {"href": href}
            if text:
                state.pending = text
                state.pushPending()
            else:
                token = state.push("code_inline", "code", 0)
                token.markup, token.content = "`", code
            state.push("link_close", "a", -1)
        state.pos = match.end()
        return True

    return link
