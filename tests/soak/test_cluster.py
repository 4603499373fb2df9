"""Several web processes and bots on one PostgreSQL server, while processes and the server crash."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import ModuleType

import pytest

from bot.operator import queries
from bot.outbox import lease
from bot.outbox.database import Database, connect
from bot.outbox.states import State
from bot.outbox.tallies import deliveries_by_state
from tests.articles.gitserver import Origin
from tests.fakechat import FakeChat, hang
from tests.soak.cluster import Host, Postgres, Running, Witness, hosted, postgres, wait_for
from tests.soak.replay import FOLDER, Replay, posted

CHANNELS = {"all": 0, "best": 95}
"""The least quality that each channel takes."""

UNFINISHED = (State.WAITING, State.CLAIMED, State.RETRY, State.UNKNOWN, State.HELD)

CONFIG = """\
site: {{title: Cluster, url: 'https://news.example.org', id: cluster}}
articles: {{git: '{url}', subdir: {folder}, every: 1 second}}
bot:
  every: 5 seconds
  channels:
    - {{name: all, kind: slack, webhook_env: ALL, min_quality: 0, max_age: off, max_per_tick: 1000}}
    - {{name: best, kind: discord, webhook_env: BEST, min_quality: 95, max_age: off, max_per_tick: 1000}}
