"""After any history of the files the catalog equals one built from scratch."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.errors import SourceError
from articles.files.folder import Folder
from articles.topics import Topic, Topics
from tests.site import NOON, ArticleSite, front_matter, put
from tests.waiting import WAIT_SECONDS

PATHS = ["a.md", "a.html", "b.md", "sub/a.md", "sub/b.md", "sub/deep/c.md", "日本.md"]
TOPICS = Topics(
    (
        Topic(name="AI", slug="ai", aliases=("A.I.", "Artificial Intelligence")),
        Topic(name="Robots", slug="robots", parent="AI"),
        Topic(name="Old Name", slug="new-name"),
    )
)
_texts = st.builds(
    front_matter,
    body=st.sampled_from(["", "Text.", "Other text."]),
    title=st.sampled_from(["One", "Two"]),
    publishedDateTime=st.sampled_from(
        [
            "2026-05-01T09:00:00Z",
            "2026-05-02T09:00:00Z",
            "2026-07-01T00:00:00Z",
        ]  # the last one is in the future
    ),
    topics=st.lists(
        st.sampled_from(["AI", "A.I.", "Robots", "robots", "C++", "Go", "GO", "Old name"]), max_size=3
    ),
    id=st.sampled_from(
        [None, None, None, "one", "two", "a", "sub/b"]
    ),  # "a" is the id that a.md has by its path
    published=st.sampled_from([None, None, False]),
    heat=st.integers(0, 3),
    secured=st.sampled_from(["x", "y"]),
    quality=st.sampled_from([None, 10, 90]),
    related=st.sampled_from([None, [{"title": "R", "webUrl": "https://r.example/"}]]),
)
_broken = st.sampled_from(["---\n- a\n---\n", "---\ntitle: x\n---\n", "---\ntitle: [\n---\n", "---\n"])


def contents(catalog: Catalog, *, problems: bool = True) -> dict[str, Any]:
    """Return all that a catalog's readers can see, except its revisions and identity."""
    tables = {
        name: sorted(catalog.connection.execute(f"SELECT {columns} FROM {name}").fetchall(), key=repr)
        for name, columns in (
            ("spellings", "*"),
            ("articles", "path, id, precedence, published_at, is_published, quality, fingerprint, spellings,"
             " document, related, body, active, shown"),
        )
    }  # fmt: skip
    slugs = [summary.topic.slug for summary in catalog.summaries(NOON)]
    return tables | {
        "entries": sorted(
            catalog.connection.execute(
                "SELECT slug, entries.published_at, entries.id, path FROM entries"
                " JOIN articles USING (number)"
            )
        ),
        "summaries": catalog.summaries(NOON),
        "newest": {slug: catalog.newest(slug, NOON, limit=50, related=3) for slug in ["all", *slugs]},
        "counts": {slug: catalog.count(slug, NOON) for slug in ["all", *slugs]},
        "due": {slug: catalog.next_due(slug, NOON) for slug in ["all", *slugs]},
        "scan": list(catalog.scan()),
        "problems": [str(problem) for problem in catalog.problems()] if problems else None,
    }


def settled(catalog: Catalog) -> tuple[int, dict[str, int]]:
    """Return the revisions, after checking that they change exactly when something visible changed."""
    return catalog.revision(), catalog.topic_revisions()


