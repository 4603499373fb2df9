"""What to do about TOML or JSON that cannot be read, for the mistakes that people make most often.

Most of those in TOML are made by people who know YAML. tomllib says only which grammar rule failed
(https://docs.python.org/3/library/tomllib.html), so the advice comes from the line at which it stopped.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_PLACE = re.compile(r" \((?:at line (?P<line>\d+), column \d+|at end of document)\)$")
_KEY_AND_COLON = re.compile(r"[ \t]*([A-Za-z0-9_-]{1,30})[ \t]*:")
_VALUE = re.compile(r"""[^="']*=[ \t]*(?P<value>.*)""")
# A text in quotes with at least one more quote behind it.
_QUOTE_IN_QUOTES = re.compile(r"""(["'])(?!\1\1).*?\1[ \t]*[^\s#,;\]}].*\1""")
_ENDS_IN_SEPARATOR = re.compile(r".*[;,][ \t]*")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_TRIPLE_QUOTES = ('"""', "'''")
_CURLY_QUOTES = tuple("“”„‘’«»")
_TRUTH = frozenset({"true", "false", "yes", "no", "on", "off"})
_NOTHING = frozenset({"null", "none", "nil", "~", ""})

# What tomllib says, and what to do about it where the line makes no difference.
_ABOUT_TOML = {
    "Cannot overwrite a value": "this key is set twice: remove one",
    "Cannot declare": "this table is declared twice: remove one",
    "Cannot mutate immutable": "this key is set twice: remove one",
    "Duplicate inline table key": "this key is set twice: remove one",
    "Unclosed array": "a bracket is left open, or a comma is missing between two values",
    "Unclosed inline table": "a brace is left open, or a comma is missing between two values",
    "Unescaped": "write a backslash twice, or put the text in single quotes",
    "Invalid hex value": "write a backslash twice, or put the text in single quotes",
    "Escaped character is not": "write a backslash twice, or put the text in single quotes",
    "Unterminated string": "a quote is opened here and never closed",
    "Invalid date or datetime": "there is no such date",
    "Invalid initial character for a key part": "a key is missing, or braces end with a comma",
}


# The same for the messages of Python's json module.
_ABOUT_JSON = {
    "Expecting property name": "put each key in double quotes, and no comma behind the last value",
    "Illegal trailing comma": "put no comma behind the last value",
    "Expecting ',' delimiter": "a comma or a bracket is missing, or a quote in a text has no backslash",
    "Expecting ':' delimiter": "put a colon after the key",
    "Expecting value": "write a text in double quotes, a number, true, false or null",
    "Unterminated string": "a quote is opened here and never closed",
    "Invalid control character": "a quote is opened here and never closed on its line",
    "Invalid \\escape": "write a backslash twice",
}


class Fault(NamedTuple):
    """A mistake in a TOML text: its line, which counts from 0, and what to do about it."""

    line: int
    reason: str


def about_json(reason: str) -> str:
    """Return what to do about a JSON text, by what the json module says of it."""
    advice = next((advice for message, advice in _ABOUT_JSON.items() if reason.startswith(message)), "")
    return f"is not JSON: {advice}" if advice else "is not JSON"


def about_toml(error: ValueError, source: str) -> Fault:
    """Return where the mistake is that tomllib reports, and what to do about it, without quoting a value."""
    message = str(error)
    place = _PLACE.search(message)
    message = message[: place.start()] if place else message
    lines = source.split("\n")
    number = int(place["line"]) - 1 if place and place["line"] else _last_filled(lines)
    if message.startswith("Unterminated string"):
        number = _line_of_open_quotes(lines, number)
    advice = _advice(message, lines[number])
    return Fault(number, f"is not TOML: {advice}" if advice else "is not TOML")


def _last_filled(lines: list[str]) -> int:
    return next((number for number in range(len(lines) - 1, 0, -1) if lines[number].strip()), 0)


def _line_of_open_quotes(lines: list[str], last: int) -> int:
    """Return the last line that has three quotes, which begin a text of several lines."""
    opening = (
        number for number in range(last, -1, -1) if any(quotes in lines[number] for quotes in _TRIPLE_QUOTES)
    )
    return next(opening, last)


def _advice(message: str, line: str) -> str:
    for beginning, advice in _ABOUT_TOML.items():
        if message.startswith(beginning):
            return advice
    if message.startswith("Illegal character"):
        is_line_end = "\\n" in message
        return (
            "a quote is opened here and never closed" if is_line_end else "control characters are not allowed"
        )
    if message == "Invalid statement":
        return (
            "a comment begins with #" if line.lstrip().startswith("//") else 'write a line like title = "…"'
        )
    if message.startswith("Expected '='"):
        return _about_key(line)
    if message.startswith("Expected ']"):
        return "end the table's name with as many brackets as it begins with"
    match = _VALUE.match(line)
    return _about_value(match["value"].strip() if match else line.strip(), message)


def _about_key(line: str) -> str:
    if match := _KEY_AND_COLON.match(line):
        return f"put an equals sign after `{match[1]}`, in place of the colon"
    if match := re.match(r"[ \t]*[A-Za-z0-9_-]+(?:[ \t]+[A-Za-z0-9_-]+)+[ \t]*=", line):
        return "put the key in quotes, because a space is in it"
    return "put an equals sign after the key"


def _about_value(value: str, message: str) -> str:
    """Return what to do about the value in a line that tomllib could not read as a whole."""
    word = value.partition("#")[0].strip().lower()
    if word in _NOTHING:
        return "write a value after the equals sign, or remove the line: TOML has no empty value"
    if word in _TRUTH:
        return "write true or false, in small letters"
    if value.startswith(_CURLY_QUOTES):
        return "use straight quotes around the value"
    if _QUOTE_IN_QUOTES.match(value):
        other = "double" if value.startswith("'") else "single"
        return f"the same quote is inside the text and around it: put {other} quotes around the text"
    if value.startswith(('"', "'")) and _ENDS_IN_SEPARATOR.fullmatch(value):
        return "remove the character behind the closing quote"
    if _DATE.match(value):
        return "write a date like 2026-03-31T09:30:00Z, or put it in quotes"
    if value.startswith("["):
        return "put each text of the list in quotes, with commas between them"
    if message == "Invalid value" or value[:1].isdigit():
        return "put the value in quotes"
    return "begin each key on a line of its own"
