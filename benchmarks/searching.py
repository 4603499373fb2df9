"""Filters and searches: how long the choice of articles takes in a warm process, by words rare and common."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median, quantiles

from articles.catalog.search import MAX_RESULTS
from benchmarks import product, report
from benchmarks.corpus import SMALL, corpus
from benchmarks.measure import process
from benchmarks.options import Options
from benchmarks.report import Goal, Table

_FILTER_SECONDS = 0.020
_SEARCH_SECONDS = 0.050


def searching(options: Options) -> Table:
    """Measure filtered feeds and searches over 100,000 articles."""
    files = corpus(SMALL, 5000 if options.quick else 100_000)
    site = product.site("searching", files.folder)
    process(site.export(), cwd=product.CWD, env=site.env)
    measured = product.child(site, "searches", str(10 * options.runs))
    table = Table(
        name="searching",
        title=f"Filters and searches over {files.count:,} articles",
        headers=("", "found", "median", "95 of 100 within"),
    )
    table.rows = [
        (query, f"{count:,}", report.seconds(median(times)), report.seconds(_p95(times)))
        for query, count, times in measured["filters"] + measured["searches"]
    ]
    slowest = {kind: max(_p95(times) for _, _, times in measured[kind]) for kind in ("filters", "searches")}
    for kind, most in (("filters", _FILTER_SECONDS), ("searches", _SEARCH_SECONDS)):
        text = f"each of the {kind}: 95 of 100 within {report.seconds(most)}"
        table.goals.append(Goal(text, report.seconds(slowest[kind]), slowest[kind] <= most))
    table.notes = [
        "Processor time in one process, with the index up to date: from the parsed filter to the newest 50 "
        "articles, and from the query to the best 20. Filters look at the whole history; searches at the "
        f"newest {MAX_RESULTS:,} matches, and as many that match in their titles. Making the index "
        f"took {report.seconds(measured['update'])}: the first query after a change begins it. It has "
        f"{measured['megabytes']:.0f} MB.",
    ]
    return table


def _p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20, method="inclusive")[-1]
