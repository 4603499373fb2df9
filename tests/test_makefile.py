"""How `make serve` and `make chat` end: the way they run a program, by a real make."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.waiting import WAIT_SECONDS

MAKEFILE = Path(__file__).parent.parent / "Makefile"

PROGRAM = """\
import signal, sys
def end(number, frame):
    print("ended", flush=True)
    sys.exit(128 + number)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, end)
print("ready", flush=True)
while True:
    signal.pause()
"""


@contextmanager
def hangups() -> Iterator[None]:
    """Let new processes receive SIGHUP, also if the tests run under `nohup`, which ignores it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@contextmanager
def started(folder: Path, program: str) -> Iterator[subprocess.Popen[str]]:
    """A make that runs a Python program as `make serve` runs its own, in a session of its own."""
    (folder / "program.py").write_text(program, "utf-8")
    rule = f"probe:\n\t@$(UNTIL_STOPPED) {sys.executable} program.py\n"
    (folder / "Makefile").write_text(f"include {MAKEFILE}\n{rule}", "utf-8")
    command = ["make", "--no-print-directory", "probe"]
    pipe = subprocess.PIPE
    with hangups():
        make = subprocess.Popen(
            command, cwd=folder, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
    try:
        yield make
    finally:
        with suppress(ProcessLookupError):
            os.killpg(make.pid, signal.SIGKILL)


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
@pytest.mark.parametrize(
    ("number", "is_for_all"), [(signal.SIGINT, True), (signal.SIGHUP, True), (signal.SIGTERM, False)]
)
def test_every_way_to_stop_it_ends_the_program(tmp_path: Path, number: int, is_for_all: bool) -> None:
    """Ctrl-C and the end of a terminal reach all processes, an editor's or supervisor's signal only make."""
    with started(tmp_path, PROGRAM) as make:
        assert make.stdout and make.stdout.readline() == "ready\n"
        if is_for_all:
            os.killpg(make.pid, number)
        else:
            make.send_signal(number)
        output, errors = make.communicate(timeout=WAIT_SECONDS)
    assert output == "ended\n"
    if number == signal.SIGINT:
        assert errors == ""  # make would say so if it took that for a failure


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_a_program_that_fails_is_an_error(tmp_path: Path) -> None:
    """The exit status of a program that ends by itself is make's to report."""
    with started(tmp_path, "raise SystemExit(3)") as make:
        _, errors = make.communicate(timeout=WAIT_SECONDS)
    assert make.returncode == 2
    assert "Error 3" in errors
