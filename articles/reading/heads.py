"""A file's text → its front matter's values and its body.

Front matter is YAML between `---`, TOML between `+++`, a JSON object, or `Key: value` lines up to a blank one
(Pelican, MultiMarkdown). A file without any is its heading and the text below it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from articles.reading.limits import MAX_HEAD, MAX_RELATED
from text.yaml import plain as plainyaml
from text.yaml import safe as safeyaml

_OPENING = re.compile(r"(?:\ufeff|[ \t]*\n)*(---|\+\+\+)(?:[ \t]*|(json|toml|yaml|yml)[ \t]*)\n")
_CLOSING = {
    "---": re.compile(r"\n---[ \t]*(?:\n|\Z)"),
    "+++": re.compile(r"\n\+\+\+[ \t]*(?:\n|\Z)"),
    "...": re.compile(r"\n\.\.\.[ \t]*(?:\n|\Z)"),
}
_LEADING = re.compile(r"(?:\ufeff|\s)*")
_OBJECT = re.compile(r'\{\s*(?:"|\})')
_LINE = re.compile(r"[ ]{0,3}([A-Za-z0-9_-]{1,100}):[ \t]*(.*)")
_CONTINUED = re.compile(r"(?:[ ]{4,}|\t)[ \t]*(\S.*)")
_ATX = re.compile(r"#[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r"=+[ \t]*")
_MODULE_LINE = re.compile(r"(?:import|export)\b")
# A dotted key costs tomllib time that grows with the square of its parts.
_LONG_KEY = re.compile(r"""(?:^|[\[{,])[ \t]*(?:[\w"'-]+[ \t]*\.[ \t]*){32}""", re.MULTILINE)
_TOML_PLACE = re.compile(r"\(at line (\d+), column \d+\)")

# Keys whose value nobody reads: `secured` is ciphertext.
_UNREAD = frozenset({"secured", "ampWebUrl", "cdnAmpWebUrl", "heat"})

Kind = Literal["yaml", "toml", "json", "lines", "none"]


class HeadError(Exception):
    """A front matter cannot be read; `line` counts from 1 in the file, and the reason quotes nothing."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The values of a front matter as they are, and the body below it.

    The front matter stands in `file`, the whole text, from `start` to `end`; its first line is line `line`.
    """

    kind: Kind
    values: Mapping[str, Any]
    body: str
    file: str = ""
    start: int = 0
    end: int = 0
    line: int = 1
    _nodes: list[yaml.Node | None] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The front matter's text."""
        return self.file[self.start : self.end]

    def line_of(self, key: str) -> int:
        """Return the line in the file where `images[2].width` stands, or of what is nearest above it."""
        if self.kind != "yaml":
            name = re.escape(re.split(r"[.[]", key)[0])
            found = re.search(rf"""^[ \t{{]*["']?{name}["']?[ \t]*[:=]""", self.source, re.MULTILINE)
            return self.source.count("\n", 0, found.start()) + self.line if found else 1
        node, line = self._root(), 1
        for name in re.findall(r"[^].[]+", key):
            if isinstance(node, yaml.SequenceNode) and name.isdigit():
                node = node.value[int(name) - 1]
                line = node.start_mark.line + self.line
            elif isinstance(node, yaml.MappingNode):
                found_pairs = [pair for pair in node.value if pair[0].value == name]
                if not found_pairs:
                    break
                line, node = found_pairs[-1][0].start_mark.line + self.line, found_pairs[-1][1]
        return line

    def source_of(self, key: str, value: Any) -> str:
        """Return how a number, a truth value or a date is written in the file: `3.10` stays that."""
        if self.kind != "yaml":
            return str(value)
        node = self._root()
        for name in re.findall(r"[^].[]+", key):
            if isinstance(node, yaml.SequenceNode) and name.isdigit():
                node = node.value[int(name) - 1]
            elif isinstance(node, yaml.MappingNode):
                node = next((item for key_node, item in reversed(node.value) if key_node.value == name), None)
        return str(node.value) if isinstance(node, yaml.ScalarNode) else str(value)

    def _root(self) -> yaml.Node | None:
        if not self._nodes:
            self._nodes.append(safeyaml.compose(self.source))
        return self._nodes[0]


class _WrittenFloat(float):
    """A number that knows how it was written."""

    text: str

    def __new__(cls, text: str) -> _WrittenFloat:
        found = super().__new__(cls, text)
        found.text = text
        return found

    def __str__(self) -> str:
        return self.text


def split(text: str, *, extension: str = "md", skipping: bool = True) -> Head | None:
    """Return the head of a file's text, whose line ends are `\\n`; None where it is no article's.

    Without front matter there must be a heading, which gives the title. `skipping` leaves out the blocks that
    nobody reads, which may then be anything. Raises HeadError.
    """
    if text.startswith("---\n"):  # nearly every file
        return _fenced(text, "---", "", 4, skipping)
    opening = _OPENING.match(text)
    if opening:
        return _fenced(text, opening[1], opening[2] or "", opening.end(), skipping)
    start = _LEADING.match(text)
    at = start.end() if start else 0
    if _OBJECT.match(text, at):
        return _object(text, at)
    return _lines(text, at) or (None if extension == "html" else _heading(text, extension))


def _fenced(text: str, fence: str, language: str, start: int, skipping: bool) -> Head:
    first = text.count("\n", 0, start) + 1
    is_yaml = fence == "---" and language != "json" and language != "toml"
    skipped = plainyaml.later_items(text, "related", MAX_RELATED) if is_yaml and skipping else None
    found = _closing(text, fence, start - 1, skipped)
    if found is None and fence == "---":
        found = _closing(text, "...", start - 1, skipped)
    if found is None:
        reason = f"the front matter is never closed: a line with {fence} is missing"
        raise HeadError(first - 1, reason)
    end = found[0] + 1
    if end - start > MAX_HEAD:
        raise HeadError(first, f"the front matter is longer than {MAX_HEAD:,} characters")
    if language == "json":
        kind: Kind = "json"
        values = _json_values(text[start:end], 0, first)[0]
    elif not is_yaml:
        kind, values = "toml", toml_values(text[start:end], first)
    else:
        kind, values = "yaml", _yaml_values(text, start, end, first, skipping, skipped)
    body = text[found[1] :].strip("\n")
    return Head(kind=kind, values=values, body=body, file=text, start=start, end=end, line=first)


def _closing(text: str, fence: str, at: int, skipped: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return where the line end before the closing fence stands, and where the body begins.

    It does not stand in the part that is `skipped`.
    """
    if skipped is not None:
        before, after = skipped
        return _fence(text, fence, at, before) or _fence(text, fence, after - 1, len(text))
    return _fence(text, fence, at, len(text))


def _fence(text: str, fence: str, at: int, stop: int) -> tuple[int, int] | None:
    pattern = _CLOSING[fence]
    while (at := text.find(f"\n{fence}", at, stop)) >= 0:
        closing = pattern.match(text, at)
        if closing is not None:
            return at, closing.end()
        at += 1
    return None


def _yaml_values(
    text: str, start: int, end: int, first: int, skipping: bool, skipped: tuple[int, int] | None
) -> Mapping[str, Any]:
    values = None
    if skipped is not None and skipped[1] <= end:
        read = text[start : skipped[0]] + text[skipped[1] : end]
        values = plainyaml.load(read, shared=True, unread=_UNREAD)
    elif skipping:
        values = plainyaml.load(text[start:end], shared=True, unread=_UNREAD)
    try:
        values = safeyaml.load(text[start:end]) if values is None else values
    except safeyaml.YamlError as error:
        raise HeadError(error.line + first, error.reason) from None
    if not isinstance(values, dict):
        raise HeadError(first, "the front matter must be a list of `key: value` lines")
    return values


def toml_values(source: str, first: int) -> Mapping[str, Any]:
    """Return what a TOML text holds, which begins on line `first` of its file. Raises HeadError."""
    if _LONG_KEY.search(source):
        raise HeadError(first, "a key has more than 32 parts")
    try:
        return tomllib.loads(source, parse_float=_WrittenFloat)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        line = int(place[1]) - 1 + first if place else first
        reason = str(error).partition(" (at ")[0].partition("'")[0].partition('"')[0].strip()
        raise HeadError(line, f"is not TOML: {reason}".rstrip(": ")) from None
    except (ValueError, ArithmeticError, RecursionError):
        raise HeadError(first, "is not TOML: a value cannot be read") from None


def _object(text: str, at: int) -> Head:
    first = text.count("\n", 0, at) + 1
    values, end = _json_values(text[: at + MAX_HEAD], at, first)
    body = text[end:].strip("\n")
    return Head(kind="json", values=values, body=body, file=text, start=at, end=end, line=first)


def _json_values(text: str, at: int, first: int) -> tuple[Mapping[str, Any], int]:
    start = _LEADING.match(text, at)
    try:
        decoder = json.JSONDecoder(parse_float=_WrittenFloat)
        values, end = decoder.raw_decode(text, start.end() if start else at)
    except json.JSONDecodeError as error:
        line = text.count("\n", at, error.pos) + first
        raise HeadError(line, f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except (ValueError, RecursionError):
        raise HeadError(first, "is not JSON: a value cannot be read") from None
    if not isinstance(values, dict):
        raise HeadError(first, "the front matter must be a JSON object")
    return values, end


def _lines(text: str, at: int) -> Head | None:
    """Read `Key: value` lines; a line with four spaces before it continues the value above."""
    head, blank, _ = text[at : at + MAX_HEAD].partition("\n\n")
    if not _LINE.match(head):
        return None
    written: dict[str, list[str]] = {}
    key = ""
    for line in head.split("\n"):
        if match := _LINE.fullmatch(line):
            key = match[1]
            written[key] = [match[2].strip()]
        elif key and (more := _CONTINUED.fullmatch(line)):
            written[key].append(more[1].strip())
        elif line.strip():
            return None
    if not any(name.lower() == "title" for name in written):
        return None
    values = {name: " ".join(filter(None, parts)) or None for name, parts in written.items()}
    end = at + len(head) + len(blank)
    return Head(
        kind="lines",
        values=values,
        body=text[end:].strip("\n"),
        file=text,
        start=at,
        end=at + len(head),
        line=text.count("\n", 0, at) + 1,
    )


def _heading(text: str, extension: str) -> Head | None:
    """Read a file that begins with its heading: `# Title`, or a title underlined with `=`."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not line.strip(" \t\ufeff") or (extension == "mdx" and _MODULE_LINE.match(line)):
            continue
        line = line.lstrip("\ufeff")
        rest = lines[number + 1 :]
        if atx := _ATX.fullmatch(line):
            title = atx[1]
        elif rest and _UNDERLINE.fullmatch(rest[0]) and not line.startswith((" ", "\t", ">", "-", "<")):
            title, rest = line, rest[1:]
        else:
            return None
        body = "\n".join([*lines[:number], *rest]).strip("\n")
        return Head(kind="none", values={"title": title.strip()}, body=body, line=number + 1)
    return None
