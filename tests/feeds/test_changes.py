"""Last-Modified is when a document last changed, as If-Modified-Since without an ETag needs it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from feeds.changes import ChangeTimes
from tests.site import NOON, ArticleSite, Clock, Web


@pytest.fixture
def web(site: ArticleSite, web: Web) -> Web:
    """A site with two articles in one topic and one in another."""
    site.write("new.md", title="New", topics=["Go"], publishedDateTime="2026-05-20")
    site.write("old.md", title="Old", topics=["Go"], publishedDateTime="2026-05-10")
    site.write("other.md", title="Other", topics=["C"], publishedDateTime="2026-05-10")
    web.refresh()
    return web


def date_of(web: Web, path: str = "/feeds/go.rss") -> datetime:
    """Return the Last-Modified of a feed."""
    return parsedate_to_datetime(web.get(path).headers["Last-Modified"])


def since(web: Web, moment: datetime, path: str = "/feeds/go.rss") -> int:
    """Return the status of a request with only If-Modified-Since."""
    text = moment.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    status: int = web.get(path, If_Modified_Since=text).status_code
    return status


CHANGES = {
    "corrected": lambda site: site.write(
        "old.md", title="Corrected", topics=["Go"], publishedDateTime="2026-05-10"
    ),
    "unpublished": lambda site: site.write(
        "old.md", title="Old", topics=["Go"], publishedDateTime="2026-05-10", published=False
    ),
    "back-dated": lambda site: site.write(
        "older.md", title="Older", topics=["Go"], publishedDateTime="2026-05-01"
    ),
    "deleted": lambda site: site.delete("old.md"),
}


@pytest.mark.parametrize("path", ["/feeds/go.rss", "/feeds/c+go.json"])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seconds", [0, 3600])
def test_each_change_is_seen(
    site: ArticleSite, web: Web, clock: Clock, change: str, seconds: int, path: str
) -> None:
    """After a change, even in the same second, the old date gets 200 with a new date."""
    before = date_of(web, path)
    assert before == NOON and since(web, before, path) == 304
    clock.advance(seconds=seconds)
    CHANGES[change](site)
    web.refresh()
    assert since(web, before, path) == 200
    clock.advance(seconds=2)
    after = date_of(web, path)
    assert before != after <= clock.now
    assert since(web, after, path) == 304
    assert since(web, before, path) == 200


def test_other_topics_keep_their_date(site: ArticleSite, web: Web, clock: Clock) -> None:
    """A change in one topic leaves the validators of another unchanged."""
    before = date_of(web, "/feeds/c.rss")
    clock.advance(hours=1)
    CHANGES["corrected"](site)
    web.refresh()
    assert date_of(web, "/feeds/c.rss") == before
    assert date_of(web) == clock.now


def test_a_date_holds_over_a_restart(site: ArticleSite, web: Web, clock: Clock) -> None:
    """Another process of the machine gives the same date, however late it renders the feed."""
    before = date_of(web)
    clock.advance(hours=5)
    again = Web(site)
    again.refresh()
    assert date_of(again) == before


def test_new_settings_are_a_change(site: ArticleSite, web: Web, clock: Clock) -> None:
    """A document that changed only through the settings is not answered with 304."""
    before = date_of(web)
    clock.advance(hours=1)
    site.feeds = {"size": 1}
    smaller = Web(site)
    smaller.refresh()
    assert since(smaller, before) == 200
    assert date_of(smaller) == clock.now


def test_only_the_same_date_is_not_modified(web: Web) -> None:
    """A later date is another machine's, and says nothing about the bytes."""
    date = date_of(web)
    assert [since(web, date + timedelta(seconds=offset)) for offset in (-1, 0, 1, 86400)] == [
        200,
        304,
        200,
        200,
    ]


