"""Derived files: opened, created, replaced when damaged, removed when no process uses them."""

from __future__ import annotations

import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.catalog.search import Search
from articles.catalog.watcher import Watcher
from articles.files.folder import Folder
from articles.topics import Topic, Topics
from ops.counts import Counts
from storage.derived import (
    DerivedFile,
    is_damage,
    reason_of,
    transaction,
)
from storage.unused import RECORDS_UNUSED_FOR, UNUSED_FOR, remove_unused, remove_unused_records
from tests.articles.test_watcher import wait_for
from tests.site import NOON, ArticleSite
from tests.waiting import WAIT_SECONDS

SCHEMA = ("CREATE TABLE words (word TEXT PRIMARY KEY)", "CREATE INDEX by_word ON words (word)")
DAY = UNUSED_FOR.total_seconds()


@pytest.fixture
def file(tmp_path: Path) -> DerivedFile:
    """A file of version 3 that does not exist yet."""
    return created(tmp_path / "state" / "catalog-0a.sqlite", version=3)


def created(path: Path, *, version: int = 3) -> DerivedFile:
    """Return a file with one table."""
    return DerivedFile(path, SCHEMA, version=version, timeout=WAIT_SECONDS)


def add(connection: sqlite3.Connection, word: str) -> None:
    """Add a word."""
    with transaction(connection):
        connection.execute("INSERT INTO words VALUES (?)", (word,))


def words(file: DerivedFile) -> list[str]:
    """Return the words in a file."""
    return file.run(lambda connection: [word for (word,) in connection.execute("SELECT word FROM words")])


def test_a_file_is_created_once_and_opened_afterwards(file: DerivedFile) -> None:
    """The file and its folder are for this user only, and the next process reads what was written."""
    assert file.open() is None
    file.run(lambda connection: add(connection, "one"))
    assert words(created(file.path)) == ["one"]
    assert file.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("version", [2, 4])
def test_a_file_of_another_version_is_replaced(file: DerivedFile, version: int) -> None:
    """The content of a file of another version may have another meaning."""
    with closing(created(file.path, version=version).connect()) as opened:
        add(opened.connection, "old")
    assert words(file) == []


@pytest.mark.parametrize("content", [b"", b"\0", b"nothing that SQLite knows" * 500, b"SQLite format 3\0"])
def test_what_is_no_database_is_replaced(file: DerivedFile, content: bytes) -> None:
    """Anything at the path that is no database is replaced."""
    file.path.parent.mkdir()
    file.path.write_bytes(content)
    assert words(file) == []


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
@example(seed=8595319)  # SQLite's message quotes a damaged name
@example(seed=407)  # a damaged length of a text
@example(seed=1651)  # a damaged number of the format
def test_bytes_overwritten_anywhere_cost_no_more_than_the_content(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Reading succeeds, or the damage is found and the file replaced; no other error is raised."""
    file = created(tmp_path_factory.mktemp("state") / "catalog-0b.sqlite")
    with closing(file.connect()) as opened:
        with transaction(opened.connection):
            rows = ((f"{number:05}" * 20,) for number in range(300))
            opened.connection.executemany("INSERT INTO words VALUES (?)", rows)
        opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(file.path.read_bytes())
    dice = random.Random(seed)
    start = dice.randrange(len(data))
    data[start : start + 9000] = dice.randbytes(min(9000, len(data) - start))
    file.path.write_bytes(data)
    assert len(words(file)) in (0, 300)


def test_one_process_replaces_a_damaged_file(file: DerivedFile) -> None:
    """Of two processes that find the damage, the second keeps the file that the first has created."""
    file.run(lambda connection: add(connection, "old"))
    first, second = file.connect(), created(file.path).connect()
    file.replace(first)
    file.run(lambda connection: add(connection, "new"))
    created(file.path).replace(second)
    assert words(file) == ["new"]


def test_work_is_done_once_more_on_a_damaged_file(file: DerivedFile) -> None:
    """Work during which damage is found is repeated on the new file."""
    file.run(lambda connection: add(connection, "old"))
    seen: list[int] = []

    def work(connection: sqlite3.Connection) -> int:
        seen.append(connection.execute("SELECT count(*) FROM words").fetchone()[0])
        if len(seen) == 1:
            error = sqlite3.DatabaseError("database disk image is malformed")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error
        return seen[-1]

    assert file.run(work) == 0
    assert seen == [1, 0]


def test_what_is_no_damage_changes_nothing(file: DerivedFile) -> None:
    """A lock, a full disk or wrong SQL does not replace the file."""
    file.run(lambda connection: add(connection, "kept"))
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        file.run(lambda connection: connection.execute("SELECT * FROM nowhere"))
    with pytest.raises(sqlite3.IntegrityError):
        file.run(lambda connection: add(connection, "kept"))
    assert words(file) == ["kept"]


def _fill(connection: sqlite3.Connection) -> None:
    connection.execute(
        "PRAGMA max_page_count = 8"
    )  # exceeding SQLite's own limit gives the error of a full disk
    with transaction(connection):
        for number in range(1000):
            connection.execute("INSERT INTO words VALUES (?)", (f"{number}" * 200,))


def test_a_full_disk_is_reported_as_such(file: DerivedFile) -> None:
    """The error of a full disk survives SQLite's own rollback, and the file stays unchanged."""
    file.run(lambda connection: add(connection, "kept"))
    with pytest.raises(sqlite3.OperationalError, match="full") as caught:
        file.run(_fill)
    assert not is_damage(caught.value)
    assert reason_of(caught.value, file.path) == f"the disk with {file.path.parent} is full"
    assert words(file) == ["kept"]


def test_a_commit_that_fails_is_rolled_back(file: DerivedFile) -> None:
    """The connection can be used again after a failed commit."""
    with closing(file.connect()) as opened:
        connection = opened.connection
        connection.execute(
            "CREATE TABLE child (word TEXT REFERENCES words (word) DEFERRABLE INITIALLY DEFERRED)"
        )
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError), transaction(connection):
            connection.execute("INSERT INTO child VALUES ('nowhere')")
        assert not connection.in_transaction
        add(connection, "after")


