"""Text from outside on a terminal, in a log and in a CI system's output."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import config as configuration
from articles.errors import ArticleError
from ops import logs
from tests.bot.program import ROOT
from tests.hostile import HOSTILE, PIECES, assert_safe, hostile_text
from text.printable import MAX_LINE, print_line, print_uncaught, printable, printable_json
from text.terminal import CommandError


@given(hostile_text())
def test_text_becomes_one_safe_line(text: str) -> None:
    """Any text becomes one line without controls, overrides, surrogates and commands."""
    assert_safe(printable(text), lines=1)


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S"]), max_size=200))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """Letters, marks, digits and punctuation of every script are unchanged, except in commands."""
    if not text.startswith("::") and "##" not in text:
        assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", r"a\nb"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\u202eabc", r"\u202eabc"),
        ("\udcff.md", r"\udcff.md"),
        ("::error::x", r"\::error::x"),
        (" \u00a0::error::x", " \u00a0\\::error::x"),
        ("a ::error::x", "a ::error::x"),
        ("C++ :: a library", "C++ :: a library"),
        ("see ##[error]x", r"see #\#[error]x"),
        ("##vso[task.setvariable]x", r"#\#vso[task.setvariable]x"),
        ("# 12 ## of", "# 12 ## of"),
        ("👩\u200d💻 \u200fעברית", "👩\u200d💻 \u200fעברית"),
    ],
)
def test_how_it_is_shown(text: str, shown: str) -> None:
    """An escape names the character; joiners and implicit marks that scripts need are unchanged."""
    assert printable(text) == shown


def test_a_line_has_a_longest_length() -> None:
    """Text over the limit is cut before anything reads it, and its length is stated."""
    assert printable("a" * MAX_LINE) == "a" * MAX_LINE
    assert printable("a" * (MAX_LINE + 7)) == "a" * MAX_LINE + "… (7 more characters)"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | hostile_text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile_text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.sampled_from([None, 2]), st.booleans())
def test_json_is_safe_and_reads_back_the_same(value: object, indent: int | None, ascii_only: bool) -> None:
    """In JSON the escapes are JSON's own, so a program reads the original text."""
    text = printable_json(value, indent=indent, ascii_only=ascii_only)
    assert json.loads(text) == json.loads(json.dumps(value))
    assert_safe(text, lines=1 if indent is None else None)
    text.encode("ascii" if ascii_only else "utf-8")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_stream_gets_what_its_encoding_takes(encoding: str) -> None:
    """On a terminal without Unicode, missing letters become escapes, and nothing is raised."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    print_line("é 日本 \ud800", stream=stream)
    assert raw.getvalue().decode(encoding).rstrip() == {
        "ascii": r"\xe9 \u65e5\u672c \ud800",
        "latin-1": r"é \u65e5\u672c \ud800",
        "utf-8": r"é 日本 \ud800",
    }[encoding]  # fmt: skip


def test_an_error_of_a_command_is_one_line() -> None:
    """The text of an exception, which can quote anything, is printed on one line."""
    assert_safe(CommandError(str(ArticleError(HOSTILE, 1, HOSTILE))).format_message(), lines=1)


@pytest.mark.parametrize("as_json", [False, True])
@given(hostile_text(), hostile_text())
def test_a_log_line_is_safe(as_json: bool, message: str, extra: str) -> None:
    """The formatter makes messages, extra fields and exceptions safe, whatever the caller passes."""
    record = logging.makeLogRecord({"msg": "%s", "args": (message,), "levelname": "INFO", "name": "x"})
    record.path = extra
    try:
        raise ValueError(message)  # noqa: TRY301 - the test needs a traceback
    except ValueError:
        record.exc_info = sys.exc_info()
    line = logs.LineFormatter(as_json=as_json).format(record)
    assert_safe(line, lines=1)
    assert not as_json or json.loads(line)["message"] == json.loads(json.dumps(message))


def test_an_uncaught_exception_is_printed_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The traceback keeps its lines, and each of them is safe, whatever the exception quotes."""
    try:
        raise ValueError(HOSTILE)  # noqa: TRY301 - the test needs a traceback
    except ValueError as error:
        print_uncaught(type(error), error, error.__traceback__)
    printed = capsys.readouterr().err
    assert_safe(printed)
    assert printed.startswith("Traceback (most recent call last):\n")
    assert "\\::error::pwned" in printed


def test_the_program_prints_its_uncaught_exceptions_so(tmp_path: Path) -> None:
    """A process prints an unexpected error in this form."""
    (tmp_path / "content").mkdir()
    (tmp_path / "config.yaml").write_text("state: state\n", encoding="utf-8")
    code = (
        "import app\n"
        "def fail(): raise ValueError('x\\n::error::\\x1b[2J')\n"
        "made = app.create_app()\n"
        "made.cli.command('broken')(fail)\n"
        "made.cli.main(['broken'], prog_name='flask')\n"
    )
    environ = {"PATH": os.environ["PATH"], "NEWSWIRE_CONFIG": str(tmp_path / "config.yaml")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "\\::error::\\x1b[2J" in done.stderr
    assert_safe(done.stderr)


def test_a_config_file_cannot_print_lines_of_its_own(tmp_path: Path) -> None:
    """Keys and values that problems quote stay within their lines."""
    file = tmp_path / "config.yaml"
    file.write_text(
        'site: {"k\\n::error::x": 1}\nfeeds: {topics: [{name: "a", slug: "b\\n::error::\\e[2J"}]}\n',
        encoding="utf-8",
    )
    with pytest.raises(configuration.ConfigError) as caught:
        configuration.load(file, {})
    assert_safe(str(caught.value), lines=2)


def test_hostile_pieces_are_what_the_check_finds() -> None:
    """The check fails for each hostile piece that is printed unchanged."""
    for piece in PIECES:
        with pytest.raises(AssertionError):
            assert_safe(f"{piece}x" if piece.startswith(":") else f"a{piece}x", lines=1)


def test_everything_is_printed_by_one_module() -> None:
    """No other module prints or ends a command in another way."""
    direct = re.compile(r"\bprint\(|click\.(?:echo|secho|ClickException)\(|sys\.std(?:out|err)\.write\(")
    rooms = ["wiring", "pages", "ops", "feeds", "bot", "web", "articles", "text"]
    files = [
        ROOT / "app.py",
        *ROOT.glob("config/*.py"),
        *(file for room in rooms for file in (ROOT / room).rglob("*.py")),
    ]
    found = {str(file.relative_to(ROOT)) for file in files if direct.search(file.read_text(encoding="utf-8"))}
    assert found == {"text/printable.py"}
