"""Logs to standard output: one line for each event, for people or, with LOG_FORMAT=json, for programs."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from ops.errors import SettingError
from ops.redact import Redactor
from ops.variables import LOG_FORMAT, LOG_LEVEL
from text.printable import MAX_LINE, printable, printable_json

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class LineFormatter(logging.Formatter):
    """Formats a record as one line, with its `extra` fields and its exception."""

    def __init__(self, *, as_json: bool = False, redact: Redactor | None = None) -> None:
        super().__init__()
        self._as_json = as_json
        self._redact = redact or Redactor()

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without a line end, control characters or secrets."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        extra = {key: value for key, value in vars(record).items() if key not in _OWN}
        exception = self._exception(record)
        if self._as_json:
            fields: dict[str, Any] = {
                "time": time,
                "level": record.levelname,
                "logger": record.name,
                "message": record.getMessage(),
                **extra,
            }
            if exception:
                fields["exception"] = exception
            return printable_json(_clean(fields, self._redact))
        fields_text = "".join(f" {key}={value}" for key, value in extra.items())
        tail = f" | {exception}" if exception else ""
        line = f"{time} {record.levelname} {record.name}: {record.getMessage()}{fields_text}{tail}"
        return printable(self._redact(line))

    def _exception(self, record: logging.LogRecord) -> str:
        text = self.formatException(record.exc_info) if record.exc_info else record.exc_text or ""
        return text + (f"\n{record.stack_info}" if record.stack_info else "")


def formatter(environ: Mapping[str, str] = os.environ, *, secrets: Iterable[str] = ()) -> LineFormatter:
    """Return the formatter for LOG_FORMAT: `text`, which is the default, or `json`.

    Raises SettingError for any other value.
    """
    format_name = LOG_FORMAT.text(environ).lower()
    if format_name not in ("text", "json"):
        raise SettingError(f"LOG_FORMAT: {format_name!r} must be text or json")
    return LineFormatter(as_json=format_name == "json", redact=Redactor(secrets))


def level(environ: Mapping[str, str]) -> str:
    """Return the lowest level that is logged: LOG_LEVEL, or else INFO. Raises SettingError if it is none."""
    name = LOG_LEVEL.text(environ).upper()
    if name not in _LEVELS:
        raise SettingError(f"LOG_LEVEL: {name!r} is not one of {', '.join(_LEVELS)}")
    return name


# Libraries that log every step, which is useful only with LOG_LEVEL=DEBUG, and the lowest level that is
# logged otherwise. APScheduler warns of each run that it leaves out while the last one waits for a database.
_CHATTY = {
    "alembic": logging.WARNING,
    "apscheduler": logging.ERROR,
    "urllib3": logging.WARNING,
    "watchfiles": logging.WARNING,
}


def configure(
    environ: Mapping[str, str], *, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Send all logs of this process to `stream`, by default standard output.

    Raises SettingError as `level` and `formatter` do.
    """
    lowest = level(environ)
    stream = stream or sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")  # a locale's encoding may lack characters
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(environ, secrets=secrets))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(lowest)
    for name in ("_granian", "granian.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name, lowest_of_library in _CHATTY.items():
        logging.getLogger(name).setLevel(logging.NOTSET if root.level < logging.INFO else lowest_of_library)
    logging.captureWarnings(capture=True)


def _clean(value: Any, redact: Redactor) -> Any:
    if isinstance(value, str):
        return redact(value)[:MAX_LINE]
    if isinstance(value, Mapping):
        return {str(key): _clean(item, redact) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_clean(item, redact) for item in value]
    return value if isinstance(value, (int, float, type(None))) else redact(str(value))[:MAX_LINE]
