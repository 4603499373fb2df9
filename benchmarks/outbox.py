"""The outbox after years: upgrading it from its first revision, and reading its metrics."""

from __future__ import annotations

from statistics import median

from benchmarks import product, report
from benchmarks.bot import created, dropped, postgres
from benchmarks.options import Options
from benchmarks.report import Goal, Table

SCRAPE = 0.02
"""Seconds that a scrape may take."""


def outbox(options: Options) -> Table:
    """Measure an outbox with a million deliveries and a million attempts on both kinds of database."""
    count = 10_000 if options.quick else 1_000_000
    site = product.site("outbox", product.CWD)
    table = Table(
        name="outbox",
        title=f"An outbox of {count:,} deliveries and {count:,} attempts",
        headers=("", "upgrade from revision 0001", "peak memory", "a scrape, median", "fastest–slowest"),
    )
    with postgres(site.home / "postgres") as server:
        sqlite = f"sqlite:///{site.home / 'outbox.db'}"
        dropped(sqlite)
        for name, url in (("SQLite", sqlite), ("PostgreSQL", created(server, "outbox"))):
            product.child(site, "fill", url, str(count), module="outboxchild")
            upgraded = product.child(site, "upgrade", url, module="outboxchild")
            scrapes = product.child(site, "scrapes", url, module="outboxchild")
            usual = median(scrapes)
            cells = (report.seconds(upgraded["seconds"]), report.megabytes(upgraded["memory"]))
            spread = f"{report.seconds(min(scrapes))}–{report.seconds(max(scrapes))}"
            table.rows.append((name, *cells, report.seconds(usual), spread))
            table.goals.append(Goal(f"{name}: a scrape ≤ 20 ms", report.seconds(usual), usual <= SCRAPE))
        dropped(sqlite)
    table.notes = [
        "Twenty channels; seven in ten deliveries are sent, two baselined, the rest in the other states. The "
        "memory is that of the process that upgrades; PostgreSQL's own is bounded by its settings."
    ]
    return table
