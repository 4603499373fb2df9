"""Pages under load: answers a second for the front page and a topic's page, beside nginx."""

from __future__ import annotations

import gzip
import statistics
from contextlib import ExitStack
from pathlib import Path

from benchmarks import peers, product, report, servers
from benchmarks.corpus import SMALL, corpus
from benchmarks.load import KINDS, check_same, measure
from benchmarks.measure import process
from benchmarks.options import Options
from benchmarks.report import Goal, Table
from benchmarks.servers import Server

_PAGES = {"/": "index.html", "/topics/ai": "topics/ai"}
"""The pages, with the files that nginx serves instead."""

_SHARE = 0.45


def pages(options: Options) -> Table:
    """Measure answers a second on 100,000 articles against nginx with the same bytes as static files."""
    files = corpus(SMALL, 5000 if options.quick else 100_000)
    site = product.site("pages", files.folder)
    process(site.export(), cwd=product.CWD, env=site.env)
    table = Table(
        name="pages",
        title=f"Serving pages about {files.count:,} articles, 2 workers, wrk -t2 -c32",
        headers=("", *(f"{kind} a second" for kind in KINDS)),
    )
    try:
        nginx, wrk = peers.debian("nginx-light", "nginx"), peers.debian("wrk")
    except peers.MissingError as error:
        table.notes.append(f"not measured: {error}")
        return table
    with ExitStack() as stack:
        ours = stack.enter_context(servers.newswire(site, workers=2))
        for path, name in _PAGES.items():
            _save(ours, path, site.public / name)
        static = stack.enter_context(servers.nginx(nginx, site.public, workers=2))
        running = {"nginx, static file": static, "Newswire": ours}
        for path in _PAGES:
            check_same(running, path)
            _compare(table, wrk, running, path, options)
    table.notes = [
        "As for one feed above. The pages come from the document cache, like feeds; the first answer after a "
        "change of the articles is rendered."
    ]
    return table


def _save(server: Server, path: str, file: Path) -> None:
    """Write what the server answers to a file, and compressed beside it."""
    server.wait_for(path)
    _, _, body = server.get(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(body, 9, mtime=0))


def _compare(table: Table, wrk: Path, running: dict[str, Server], path: str, options: Options) -> None:
    """Add a row a server, and a goal for each kind of answer."""
    rates: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in KINDS} for name in running}
    for _ in range(options.runs):
        for kind, headers in KINDS.items():
            for name, server in running.items():
                load = measure(wrk, server, path, headers, 1 if options.quick else 3)
                rates[name][kind].append(load.rate)
    medians = {name: {k: statistics.median(v) for k, v in kinds.items()} for name, kinds in rates.items()}
    yard = medians["nginx, static file"]
    for name, median in medians.items():
        cells = [f"{median[kind]:,.0f} ({report.ratio(median[kind] / yard[kind])})" for kind in KINDS]
        table.rows.append((f"{path}: {name}", *cells))
    for kind in KINDS:
        share = medians["Newswire"][kind] / yard[kind]
        goal = f"{path}, {kind}: ≥ {_SHARE}× nginx"
        table.goals.append(Goal(goal, report.ratio(share), share >= _SHARE))
