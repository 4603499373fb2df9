"""Lines → blocks, as `markdown_it.parser_block` makes them, with only the rules that can match.

For each line the library calls a dozen rules, nearly all of which only check its first character and do not
match. Here that character decides which rules are called. `tests/text/test_markdown_speed.py` compares the
tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from markdown_it import MarkdownIt
from markdown_it.common.utils import mdTrim
from markdown_it.parser_block import ParserBlock
from markdown_it.ruler import Ruler
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from text.markdown.inline import FastToken

Rule = Callable[[Any, int, int, bool], bool]
Rules = Mapping[str, Sequence[Rule]]

# The first characters of the lines that a rule can match; a rule that is not listed is called for all lines.
_FIRST_CHARACTERS = {
    "fence": "`~",
    "blockquote": ">",
    "hr": "*-_",
    "flat_list": "*+-",
    "list": "*+-0123456789",
    "footnote_def": "[",
    "reference": "[",
    "html_block": "<",
    "heading": "#",
    "container_admonition": ":",
}
_OTHERS = ""  # the key of the rules for all other characters


class _State(StateBlock):
    """The library's state with a shorter way to add a token.

    `searched` are the first line and the end of the last search for an underlined heading. A paragraph there
    would end before the line `paragraph_end`, so that the next rule need not search again.
    """

    searched: tuple[int, int] | None = None
    paragraph_end = -1

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        token = FastToken(ttype, tag, nesting)
        token.block = True
        if nesting < 0:
            self.level -= 1
        token.level = self.level
        if nesting > 0:
            self.level += 1
        self.tokens.append(token)
        return token


class FastBlock(ParserBlock):
    """The library's parser of blocks, with the same rules; it calls only those that can match."""

    def __init__(self, library: ParserBlock, nesting: int, flat_list: Rule | None = None) -> None:
        """`flat_list`, a rule that writes HTML, is tried before the library's rule for lists."""
        self.__dict__.update(library.__dict__)
        self._nesting = nesting
        if flat_list:
            self.ruler.before("list", "flat_list", flat_list)
        rules = {rule.name: rule for rule in self.ruler.__rules__}
        for name, faster in (("table", _table), ("deflist", _deflist)):
            self.ruler.at(name, faster(rules[name].fn), {"alt": rules[name].alt})
        ends = _by_first_character(self.ruler, "paragraph")
        self.ruler.at("paragraph", _paragraph(ends), {"alt": []})
        self.ruler.at("lheading", _lheading(ends), {"alt": []})
        self._rules = _by_first_character(self.ruler, "")

    def tokenize(self, state: StateBlock, startLine: int, endLine: int) -> None:  # noqa: N803 - the library's
        """Add the tokens of these lines."""
        source, marks, shifts = state.src, state.bMarks, state.tShift
        rules, others = self._rules, self._rules[_OTHERS]
        line = startLine
        has_empty_lines = False
        while line < endLine:
            state.line = line = state.skipEmptyLines(line)
            if line >= endLine or state.sCount[line] < state.blkIndent:
                break
            if state.level >= self._nesting:
                state.line = endLine
                break
            for rule in rules.get(source[marks[line] + shifts[line]], others):
                if rule(state, line, endLine, False):
                    break
            state.tight = not has_empty_lines
            line = state.line
            if line - 1 < endLine and state.isEmpty(line - 1):
                has_empty_lines = True
            if line < endLine and state.isEmpty(line):
                has_empty_lines = True
                line += 1
                state.line = line

    def parse(self, src: str, md: MarkdownIt, env: Any, outTokens: list[Token]) -> list[Token] | None:  # noqa: N803
        """Add the tokens of a text to `outTokens`, and return them; None for an empty text."""
        if not src:
            return None
        state = _State(src, md, env, outTokens)
        self.tokenize(state, state.line, state.lineMax)
        return state.tokens