_USE = """
import sys
from pathlib import Path
from storage.derived import DerivedFile
file = DerivedFile(Path(sys.argv[1]), ("CREATE TABLE words (word TEXT)",), version=3)
opened = file.connect()
print("opened", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(file: DerivedFile) -> Iterator[subprocess.Popen[str]]:
    """Another process that has opened the file."""
    command = [sys.executable, "-c", _USE, str(file.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "opened\n"
        yield process
        process.kill()


def age(folder: Path, seconds: float) -> None:
    """Set the times of all files in a folder back by this much."""
    for path in folder.iterdir():
        times = path.stat()
        os.utime(path, (times.st_atime - seconds, times.st_mtime - seconds))


def test_what_another_process_uses_is_never_removed(file: DerivedFile, other: subprocess.Popen[str]) -> None:
    """A used file stays however old it is; a day after its process was killed, it is removed."""
    folder = file.path.parent
    age(folder, 10 * DAY)
    assert remove_unused(folder) == []
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert remove_unused(folder) == ["catalog-0a"]
    assert list(folder.iterdir()) == []


def test_what_this_process_uses_is_never_removed(file: DerivedFile) -> None:
    """A file with a closed connection stays too, because it may be opened again."""
    words(file)
    age(file.path.parent, 10 * DAY)
    assert remove_unused(file.path.parent) == []
    assert words(file) == []


def test_a_file_stays_for_a_day(tmp_path: Path) -> None:
    """A deploy that is rolled back finds its catalog; other files of the folder stay forever."""
    for name in ("catalog-0c", "search-1-0c", "search-0d"):
        for suffix in (".sqlite", ".sqlite-wal", ".sqlite-shm", ".lock", ".watcher"):
            (tmp_path / (name + suffix)).touch()
    others = [
        "outbox.db",
        "counts.sqlite",
        "logins.sqlite",
        "catalog-0c.txt",
        "my-catalog-0c.sqlite",
        "catalog-0c",
    ]
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / "catalog-0e.sqlite").symlink_to("outbox.db")
    now = (tmp_path / "catalog-0c.sqlite").stat().st_mtime
    assert remove_unused(tmp_path, now=now + DAY - 60) == []
    assert remove_unused(tmp_path, now=now + DAY + 60) == ["catalog-0c", "search-0d", "search-1-0c"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*others, "catalog-0e.sqlite"])
    assert remove_unused(tmp_path / "nowhere") == []


def test_the_record_of_an_export_stays_for_a_month(tmp_path: Path) -> None:
    """A monthly export finds it; a catalog has its own time."""
    for name in ("exported-0a.sqlite", "exported-0a.lock", "catalog-0c.sqlite"):
        (tmp_path / name).touch()
    now = (tmp_path / "exported-0a.sqlite").stat().st_mtime
    month = RECORDS_UNUSED_FOR.total_seconds()
    assert remove_unused_records(tmp_path, now=now + month - 60) == []
    assert remove_unused_records(tmp_path, now=now + month + 60) == ["exported-0a"]
    assert [path.name for path in tmp_path.iterdir()] == ["catalog-0c.sqlite"]


def test_an_older_version_that_still_watches_loses_nothing(tmp_path: Path) -> None:
    """The older version's lock for watching counts as a use of the catalog."""
    for suffix in (".sqlite", ".watcher"):
        (tmp_path / f"catalog-0c{suffix}").touch()
    import fcntl

    with (tmp_path / "catalog-0c.watcher").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        age(tmp_path, 10 * DAY)
        assert remove_unused(tmp_path) == []
    age(tmp_path, 10 * DAY)
    assert remove_unused(tmp_path) == ["catalog-0c"]


