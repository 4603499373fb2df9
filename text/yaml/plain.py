"""The plain part of YAML, as programs write it: one key a line, and scalars without special cases.

`load` either returns exactly what PyYAML would, several times faster, or None: then the text uses more of
YAML than is certain here, and PyYAML must read it whole. Blocks that are never read are skipped by their
lines if each line is closed on its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Set
from datetime import date, datetime
from functools import lru_cache
from typing import Any

# A scalar in double quotes. The first alternative runs over it without looking at each character: a quote
# after one backslash is escaped, one after none ends the scalar; after several the second one decides.
_QUICK = r'"[^"]*+(?>(?:(?<=[^\\]\\)"[^"]*+)*)(?<!\\)"'
_QUOTED = rf'({_QUICK}|"(?>(?:[^"\\\n]|\\[^\n])*)") *+(?=\n)'
_KEY = r"([A-Za-z_][A-Za-z0-9_-]*+):(?: |(?=\n))"
# Both patterns match every text of whole lines, all of it: a line of no known shape is the last alternative.
# A key at column 0, a scalar in double quotes or a plain one, and below blank lines those that belong to it.
_ENTRY = re.compile(
    rf"{_KEY}(?:{_QUOTED}|([^\n]*+))\n"
    r"(?>(?: *+\n)*)(?>((?:[ -][^\n]*+\n(?>(?:(?:[ -][^\n]*+)?\n)*))?))"
    r"|([^\n]*+)\n"
)
# A line of such a block: an indent, at most one dash, a key, and a scalar.
_LINE = re.compile(rf"( *+)(?>(- )?)(?>(?:{_KEY})?)(?:{_QUOTED}|([^\n]*+))\n")
_ESCAPES = re.compile(r'[^\\]*+(?>(?:\\["\\nrt][^\\]*+)*)')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
# What libyaml refuses or takes for a line break (YAML 1.1 §4.1, §4.2), and tabs, which are never needed.
_UNUSUAL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_LINE_BREAKS = ("\x85", "\u2028", "\u2029")  # to libyaml, but not to the patterns here
_USUAL_BYTES = bytes([0x0A, *range(0x20, 0x7F)])
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,14}")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORDS = re.compile(r"(?:[^\W\d_]|\.[A-Z])(?>(?:[^:#\n]|(?<=\S)#|:(?=\S))*)(?<![\s:])")
# Lines that end where they seem to: an indent, dashes, a key, and a scalar that is closed on its line.
_CLOSED_LINES = re.compile(
    r"""(?>(?:(?=[ \n]|-[ ])
        [ ]*+ (?>(?:-[ ]++)*) (?>(?:[\w-]++:(?=[ \n]))?) [ ]*+
        (?>(?: "(?>(?:[^"\\\n]|\\[^\n])*)"
          | '(?>(?:[^'\n]|'')*)'
          | (?:[^\s"'\[\]{}|>&*!%@`\#,?:-]|-(?=\S)) [^:\n]*+ (?>(?: :(?=[^ \t\n]) [^:\n]*+ )*)
        )?) [ ]*+ \n
    )*)""",
    re.VERBOSE,
)
# Such lines as programs write them, recognised three times as fast, except for errors within a line: after a
# quote at its beginning and one without a backslash at its end no scalar is open, whatever is between.
_ENDING_LINES = re.compile(
    r"""(?>(?:[ ]++ (?>(?:-[ ])?) [A-Za-z0-9_-]++:
    (?:\n | [ ](?: ".++(?<=[^\\]") | [A-Za-z0-9].*+ )\n))*)""",
    re.VERBOSE,
)
_FIRST_DASH = re.compile(r"\n*+( *+)- ")
_NOTHING: frozenset[str] = frozenset()
_ALL_PARTS: Mapping[str, Set[str]] = {}
_SMALL_BLOCK = 300
"""Characters below which a block is likely to be seen again."""
_SMALL_SCALAR = 20
"""Characters below which a plain scalar is: a time has at least as many, and is a new one in each file."""
_RESOLVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", ".inf", ".nan"})
_RESOLVED_KEYS = frozenset(spell(word) for word in _RESOLVED for spell in (str.lower, str.title, str.upper))
"""Keys that YAML 1.1 takes for something else than text; in any other case they are text."""


class _NotPlainError(Exception):
    """The text uses more of YAML than this module knows."""


class _Level:
    """A mapping or list under construction, the column where its keys or dashes are, and the open key."""

    __slots__ = ("column", "open_key", "value")

    def __init__(self, column: int, value: Any) -> None:
        self.column = column
        self.value = value
        self.open_key: str | None = None


def load(
    text: str,
    *,
    shared: Set[str] = _NOTHING,
    unread: Set[str] = _NOTHING,
    parts: Mapping[str, Set[str]] = _ALL_PARTS,
) -> dict[str, Any] | None:
    """Return the mapping in a YAML text, or None where PyYAML is needed; it ends with a newline.

    Equal lines below a key in `shared` may be one object for several texts: nothing inside is then to be
    changed. The value of a key in `unread` is None, whatever it says. The items of a list below a key in
    `parts` need have only those of their keys.
    """
    if not _is_usual(text):
        return None
    values: dict[str, Any] = {}
    try:
        for key, quoted, plain, block, other in _ENTRY.findall(text):
            if not key:
                if other.strip(" "):
                    return None
                continue
            if key in values:
                return None
            if key in unread:
                if (plain or block) and not _is_closed(key, quoted, plain, block):
                    return None
                values[key] = None
            elif block:
                if quoted or plain:
                    return None
                is_likely_seen = key in shared and len(block) < _SMALL_BLOCK
                values[key] = _seen_block(block) if is_likely_seen else _block(block, parts.get(key))
            else:
                values[key] = _unquoted(quoted) if quoted else _plain(plain) if plain else None
    except _NotPlainError:
        return None
    return values if values and _RESOLVED_KEYS.isdisjoint(values) else None


def _is_closed(key: str, quoted: str, plain: str, block: str) -> bool:
    """Whether a plain scalar, or the lines below a key, end where they seem to and can be skipped."""
    if plain.isalnum() and not block:
        return True  # as most are, and faster than by the pattern
    return not (block and (quoted or plain)) and bool(_CLOSED_LINES.fullmatch(f" {key}: {plain}\n{block}"))


def later_items(text: str, key: str, count: int) -> tuple[int, int] | None:
    """Return where the lines of a top-level list's items after the first `count` begin and end.

    What `load` makes of the text without them is what it says otherwise: all lines from the key to the next
    one have ended where they seem to. (A key inside a scalar of several lines is none, but leaves that scalar
    open in the rest, which `load` does not know then.) None where there are no such items, or it is not sure.
    """
    head = f"\n{key}:\n"
    start = text.find(head)
    first = _FIRST_DASH.match(text, start + len(head)) if start >= 0 else None
    if first is None:
        return None
    dash = f"\n{first[1]}- "
    later = first.end()
    for _ in range(count):
        later = text.find(dash, later) + 1
        if not later:
            return None
    end = _end_of(_CLOSED_LINES, text, _end_of(_ENDING_LINES, text, first.start()))
    if end <= later or text.startswith((" ", "- "), end):
        return None
    return None if any(text.find(character, later, end) >= 0 for character in _LINE_BREAKS) else (later, end)


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _is_usual(text: str) -> bool:
    # Only the text without the usual ASCII characters is searched: five times as fast.
    rest = text.encode("utf-8", "surrogatepass").translate(None, _USUAL_BYTES)
    return not rest or not _UNUSUAL.search(rest.decode("utf-8", "surrogatepass"))


def _unquoted(quoted: str) -> str:
    """Return the text of a scalar in double quotes. Raises _NotPlainError if it is not certain here."""
    text = quoted[1:-1]
    if "\n" in text:
        raise _NotPlainError
    if "\\" not in text:
        return text
    if not _ESCAPES.fullmatch(text):
        raise _NotPlainError
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], text)


def _block(text: str, parts: Set[str] | None = None) -> Any:
    """Return the value that the lines below a top-level key hold; of a list's items only the `parts`."""
    root = _Level(0, {})
    _set(root, "", None)
    levels = [root]
    first = _FIRST_DASH.match(text) if parts else None
    item_column = len(first[1]) + 2 if first else None
    read = parts or _NOTHING
    below_unread = sys.maxsize  # the column of a key that is not read, as long as its lines go on
    for indent, dash, key, quoted, plain in _LINE.findall(text):
        value = _unquoted(quoted) if quoted else _plain(plain) if plain else None
        column = len(indent)
        if column > below_unread or (dash and column == below_unread):
            continue
        if dash or not key:
            if not dash and value is None:
                continue  # a blank line
            _place(levels, column, bool(dash), key, value)
        elif column == item_column and key not in read:
            below_unread = column if value is None else sys.maxsize
            continue
        elif (last := levels[-1]).column == column and type(last.value) is dict:
            _set(last, key, value)  # one more key of a mapping, as most lines are
        else:
            _place(levels, column, False, key, value)
        below_unread = sys.maxsize
    return root.value[""]


