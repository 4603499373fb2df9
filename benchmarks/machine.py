"""The machine that is measured on, and the versions of what is measured."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

_OURS = ("flask", "granian", "feedgen", "pyyaml", "sqlalchemy", "psycopg", "requests")


def shape() -> str:
    """Return cores, memory, processor and kernel in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {memory:.0f} GiB, {_processor()}, Linux {platform.release()}"


def versions() -> str:
    """Return the versions of Python, SQLite and the libraries that matter."""
    import sqlite3

    names = ", ".join(f"{name} {version(name)}" for name in _OURS)
    return f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {names}"


def load() -> str:
    """Return how busy the machine is with other things."""
    return "load {:.1f} {:.1f} {:.1f}".format(*os.getloadavg())


def first_version(command: Iterable[str | Path]) -> str:
    """Return the first version number that a program prints about itself."""
    process = subprocess.run(list(command), capture_output=True, text=True, check=False, timeout=60)
    match = re.search(r"\d+\.\d+(\.\d+)?", process.stdout + process.stderr)
    return match[0] if match else "?"


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1] if match else platform.machine()
