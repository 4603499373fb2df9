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
_ITEMS = {"related": MAX_RELATED}

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

    `source` is the front matter's text, whose first line is line `line` of the file.
    """

    kind: Kind
    values: Mapping[str, Any]
    body: str
    source: str = ""
    line: int = 1
    _nodes: list[yaml.Node | None] = field(default_factory=list)

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
    found = _closing(text, fence, start - 1) or (_closing(text, "...", start - 1) if fence == "---" else None)
    if found is None:
        reason = f"the front matter is never closed: a line with {fence} is missing"
        raise HeadError(first - 1, reason)
    source, body = text[start : found[0] + 1], text[found[1] :].strip("\n")
    if len(source) > MAX_HEAD:
        raise HeadError(first, f"the front matter is longer than {MAX_HEAD:,} characters")
    if language == "json":
        kind: Kind = "json"
        values = _json_values(source, 0, first)[0]
    elif fence == "+++" or language == "toml":
        kind, values = "toml", toml_values(source, first)
    else:
        kind, values = "yaml", _yaml_values(source, first, skipping)
    return Head(kind=kind, values=values, body=body, source=source, line=first)


def _closing(text: str, fence: str, at: int) -> tuple[int, int] | None:
    """Return where the line end before the closing fence stands, and where the body begins."""
    pattern = _CLOSING[fence]
    while (at := text.find(f"\n{fence}", at)) >= 0:
        closing = pattern.match(text, at)
        if closing is not None:
            return at, closing.end()
        at += 1
    return None


def _yaml_values(source: str, first: int, skipping: bool) -> Mapping[str, Any]:
    try:
        plain = plainyaml.load(source, shared=True, unread=_UNREAD, items=_ITEMS) if skipping else None
        values = safeyaml.load(source) if plain is None else plain
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
    return Head(kind="json", values=values, body=text[end:].strip("\n"), source=text[at:end], line=first)


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
        source=head,
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