class AnyHistory(RuleBasedStateMachine):
    """Files appear, change, break, move and disappear, with refreshes in between.

    Another folder has the last good version of each file that still exists.
    """

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="newswire-test-"))
        self.root, self.good = self.home / "content", self.home / "good"
        self.root.mkdir()
        self.good.mkdir()
        self.indexer = Indexer(
            Catalog(self.home / "a", TOPICS, source="x"), Folder(self.root, include=("**/*.md", "**/*.html"))
        )
        self.bad: set[str] = set()
        self.dirty: set[str] = set()
        self.scratch = 0

    def teardown(self) -> None:
        self.indexer.catalog.close()
        shutil.rmtree(self.home)

    @initialize(texts=st.lists(_texts, min_size=3, max_size=3))
    def begin(self, texts: list[str]) -> None:
        for path, text in zip(PATHS, texts, strict=False):
            self.write(path, text)

    @rule(path=st.sampled_from(PATHS), text=_texts)
    def write(self, path: str, text: str) -> None:
        for folder in (self.root, self.good):
            put(folder / path, text)
        self.bad.discard(path)
        self.dirty.add(path)

    @rule(path=st.sampled_from(PATHS), text=_broken)
    def break_(self, path: str, text: str) -> None:
        self._catch_up()  # a version that no refresh has read cannot be the last good one
        put(self.root / path, text)
        self.bad.add(path)
        self.dirty.add(path)

    @rule(path=st.sampled_from(PATHS))
    def delete(self, path: str) -> None:
        (self.root / path).unlink(missing_ok=True)
        self._forget(path)

    @rule(old=st.sampled_from(PATHS), new=st.sampled_from(PATHS))
    def rename(self, old: str, new: str) -> None:
        if old == new or not (self.root / old).exists() or old in self.bad:
            return
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        (self.good / new).parent.mkdir(parents=True, exist_ok=True)
        (self.root / old).rename(self.root / new)
        (self.good / old).rename(self.good / new)
        self._forget(old)
        self.bad.discard(new)
        self.dirty.add(new)

    @rule()
    def remove_folder(self) -> None:
        shutil.rmtree(self.root / "sub", ignore_errors=True)
        for path in PATHS:
            if path.startswith("sub/"):
                self._forget(path)

    @rule(some=st.sets(st.sampled_from(PATHS)))
    def refresh_paths(self, some: set[str]) -> None:
        self.indexer.refresh(sorted(some | self.dirty))
        self.dirty.clear()

    @rule()
    def refresh_whole(self) -> None:
        self._catch_up()

    @rule()
    def rewrite_invisibly(self) -> None:
        self._catch_up()
        before = settled(self.indexer.catalog)
        for path in PATHS:
            if (self.root / path).exists() and path not in self.bad:
                text = (self.root / path).read_text(encoding="utf-8")
                for name in ("heat: ", "secured: "):
                    text = text.replace(name, f"{name}1", 1)
                put(self.root / path, text)
                put(self.good / path, text)
        self.indexer.refresh()
        assert settled(self.indexer.catalog) == before

    @rule()
    def lose_the_catalog(self) -> None:
        if not self.bad:  # only the catalog has the earlier version of a bad file
            self.indexer.catalog.path.unlink(missing_ok=True)
            self.dirty.clear()
            self.indexer.refresh([])

    @invariant()
    def equals_a_new_catalog(self) -> None:
        if self.dirty:
            return
        self.scratch += 1
        fresh = Catalog(self.home / f"scratch-{self.scratch}", TOPICS, source="x")
        Indexer(fresh, Folder(self.good, include=("**/*.md", "**/*.html"))).refresh()
        assert contents(self.indexer.catalog, problems=False) == contents(fresh, problems=False)
        reported = {problem.path for problem in self.indexer.catalog.problems()}
        assert reported == self.bad | {problem.path for problem in fresh.problems()}
        fresh.close()

    @invariant()
    def keeps_its_counts(self) -> None:
        database = self.indexer.catalog.connection
        kept = dict(database.execute("SELECT slug, articles FROM topics WHERE articles <> 0"))
        assert kept == dict(database.execute("SELECT slug, count(*) FROM entries GROUP BY slug"))
        (articles,) = database.execute("SELECT value FROM meta WHERE key = 'articles'").fetchone()
        assert articles == database.execute("SELECT count(*) FROM articles").fetchone()[0]

    def _catch_up(self) -> None:
        self.indexer.refresh()
        self.dirty.clear()

    def _forget(self, path: str) -> None:
        (self.good / path).unlink(missing_ok=True)
        self.bad.discard(path)
        self.dirty.add(path)


