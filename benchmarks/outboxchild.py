"""A large outbox, in a process of its own: `python -m benchmarks.outboxchild NAME …`."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from bot.operator.metrics import outbox_metrics
from bot.outbox import schema, upgrading
from bot.outbox.database import Database, connect

SCRAPES = 20

_STATE = """
CASE WHEN i % 100 < 70 THEN 'sent' WHEN i % 100 < 90 THEN 'baselined' WHEN i % 100 < 95 THEN 'skipped'
    WHEN i % 100 < 97 THEN 'dead' WHEN i % 100 < 98 THEN 'held' WHEN i % 100 < 99 THEN 'planned'
    ELSE 'retry' END
"""
_REASON = """
CASE WHEN i % 100 < 70 THEN '' WHEN i % 100 < 90 THEN 'baselined'
    WHEN i % 100 < 95 THEN 'same story already posted: news/2026/number-' || i
    WHEN i % 100 < 97 THEN 'HTTP 400: invalid_blocks' WHEN i % 100 < 98 THEN 'answer lost: it broke'
    WHEN i % 100 < 99 THEN '' ELSE 'HTTP 503' END
"""
_NUMBERS = "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {})"
_SERIES = "WITH numbers AS (SELECT * FROM generate_series(1, {}) AS i)"
_DELIVERIES = f"""
INSERT INTO deliveries (id, article_id, channel, story, title, published_at, state, reason, created_at,
    updated_at, due_at, attempts, posted_at, message_id, fingerprint)
SELECT i, 'news/2026/an-article-number-' || i, 'channel-' || i % 20,
    'example.com/2026/01/the-address-of-article-' || i, 'The title of an article about something ' || i,
    {{began}}, {_STATE}, {_REASON}, {{began}}, {{began}},
    CASE WHEN i % 100 >= 98 THEN {{began}} END, CASE WHEN i % 100 < 70 THEN 2 ELSE 0 END,
    CASE WHEN i % 100 < 70 THEN {{began}} END, CASE WHEN i % 100 < 70 THEN '14' || i END,
    CASE WHEN i % 100 < 70 THEN '0123456789abcdef0123456789abcdef' END
FROM numbers
"""
_ATTEMPTS = """
INSERT INTO attempts (id, delivery_id, channel, kind, number, started_at, finished_at, outcome, status,
    reason)
SELECT i, CASE WHEN i % 1000 > 0 THEN i - i % 100 + 1 + i % 69 END, 'channel-' || i % 20,
    CASE WHEN i % 1000 > 0 THEN 'post' ELSE 'test' END, 1, {began}, {ended},
    CASE WHEN i % 10 < 9 THEN 'sent' ELSE 'unknown' END, 200, ''
FROM numbers
"""


def fill(url: str, count: str) -> int:
    """Make an outbox of revision 0001 with `count` deliveries and attempts, and return that."""
    database = connect(url)
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    with database.write(limited=False) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    began, ended = (_moment(database, fraction) for fraction in ("000", "200"))
    with database.write(limited=False) as connection:
        numbers = _NUMBERS if database.is_sqlite else _SERIES
        for statement in (_DELIVERIES, _ATTEMPTS):
            sql = statement.format(began=began, ended=ended).strip()
            connection.execute(text(f"{numbers.format(count)} {sql}"))
    database.close()
    return int(count)


def _moment(database: Database, milliseconds: str) -> str:
    """Return the SQL for a time that grows with `i`."""
    if database.is_sqlite:
        return f"strftime('%Y-%m-%d %H:%M:%S.{milliseconds}000', 1767268800 + i * 10, 'unixepoch')"
    return f"timestamptz '2026-01-01 12:00:00.{milliseconds}+00' + i * interval '10 seconds'"


def upgrade(url: str) -> dict[str, float]:
    """Upgrade an outbox and return the seconds, and the bytes that this process had at most."""
    database = connect(url)
    began = time.perf_counter()
    upgrading.upgrade(database)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def scrapes(url: str) -> list[float]:
    """Return the seconds that each of some scrapes of the metrics took."""
    database = connect(url)
    seconds = []
    for _ in range(SCRAPES):
        began = time.perf_counter()
        metrics = list(outbox_metrics(database, datetime.now(UTC)))
        seconds.append(time.perf_counter() - began)
        if len(metrics) == 1:
            raise RuntimeError("the outbox cannot be read")
    return seconds


def main(name: str, arguments: Sequence[str]) -> None:
    """Run one of this module's functions and print what it returns as JSON."""
    print(json.dumps(_CALLS[name](*arguments)))


_CALLS: dict[str, Callable[..., object]] = {"fill": fill, "upgrade": upgrade, "scrapes": scrapes}

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
