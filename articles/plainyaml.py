"""The plain part of YAML, which robots write: one key a line, scalars that need no thought.

`load` either returns exactly what PyYAML would, several times faster, or None: then the text uses more of
YAML than is certain here, and PyYAML must read it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

# An indent, at most one dash, a key, and a scalar: in double quotes without escapes, with escapes, or plain.
_LINE = re.compile(
    r"( *+)(- )?+(?:([A-Za-z_][A-Za-z0-9_-]*+):(?: |(?=\n)))?+"
    r'(?:"([^"\\\n]*+)" *+(?=\n)|"((?:[^"\\\n]|\\["\\nrt])*+)" *+(?=\n)|([^\n]*+))\n'
)
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
# What libyaml refuses or takes for a line break (YAML 1.1 §4.1, §4.2), and tabs, which are never needed.
_UNUSUAL = re.compile(
    r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,14}")
_TIMESTAMP = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")
_WORDS = re.compile(r"(?:[^\W\d_]|\.[A-Z])(?:[^:#\n]|(?<=\S)#|:(?=\S))*+(?<![\s:])")
_RESOLVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", ".inf", ".nan"})


class _NotPlainError(Exception):
    """The text uses more of YAML than this module knows."""


class _Level:
    """A mapping or list under construction, the column where its keys or dashes stand, and the open key."""

    __slots__ = ("column", "open_key", "value")

    def __init__(self, column: int, value: Any) -> None:
        self.column = column
        self.value = value
        self.open_key: str | None = None


def load(text: str) -> dict[str, Any] | None:
    """Return the mapping that a YAML text holds, or None when PyYAML has to say; it ends with a newline."""
    if _UNUSUAL.search(text):
        return None
    root = _Level(0, {})
    levels = [root]
    end = 0
    try:
        for match in _LINE.finditer(text):
            if match.start() != end:
                return None
            end = match.end()
            indent, dash, key, value, escaped, plain = match.groups()
            if escaped is not None:
                value = _ESCAPE.sub(lambda found: _ESCAPED[found[1]], escaped)
            elif plain:
                value = _plain(plain)
            if key and not indent and not dash:
                del levels[1:]
                _set(root, key, value)
            elif dash or key or value is not None:  # or else the line is blank
                _place(levels, len(indent), dash is not None, key, value)
    except _NotPlainError:
        return None
    return root.value if end == len(text) and root.value else None


def _place(levels: list[_Level], column: int, dash: bool, key: str | None, value: Any) -> None:
    while levels[-1].column > column:
        levels.pop()
    if dash:
        _open_list(levels, column)
        if key is None:
            if value is None:
                raise _NotPlainError
            levels[-1].value.append(value)
            return
        column += 2
        item = _Level(column, {})
        levels[-1].value.append(item.value)
        levels.append(item)
    elif key is None:
        raise _NotPlainError
    else:
        _open_mapping(levels, column)
    _set(levels[-1], key, value)


def _open_list(levels: list[_Level], column: int) -> None:
    """Make the list whose dashes stand in `column` the last level."""
    last = levels[-1]
    if type(last.value) is list:
        if last.column != column:
            raise _NotPlainError
    else:
        levels.append(_Level(column, _fill(last, [])))


def _open_mapping(levels: list[_Level], column: int) -> None:
    """Make the mapping whose keys stand in `column` the last level."""
    if type(levels[-1].value) is list:
        levels.pop()  # a list may stand in the column of its own key
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
    if key in level.value or (len(key) < 6 and key.lower() in _RESOLVED):
        raise _NotPlainError
    level.value[key] = value
    level.open_key = key if value is None else None


@lru_cache(maxsize=4096)
def _plain(text: str) -> Any:
    """Return what PyYAML makes of a plain scalar (its implicit resolvers, YAML 1.1 types)."""
    if _INTEGER.fullmatch(text):
        return int(text)
    if text in ("true", "false"):
        return text == "true"
    if (match := _TIMESTAMP.fullmatch(text)) is not None:
        try:
            return datetime(*map(int, match.groups()), tzinfo=UTC)  # type: ignore[misc, arg-type]
        except ValueError:
            raise _NotPlainError from None
    if _WORDS.fullmatch(text) and text.lower() not in _RESOLVED:
        return text
    raise _NotPlainError