@pytest.mark.parametrize("examples", [15, pytest.param(80, marks=pytest.mark.soak)])
def test_any_history_leads_to_the_same_catalog(examples: int) -> None:
    """After any history, the catalog equals one built from the last good versions."""
    run_state_machine_as_test(
        AnyHistory, settings=settings(max_examples=examples, stateful_step_count=20, deadline=None)
    )


def test_touching_files_changes_nothing(site: ArticleSite) -> None:
    """New times on every file, as after a deploy, change no revision."""
    for name in "abc":
        site.write(f"{name}.md", topics=["Go"])
    indexer = site.indexer()
    indexer.refresh()
    before = settled(indexer.catalog)
    for file in site.root.iterdir():
        os.utime(file)
    refresh = indexer.refresh()
    assert (refresh.read, refresh.changed, refresh.removed, refresh.problems) == (3, 0, 0, [])
    assert settled(indexer.catalog) == before


def test_an_invisible_rewrite_changes_nothing(site: ArticleSite) -> None:
    """A new `heat`, a re-encrypted `secured` or another order of keys changes no revision."""
    site.raw("a.md", "---\ntitle: A\ndate: 2026-01-01\nheat: 5\nsecured: aaa\ntopics: [Go]\n---\n")
    indexer = site.indexer()
    indexer.refresh()
    before = settled(indexer.catalog)
    site.raw("a.md", "---\ndate: 2026-01-01\ntopics: [Go]\ntitle: A\nheat: -1\nsecured: bbb\nnew: x\n---\n")
    assert indexer.refresh().changed == 0
    assert settled(indexer.catalog) == before


def test_only_the_topics_of_a_changed_article_move(site: ArticleSite) -> None:
    """A change moves the revisions of the article's old and new topics, their parents and all."""
    site.topics = [{"name": "Tech"}, {"name": "AI", "parent": "Tech"}]
    site.write("a.md", topics=["AI"])
    site.write("b.md", topics=["Go"])
    site.write("c.md", topics=["C"])
    indexer = site.indexer()
    indexer.refresh()
    before = indexer.catalog.topic_revisions()
    site.write("b.md", topics=["AI"])
    indexer.refresh()
    after = indexer.catalog.topic_revisions()
    assert {slug for slug in after if after[slug] != before.get(slug)} == {"ai", "go", "tech", "all"}


def test_a_file_that_turns_bad_keeps_its_last_good_version(site: ArticleSite) -> None:
    """The last good version stays in the feeds, and one report is made, until the file is fixed."""
    site.write("a.md", title="Good", topics=["Go"])
    indexer = site.indexer()
    indexer.refresh()
    before = settled(indexer.catalog)
    site.raw("a.md", "---\ntitle: Bad\n---\n")
    first = indexer.refresh()
    assert [str(problem) for problem in first.problems] == [
        "a.md:1: publishedDateTime: is missing (or `date`): when was it published?"
    ]
    assert indexer.refresh().problems == []
    os.utime(site.root / "a.md")
    assert indexer.refresh().problems == []
    assert [article.title for article in indexer.catalog.newest("go", NOON, limit=9)] == ["Good"]
    assert settled(indexer.catalog) == before
    assert len(indexer.catalog.problems()) == 1

    site.write("a.md", title="Mended", topics=["Go"])
    indexer.refresh()
    assert [article.title for article in indexer.catalog.newest("go", NOON, limit=9)] == ["Mended"]
    assert indexer.catalog.problems() == []


def test_a_bad_file_that_is_deleted_is_gone(site: ArticleSite) -> None:
    """Deleting a bad file also removes its last good version."""
    site.write("a.md")
    indexer = site.indexer()
    indexer.refresh()
    site.raw("a.md", "junk")
    indexer.refresh()
    site.delete("a.md")
    assert indexer.refresh().removed == 1
    assert (indexer.catalog.count("all", NOON), indexer.catalog.problems()) == (0, [])


