"""How much work each task takes, counted in files, documents, statements and steps, never in seconds.

Each task is done on a small site and on one ten times as large, and must take the same work.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from articles.files.folder import Folder
from articles.topics import Topics
from bot.outbox import upgrading
from bot.outbox.database import connect
from bot.planning.planner import Planner
from bot.services import Destination
from bot.services.secret import Secret
from feeds.export import export
from feeds.formats import FORMATS
from feeds.model import Feed
from feeds.publisher import Publisher
from tests.bot.world import any_channel
from tests.site import NOON, Clock, front_matter, news_feeds, news_site, put
from tests.waiting import WAIT_SECONDS
from web.document import Document

SMALL, LARGE = 60, 600
TOPICS = ("AI", "Security", "Games", "Space", "Cars", "Health")
EVERY = 20
"""Steps of SQLite's virtual machine to one count: https://sqlite.org/c3ref/progress_handler.html"""


@dataclass(slots=True)
class Work:
    """The work that was counted."""

    files: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    outbox: list[str] = field(default_factory=list)
    steps: int = 0

    def step(self) -> int:
        """Count some steps of SQLite's virtual machine, and let it continue."""
        self.steps += EVERY
        return 0


class CountedFolder(Folder):
    """A folder that records which files are read."""

    work = Work()

    def read(self, path: str) -> bytes:
        self.work.files.append(path)
        return super().read(path)


class CountedCatalog(Catalog):
    """A catalog that records the statements that run on it, and SQLite's steps for them."""

    work = Work()

    @property
    def connection(self) -> sqlite3.Connection:
        connection = super().connection
        connection.set_trace_callback(self.work.statements.append)
        connection.set_progress_handler(self.work.step, EVERY)
        return connection


class CountedPublisher(Publisher):
    """A publisher that records which documents are rendered."""

    work = Work()

    def render(self, feed: Feed, extension: str) -> Document:
        self.work.documents.append(f"{feed.title} {extension}")
        return super().render(feed, extension)