def _by_first_character(ruler: Ruler[Rule], chain: str) -> Rules:
    """Return the rules of a chain by the first characters of the lines that they can match."""
    names = {rule.fn: rule.name for rule in ruler.__rules__ if rule.enabled}
    rules = ruler.getRules(chain)
    return {
        first: tuple(
            rule
            for rule in rules
            if not _FIRST_CHARACTERS.get(names[rule]) or first in _FIRST_CHARACTERS[names[rule]]
        )
        if first
        else tuple(rule for rule in rules if names[rule] not in _FIRST_CHARACTERS)
        for first in ("", *"".join(_FIRST_CHARACTERS.values()))
    }


def _paragraph(ends: Rules) -> Rule:
    """Return the library's rule for paragraphs; the rules in `ends` end one."""

    def paragraph(state: _State, start: int, _end: int, _silent: bool) -> bool:
        line, end = start + 1, state.lineMax
        if state.searched == (start, end):
            line = state.paragraph_end
        parent = state.parentType
        state.parentType = "paragraph"
        while line < end and not state.isEmpty(line) and not _is_end(state, line, end, ends):
            line += 1
        _push(state, "paragraph", "p", start, line)
        state.parentType = parent
        return True

    return paragraph


def _lheading(ends: Rules) -> Rule:
    """Return the library's rule for underlined headings; the rules in `ends` end the paragraph before."""

    def lheading(state: _State, start: int, end: int, _silent: bool) -> bool:
        state.searched = None
        if state.is_code_block(start):
            return False
        line = start + 1
        parent = state.parentType
        state.parentType = "paragraph"  # as in the library, not restored if this is not a heading
        while line < end and not state.isEmpty(line):
            if marker := _underline(state, line):
                _push(state, "heading", "h1" if marker == "=" else "h2", start, line, marker)
                state.parentType = parent
                return True
            if _is_end(state, line, end, ends):
                break
            line += 1
        state.searched, state.paragraph_end = (start, end), line
        return False

    return lheading


def _table(library: Rule) -> Rule:
    """Return the library's rule for tables, called only if the second line begins as a table's does."""

    def table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        second = start + 1
        if second >= end:
            return False
        position = state.bMarks[second] + state.tShift[second]
        if position >= state.eMarks[second] or state.src[position] not in "|-:":
            return False
        return library(state, start, end, silent)

    return table


def _deflist(library: Rule) -> Rule:
    """Return the plugin's rule for definition lists, called only where a definition can follow."""

    def deflist(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        if silent:
            return state.ddIndent >= 0 and library(state, start, end, silent)
        line = start + 1
        if line < end and state.isEmpty(line):
            line += 1
        if line >= end:
            return False
        position = state.bMarks[line] + state.tShift[line]
        return state.src[position : position + 1] in (":", "~") and library(state, start, end, silent)

    return deflist


def _is_end(state: StateBlock, line: int, end: int, ends: Rules) -> bool:
    """Whether a line that is not empty ends the paragraph before it."""
    # An indented line would be code elsewhere; a block quote has set the negative indents.
    if state.sCount[line] - state.blkIndent > 3 or state.sCount[line] < 0:
        return False
    first = state.src[state.bMarks[line] + state.tShift[line]]
    # A loop, because starting a generator takes longer than most of these rules.
    for rule in ends.get(first, ends[_OTHERS]):  # noqa: SIM110
        if rule(state, line, end, True):
            return True
    return False


def _underline(state: StateBlock, line: int) -> str:
    """Return the character of a line that underlines a heading, "" for any other line."""
    if not 0 <= state.sCount[line] - state.blkIndent <= 3:
        return ""
    position, end = state.bMarks[line] + state.tShift[line], state.eMarks[line]
    marker = state.src[position] if position < end else ""
    if marker not in ("-", "="):
        return ""
    return marker if state.skipSpaces(state.skipCharsStr(position, marker)) >= end else ""


def _push(state: StateBlock, kind: str, tag: str, start: int, end: int, markup: str = "") -> None:
    """Add a paragraph or heading of the lines from `start` to before `end`; an underline comes after them."""
    state.line = end + bool(markup)
    opening = state.push(f"{kind}_open", tag, 1)
    opening.markup, opening.map = markup, [start, state.line]
    inline = state.push("inline", "", 0)
    inline.content = mdTrim(state.getLines(start, end, state.blkIndent, False))
    inline.map, inline.children = [start, end], []
    state.push(f"{kind}_close", tag, -1).markup = markup