@pytest.mark.parametrize("text", ["", "no front matter", "---\n", "---\ntitle: A title\n---\n"])
def test_a_file_that_is_emptied_keeps_its_last_good_version(site: ArticleSite, text: str) -> None:
    """An empty file is a bad file until it is deleted: an editor may be writing it."""
    site.write("index.md")
    site.write("a.md")
    indexer = site.indexer()
    indexer.refresh()
    for path in ("index.md", "a.md"):
        site.raw(path, text)
    assert len(indexer.refresh().problems) == 2
    assert indexer.catalog.count("all", NOON) == 2
    site.raw("new.md", "no front matter")
    assert indexer.refresh().problems == []
    assert len(indexer.catalog.problems()) == 2


def test_a_bad_file_costs_no_other_article(site: ArticleSite) -> None:
    """Each kind of bad file is reported with path, line and reason, and the good file is an article."""
    outside = site.home / "outside.md"
    put(outside, front_matter())
    site.write("good.md")
    site.raw("empty.md", "---\n---\n")
    site.raw("latin.md", "---\ntitle: x\ndate: 2026-01-01\n---\ncaf\xe9".encode("latin-1"))
    site.raw("large.md", front_matter(body="x" * 1_000_001))
    site.raw("yaml.md", "---\ntitle: x\ndate: [\n---\n")
    site.raw("bomb.md", f"---\ntitle: {'[' * 9999}\n---\n")
    (site.root / "link.md").symlink_to(outside)
    (site.root / "dangling.md").symlink_to("nothing.md")
    os.mkfifo(site.root / "pipe.md")
    (site.root / os.fsdecode(b"caf\xe9.md")).write_text(front_matter())
    indexer = site.indexer()
    reported = [str(problem) for problem in indexer.refresh().problems]
    assert sorted(reported) == [
        "bomb.md:2: nested more than 64 levels deep",
        "caf\ufffd.md:1: its name is not UTF-8",
        "dangling.md:1: cannot be read: No such file or directory",
        "empty.md:2: the front matter must be `key: value` lines",
        "large.md:1: is larger than 1,000,000 bytes",
        "latin.md:5: is not UTF-8: save the file in that encoding",
        "link.md:1: is a link that leads out of the article folder",
        "pipe.md:1: is not a regular file",
        "yaml.md:4: did not find expected node content",
    ]
    assert [article.id for article in indexer.catalog.newest("all", NOON, limit=9)] == ["good"]
    assert sorted(map(str, indexer.catalog.problems())) == sorted(reported)
    assert indexer.refresh().problems == []


def test_links_within_the_folder_are_followed(site: ArticleSite) -> None:
    """A symbolic link to a file of the folder is an article of its own; one to a folder is left out."""
    site.write("real/a.md", title="Real")
    (site.root / "alias.md").symlink_to("real/a.md")
    (site.root / "folder").symlink_to("real")
    indexer = site.indexer()
    assert indexer.refresh().problems == []
    assert sorted(article.id for article in indexer.catalog.scan()) == ["alias", "real/a"]


def test_two_files_with_one_id_are_an_error_that_names_both(site: ArticleSite) -> None:
    """The first by path is published and the other reported once; it takes over when the first is deleted."""
    site.write("a.md", id="same", title="First")
    site.write("b.md", id="same", title="Second")
    indexer = site.indexer()
    problems = ["b.md:1: its id 'same' belongs to a.md"]
    assert list(map(str, indexer.refresh().problems)) == problems
    assert list(map(str, indexer.catalog.problems())) == problems
    assert indexer.refresh().problems == []
    assert [article.title for article in indexer.catalog.scan()] == ["First"]
    site.delete("a.md")
    indexer.refresh()
    assert [article.title for article in indexer.catalog.scan()] == ["Second"]
    assert indexer.catalog.problems() == []


