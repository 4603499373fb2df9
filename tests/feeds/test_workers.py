"""The processes that do a part of an export's work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.waiting import WAIT_SECONDS

PROGRAM = """
import os, time
from feeds.workers import Workers

workers = Workers(2)
print(workers.result(workers.submit(os.getppid)), flush=True)
time.sleep(600)
"""


def test_processes_end_with_the_one_that_started_them() -> None:
    """Also when that is killed: nobody has its output open any more."""
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=root, stdout=subprocess.PIPE) as program:
        assert program.stdout
        assert int(program.stdout.readline()) == program.pid
        program.kill()
        assert program.communicate(timeout=WAIT_SECONDS)[0] == b""