def test_a_file_that_is_removed_while_others_open_it(tmp_path: Path) -> None:
    """Each process that opens the file ends with a new file, its own or another's, without an error."""
    path = tmp_path / "catalog-0f.sqlite"
    errors: list[BaseException] = []
    stop = threading.Event()

    def open_again_and_again() -> None:
        try:
            while not stop.is_set():
                file = created(path)
                with closing(file.connect()) as opened:
                    opened.connection.execute("SELECT count(*) FROM words")
                del file  # its lock is released with it
        except BaseException as error:  # noqa: BLE001 - reported to the test
            errors.append(error)

    threads = [threading.Thread(target=open_again_and_again) for _ in range(3)]
    for thread in threads:
        thread.start()
    removed = 0
    for _ in range(2000):
        removed += len(remove_unused(tmp_path, now=path.parent.stat().st_mtime + 10 * DAY))
        if removed >= 20 or errors:
            break
    stop.set()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert errors == []


def test_a_change_of_settings_leaves_nothing_behind(site: ArticleSite) -> None:
    """A day later, the watcher of the new settings removes catalog and search index of the old ones."""
    site.write("a.md", topics=["Go"])
    command = [sys.executable, "-c", _SEARCH, str(site.state), str(site.root)]
    subprocess.run(command, check=True)
    before = {path.name for path in site.state.iterdir()}
    assert {name.partition("-")[0] for name in before} == {"catalog", "search"}
    age(site.state, 2 * DAY)
    catalog = Catalog(site.state, Topics((Topic(name="New", slug="new"),)), source="x")
    watcher = Watcher(Indexer(catalog, Folder(site.root)))
    watcher.start()
    try:
        assert wait_for(lambda: not before & {path.name for path in site.state.iterdir()})
        assert wait_for(catalog.is_complete)
    finally:
        watcher.stop()
        catalog.close()


_SEARCH = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.catalog.search import Search
from articles.files.folder import Folder
from articles.topics import Topics
catalog = Catalog(Path(sys.argv[1]), Topics(), source="x")
Indexer(catalog, Folder(Path(sys.argv[2]))).refresh()
search = Search(catalog)
search.index.update()
assert search.find("title", datetime.now(UTC), limit=5).total == 1
"""


def test_search_says_that_the_disk_is_full(
    site: ArticleSite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log repeats at intervals that the disk is full; the page says that the index is incomplete."""
    site.write("a.md", title="Fuzzing")
    indexer = site.indexer()
    indexer.refresh()
    search = Search(indexer.catalog)
    write = search.index._write_changes

    def fill(connection: sqlite3.Connection) -> None:
        write(connection)
        connection.execute("PRAGMA max_page_count = 20")
        connection.execute("CREATE TABLE large AS SELECT randomblob(1000000)")

    monkeypatch.setattr(search.index, "_write_changes", fill)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            found = search.find("fuzzing", NOON, limit=5)
            assert (found.articles, found.complete) == ((), False)
    assert [record.getMessage() for record in caplog.records] == [
        f"the search index is not updated: the disk with {site.state} is full"
    ]
    monkeypatch.undo()
    search.index._retry_at = 0.0
    assert search.find("fuzzing", NOON, limit=5).total == 1


def test_counts_survive_a_damaged_file(tmp_path: Path, site: ArticleSite) -> None:
    """A damaged file loses the earlier counts, but none of the later ones."""
    counts = Counts(tmp_path, site.clock)
    counts.refreshed(1.0)
    counts.flush()
    path = tmp_path / "counts.sqlite"
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(b"nothing" * 1000)
    counts.refreshed(2.0)
    assert counts.read().refresh_seconds == 2.0