"""


@dataclass(kw_only=True)
class Cluster:
    """Three web processes and three bots, the database and chat they share, and the replay they work on."""

    replay: Replay
    postgres: Postgres
    database: Database
    chat: FakeChat
    host: Host
    webs: list[Running]
    bots: list[Running]

    def leader(self) -> Running | None:
        """Return the living bot that holds the lease, or None."""
        name = lease.holder(self.database).name or "::"
        pid = int(name.split(":")[1] or 0)
        return next((bot for bot in self.bots if bot.is_alive and bot.process.pid == pid), None)

    def unfinished(self) -> int:
        """Return how many deliveries are not in a final state."""
        return len(queries.deliveries_matching(self.database, states=UNFINISHED, limit=1000))

    def ids_posted(self, channel: str) -> set[str]:
        """Return the ids of the articles that people have seen in a channel."""
        ids = self.replay.ids_by_link()
        return {id for link in posted(self.chat, channel) for id in ids[link]}


@contextmanager
def cluster(home: Path, corpus: ModuleType, *, start: int, end: int) -> Iterator[Cluster]:
    origin = Origin(home / "origin")
    replay = Replay(corpus, origin, start=start, end=end)
    replay.begin()
    (home / "config.yaml").write_text(CONFIG.format(url=origin.url, folder=FOLDER), encoding="utf-8")
    with ExitStack() as stack:
        server = stack.enter_context(postgres())
        chat = stack.enter_context(FakeChat(log=home / "chat.jsonl"))
        environ = {"NEWSWIRE_CONFIG": str(home / "config.yaml"), "DATABASE_URL": server.url}
        environ |= {"ALL": chat.slack_url("all"), "BEST": chat.discord_url("best"), "WEB_CONCURRENCY": "1"}
        host = stack.enter_context(hosted(home, **environ))
        host.release()
        database = connect(server.url)
        stack.callback(database.close)
        running = Cluster(
            replay=replay,
            postgres=server,
            database=database,
            chat=chat,
            host=host,
            webs=[host.web(f"web-{number}") for number in range(3)],
            bots=[host.bot(f"bot-{number}") for number in range(3)],
        )
        for web in running.webs:
            web.wait_until_ready()
        wait_for(lambda: _baselined(running), "the channels have their baseline")
        yield running


@pytest.mark.soak
@pytest.mark.corpus
def test_machines_and_the_database_go_down(tmp_path: Path, corpus: ModuleType) -> None:
    """In 300 commits, a posting bot, a web process and PostgreSQL are killed, and no article is lost.

    Every article is posted once, and twice only where an answer was lost. No web process answers 5xx. At the
    end all of them serve the same bytes under the same entity tags.
    """
    with cluster(tmp_path, corpus, start=2188, end=2488) as ours:
        paths = ("/feeds/all.rss", "/feeds/power-apps.atom", "/feeds/all.json", "/feeds.opml", "/readyz", "/")
        with Witness(ours.webs, paths) as witness:
            outage = _run_through(ours, witness)
            wait_for(lambda: _all_serve_the_same(ours), "all webs show the last commit")
            wait_for(lambda: _all_posted(ours), "everything expected is posted", every=0.5)
        assert not {status for status in witness.statuses() if status >= 500}, witness.statuses()
        asked = Counter(seen.web for seen in witness.seen)
        assert all(asked[web.name] > 200 for web in ours.webs), asked
        refused = [seen for seen in witness.seen if seen.status == 0]
        assert {seen.web for seen in refused} <= {outage.web}
        assert all(seen.until >= outage.start and seen.at <= outage.end for seen in refused)
        _check_posts(ours)
        _check_logs(ours.host.running)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """The web process that was down, and from when to when."""

    web: str
    start: float
    end: float


def _run_through(ours: Cluster, witness: Witness) -> Outage:
    """Make the commits, and kill the leader, a web process and the database at chosen ones."""
    first_best = ours.replay.first_expected(CHANNELS["best"])
    assert first_best < 140
    commits = ours.replay.commits()
    ours.chat.fail("best", hang(posts=True))
    _until(commits, first_best)
    ours.chat.wait_for(1, webhook="best")
    _kill_leader(ours)

    _until(commits, 150)
    web = ours.webs[1]
    away_since = time.monotonic()
    web.kill()
    _until(commits, 170)
    restarted = ours.webs[1] = ours.host.web(web.name, PORT=web.url.rpartition(":")[2])
    restarted.wait_until_ready()
    outage = Outage(web=web.name, start=away_since, end=time.monotonic())
    wait_for(ours.leader, "another bot has taken over")

    _until(commits, 200)
    ours.postgres.crash()
    without_since = time.monotonic()
    _until(commits, 240)
    wait_for(lambda: _all_serve_the_same(ours), "all webs show the newest commit without a database")
    seen = witness.between(without_since, time.monotonic())
    assert {each.web for each in seen if each.status == 200} == {web.name for web in ours.webs}
    ours.postgres.start()
    ours.database.close()  # its connections broke when the server crashed
    _until(commits, len(ours.replay.rest))
    return outage


def _until(commits: Iterator[int], number: int) -> None:
    while next(commits) < number:
        pass


def _kill_leader(ours: Cluster) -> None:
    """Kill the bot that has a request in flight, and start another one on a new machine."""
    leader = wait_for(ours.leader, "a bot has the lease")
    leader.kill()
    ours.bots.remove(leader)
    ours.bots.append(ours.host.bot("bot-3"))


def _baselined(ours: Cluster) -> bool:
    expected = {name: len(ours.replay.expected(quality).before) for name, quality in CHANNELS.items()}
    counts = deliveries_by_state(ours.database)
    return {name: counts.get((name, State.BASELINED), 0) for name in CHANNELS} == expected


def _all_serve_the_same(ours: Cluster) -> bool:
    """Whether all web processes show the newest commit, with equal bytes and equal tags in every coding."""
    newest = ours.replay.origin.git("rev-parse", "HEAD")
    if any(f"pulled {newest}" not in web.output() for web in ours.webs):
        return False
    slugs = re.findall(r"/feeds/([^\"/]+)\.rss", ours.webs[0].get("/feeds.opml").text)
    assert len(slugs) > 3
    paths = [f"/feeds/{slug}.{extension}" for slug, extension in product(slugs, ("rss", "atom", "json"))]
    return all(
        len({_answer(web, path, coding) for web in ours.webs}) == 1
        for path, coding in product(["/feeds.opml", *paths], ("identity", "gzip"))
    )


def _answer(web: Running, path: str, coding: str) -> tuple[int, str, bytes]:
    answer = web.get(path, **{"Accept-Encoding": coding})
    return answer.status_code, answer.headers["ETag"], answer.content


def _all_posted(ours: Cluster) -> bool:
    """Whether every article expected at the end was posted, and no delivery waits."""
    if ours.unfinished():
        return False
    for name, quality in CHANNELS.items():
        wanted = ours.replay.expected(quality)
        if wanted.at_end - wanted.before - ours.ids_posted(name) - _posted_before(ours, name):
            return False
    return True


def _posted_before(ours: Cluster, channel: str) -> set[str]:
    """Return the articles that were not posted because an older one had the same link."""
    before = ours.replay.expected(CHANNELS[channel]).before
    return {id for ids in ours.replay.ids_by_link().values() if ids & before for id in ids}


def _check_posts(ours: Cluster) -> None:
    """Assert that each article was posted once, and again only where an attempt's answer was lost.

    Nothing else was posted.
    """
    ids = ours.replay.ids_by_link()
    again = 0
    for name, quality in CHANNELS.items():
        wanted = ours.replay.expected(quality)
        for link, times in posted(ours.chat, name).items():
            assert ids[link] & (wanted.ever - wanted.before), link
            lost = _lost_answers(ours, name, ids[link])
            assert times <= 1 + lost, f"{link} was posted {times} times, {lost} answers were lost"
            again += times - 1
    # The request that hung when its bot was killed, and at most one for each channel whose answer could not
    # be recorded because the database had crashed.
    assert 1 <= again <= 1 + len(CHANNELS), again


def _lost_answers(ours: Cluster, channel: str, ids: set[str]) -> int:
    deliveries = [
        delivery.id
        for id in ids
        for delivery in queries.deliveries_matching(ours.database, article_id=id, channel=channel)
    ]
    attempts = queries.attempts_of(ours.database, deliveries)
    return sum(attempt.outcome == "unknown" for attempt in attempts)


def _check_logs(running: list[Running]) -> None:
    for each in running:
        assert "Traceback" not in each.output(), each.output()
