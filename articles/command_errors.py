"""Reports errors with the files in the state folder as one line of a command, without a traceback."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from storage.derived import file_error
from text.terminal import CommandError

_F = TypeVar("_F", bound=Callable[..., Any])


def clear_file_errors(command: _F) -> _F:
    """Return a command that ends with one line where files of the state folder cannot be read or written."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except sqlite3.Error as error:
            raise CommandError(file_error(error)) from None
        except OSError as error:
            if error.filename is None:
                raise
            raise CommandError(f"{error.filename}: {error.strerror}") from None

    return run  # type: ignore[return-value]
