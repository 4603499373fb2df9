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
from hypothesis import HealthCheck, settings

from articles.catalog import deadline, search_index
from tests.site import ArticleSite, Clock, Web
from tests.waiting import WAIT_SECONDS

# How long an example takes, or to choose one, depends on what else the machine does; pytest's timeout bounds
# the whole test.
settings.register_profile("newswire", deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def _use_own_runtime_folder() -> None:
    """Let PostgreSQL's tools keep their lock in a folder of this user's, not in one that all users share."""
    if "XDG_RUNTIME_DIR" not in os.environ:
        folder = Path(tempfile.gettempdir(), f"newswire-runtime-{os.getuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / "python_PostgresServer").mkdir(exist_ok=True)
        os.environ["XDG_RUNTIME_DIR"] = str(folder)


_use_own_runtime_folder()


def _wait_for_the_processor() -> None:
    """Let no search time out on a busy machine; the limit on processor time still applies."""
    deadline._CLOCK_FACTOR = int(WAIT_SECONDS)
    search_index._MAX_WAIT = WAIT_SECONDS


_wait_for_the_processor()

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
    web = Web(site)
    yield web
    web.newswire.catalog.close()


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
