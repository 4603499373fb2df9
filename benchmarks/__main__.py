"""`python -m benchmarks [NAME …]`: measures and prints tables, with --write into docs/performance.md too."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import bot, build, machine, outbox, pageload, posts, refresh, report, searching, serving
from benchmarks.corpus import ROOT
from benchmarks.options import Options
from benchmarks.report import Table

BENCHMARKS: dict[str, Callable[[Options], Table]] = {
    "build-long": build.long,
    "build-small": build.small,
    "build-site": build.site,
    "posts": posts.posts,
    "refresh": refresh.unchanged,
    "change": refresh.changed,
    "start": serving.start,
    "serving": serving.serving,
    "pages": pageload.pages,
    "searching": searching.searching,
    "delivery": bot.delivery,
    "planning": bot.planning,
    "channels": bot.channels,
    "outbox": outbox.outbox,
}
DOCUMENT = ROOT / "docs" / "performance.md"


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for and return the exit status: 1 when a goal was not reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"one of {', '.join(BENCHMARKS)}; all, unless given")
    parser.add_argument("--runs", type=int, default=5, help="how often each program is run (default: 5)")
    parser.add_argument(
        "--peers", default="", help="measure builds only beside programs whose name begins so"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to try a benchmark out")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {DOCUMENT.name}")
    parsed = parser.parse_args(arguments)
    unknown = [name for name in parsed.name if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; known: {', '.join(BENCHMARKS)}")
    if parsed.quick and parsed.write:
        parser.error("--quick measures nothing that is worth writing down")
    print(f"{machine.shape()}; {machine.load()}\n{machine.versions()}")
    options = Options(runs=parsed.runs, peers=parsed.peers, quick=parsed.quick)
    reached = [_run(name, options, DOCUMENT if parsed.write else None) for name in parsed.name or BENCHMARKS]
    return 0 if all(reached) else 1


def _run(name: str, options: Options, document: Path | None) -> bool:
    table = BENCHMARKS[name](options)
    print(table.text(), flush=True)
    if document:
        report.write(document, table)
    return all(goal.reached for goal in table.goals)


if __name__ == "__main__":
    sys.exit(main())