class World:
    """A site of `count` articles, each of one topic, all of whose feeds were requested once."""

    def __init__(self, home: Path, count: int) -> None:
        self.root = home / "content"
        self.folder = CountedFolder(self.root)
        self.catalog = CountedCatalog(home / "state", Topics(), source="")
        self.indexer = Indexer(self.catalog, self.folder)
        # The number of archives follows the length of the history, and each counts the articles of a month.
        self.publisher = CountedPublisher(
            self.catalog, news_site(), news_feeds(size=5, archives=False), Clock()
        )
        self.database = connect(f"sqlite:///{home}/outbox.db")
        self.outbox: list[str] = []
        event.listen(self.database.engine, "before_cursor_execute", self._note)
        for number in range(count):
            self.write(number)
        self.settle()
        self.ask_for_everything()

    def settle(self) -> None:
        """Refresh until no file is so new that it would be read once more."""
        # For a tenth of a second, one that was just written may change without another signature.
        newest, end = (
            max(file.stat().st_ctime for file in self.root.iterdir()),
            time.monotonic() + WAIT_SECONDS,
        )
        while time.time() < newest + 0.2 or self.indexer.refresh().read:
            assert time.monotonic() < end

    def write(self, number: int, title: str = "A title") -> str:
        """Write one article file and return its path. A smaller number is newer."""
        path = f"{number:04}.md"
        moment = NOON - timedelta(hours=number + 1)
        topic = TOPICS[number % len(TOPICS)]
        text = front_matter(title=title, publishedDateTime=moment.isoformat(), topics=[topic], quality=80)
        put(self.root / path, text)
        return path

    @contextmanager
    def with_archives(self) -> Iterator[None]:
        """Let the feeds link to the site's history inside a `with` block."""
        before = self.publisher
        self.publisher = CountedPublisher(self.catalog, news_site(), news_feeds(size=5), Clock())
        yield
        self.publisher = before

    def ask_for_everything(self) -> None:
        """Request every feed in every format."""
        for slug in ("all", *map(str.lower, TOPICS)):
            for extension in FORMATS:
                assert self.publisher.document(slug, extension)

    @contextmanager
    def counted(self) -> Iterator[Work]:
        """Count the work inside a `with` block."""
        work = Work(outbox=self.outbox)
        self.outbox.clear()
        for counted in (self.folder, self.catalog, self.publisher):
            counted.work = work
        yield work
        for counted in (self.folder, self.catalog, self.publisher):
            counted.work = Work()

    def planner(self) -> Planner:
        """Return a planner for ten channels, which has read everything once."""
        upgrading.upgrade(self.database)
        nowhere = Destination(address=Secret("http://127.0.0.1/x"))
        names = [f"channel-{number}" for number in range(10)]
        channels = [any_channel(name, destination=nowhere) for name in names]
        planner = Planner(self.database, self.catalog, channels)
        assert planner.plan(NOON).baselined
        return planner

    def close(self) -> None:
        """Close both databases."""
        self.catalog.close()
        self.database.close()

    def _note(self, connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        self.outbox.append(statement)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """A small site and a large one."""
    both = tuple(World(tmp_path_factory.mktemp("site"), count) for count in (SMALL, LARGE))
    yield both[0], both[1]
    for world in both:
        world.close()


def on_both(worlds: tuple[World, World], do: Callable[[World], object]) -> tuple[Work, Work]:
    """Do the same on both sites, and return the work for each."""
    found = []
    for world in worlds:
        world.settle()
        with world.counted() as work:
            do(world)
        found.append(work)
    return found[0], found[1]


def assert_equal_effort(small: Work, large: Work) -> None:
    """Assert that no statement is added and no table scanned. A deeper tree may cost some steps."""
    assert len(small.statements) == len(large.statements)
    assert len(small.outbox) == len(large.outbox)
    assert large.steps <= 1.2 * small.steps + 200


def test_one_changed_file_is_read_and_no_other_on_a_site_of_any_size(
    worlds: tuple[World, World],
) -> None:
    """One file is read, and the catalog is accessed only at that article."""
    small, large = on_both(worlds, lambda world: world.indexer.refresh([world.write(0, "Another title")]))

    assert small.files == large.files == ["0000.md"]
    assert len(small.statements) < 60
    assert_equal_effort(small, large)


def test_one_changed_file_renders_only_the_documents_of_its_topic_and_of_all(
    worlds: tuple[World, World],
) -> None:
    """Feeds are rendered on request, and only where their topic has changed."""
    for world in worlds:
        world.indexer.refresh([world.write(0, "Yet another title")])
    small, large = on_both(worlds, World.ask_for_everything)

    assert len(small.documents) == len(large.documents) == 2 * len(FORMATS)
    assert {name.split()[0] for name in small.documents} == {"News", "AI"}
    assert_equal_effort(small, large)


def test_a_feed_that_has_not_changed_is_not_rendered_again(worlds: tuple[World, World]) -> None:
    """A repeated request costs reading the topic's revision."""
    small, large = on_both(worlds, World.ask_for_everything)

    assert small.documents == large.documents == []
    assert_equal_effort(small, large)


def test_a_refresh_without_changes_reads_no_file_and_asks_no_question_per_article(
    worlds: tuple[World, World],
) -> None:
    """The files' signatures are compared in one statement."""
    small, large = on_both(worlds, lambda world: world.indexer.refresh())

    assert small.files == large.files == []
    assert len(small.statements) == len(large.statements) < 20
    assert large.steps - small.steps < 10 * (LARGE - SMALL)


def test_a_touched_file_whose_bytes_are_the_same_changes_no_document(worlds: tuple[World, World]) -> None:
    """Files with new times, as after every deploy, are read and change nothing."""

    def touch(world: World) -> None:
        path = world.root / "0001.md"
        put(path, path.read_bytes())
        world.indexer.refresh()
        world.ask_for_everything()

    small, large = on_both(worlds, touch)

    assert small.files == large.files == ["0001.md"]
    assert small.documents == large.documents == []


def test_an_export_asks_as_many_questions_as_there_are_topics_not_articles(
    worlds: tuple[World, World], tmp_path: Path
) -> None:
    """Each document takes a few statements, however many articles there are."""
    numbers = iter(range(2))

    def write_all(world: World) -> None:
        export(world.publisher, tmp_path / str(next(numbers)), lambda done, of: None)

    small, large = on_both(worlds, write_all)

    for name in ("0", "1"):
        feeds = [file for file in (tmp_path / name / "feeds").iterdir() if file.suffix[1:] in FORMATS]
        assert len(feeds) == (1 + len(TOPICS)) * len(FORMATS)
    assert len(small.statements) == len(large.statements) < 60


def test_a_feed_leads_to_its_history_at_the_cost_of_one_months_articles(
    worlds: tuple[World, World],
) -> None:
    """Each feed takes as many statements on a site of any size, and counts a month in the index."""
    with worlds[0].with_archives(), worlds[1].with_archives():
        small, large = on_both(worlds, World.ask_for_everything)

    assert len(small.documents) == len(large.documents) == (1 + len(TOPICS)) * len(FORMATS)
    assert len(small.statements) == len(large.statements)
    assert large.steps - small.steps < 20 * (1 + len(TOPICS)) * (LARGE - SMALL)


def test_planning_with_nothing_new_costs_the_same_on_a_site_of_any_size(worlds: tuple[World, World]) -> None:
    """Planning reads the channels and the catalog's revision, but no article, delivery or file."""
    planners = {id(world): world.planner() for world in worlds}
    small, large = on_both(worlds, lambda world: planners[id(world)].plan(NOON + timedelta(minutes=1)).posts)

    assert small.files == large.files == []
    assert len(small.outbox) < 5
    assert_equal_effort(small, large)


def test_many_files_that_claim_one_id_cost_no_more_than_as_many_others(tmp_path: Path) -> None:
    """Twice as many files take twice the steps to add, report and remove, and the page takes none."""
    steps: list[list[int]] = []
    for count in (300, 600):
        world = World(tmp_path / str(count), 10)
        taken = []
        with world.counted() as work:
            for number in range(count):
                put(world.root / f"claim-{number:04}.md", front_matter(id="same"))
            assert len(world.indexer.refresh().problems) == count - 1
            taken.append(work.steps)
            assert len(world.catalog.problems()) == count - 1
            taken.append(work.steps)
            assert world.catalog.get("same")
            taken.append(work.steps)
            put(world.root / "0.md", front_matter(id="same"))
            world.indexer.refresh(["0.md"])
            taken.append(work.steps)
            for number in range(count):
                (world.root / f"claim-{number:04}.md").unlink()
            assert world.indexer.refresh().removed == count
            taken.append(work.steps)
        steps.append([after - before for before, after in zip([0, *taken], taken, strict=False)])
        world.close()
    small, large = steps
    assert all(after <= 2.3 * before + 200 for before, after in zip(small, large, strict=True)), steps
    assert large[2] <= small[2] + 20