def test_two_names_that_look_the_same_are_an_error_that_says_so(site: ArticleSite) -> None:
    """Unicode has two encodings of most letters with accents, and one of them is the article's id."""
    site.write("caf\u00e9.md")
    site.write("cafe\u0301.md")
    (problem,) = site.indexer().refresh().problems
    assert problem.reason.startswith(
        "another file's name looks the same, with its accents encoded differently"
    )


def test_one_stem_in_two_folders_is_two_articles(site: ArticleSite) -> None:
    """Without an id of their own, files with one name in different folders have different ids."""
    site.write("x/post.md")
    site.write("y/post.md")
    indexer = site.indexer()
    assert indexer.refresh().problems == []
    assert [article.id for article in indexer.catalog.newest("all", NOON, limit=9)] == ["x/post", "y/post"]


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_what_is_in_an_unreadable_folder_is_unknown_not_gone(site: ArticleSite) -> None:
    """The articles of an unreadable folder stay, and the folder is reported."""
    site.write("locked/a.md")
    indexer = site.indexer()
    indexer.refresh()
    (site.root / "locked").chmod(0)
    try:
        assert list(map(str, indexer.refresh().problems)) == ["locked:1: cannot be read: Permission denied"]
        assert indexer.catalog.count("all", NOON) == 1
    finally:
        (site.root / "locked").chmod(0o755)
    indexer.refresh()
    assert indexer.catalog.problems() == []


def test_a_write_within_one_tick_of_the_clock_is_found_in_the_end(site: ArticleSite) -> None:
    """A second version with the same size and times is found once the file system's clock has advanced."""
    file = site.root / "a.md"
    site.write("a.md", title="AAAA")
    indexer = site.indexer()
    indexer.refresh()
    times = file.stat()
    file.write_text(file.read_text().replace("AAAA", "BBBB"))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    titles = []
    for _ in range(400):
        indexer.refresh()
        titles = [article.title for article in indexer.catalog.scan()]
        if titles == ["BBBB"]:
            break
        threading.Event().wait(0.01)
    assert titles == ["BBBB"]


_REFRESH = """
import sys
from pathlib import Path
from articles.catalog.catalog import Catalog
from articles.errors import SourceError
from articles.catalog.indexer import Indexer
from articles.files.folder import Folder
from articles.topics import Topics
indexer = Indexer(Catalog(Path(sys.argv[1]), Topics(), source="x"), Folder(Path(sys.argv[2])))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[3])):
    indexer.refresh()
print("done", flush=True)
"""


def _refresher(site: ArticleSite, times: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _REFRESH, str(site.state), str(site.root), str(times)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.06])
def test_a_refresh_that_is_killed_leaves_a_usable_catalog(site: ArticleSite, delay: float) -> None:
    """After SIGKILL at any moment, another process's refresh completes the catalog."""
    for number in range(300):
        site.write(f"{number}.md", topics=["Go"])
    with _refresher(site, 1_000_000) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        _go(process)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(delay)
        process.send_signal(signal.SIGKILL)
    indexer = Indexer(Catalog(site.state, Topics(), source="x"), Folder(site.root))
    indexer.refresh()
    assert indexer.catalog.count("go", NOON) == 300
    assert indexer.catalog.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_processes_that_refresh_at_once_agree(site: ArticleSite) -> None:
    """Four processes refresh a new catalog while files change; none fails, and the result is correct."""
    for number in range(50):
        site.write(f"{number}.md", topics=["Go"])
    processes = [_refresher(site, 20) for _ in range(4)]
    for process in processes:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in processes:
        _go(process)
    for number in range(50):
        site.write(f"{number}.md", title="New", topics=["Go", "C"])
    for process in processes:
        assert process.communicate(timeout=WAIT_SECONDS)[0] == "done\n"
        assert process.returncode == 0
    indexer = Indexer(Catalog(site.state, Topics(), source="x"), Folder(site.root))
    indexer.refresh()
    fresh = Indexer(site.catalog("fresh"), Folder(site.root))
    fresh.refresh()
    assert contents(indexer.catalog) == contents(fresh.catalog)


