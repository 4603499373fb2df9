"""Each event is one line, whatever it contains, without secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops import logs
from ops.errors import SettingError
from ops.redact import Redactor

SLACK = "https://hooks.slack.com/services/T0000/B0000/XXXXXXXXXXXXXXXX"
DISCORD = "https://discord.com/api/webhooks/123456/abc-DEF_ghi"


@pytest.fixture
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)


def lines_of(environ: dict[str, str], *records: tuple[Any, ...], **extra: Any) -> list[str]:
    stream = io.StringIO()
    logs.configure(environ, stream=stream)
    for level, message, *values in records:
        logging.getLogger("some.part").log(level, message, *values, **extra)
    return stream.getvalue().splitlines()


@pytest.mark.usefixtures("restored")
def test_lines_for_people() -> None:
    """A line has time, level, part, message, and then the extra fields."""
    (line,) = lines_of({}, (logging.INFO, "%d changed", 3), extra={"path": "a.md"})
    moment, _, rest = line.partition(" ")
    assert moment.endswith("+00:00")
    assert rest == "INFO some.part: 3 changed path=a.md"


@pytest.mark.usefixtures("restored")
def test_lines_for_programs() -> None:
    """A line is a JSON object with the extra fields as its own."""
    (line,) = lines_of({"LOG_FORMAT": "json"}, (logging.WARNING, "%d changed", 3), extra={"files": ["a", 2]})
    fields = json.loads(line)
    assert fields.pop("time")
    assert fields == {
        "level": "WARNING", "logger": "some.part", "message": "3 changed", "files": ["a", 2],
    }  # fmt: skip


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("environ", [{}, {"LOG_FORMAT": "json"}])
def test_an_exception_takes_one_line(environ: dict[str, str]) -> None:
    """The traceback is in the event's own line, without the secret in it."""
    try:
        raise ValueError(f"no answer from {SLACK}\nand more")  # noqa: TRY301 - the test needs a traceback
    except ValueError:
        (line,) = lines_of(environ, (logging.ERROR, "It failed"), exc_info=True)
    assert "Traceback" in line
    assert "test_logs.py" in line
    assert "XXXXXXXX" not in line


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("environ", [{}, {"LOG_FORMAT": "json"}])
def test_a_message_cannot_fake_a_line(environ: dict[str, str]) -> None:
    """Line ends and terminal codes in others' texts are escaped."""
    (line,) = lines_of(environ, (logging.INFO, "a\r\nb\x1b[31mc\u2028d"))
    assert line.isprintable()


@pytest.mark.usefixtures("restored")
def test_the_level() -> None:
    """LOG_LEVEL suppresses lower levels."""
    events = ((logging.INFO, "low"), (logging.ERROR, "high"))
    assert len(lines_of({"LOG_LEVEL": "warning"}, *events)) == 1


@pytest.mark.parametrize("environ", [{"LOG_LEVEL": "loud"}, {"LOG_FORMAT": "xml"}])
@pytest.mark.usefixtures("restored")
def test_a_setting_that_cannot_be(environ: dict[str, str]) -> None:
    """The message names the variable and the valid values."""
    with pytest.raises(SettingError, match=next(iter(environ))):
        logs.configure(environ)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"POST {SLACK} failed", "POST https://hooks.slack.com/services/T0000/B0000/*** failed"),
        (f"'{DISCORD}?wait=true'", "'https://discord.com/api/webhooks/123456/***?wait=true'"),
        ("postgres://news:pass@db/x", "postgres://***@db/x"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"),
        ("Bearer abcdefgh.ijk", "Bearer ***"),
        ("s3cret-value", "***"),
        ("an ordinary line: a@example.org, https://example.org/a", None),
    ],
)
def test_what_is_redacted(text: str, left: str | None) -> None:
    """Webhooks, passwords in addresses, credentials in headers and known secrets are redacted."""
    assert Redactor(["s3cret-value", "ai"])(text) == (left or text)


@given(st.text(), st.text(min_size=6))
def test_a_known_secret_is_nowhere(text: str, secret: str) -> None:
    """A known secret is removed wherever it occurs."""
    assert secret not in Redactor([secret])(f"{text}{secret}{text}") or secret in "***" * 3


@given(st.text(), st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=20), max_size=3))
def test_every_event_is_one_line(message: str, extra: dict[str, str]) -> None:
    """Any event is one JSON object on one line, or one line of text."""
    for as_json in (True, False):
        record = logging.makeLogRecord({"msg": message, "levelname": "INFO", "name": "x"} | {"extra": extra})
        line = logs.LineFormatter(as_json=as_json).format(record)
        assert len(line.split("\n")) == 1
        if as_json:
            assert json.loads(line)["message"] is not None
