"""Front matter that is not YAML between `---`: TOML, JSON, `Key: value` lines, or a heading alone.

Loaded when a file has one of these: most sites have none.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from articles.errors import HeadError
from articles.reading.head import Head, Kind
from articles.reading.limits import MAX_HEAD

_LEADING = re.compile(r"(?:\ufeff|\s)*")
# An object, or what people write for one: keys in single quotes, or on lines of their own without quotes.
_OBJECT = re.compile(r"""\{\s*(?:"|\}|'[^'\n]{1,100}'[ \t]*:)|\{[ \t]*\n\s*[A-Za-z_-]{1,100}[ \t]*:""")
_LINE = re.compile(r"[ ]{0,3}([A-Za-z0-9_-]{1,100}):[ \t]*(.*)")
_CONTINUED = re.compile(r"(?:[ ]{4,}|\t)[ \t]*(\S.*)")
_HEAD_LINES = re.compile(r"(?:(?:[ ]{0,3}[A-Za-z0-9_-]{1,100}:|[ ]{4}|\t)[^\n]*\n)*")
_UNDERLINE = re.compile(r"=+[ \t]*")
_FENCE = re.compile(r"\n---[ \t]*(?:\n|\Z)")
_MODULE_LINE = re.compile(r"(?:import|export)\b")
# A dotted key costs tomllib time that grows with the square of its parts.
_LONG_KEY = re.compile(r"""(?:^|[\[{,])[ \t]*(?:[\w"'-]+[ \t]*\.[ \t]*){32}""", re.MULTILINE)


class _WrittenFloat(float):
    """A number with its spelling in the file."""

    text: str

    def __new__(cls, text: str) -> _WrittenFloat:
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text


def split(text: str, extension: str, *, ends_at_text: bool = False) -> Head | None:
    """Return the head of a file that has no fenced front matter; None where the file is not an article.

    With `ends_at_text`, `Key: value` lines also end at the first line that is not one, which is the body's
    first: https://python-markdown.github.io/extensions/meta_data/.
    """
    start = _LEADING.match(text)
    at = start.end() if start else 0
    if _OBJECT.match(text, at):
        return _object(text, at)
    return (
        _without_opening_fence(text, at)
        or _lines(text, at, ends_at_text=ends_at_text)
        or (None if extension == "html" else _heading(text, extension))
    )


def fenced_values(kind: Kind, source: str, first: int) -> Mapping[str, Any]:
    """Return the values of JSON or TOML between fences, which begins on line `first`. Raises HeadError."""
    return _json_values(source, 0, first)[0] if kind == "json" else toml_values(source, first)


def toml_values(source: str, first: int) -> Mapping[str, Any]:
    """Return the values of a TOML text, which begins on line `first` of its file. Raises HeadError."""
    if _LONG_KEY.search(source):
        raise HeadError(first, "a key has more than 32 parts")
    try:
        return tomllib.loads(source, parse_float=_WrittenFloat)
    except tomllib.TOMLDecodeError as error:
        from articles.reading.advice import about_toml  # late: few sites have such a file

        fault = about_toml(error, source)
        raise HeadError(fault.line + first, fault.reason) from None
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
        from articles.reading.advice import about_json  # late, as above

        raise HeadError(line, about_json(error.msg)) from None
    except (ValueError, RecursionError):
        raise HeadError(first, "is not JSON: a value cannot be read") from None
    if not isinstance(values, dict):
        raise HeadError(first, "the front matter must be a JSON object")
    return values, end


def _without_opening_fence(text: str, at: int) -> Head | None:
    """Read a front matter that only the line `---` below it marks, as Hexo does: YAML, or `Key: value` lines.

    A line `---` after a blank line is a rule in the body.
    """
    if not _LINE.match(text, at):
        return None
    fence = _FENCE.search(text, at, at + MAX_HEAD)
    if fence is None or "\n\n" in text[at : fence.start()]:
        return None
    from text.yaml import safe as safeyaml  # late: nearly no site has such a file

    source = text[at : fence.start() + 1]
    first = text.count("\n", 0, at) + 1
    try:
        values = safeyaml.load(source)
    except safeyaml.YamlError:
        return _head_of_lines(text, at, fence.start(), fence.end())
    if not isinstance(values, dict) or not any(str(key).lower() == "title" for key in values):
        return None
    return Head(
        kind="yaml",
        values={key: value for key, value in values.items() if isinstance(key, str)},
        body=text[fence.end() :].strip("\n"),
        file=text,
        start=at,
        end=at + len(source),
        line=first,
    )


def fenced_lines(text: str, start: int) -> Head | None:
    """Return the head whose `Key: value` lines begin at `start`, below a fence; None where it has others."""
    fence = _FENCE.search(text, start, start + MAX_HEAD)
    return _head_of_lines(text, start, fence.start(), fence.end()) if fence else None


def _lines(text: str, at: int, *, ends_at_text: bool) -> Head | None:
    """Read `Key: value` lines up to a blank one, or with `ends_at_text` up to one that is something else."""
    head, blank, _ = text[at : at + MAX_HEAD].partition("\n\n")
    lines = _HEAD_LINES.match(f"{head}\n") if ends_at_text else None
    if lines and lines.end() < len(head):
        head, blank = head[: lines.end()], ""
    return _head_of_lines(text, at, at + len(head), at + len(head) + len(blank))


def _head_of_lines(text: str, at: int, end: int, body: int) -> Head | None:
    """Read `Key: value` lines; a line with an indent of four spaces continues the value above."""
    head = text[at:end]
    if not _LINE.match(head):
        return None
    lines_by_key: dict[str, list[str]] = {}
    key = ""
    for line in head.split("\n"):
        if match := _LINE.fullmatch(line):
            key = match[1]
            lines_by_key[key] = [match[2].strip()]
        elif key and (more := _CONTINUED.fullmatch(line)):
            lines_by_key[key].append(more[1].strip())
        elif line.strip():
            return None
    if not any(name.lower() == "title" for name in lines_by_key):
        return None
    values = {name: " ".join(filter(None, parts)) or None for name, parts in lines_by_key.items()}
    return Head(
        kind="lines",
        values=values,
        body=text[body:].strip("\n"),
        file=text,
        start=at,
        end=end,
        line=text.count("\n", 0, at) + 1,
    )


def _title(line: str) -> str:
    """Return the text of a heading such as `# Title` or `# Title #`; "" if the line is not one.

    https://spec.commonmark.org/0.31.2/#atx-headings
    """
    title = line[1:].strip(" \t") if line.startswith(("# ", "#\t")) else ""
    without_closing = title.rstrip("#")
    return without_closing.rstrip(" \t") if without_closing.endswith((" ", "\t")) else title


def _heading(text: str, extension: str) -> Head | None:
    """Read a file that begins with its heading: `# Title`, or a title underlined with `=`."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not line.strip(" \t\ufeff") or (extension == "mdx" and _MODULE_LINE.match(line)):
            continue
        line = line.lstrip("\ufeff")
        rest = lines[number + 1 :]
        title = _title(line)
        if (
            not title
            and rest
            and _UNDERLINE.fullmatch(rest[0])
            and not line.startswith((" ", "\t", ">", "-", "<"))
        ):
            title, rest = line, rest[1:]
        if not title:
            return None
        body = "\n".join([*lines[:number], *rest]).strip("\n")
        return Head(kind="none", values={"title": title.strip()}, body=body, line=number + 1)
    return None
