"""The bot's part of what is measured inside a process of its own: `python -m benchmarks.botchild NAME …`."""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from articles.catalog.catalog import Catalog
from articles.catalog.indexer import Indexer
from benchmarks.child import indexer
from benchmarks.corpus import TOPICS
from bot.operator import queries
from bot.outbox import upgrading
from bot.outbox.database import connect
from bot.outbox.lease import HEARTBEAT
from bot.planning.planner import Planner
from bot.planning.rules import Channel
from bot.run import Bot, Parts
from bot.sending.tools import SiteLink, Timing
from bot.sending.transport import Transport
from bot.services import Destination
from bot.services.secret import Secret

_URL = "http://127.0.0.1:{}/services/T00000000/B00000000/benchmark"


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def plan_posts(articles: str, state: str, url: str, channels: str) -> int:
    """Put every article into the outbox for each channel, due at once; return how many deliveries."""
    ours = indexer(articles, state)
    database = connect(url)
    upgrading.upgrade(database)
    planner = Planner(database, ours.catalog, _takers(int(channels), 1, 0))
    planner.plan(now())  # with an empty catalog: all that comes later is new
    ours.refresh()
    return len(planner.plan(now()).posts)


def drain(articles: str, state: str, url: str, channels: str, each: str, port: str) -> dict[str, float]:
    """Send the deliveries that are due, `each` of them a channel, and return the seconds and how many."""
    catalog = indexer(articles, state).catalog
    transport = Transport(requests.Session(), user_agent="Newswire benchmark")
    takers = _takers(int(channels), int(each), int(port))
    site = SiteLink(name="Benchmark", url="http://127.0.0.1:8000")
    timing = Timing(clock=now, paced=False)
    parts = Parts(
        database=connect(url),
        catalog=catalog,
        channels=tuple(takers),
        transport=transport,
        site=site,
        timing=timing,
        every=timedelta(minutes=1),
        keep=timedelta(days=180),
    )
    bot = Bot(parts)
    bot.lease.hold()
    began = time.perf_counter()
    bot.sender.drain()
    while not bot.sender.join(5):
        bot.lease.hold()
    seconds = time.perf_counter() - began
    bot.stop()
    return {"seconds": seconds, "sent": _sent(url)}


def bare(port: str, count: str) -> float:
    """Make as many posts with nothing but a requests.Session, and return the seconds."""
    body = json.dumps({"text": "A story", "blocks": [{"type": "section", "text": "x" * 1000}]}).encode()
    session = requests.Session()
    session.trust_env = False
    began = time.perf_counter()
    for _ in range(int(count)):
        answer = session.post(
            _URL.format(port), data=body, headers={"Content-Type": "application/json"}, timeout=(5, 15)
        )
        if answer.content != b"ok":
            raise SystemExit(f"the sink answered {answer.status_code}")
    return time.perf_counter() - began


def syncs(folder: str, count: str) -> float:
    """Write a page and make it durable, again and again; return the seconds for one."""
    path = Path(folder) / "sync"
    with path.open("wb", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(int(count)):
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
        seconds = time.perf_counter() - began
    path.unlink()
    return seconds / int(count)


def plans(articles: str, state: str, url: str, runs: str) -> dict[str, Any]:
    """Time runs that find nothing new, after one that has read everything; memory in bytes.

    `again`: nothing has happened since. `rebuilt`: the catalog was rebuilt, so that all of it is looked at.
    """
    ours = indexer(articles, state)
    ours.refresh()
    database = connect(url)
    upgrading.upgrade(database)
    planner = Planner(database, ours.catalog, _choosers())
    results: dict[str, Any] = {"baselined": sum(planner.plan(now()).baselined.values())}
    results["again"], results["again_memory"] = _timed_runs(planner, int(runs))
    began_with = _peak()
    results["rebuilt"] = []
    for _ in range(int(runs)):
        _rename(ours, articles, state)
        seconds, _ = _timed_runs(planner, 1)
        results["rebuilt"] += seconds
    results["rebuilt_memory"] = _peak() - began_with
    return results


def starts() -> dict[str, Any]:
    """Time the start of a bot by this site's settings, its first run, and runs that find nothing new."""
    from config import load
    from wiring.bot import bot_parts
    from wiring.site import build

    began = time.perf_counter()
    config = load(Path(os.environ["NEWSWIRE_CONFIG"]), os.environ)
    parts = bot_parts(build(config), _with_webhooks(os.environ, config.bot.channels))
    bot = parts.bot()
    results: dict[str, Any] = {"start": time.perf_counter() - began}
    upgrading.upgrade(parts.database)
    parts.refresh()
    with _holding(bot):
        results["first"] = _seconds(bot.check)
        results["later"] = [_seconds(bot.check) for _ in range(10)]
    results["baselined"] = sum(queries.totals(parts.database).values())
    bot.stop()
    return results


@contextmanager
def _holding(bot: Bot) -> Iterator[None]:
    """Renew the lease for a while, as the heartbeat of a bot that runs does."""
    bot.lease.hold()
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(HEARTBEAT.total_seconds()):
            bot.lease.hold()

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _with_webhooks(environ: Mapping[str, str], channels: Iterable[Any]) -> dict[str, str]:
    return {**environ, **{each.webhook_env: f"{_URL.format(1)}-{each.name}" for each in channels}}


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _timed_runs(planner: Planner, runs: int) -> tuple[list[float], int]:
    before, times = _peak(), []
    for _ in range(runs):
        began = time.perf_counter()
        plan = planner.plan(now())
        times.append(time.perf_counter() - began)
        if plan.posts or plan.baselined:
            raise SystemExit("the planner found something new")
    return times, _peak() - before


def _rename(ours: Indexer, articles: str, state: str) -> None:
    """Give the catalog another identity, as a rebuilt one has."""
    catalog = Catalog(Path(state), ours.catalog.topics, source=articles)
    catalog.connection.execute("UPDATE meta SET value = hex(randomblob(8)) WHERE key = 'identity'")
    catalog.close()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _sent(url: str) -> int:
    from sqlalchemy import func, select

    from bot.outbox.schema import deliveries
    from bot.outbox.states import DeliveryState

    with connect(url).read() as connection:
        query = select(func.count()).where(deliveries.c.state == DeliveryState.POSTED)
        return int(connection.scalar(query) or 0)


def _takers(count: int, each: int, port: int) -> list[Channel]:
    """Return channels that take every article."""
    destination = Destination(address=Secret(_URL.format(port)))
    return [
        Channel(
            name=f"channel-{number}",
            kind="slack",
            destination=destination,
            backfill=0,
            max_per_tick=each,
            on_unknown="retry",
        )
        for number in range(count)
    ]


def _choosers() -> list[Channel]:
    """Return ten channels that follow two or three topics each and want some quality."""
    destination = Destination(address=Secret(_URL.format(1)))
    slugs = [topic.lower().replace(" ", "-") for topic in TOPICS]
    return [
        Channel(
            name=f"channel-{number}",
            kind="slack",
            destination=destination,
            topics=frozenset(slugs[number::10]),
            min_quality=60,
            backfill=0,
            max_per_tick=5,
            on_unknown="retry",
        )
        for number in range(10)
    ]


def main(name: str, arguments: Sequence[str]) -> None:
    """Run one of this module's functions and print what it returns as JSON."""
    print(json.dumps(_CALLS[name](*arguments)))


_CALLS: dict[str, Any] = {
    "plan_posts": plan_posts,
    "drain": drain,
    "bare": bare,
    "syncs": syncs,
    "plans": plans,
    "starts": starts,
}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
