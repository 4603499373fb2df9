"""Commands, run in the tests' own process or as an operator starts them. A process costs a second of work."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app import create_app
from config import Config
from tests.waiting import WAIT_SECONDS
from wiring.site import Clock, utc_now

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended, and what it printed."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Everything that the command printed."""
        return self.stdout + self.stderr


Command = Callable[..., Done]
"""Takes the words after `flask`, and variables of the environment by name."""


def run_here(config: Config, environ: Mapping[str, str], *arguments: str, clock: Clock = utc_now) -> Done:
    """Run `flask` in this process, over an application of its own."""
    app = create_app(config, clock=clock, environ=environ)
    with _given_back():
        result = app.test_cli_runner().invoke(args=arguments)
    app.extensions["newswire"].catalog.close()
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert "Traceback" not in result.output
    return Done(exit_code=result.exit_code, stdout=result.stdout, stderr=result.stderr)


def run_process(environ: Mapping[str, str], *arguments: str) -> Done:
    """Run `flask` as a process with this environment, in the program's folder."""
    command = [str(Path(sys.executable).parent / "flask"), *arguments]
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert "Traceback" not in ran.stderr
    return Done(exit_code=ran.returncode, stdout=ran.stdout, stderr=ran.stderr)


@contextmanager
def _given_back() -> Iterator[None]:
    """Restore what commands change in a process: logs and signals."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    signals = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level
        logging.captureWarnings(capture=False)
        for number, handler in signals.items():
            signal.signal(number, handler)
