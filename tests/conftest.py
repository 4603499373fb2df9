"""Fixtures that tests of every part share."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

from tests.site import ArticleSite, Clock, Web

# The time of an example depends on the load of the machine; pytest's timeout bounds the whole test.
settings.register_profile("newswire", deadline=None)
settings.load_profile("newswire")

MEMORY = Path("/dev/shm")
ROOM = 4_000_000_000


def _use_memory() -> None:
    """Put temporary folders into memory where there is room, as every commit of SQLite waits for a disk."""
    if {"TMPDIR", "PYTEST_DEBUG_TEMPROOT"} & os.environ.keys() or not os.access(MEMORY, os.W_OK):
        return
    if shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


_use_memory()

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture
def clock() -> Clock:
    """A clock that changes only when a test moves it."""
    return Clock()


@pytest.fixture
def site(tmp_path: Path, clock: Clock) -> ArticleSite:
    """An empty site in a temporary folder."""
    return ArticleSite(tmp_path, clock)


@pytest.fixture
def web(site: ArticleSite) -> Iterator[Web]:
    """The site's application. Settings must be changed before its first use."""
    made = Web(site)
    yield made
    made.newswire.catalog.close()


@pytest.fixture(scope="session")
def corpus() -> ModuleType:
    """The module that reads the recorded article stream. Without the stream the test is skipped."""
    tool = SHARED / "tools" / "article_stream.py"
    if not (tool.exists() and (SHARED / "corpus" / "article-stream.jsonl.xz").exists()):
        pytest.skip("the recorded article stream is not here")
    spec = importlib.util.spec_from_file_location("article_stream", tool)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look up the module there
    spec.loader.exec_module(module)
    return module
