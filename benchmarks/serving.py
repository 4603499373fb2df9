"""Serving: how soon a worker answers, what it holds in memory, and how many answers it gives a second."""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Mapping

from benchmarks import peers, product, report, servers
from benchmarks.corpus import SMALL, TOPICS, corpus
from benchmarks.load import KINDS, Load, check_same, measure
from benchmarks.measure import (
    Result,
    Sample,
    Subject,
    children,
    interleaved,
    process,
    resident,
)
from benchmarks.options import Options
from benchmarks.report import Goal, Table
from benchmarks.servers import Server

FEED = "/feeds/all.rss"
PLAIN = ("benchmarks.applications:one_route",)
FLASK = ("benchmarks.applications:without_short_way",)


def start(options: Options) -> Table:
    """Measure the start of a worker on a warm catalog of 100,000 articles."""
    files = corpus(SMALL, 5000 if options.quick else 100_000)
    site = product.site("start", files.folder)
    process(site.export(), cwd=product.CWD, env=site.env)
    after: list[int] = []

    def ours() -> Sample:
        with servers.starting(site, workers=1) as server:
            seconds = _until_first(server, FEED)
            worker = _worker(server.pid)
            peak = resident(worker)
            _ask_for_everything(server)
            after.append(resident(worker))
            return Sample(seconds=seconds, peak=peak)

    def plain() -> Sample:
        with servers.starting(site, workers=1, more=PLAIN) as server:
            seconds = _until_first(server, "/")
            return Sample(seconds=seconds, peak=resident(_worker(server.pid)))

    results = interleaved({"ours": Subject(measure=ours), "plain": Subject(measure=plain)}, options.runs)
    return _start_table(files.count, results, statistics.median(after))


def _start_table(articles: int, results: Mapping[str, Result], after: float) -> Table:
    table = Table(
        name="start",
        title=f"Start of a web worker, warm catalog of {articles:,} articles",
        headers=("", "until the first answer", "fastest–slowest", "resident then", "after every feed"),
    )
    for name, label, last in (("ours", "Newswire", after), ("plain", "Flask with one route, same server", 0)):
        result = results[name]
        spread = f"{report.seconds(result.fastest)}–{report.seconds(result.slowest)}"
        table.rows.append(
            (
                label,
                report.seconds(result.seconds),
                spread,
                report.megabytes(result.peak),
                report.megabytes(last),
            )
        )
    ours = results["ours"]
    table.goals = [
        Goal("≤ 1.5 s until the first feed", report.seconds(ours.seconds), ours.seconds <= 1.5),
        Goal("≤ 100 MB resident a worker then", report.megabytes(ours.peak), ours.peak <= 100e6),
    ]
    table.notes = [
        "From the start of the server's process, by the Procfile's command line with one worker, to the "
        f"first answer; then every topic's feed in three formats and four codings is asked for. {_WORKER}"
    ]
    return table


_WORKER = "Resident: the worker's own process, without the server's parent process."


def serving(options: Options) -> Table:
    """Measure answers a second against nginx with the same bytes as static files."""
    files = corpus(SMALL, 674)
    site = product.site("serving", files.folder)
    process(site.export(), cwd=product.CWD, env=site.env)
    table = Table(
        name="serving",
        title="Serving one feed of 50 entries, 2 workers, wrk -t2 -c32",
        headers=("", *(f"{kind} a second" for kind in KINDS), *(f"{kind} p99" for kind in KINDS)),
    )
    try:
        nginx, wrk = peers.debian("nginx-light", "nginx"), peers.debian("wrk")
    except peers.MissingError as error:
        table.notes.append(f"not measured: {error}")
        return table
    feed = site.public / FEED.lstrip("/")
    feed.with_suffix(".rss.gz").write_bytes(gzip.compress(feed.read_bytes(), 9, mtime=0))
    loads: dict[str, dict[str, list[Load]]] = {}
    with (
        servers.nginx(nginx, site.public, workers=2) as static,
        servers.newswire(site, workers=2) as ours,
        servers.newswire(site, workers=2, threads=1) as single,
        servers.newswire(site, workers=2, more=FLASK) as flask,
    ):
        running = {
            "nginx, static file": static,
            "Newswire": ours,
            "Newswire, WEB_THREADS=1": single,
            "Newswire without its short way": flask,
        }
        check_same(running, FEED)
        for _ in range(options.runs):
            for kind, headers in KINDS.items():
                for name, server in running.items():
                    load = measure(wrk, server, FEED, headers, 1 if options.quick else 3)
                    loads.setdefault(name, {}).setdefault(kind, []).append(load)
    _fill(table, loads)
    return table


def _fill(table: Table, measured: dict[str, dict[str, list[Load]]]) -> None:
    rates = {
        name: {kind: statistics.median(load.rate for load in loads) for kind, loads in kinds.items()}
        for name, kinds in measured.items()
    }
    late = {
        name: {kind: statistics.median(load.p99 for load in loads) for kind, loads in kinds.items()}
        for name, kinds in measured.items()
    }
    nginx = "nginx, static file"
    for name in measured:
        per_second = [
            f"{rates[name][kind]:,.0f} ({report.ratio(rates[name][kind] / rates[nginx][kind])})"
            for kind in KINDS
        ]
        p99 = [report.seconds(late[name][kind]) for kind in KINDS]
        table.rows.append((name, *per_second, *p99))
    for kind in KINDS:
        share = rates["Newswire"][kind] / rates[nginx][kind]
        table.goals.append(Goal(f"{kind}: ≥ 0.45× nginx", report.ratio(share), share >= 0.45))
    for kind in KINDS:
        share = late["Newswire"][kind] / late[nginx][kind]
        table.goals.append(Goal(f"{kind}: p99 ≤ 3× nginx's", report.ratio(share), share <= 3))
    table.notes = [
        "wrk runs on the same cores as the servers. All serve the same bytes; nginx with sendfile and "
        "gzip_static, 2 workers, no access log; gzip at level 9. 304: with the feed's own entity tag. "
        "Newswire's workers are under SCHED_BATCH, as they always are on Linux; nginx is as it starts."
    ]


def _until_first(server: Server, path: str) -> float:
    server.wait_for(path, timeout=120)
    return time.perf_counter() - server.started


def _ask_for_everything(server: Server) -> None:
    for topic in TOPICS:
        for extension in ("rss", "atom", "json"):
            for coding in ("identity", "gzip", "br", "zstd"):
                slug = topic.lower().replace(" ", "-")
                server.get(f"/feeds/{slug}.{extension}", {"Accept-Encoding": coding})


def _worker(pid: int) -> int:
    """Return the process that does the work: the one among the server's children that holds most."""
    return max(children(pid) or [pid], key=resident)