def test_time_itself_is_a_change(site: ArticleSite, web: Web, clock: Clock) -> None:
    """The date is when an article appeared, not when it was first requested."""
    site.write("soon.md", title="Soon", topics=["Go"], publishedDateTime=NOON + timedelta(minutes=5))
    web.refresh()
    before = date_of(web)
    clock.advance(minutes=30)
    assert since(web, before) == 200
    assert date_of(web) == NOON + timedelta(minutes=5)


def test_an_update_of_the_future_does_not_count_yet(site: ArticleSite, web: Web, clock: Clock) -> None:
    """`updated: 2099` is not a feed's date before 2099, and hides no new article."""
    site.write("new.md", title="New", topics=["Go"], publishedDateTime="2026-05-20", updated="2099-01-01")
    web.refresh()
    clock.advance(minutes=1)
    assert b"2099" not in web.get("/feeds/go.rss").data + web.get("/feeds/go.atom").data
    before = date_of(web)
    assert before <= clock.now
    site.write("newer.md", title="Newer", topics=["Go"], publishedDateTime="2026-05-30")
    web.refresh()
    assert since(web, before) == 200
    clock.now = datetime(2099, 1, 2, tzinfo=UTC)
    assert b"2099-01-01" in web.get("/feeds/go.atom").data


def test_no_second_has_two_versions(tmp_path: Path, clock: Clock) -> None:
    """Each version has a second of its own, however often a document changes in a second."""
    times = ChangeTimes(tmp_path / "changes.sqlite", clock)
    dates = [times.changed_at("a", tag, NOON) for tag in ("1", "2", "1", "1", "3")]
    assert dates == [NOON - timedelta(seconds=offset) for offset in (0, 1, 2, 2, 3)]
    clock.advance(seconds=1)
    later = [times.changed_at("a", tag, NOON) for tag in ("4", "5", "6")]
    assert later == [NOON + timedelta(seconds=offset) for offset in (1, 2, 3)]


def test_what_was_forgotten_gets_a_new_date(tmp_path: Path, clock: Clock) -> None:
    """The memory is bounded; a document that was removed from it gets a later date than before."""
    times = ChangeTimes(tmp_path / "changes.sqlite", clock, limit=2)
    assert times.changed_at("a", "1", NOON) == NOON
    clock.advance(minutes=1)
    assert times.changed_at("a", "2", NOON) == clock.now
    for name in ("b", "c"):
        times.changed_at(name, "1", NOON)
    clock.advance(minutes=1)
    found = times.changed_at("a", "3", NOON)
    assert found and found > NOON + timedelta(minutes=1)


def test_a_clock_that_was_wrong(tmp_path: Path, clock: Clock) -> None:
    """A date that a wrong clock stored is dropped."""
    times = ChangeTimes(tmp_path / "changes.sqlite", clock)
    clock.advance(days=9000)
    times.changed_at("a", "1", clock.now)
    clock.now = NOON
    assert times.changed_at("a", "1", NOON) == NOON


def test_a_file_that_cannot_be_used(tmp_path: Path, clock: Clock) -> None:
    """Without the file documents have no date, and everything else works."""
    (tmp_path / "taken").write_text("")
    assert ChangeTimes(tmp_path / "taken" / "changes.sqlite", clock).changed_at("a", "1", NOON) is None


def test_a_damaged_or_deleted_file_is_created_again(tmp_path: Path, clock: Clock) -> None:
    """After a damaged or deleted file, documents get new dates."""
    file = tmp_path / "changes.sqlite"
    times = ChangeTimes(file, clock)
    assert times.changed_at("a", "1", NOON) == NOON
    for name in tmp_path.glob("changes.sqlite*"):
        if name.suffix != ".lock":
            name.unlink()
    clock.advance(minutes=1)
    assert times.changed_at("a", "2", NOON) is not None
    again = ChangeTimes(file, clock)
    file.write_bytes(b"x" * 5000)
    assert again.changed_at("a", "3", NOON) is not None