_seen_block = lru_cache(maxsize=4096)(_block)
"""Programs write the same provider and the same topics into many files."""


def _place(levels: list[_Level], column: int, dash: bool, key: str, value: Any) -> None:
    while levels[-1].column > column:
        levels.pop()
    if dash:
        _open_list(levels, column)
        if not key:
            if value is None:
                raise _NotPlainError
            levels[-1].value.append(value)
            return
        column += 2
        item = _Level(column, {})
        levels[-1].value.append(item.value)
        levels.append(item)
    elif not key:
        raise _NotPlainError
    else:
        _open_mapping(levels, column)
    _set(levels[-1], key, value)


def _open_list(levels: list[_Level], column: int) -> None:
    """Make the list whose dashes are in `column` the last level."""
    last = levels[-1]
    if type(last.value) is list:
        if last.column != column:
            raise _NotPlainError
    else:
        levels.append(_Level(column, _fill(last, [])))


def _open_mapping(levels: list[_Level], column: int) -> None:
    """Make the mapping whose keys are in `column` the last level."""
    if type(levels[-1].value) is list:
        levels.pop()  # a list may be in the column of its own key
    last = levels[-1]
    if last.column != column or type(last.value) is list:
        levels.append(_Level(column, _fill(last, {})))


def _fill(level: _Level, value: Any) -> Any:
    """Give the mapping's open key its value."""
    if level.open_key is None or type(level.value) is list:
        raise _NotPlainError
    level.value[level.open_key] = value
    level.open_key = None
    return value


def _set(level: _Level, key: str, value: Any) -> None:
    if key in level.value or key in _RESOLVED_KEYS:
        raise _NotPlainError
    level.value[key] = value
    level.open_key = key if value is None else None


def _plain(text: str) -> Any:
    """Return what PyYAML makes of a plain scalar."""
    return _seen_scalar(text) if len(text) < _SMALL_SCALAR else _scalar(text)


def _scalar(text: str) -> Any:
    """Return what PyYAML's implicit resolvers make of a text (YAML 1.1 types)."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if text in ("true", "false"):
        return text == "true"
    if _TIMESTAMP.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise _NotPlainError from None
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise _NotPlainError from None
    if _WORDS.fullmatch(text) and text.lower() not in _RESOLVED:
        return text
    raise _NotPlainError


_seen_scalar = lru_cache(maxsize=4096)(_scalar)
"""Short scalars come back: types, names, truth values."""