def test_a_catalog_deleted_under_a_running_process_is_created_again(site: ArticleSite) -> None:
    """Readers use the old file until the new one is complete, and its identity differs."""
    site.write("a.md", topics=["Go"])
    site.write("b.md", topics=["Go"])
    indexer, reader = site.indexer(), site.catalog()
    indexer.refresh()
    assert reader.count("go", NOON) == 2
    identity = reader.identity
    shutil.rmtree(site.state)
    assert (reader.count("go", NOON), reader.identity) == (2, identity)
    site.write("c.md", topics=["Go"])
    indexer.refresh(["c.md"])
    assert reader.count("go", NOON) == 3
    assert reader.identity != identity


def test_a_log_left_behind_is_not_taken_for_the_new_file(site: ArticleSite) -> None:
    """The files that SQLite leaves beside a deleted main file do no harm."""
    site.write("a.md")
    indexer, reader = site.indexer(), site.catalog()
    indexer.refresh()
    assert reader.count("all", NOON) == 1
    reader.path.unlink()
    assert reader.path.with_name(reader.path.name + "-wal").exists()
    site.delete("a.md")
    site.write("b.md")
    fresh = site.indexer()
    fresh.refresh()
    assert [article.id for article in fresh.catalog.scan()] == ["b"]
    assert [article.id for article in reader.scan()] == ["b"]
    assert reader.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("place", ["start", "middle"])
