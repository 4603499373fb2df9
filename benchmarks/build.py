"""Cold build: from nothing to every topic's feed, as a whole process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers, product, report
from benchmarks.corpus import LONG, SMALL, TOPICS, Corpus, corpus
from benchmarks.measure import BenchmarkError, Result, Sample, Subject, interleaved, process
from benchmarks.options import Options
from benchmarks.report import Goal, Table

OURS = "Newswire"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Aim:
    """What is to be reached: shares of the faster Hugo's time and memory, and bytes."""

    time: float
    memory: float | None = None
    bytes: int | None = None


def long(options: Options) -> Table:
    """Measure 5,000 files with long `related` lists."""
    files = corpus(LONG, 500 if options.quick else 5000)
    return _build("build-long", files, _Aim(time=1 / 6, bytes=150_000_000), options)


def small(options: Options) -> Table:
    """Measure 50,000 small files."""
    files = corpus(SMALL, 5000 if options.quick else 50_000)
    return _build("build-small", files, _Aim(time=1 / 2, memory=1 / 5), options)


def site(options: Options) -> Table:
    """Measure 674 small files, as many as one real site has."""
    return _build("build-site", corpus(SMALL, 674), _Aim(time=2), options)


def _build(name: str, files: Corpus, aim: _Aim, options: Options) -> Table:
    programs, missing = peers.available()
    prefix = "Hugo" if options.quick else options.peers
    missing += [
        f"{peer.name} left out: not asked for" for peer in programs if not peer.name.startswith(prefix)
    ]
    programs = [peer for peer in programs if peer.name.startswith(prefix)]
    # Without archives: the same documents as the others write.
    site = product.site(name, files.folder, "  archives: false\n")
    subjects = {
        OURS: Subject(measure=lambda: _ours(site, site.export())),
        f"{OURS}, by Flask": Subject(measure=lambda: _ours(site, site.flask_export())),
    }
    for peer in programs:
        is_hugo = peer.name.startswith("Hugo")
        subjects[peer.name] = Subject(measure=lambda peer=peer: peer.build(files), patient=is_hugo)  # type: ignore[misc]
    results = interleaved(subjects, options.runs, missing)
    hugos = [name for name in results if name.startswith("Hugo")]
    fastest = min(hugos, key=lambda name: results[name].seconds, default=None)
    table = Table(
        name=name,
        title=f"Cold build, {files.description}",
        headers=("", "wall, median", "fastest–slowest", "runs", "peak memory", f"against {fastest}"),
    )
    against = results[fastest] if fastest else None
    table.rows = [_row(program, result, against) for program, result in results.items()]
    table.notes = [
        f"Whole processes, interleaved. {OURS}: `python -m wiring.export` (by Flask: `flask feeds export`) "
        f"from an empty state folder to RSS, Atom and JSON Feed documents for {len(TOPICS)} topics and for "
        "all together; the others: one RSS document a topic. 50 entries each. Files in the page cache. "
        "Memory: the highest of what the process and its children hold.",
        *missing,
    ]
    if against:
        table.goals = list(_goals(aim, results[OURS], against, fastest or ""))
    return table


def _ours(site: product.MeasuredSite, command: Sequence[str | Path]) -> Sample:
    site.forget()
    sample = process(command, cwd=product.CWD, env=site.env)
    count = len(list((site.public / "feeds").iterdir()))
    if count < 3 * len(TOPICS):
        raise BenchmarkError(f"the export wrote {count} documents")
    return sample


def _row(program: str, result: Result, against: Result | None) -> tuple[str, ...]:
    return (
        program,
        report.seconds(result.seconds),
        f"{report.seconds(result.fastest)}–{report.seconds(result.slowest)}",
        str(len(result.samples)),
        report.megabytes(result.peak),
        report.ratio(result.seconds / against.seconds) if against else "",
    )


def _goals(aim: _Aim, ours: Result, hugo: Result, name: str) -> list[Goal]:
    share = ours.seconds / hugo.seconds
    goals = [Goal(f"≤ {aim.time:.3g}× {name}'s wall time", report.ratio(share), share <= aim.time)]
    if aim.memory:
        share = ours.peak / hugo.peak
        goals.append(Goal(f"≤ {aim.memory:.3g}× {name}'s memory", report.ratio(share), share <= aim.memory))
    if aim.bytes:
        measured = report.megabytes(ours.peak)
        goals.append(Goal(f"≤ {report.megabytes(aim.bytes)}", measured, ours.peak <= aim.bytes))
    return goals
