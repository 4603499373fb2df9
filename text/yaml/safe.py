"""YAML text → plain Python values, within limits on its depth, its aliases and its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from text.yaml import plain as plainyaml

try:
    from yaml import CSafeLoader
except ImportError as error:  # pragma: no cover - needs a PyYAML built without libyaml
    raise ImportError(
        "PyYAML lacks libyaml (yaml.CSafeLoader), without which reading articles is ten times slower: "
        "install a PyYAML wheel, or libyaml-dev before building it"
    ) from error

MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_DIGITS = 1000
MAX_LINE = 1000
"""Characters of a faulty line that are examined for its mistake."""

# What PyYAML's constructors raise for a value that does not match its tag.
_UNREADABLE = (ValueError, ArithmeticError, LookupError, AttributeError, TypeError, RecursionError)

# Advice for the most frequent causes of libyaml's messages.
_ADVICE = {
    "did not find expected key": ": is a quote or a bracket left open, or the indent wrong?",
    "did not find expected ',' or ']'": ": is a bracket left open?",
    "did not find expected ',' or '}'": ": is a bracket left open?",
    "did not find expected '-' indicator": ": is a hyphen missing, or the indent wrong?",
}
# The texts that replace libyaml's messages.
_REPLACED = {
    "did not find expected <document start>": "indent this line as those above it, or them as this one",
    "but found another document": "remove this line: another document begins here, and only one is read",
    "did not find expected hexdecimal number": "write the backslash twice, or put the value in single quotes",
    "found unknown escape character": "write the backslash twice, or put the value in single quotes",
}
_COLON = "mapping values are not allowed in this context"
_NO_COLON = "could not find expected ':'"
_CHARACTER = "found character that cannot start any token"
# The messages of libyaml about a value whose first character has a meaning in YAML: @, %, *, &, ! or |.
_FIRST_CHARACTER = (
    _CHARACTER,
    "did not find expected alphabetic or numeric character",  # after the * of `**/*.md`, or an &
    "found undefined alias",
    "could not determine a constructor for the tag",
    "did not find expected comment or line break",
    "found unhashable key",  # behind the {{ of a template
)
_TAB = "found a tab character that violates indentation"
_OPEN_QUOTE = "while scanning a quoted scalar: found unexpected end of stream"
# A key before its value. It is short and plain, so that it cannot be a part of a secret value.
_KEY = re.compile(r"[ -]*([A-Za-z][A-Za-z0-9_-]{0,30}): +\S")
# The text before the first colon of a line that is indented.
_DEEPER_KEY = re.compile(r" +[\w-]+")
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # those that libyaml counts
# A key without a colon, alone on a line, and a key without the space after its colon. `https://…` is neither.
_KEY_ALONE = re.compile(r"[ -]*(?P<key>[A-Za-z][A-Za-z0-9_-]{0,30})[ \t]*")
_KEY_WITHOUT_SPACE = re.compile(r"[ -]*(?P<key>[A-Za-z][A-Za-z0-9_-]{0,30}):(?!//)\S.*")
# A value that seems to end before the rest of its line.
_QUOTED_PART = re.compile(r"""[ -]*[A-Za-z][\w-]{0,30}: +(?:(?P<quote>["']).*(?P=quote)|\[.*\]|\{.*\}) *""")
_ANCHOR = re.compile(r"&(?<![^\s\[{,:-]&)[^\s&]")
_DASHES = re.compile(r"(?:[-?:][ \t]++){16}")
_DEEP_INDENT = "\n" + " " * MAX_DEPTH


class YamlError(Exception):
    """The text is not usable YAML; the reason quotes no value of it. `line` and `column` count from 0."""

    def __init__(self, line: int, reason: str, column: int = 0) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason
        self.column = column


class Loader(CSafeLoader):
    """PyYAML's safe loader, which also refuses numbers of more than MAX_DIGITS digits.

    What looks like a date but is none, such as 2026-02-30, stays text: where a date is expected, the value is
    refused there, and elsewhere text is fine.
    """

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        """Return a date or a time, or the text where there is no such date."""
        try:
            return super().construct_yaml_timestamp(node)
        except (ValueError, OverflowError):
            return node.value

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Return an integer; one with many digits or base-60 places takes time that grows with the square."""
        if len(node.value) > MAX_DIGITS:
            raise yaml.constructor.ConstructorError(None, None, "the number is too long", node.start_mark)
        return super().construct_yaml_int(node)


Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)
Loader.add_constructor("tag:yaml.org,2002:timestamp", Loader.construct_yaml_timestamp)


def load(text: str) -> Any:
    """Return the value of a YAML document. Raises YamlError, also if it is too deep or expands too much."""
    plain = plainyaml.load(text)
    if plain is not None:
        return plain
    _check_depth(text)
    try:
        if _ANCHOR.search(text):
            _check_aliases(text)
        return yaml.load(text, Loader)  # noqa: S506 - it is a safe loader
    except yaml.MarkedYAMLError as error:
        raise _explain(error, text) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position)
        raise YamlError(line, error.reason) from None
    except _UNREADABLE as error:
        line, column = _place_of_unreadable(text)
        raise YamlError(line, f"a value cannot be read{_date_reason(error)}", column) from None


def compose(text: str) -> yaml.Node | None:
    """Return the nodes of a YAML document, with their places; None where there are none."""
    try:
        return yaml.compose(text, Loader)
    except yaml.YAMLError:
        return None


def _check_depth(text: str) -> None:
    """Raise YamlError if the text is deeper than MAX_DEPTH: PyYAML's recursion would overflow the C stack."""
    brackets = text.count("[") + text.count("{")
    if brackets < MAX_DEPTH and _DEEP_INDENT not in text and not _DASHES.search(text):
        return
    depth = 0
    try:
        for event in _events(text):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise _at(event, f"nested more than {MAX_DEPTH} levels deep")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError:
        return  # the parser finds the same error later, and reports where it is


def _check_aliases(text: str) -> None:
    """Raise YamlError if aliases would expand to more than MAX_NODES values, or contain themselves."""
    sizes: dict[str, int] = {}
    stack: list[tuple[str | None, int]] = [(None, 0)]
    for event in _events(text):
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in stack):
                raise _at(event, "an alias is inside the value that it names")
            expanded = sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            stack.append((event.anchor, 1))
            continue
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, expanded = stack.pop()
            if anchor is not None:
                sizes[anchor] = expanded
        elif isinstance(event, yaml.ScalarEvent):
            expanded = 1 + len(event.value) // 100  # an alias to a long text multiplies it
            if event.anchor:
                sizes[event.anchor] = expanded
        else:
            continue
        anchor, size = stack[-1]
        if size + expanded > MAX_NODES:
            raise _at(event, f"its aliases expand to more than {MAX_NODES:,} values")
        stack[-1] = (anchor, size + expanded)


def _events(text: str) -> Iterator[yaml.Event]:
    events: Iterator[yaml.Event] = yaml.parse(text, Loader)
    return events


def _at(event: yaml.Event, reason: str) -> YamlError:
    mark = event.start_mark
    return YamlError(mark.line, reason, mark.column) if mark else YamlError(0, reason)


def _explain(error: yaml.MarkedYAMLError, text: str) -> YamlError:
    """Return the error in plain words, without PyYAML's quotes from the file, which may be secret values."""
    mark, messages = error.problem_mark, [error.problem]
    if error.problem == "found unexpected end of stream" and error.context_mark:
        mark, messages = error.context_mark, [error.context, error.problem]
    mark = mark or error.context_mark
    if mark and error.problem in (_COLON, _NO_COLON) and (faulty_key := _faulty_key(error, mark.line, text)):
        return faulty_key
    reason = ": ".join(" ".join(part.split()) for part in messages if part)
    if isinstance(
        error, yaml.constructor.ConstructorError
    ):  # all others come from libyaml, which quotes no values
        reason = re.sub(r":?\s*['\"].*", "", reason)
    reason = _in_plain_words(reason, text, mark.index) if mark else reason
    return YamlError(mark.line, reason, mark.column) if mark else YamlError(0, reason)


def _faulty_key(error: yaml.MarkedYAMLError, line: int, text: str) -> YamlError | None:
    """Return the error of a key without its colon, or without the space after it; None for other errors.

    libyaml reads such a line as text that continues below it, and reports the key that follows.
    """
    lines = _LINE_BREAK.split(text)
    if error.problem == _NO_COLON and error.context_mark:
        line = error.context_mark.line
    else:
        if not re.fullmatch(r"[ -]*[\w-]+:.*", lines[line]):
            return None
        line = next((number for number in range(line - 1, -1, -1) if lines[number].strip()), line)
    if match := _KEY_WITHOUT_SPACE.fullmatch(lines[line]):
        return YamlError(line, f"put a space after `{match['key']}:`", match.end("key") + 1)
    if error.problem == _NO_COLON:
        column = len(lines[line]) - len(lines[line].lstrip())
        advice = "put a colon and a space after the key, or indent the line if it continues the value above"
        return YamlError(line, advice, column)
    match = _KEY_ALONE.fullmatch(lines[line])
    if match and _indent(lines[line]) < _indent(lines[line + 1]):
        return YamlError(line, f"put a colon after `{match['key']}`", match.end("key"))
    return None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _in_plain_words(reason: str, text: str, index: int) -> str:
    """Return libyaml's reason; for a common mistake, advice on how to correct it."""
    if reason == _COLON:
        line = text[text.rfind("\n", 0, index) + 1 : index]
        if _DEEPER_KEY.fullmatch(line):
            return "indent this line as those around it, or put the value above it in quotes"
        key = _KEY.match(line)
        return f"put the {key[1] if key else 'value'} in quotes, because a colon and a space are in it"
    if _TAB in reason or (reason == _CHARACTER and text[index : index + 1] == "\t"):
        return "use spaces instead of the tab"
    if any(message in reason for message in _FIRST_CHARACTER):
        return "put the value in quotes, because of its first character"
    if reason == _OPEN_QUOTE:
        return "a quote is opened here and never closed"
    if replaced := next((advice for message, advice in _REPLACED.items() if message in reason), None):
        return replaced
    start = text.rfind("\n", 0, index) + 1
    if part := _QUOTED_PART.fullmatch(text[start : min(index, start + MAX_LINE)]):
        return _about_rest(part["quote"], text[index:].partition("\n")[0])
    return reason + next((advice for message, advice in _ADVICE.items() if message in reason), "")


def _about_rest(quote: str | None, rest: str) -> str:
    """Return advice about a value that ends before the rest of its line, which is not empty."""
    if quote is None:
        return "put the value in quotes, because of its first character"
    if quote in rest:
        other = "double" if quote == "'" else "single"
        return f"the same quote is inside the value and around it: put {other} quotes around the value"
    return "put the whole value in quotes, or none of it"


def _date_reason(error: Exception) -> str:
    """Return Python's message if it is about a date; others quote the value, which may be secret."""
    text = str(error)
    return f": {text}" if re.fullmatch(r"[a-z ]+ (?:must be in|is out of range)[\w. ]*", text) else ""


def _place_of_unreadable(text: str) -> tuple[int, int]:
    """Return the line and column of the first top-level value that YAML can parse but Python cannot hold."""
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        for _, node in root.value if isinstance(root, yaml.MappingNode) else ():
            try:
                loader.construct_object(node, deep=True)
            except _UNREADABLE:
                return node.start_mark.line, node.start_mark.column
    except (yaml.YAMLError, RecursionError):
        pass
    finally:
        loader.dispose()
    return 0, 0
