"""Large bodies are files in memory: one for each body, closed when nothing refers to it."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from pathlib import Path

import pytest

from web.memory_files import LARGE_BODY, LargeBodies, MemoryFile

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux has them")


def open_files() -> list[str]:
    """Return the paths of this process's files in memory."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # it was closed meanwhile
            if "memfd:newswire" in str(entry.readlink()):
                found.append(entry.name)
    return sorted(found)


def test_small_bodies_are_none() -> None:
    """Small bodies are sent without a file."""
    assert LargeBodies().file(b"x" * (LARGE_BODY - 1)) is None


def test_equal_bodies_share_a_file() -> None:
    """Equal bodies share a file, and every reader begins at its start."""
    bodies = LargeBodies()
    body = os.urandom(LARGE_BODY)
    file = bodies.file(body)
    assert file is not None
    assert bodies.file(bytes(bytearray(body))) is file
    for _ in range(2):
        assert Path(file.path).read_bytes() == body


def test_what_is_evicted_is_closed() -> None:
    """The file of an evicted body stays open while somebody is about to read it."""
    bodies = LargeBodies(3 * LARGE_BODY)
    before = open_files()
    held = bodies.file(os.urandom(LARGE_BODY))
    assert isinstance(held, MemoryFile)
    for _ in range(5):
        bodies.file(os.urandom(LARGE_BODY))
    gc.collect()
    assert len(set(open_files()) - set(before)) == 2
    assert len(Path(held.path).read_bytes()) == LARGE_BODY
    del held, bodies
    gc.collect()
    assert open_files() == before
