"""Makes text from outside safe for terminals, logs and the output of CI systems.

Titles, paths, addresses, answers of other programs and error texts contain what someone else wrote. Printed
unchanged, it could begin a new line, move the cursor, rename the window, reverse the order of characters, or
be a command for a CI system.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, TextIO

MAX_LINE = 20_000
"""Characters of one printed line or logged value; the rest is replaced by its length."""

# C0 with ESC, DEL, and C1 with CSI and OSC (ECMA-48 §5.3, §8.3); the line and paragraph separators; the
# explicit directional formatting characters (UAX #9 §2.1 to §2.4); surrogates; U+FFFE and U+FFFF.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")

# GitHub reads `::error::` at the start of a line and `##[error]` anywhere in it; Azure Pipelines reads
# `##vso[…]` anywhere; TeamCity reads `##teamcity[…]`.
# https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
# https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
_COMMAND_AT_START = re.compile(r"^(\s*)::")
_COMMAND_ANYWHERE = re.compile(r"##(?=[A-Za-z]*\[)")


def printable(text: str) -> str:
    """Return `text` as one line that is not a command for any terminal or CI system.

    Control characters, line ends, directional overrides and lone surrogates become escapes such as `\\x1b`.
    Characters beyond MAX_LINE are cut. All other characters, in any script, are unchanged.
    """
    if len(text) > MAX_LINE:
        text = f"{text[:MAX_LINE]}… ({len(text) - MAX_LINE} more characters)"
    text = _UNSAFE.sub(_escaped, text)
    return _COMMAND_ANYWHERE.sub(r"#\\#", _COMMAND_AT_START.sub(r"\1\\::", text))


def printable_json(value: Any, *, indent: int | None = None, ascii_only: bool = False) -> str:
    """Return JSON that reads back as `value`, under the same rules: what is unsafe is a `\\u` escape."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    # The line ends here are between values: within a string they are escapes already.
    text = "\n".join(_UNSAFE.sub(_json_escaped, line) for line in text.split("\n"))
    return _COMMAND_ANYWHERE.sub(r"#\\u0023", text)


def print_line(line: str = "", *, stream: TextIO | None = None) -> None:
    """Print `line`, made printable, to `stream` or else to standard output.

    Characters that the stream's encoding lacks are escaped too.
    """
    stream = stream or sys.stdout
    print(_encodable(printable(line), stream), file=stream, flush=True)


def print_parts(parts: Iterable[tuple[str, Callable[[str], str]]]) -> None:
    """Print a line to standard output: each part is made printable, and then styled by its function."""
    text = "".join(style(printable(part)) for part, style in parts)
    print(_encodable(text, sys.stdout), flush=True)  # noqa: T201 - as `print_line` does


def _encodable(text: str, stream: TextIO) -> str:
    """Return `text` with the characters that the stream's encoding lacks as escapes."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def print_json(value: Any, *, indent: int | None = None) -> None:
    """Print `value` as JSON to standard output: on one line, or with `indent` spaces a level."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    text = printable_json(value, indent=indent, ascii_only=ascii_only)
    print(text, flush=True)  # noqa: T201 - this is where everything is printed


def print_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of an exception that nobody caught, its text made printable: for sys.excepthook."""
    for lines in traceback.format_exception(kind, error, trace):
        for line in lines.splitlines():
            print_line(line, stream=sys.stderr)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _json_escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
