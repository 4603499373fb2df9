"""Posts with bodies: how long a check and full-text feeds take, beside Hugo's build of the same posts."""

from __future__ import annotations

from benchmarks import peers, product, report
from benchmarks.corpus import POSTS, TOPICS, corpus
from benchmarks.measure import BenchmarkError, Result, Sample, Subject, interleaved, process
from benchmarks.options import Options
from benchmarks.report import Goal, Table

_EXPORT, _AGAIN, _CHECK = "Newswire, export", "… again, nothing changed", "Newswire, `flask articles check`"
_SLOWER = 2.0
"""How many times Hugo's time the export may take."""
_CHECK_SECONDS = 1.5
_FEEDS = "  size: 200\n  content: full\n  archives: false\n"


def posts(options: Options) -> Table:
    """Measure 2,000 posts with bodies."""
    files = corpus(POSTS, 200 if options.quick else 2000)
    programs, missing = peers.full_text()
    site = product.site("posts", files.folder, feeds=_FEEDS)

    def export(*, fresh: bool) -> Sample:
        if fresh:
            site.forget()
        sample = process(site.export(), cwd=product.CWD, env=site.env)
        count = len(list((site.public / "feeds").iterdir()))
        if count < 3 * len(TOPICS):
            raise BenchmarkError(f"the export wrote {count} documents")
        return sample

    def check() -> Sample:
        site.forget()
        return process(site.flask("articles", "check"), cwd=product.CWD, env=site.env)

    subjects = {
        _CHECK: Subject(measure=check),
        _EXPORT: Subject(measure=lambda: export(fresh=True)),
        _AGAIN: Subject(measure=lambda: export(fresh=False)),
    } | {peer.name: Subject(measure=lambda peer=peer: peer.build(files)) for peer in programs}  # type: ignore[misc]
    results = interleaved(subjects, options.runs, missing)
    hugos = [peer.name for peer in programs if peer.name in results]
    return _table(files.description, results, hugos, missing)


def _table(description: str, results: dict[str, Result], hugos: list[str], missing: list[str]) -> Table:
    fastest = min(hugos, key=lambda name: results[name].seconds, default=None)
    against = results[fastest].seconds if fastest else None
    table = Table(
        name="posts",
        title=f"Posts with bodies, {description}",
        headers=("", "wall, median", "fastest–slowest", "peak memory", f"against {fastest}"),
    )
    table.rows = [
        (
            name,
            report.seconds(result.seconds),
            f"{report.seconds(result.fastest)}–{report.seconds(result.slowest)}",
            report.megabytes(result.peak),
            report.ratio(result.seconds / against) if against else "",
        )
        for name, result in results.items()
    ]
    checked = results[_CHECK].seconds
    table.goals = [Goal(f"check: ≤ {_CHECK_SECONDS} s", report.seconds(checked), checked <= _CHECK_SECONDS)]
    if against:
        share = results[_EXPORT].seconds / against
        table.goals.append(Goal(f"export: ≤ {_SLOWER:g}× {fastest}", report.ratio(share), share <= _SLOWER))
    table.notes = [
        "Whole processes, interleaved; full text, 200 entries a feed, so that each post is in one or two of "
        f"{len(TOPICS)} feeds. Newswire: `python -m wiring.export` from an empty state folder to RSS, Atom "
        "and JSON Feed, sanitised, for each topic and for all; Hugo: RSS for each topic and for all, as "
        "Goldmark leaves it.",
        *missing,
    ]
    return table
