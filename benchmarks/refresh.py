"""Refresh: when nothing has changed, and when one file has."""

from __future__ import annotations

import shutil
from pathlib import Path

from articles.topics import slugify
from benchmarks import peers, product, report, servers
from benchmarks.child import retitled
from benchmarks.corpus import SMALL, Corpus, article_path, article_text, corpus, newest
from benchmarks.measure import BenchmarkError, Result, Sample, Subject, interleaved, process
from benchmarks.options import Options
from benchmarks.report import Goal, Table


def unchanged(options: Options) -> Table:
    """Measure a refresh of 50,000 files of which none has changed."""
    files = corpus(SMALL, 5000 if options.quick else 50_000)
    site = product.site("refresh", files.folder, "  archives: false\n")
    state = site.home / "bare"
    state.mkdir(exist_ok=True)
    process(site.export(), cwd=product.CWD, env=site.env)
    inside = product.child(site, "refreshes", str(files.folder), str(state), str(options.runs))

    def child(*arguments: str) -> Subject:
        command = product.child_command(*arguments)
        return Subject(measure=lambda: process(command, cwd=product.CWD, env=site.env))

    results = {name: Result(tuple(Sample(seconds=each) for each in times)) for name, times in inside.items()}
    results |= interleaved(
        {
            "floor process": child("floor", str(files.folder)),
            "refresh process": child("refresh", str(files.folder), str(state)),
            "export process": Subject(measure=lambda: process(site.export(), cwd=product.CWD, env=site.env)),
            "python": child("nothing"),
        },
        options.runs,
    )
    shutil.rmtree(state)
    table = Table(
        name="refresh",
        title=f"Refresh with nothing changed, {files.description}",
        headers=("", "median", "fastest–slowest", "peak memory", "against the floor"),
    )
    for name, (label, floor) in _UNCHANGED.items():
        table.rows.append(_row(label, results[name], results[floor] if floor else None))
    for label, name, floor in (
        ("in a running process", "refresh", "floor"),
        ("as a whole process", "refresh process", "floor process"),
    ):
        share = results[name].seconds / results[floor].seconds
        table.goals.append(Goal(f"≤ 1.5× the floor, {label}", report.ratio(share), share <= 1.5))
    table.notes = [_UNCHANGED_NOTE]
    return table


_UNCHANGED_NOTE = (
    "The floor: os.scandir and stat of every file, in Python. The refresh alone: catalog, folder and "
    "indexer, without settings, Flask and feeds. The export has no archives. Interleaved."
)
_UNCHANGED = {
    "floor": ("scandir + stat, in a running process", "floor"),
    "refresh": ("Newswire's refresh, in a running process", "floor"),
    "floor process": ("scandir + stat, whole process", "floor process"),
    "refresh process": ("Newswire's refresh alone, whole process", "floor process"),
    "export process": ("`flask feeds export`, nothing to write", "floor process"),
    "python": ("an empty Python process", None),
}


def changed(options: Options) -> Table:
    """Measure one changed file of 5,000, 50,000 and 100,000."""
    counts = (500, 5000) if options.quick else (5000, 50_000, 100_000)
    table = Table(
        name="change",
        title="One changed file",
        headers=("", *(f"of {count:,}" for count in counts), "against hugo server"),
    )
    corpora = [corpus(SMALL, count) for count in counts]
    rows: dict[str, list[Result | None]] = {"rss": [], "all": [], "server": [], "hugo": []}
    for files in corpora:
        for name, result in _changes(files, options).items():
            rows[name].append(result)
    hugo = [result.seconds if result else None for result in rows["hugo"]]
    compared = hugo[1] if len(hugo) > 1 else None
    for name, label in _CHANGED.items():
        results = rows[name]
        cells = [report.seconds(result.seconds) if result else "–" for result in results]
        middle = results[1]
        against = report.ratio(middle.seconds / compared) if compared and middle else ""
        table.rows.append((label, *cells, against))
    inside = [result for result in rows["rss"] if result]
    worst = max(result.seconds for result in inside)
    least = [result.fastest for result in inside]
    spread = max(least) / min(least)
    table.goals = [
        Goal("change seen to new document: ≤ 50 ms at every size", report.seconds(worst), worst <= 0.05),
        Goal("independent of the size: fastest runs differ by ≤ 1.5×", report.ratio(spread), spread <= 1.5),
    ]
    table.notes = [
        "Files of 1.4 KB; the changed one is the newest. From the call that a file event makes to the bytes "
        "of the topic's RSS and its gzip; and, for what a person waits, from writing the file to the feed "
        f"being answered by the running program. Compared at {counts[1]:,} files. `hugo server` is not "
        "measured beyond 50,000.",
    ]
    return table


_CHANGED = {
    "rss": "change seen → RSS of its topic, with gzip",
    "all": "… → RSS, Atom and JSON of its topic and of all, with gzip",
    "server": "file written → answered by Newswire, watching",
    "hugo": "file written → answered by `hugo server`",
}


def _changes(files: Corpus, options: Options) -> dict[str, Result | None]:
    site = product.site("change", files.folder)
    number = newest(SMALL, files.count)
    path = article_path(SMALL, number)
    slug = _slug(article_text(SMALL, number))
    arguments = (str(files.folder), path, slug, str(max(options.runs, 5) * 2))
    inside = product.child(site, "changes", *arguments)
    results: dict[str, Result | None] = {
        name: Result(tuple(Sample(seconds=each) for each in times)) for name, times in inside.items()
    }
    with servers.newswire(site, workers=1) as ours:
        results["server"] = _answered(ours, f"/feeds/{slug}.rss", files.folder / path, options)
    results["hugo"] = None
    if files.count <= 50_000:
        try:
            hugo = peers.hugo()
        except peers.MissingError:
            return results
        with servers.hugo(hugo, files) as theirs:
            results["hugo"] = _answered(theirs, f"/topics/{slug}/index.xml", files.folder / path, options)
    return results


def _answered(server: servers.Server, address: str, file: Path, options: Options) -> Result:
    before = file.read_text(encoding="utf-8")
    samples = []
    try:
        for number in range(options.runs):
            title = f"Seen for the {number}th time"
            server.settle()
            file.write_text(retitled(before, title), encoding="utf-8")
            samples.append(Sample(seconds=server.wait_for(address, title.encode(), timeout=60)))
    finally:
        file.write_text(before, encoding="utf-8")
    return Result(tuple(samples))


def _slug(text: str) -> str:
    _, _, rest = text.partition("topics:\n  - ")
    name, _, _ = rest.partition("\n")
    if not name:
        raise BenchmarkError("the article has no topic")
    return slugify(name)


def _row(label: str, result: Result, floor: Result | None) -> tuple[str, ...]:
    return (
        label,
        report.seconds(result.seconds),
        f"{report.seconds(result.fastest)}–{report.seconds(result.slowest)}",
        report.megabytes(result.peak),
        report.ratio(result.seconds / floor.seconds) if floor else "",
    )