def test_a_damaged_catalog_is_created_again(site: ArticleSite, place: str) -> None:
    """Overwritten bytes anywhere cause a rebuild without an operator."""
    for number in range(200):
        site.write(f"{number}.md", topics=["Go"], body="x" * 100)
    indexer = site.indexer()
    indexer.refresh()
    indexer.catalog.close()
    with closing(sqlite3.connect(indexer.catalog.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(indexer.catalog.path.read_bytes())
    start = 0 if place == "start" else 4096
    data[start : start + 60_000] = b"\xa5" * 60_000
    indexer.catalog.path.write_bytes(data)
    for number in range(200):
        site.write(f"{number}.md", topics=["Go"], title="New")
    indexer.refresh()
    assert indexer.catalog.count("go", NOON) == 200
    assert {article.title for article in indexer.catalog.scan()} == {"New"}


def test_a_missing_folder_leaves_the_catalog_as_it_is(site: ArticleSite) -> None:
    """While the folder itself is missing, the articles stay."""
    site.write("a.md")
    indexer = site.indexer()
    indexer.refresh()
    shutil.rmtree(site.root)
    with pytest.raises(SourceError, match="cannot be read"):
        indexer.refresh()
    assert indexer.catalog.count("all", NOON) == 1


def test_ciphertext_leaves_no_trace(site: ArticleSite, caplog: pytest.LogCaptureFixture) -> None:
    """No file that Newswire writes has any of `secured`, at the top or within `related`."""
    secret = "ENCRYPTEDBLOB"
    item = {"title": "R", "webUrl": "https://r.example/", "secured": secret}
    site.write("a.md", secured=secret, related=[item])
    site.write("b.md", "\n".join(f"# {n}" for n in range(3)), secured=f"{secret}\n{secret}", related=[item])
    for number, broken in enumerate(("!!float", "!x", "@", "[", '"', "*", "!!timestamp", "!!binary é")):
        text = f"---\ntitle: x\ndate: 2026-01-01\nsecured: {broken}{secret}\n---\n"
        site.raw(f"broken{number}.md", text)
        site.raw(f"spaced{number}.md", text.replace(broken, f"{broken} "))
    indexer = site.indexer()
    reported = indexer.refresh().problems
    assert len(reported) >= 8
    assert indexer.catalog.get("a", related=3).related[0].title == "R"  # type: ignore[union-attr]
    files = [file for file in site.state.iterdir() if file.is_file()]
    assert any(file.name.endswith("-wal") for file in files)
    for file in files:
        assert secret.encode() not in file.read_bytes(), file
    assert secret not in repr(reported) + caplog.text
    assert secret not in repr(indexer.catalog.problems()) + repr(list(indexer.catalog.scan()))


def test_what_unpublished_articles_say_moves_no_topic(site: ArticleSite) -> None:
    """Drafts are in the catalog, and their topics do not change."""
    site.write("a.md", topics=["Go"])
    indexer = site.indexer()
    indexer.refresh()
    before = indexer.catalog.topic_revisions()
    site.write("draft.md", topics=["Go"], published=False)
    site.write("removed.md", topics=["Go"], removed=True)
    indexer.refresh()
    site.write("draft.md", topics=["Go"], published=False, title="New")
    indexer.refresh()
    assert indexer.catalog.topic_revisions() == before
    assert indexer.catalog.get("draft").title == "New"  # type: ignore[union-attr]


def test_a_future_article_is_known_and_not_shown(site: ArticleSite) -> None:
    """A future article is not counted before its time, which `next_due` returns."""
    due = NOON + timedelta(hours=1)
    site.write("a.md", topics=["Go"], publishedDateTime=due)
    catalog = site.indexer().catalog
    site.indexer().refresh()
    assert (catalog.count("go", NOON), catalog.next_due("go", NOON)) == (0, due)
    assert (catalog.count("go", due), catalog.next_due("go", due)) == (1, None)
    assert catalog.summaries(NOON) == []
    assert [summary.articles for summary in catalog.summaries(due)] == [1]


_SPELLINGS = [
    "secured:",
    '"secured":',
    "'secured':",
    "secured :",
    "? secured\n    :",
    '"\\x73ecured":',
    "{secured:",
]


@pytest.mark.parametrize("spelling", _SPELLINGS)
@pytest.mark.parametrize("place", ["first", "last", "no list"])
def test_ciphertext_leaves_no_trace_of_a_long_related_list(
    site: ArticleSite, place: str, spelling: str
) -> None:
    """`secured` is found under any spelling of its key in a block too long to be read line by line."""
    secret = "ENCRYPTEDBLOB"
    end = "}" if spelling.startswith("{") else ""
    items = [f"  - title: Item {n}\n    webUrl: https://r.example/{n}\n" for n in range(100)]
    line = f"    {'x: ' if end else ''}{spelling} {secret}{end}\n"
    if place == "no list":
        items = [
            item.replace("- title", f"  t{n}").replace("webUrl", f"w{n}") for n, item in enumerate(items)
        ]
    items[0 if place == "first" else -1] += line
    related = "".join(items)
    front = f"title: x\ndate: 2026-01-01\nrelated:\n{related}quality: 5\n"
    assert secret in repr(yaml.safe_load(front))
    site.raw("a.md", f"---\n{front}---\n")
    indexer = site.indexer()
    assert not indexer.refresh().problems
    assert indexer.catalog.get("a") is not None
    for file in filter(Path.is_file, site.state.iterdir()):
        assert secret.encode() not in file.read_bytes(), file


def test_a_deletion_without_an_event_is_found_after_single_files_were_read(site: ArticleSite) -> None:
    """A folder that is as it was at its last full scan is read again if the catalog has changed since."""
    site.write("a.md", topics=["Go"])
    indexer = site.indexer()
    indexer.refresh()
    site.write("b.md", topics=["Go"])
    assert indexer.refresh(["b.md"]).changed == 1
    (site.root / "b.md").unlink()
    assert indexer.refresh().removed == 1
    assert [article.path for article in indexer.catalog.scan()] == ["a.md"]
