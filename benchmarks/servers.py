"""Programs that answer on a port of this machine, started for a benchmark and ended after it."""

from __future__ import annotations

import http.client
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers, product
from benchmarks.corpus import ROOT, VAR, Corpus
from benchmarks.measure import BenchmarkError
from benchmarks.product import MeasuredSite
from serve import options

_EVERY = 0.005


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `started` is when its process was, by time.perf_counter()."""

    port: int
    pid: int
    started: float

    def get(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers (lower-case names) and body; raises OSError while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def wait_for(self, path: str, text: bytes = b"", *, timeout: float = 60) -> float:
        """Ask until an answer is 200 and holds `text`; return the seconds that took."""
        began = time.perf_counter()
        while time.perf_counter() - began < timeout:
            with suppress(OSError):
                status, _, body = self.get(path)
                if status == 200 and text in body:
                    return time.perf_counter() - began
            time.sleep(_EVERY)
        raise BenchmarkError(f"port {self.port} did not answer {path} with {text!r} within {timeout:.0f} s")

    def settle(self) -> None:
        """Give a watcher the time to be done with what came before."""
        time.sleep(1.5)


@contextmanager
def running(
    command: Sequence[str | Path], port: int, *, cwd: Path, env: Mapping[str, str]
) -> Iterator[Server]:
    """Run a server in a process group of its own, and end all of it afterwards.

    Raises BenchmarkError with what it said if it ends by itself before.
    """
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield Server(port, process.pid, began)
        except BenchmarkError as error:
            output.seek(0)
            tail = output.read().decode(errors="replace")[-2000:]
            raise BenchmarkError(f"{error}\n{tail}") from None
        finally:
            _end(process)


@contextmanager
def newswire(
    site: MeasuredSite, *, workers: int, threads: int = 4, more: Sequence[str] = ()
) -> Iterator[Server]:
    """Run the site by the Procfile's own command line and wait until it answers; its state stays as it is."""
    with starting(site, workers=workers, threads=threads, more=more) as server:
        server.wait_for("/feeds/all.rss", timeout=120)
        yield server


@contextmanager
def starting(
    site: MeasuredSite, *, workers: int, threads: int = 4, more: Sequence[str] = ()
) -> Iterator[Server]:
    """Run the site by the Procfile's own command line; do not wait. `more` replaces the application."""
    port = free_port()
    (line,) = [line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("web:")]
    path = f"{Path(sys.executable).parent}:{site.env.get('PATH', '')}"
    env = site.env | {"PATH": path, "HOST": "127.0.0.1", "PORT": str(port)}
    env |= {"WEB_CONCURRENCY": str(workers), "WEB_THREADS": str(threads)}
    command = shlex.join(["granian", *options(env), *more]) if more else line.removeprefix("web:").strip()
    with running(["sh", "-c", f"exec {command}"], port, cwd=product.CWD, env=env) as server:
        yield server


@contextmanager
def hugo(peer: peers.Peer, corpus: Corpus) -> Iterator[Server]:
    """Run `hugo server` over a corpus, watching it, until it answers."""
    port = free_port()
    folder = peer.site(corpus)
    # It does not watch what a symbolic link leads to.
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("contentDir: articles", f"contentDir: {corpus.folder}"))
    for name in ("articles", "_articles"):
        (folder / name).unlink()
    command = [*peer.command, "server", "--port", str(port), "--bind", "127.0.0.1", "--disableLiveReload"]
    command.append("--disableFastRender")  # which would leave the feeds of a changed article as they were
    env = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    with running(command, port, cwd=folder, env=env) as server:
        server.wait_for("/index.xml", timeout=300)
        yield server


@contextmanager
def nginx(program: Path, folder: Path, *, workers: int) -> Iterator[Server]:
    """Run nginx over a folder of static files, some of which lie beside themselves compressed (`.gz`)."""
    port = free_port()
    home = VAR / "nginx"
    home.mkdir(parents=True, exist_ok=True)
    config = home / "nginx.conf"
    config.write_text(_NGINX.format(workers=workers, home=home, port=port, folder=folder))
    env = {"PATH": os.environ["PATH"]}
    with running([program, "-p", str(home), "-c", str(config)], port, cwd=home, env=env) as server:
        yield server


_NGINX = """\
daemon off;
worker_processes {workers};
pid {home}/nginx.pid;
error_log {home}/error.log crit;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    types {{ application/rss+xml rss; }}
    client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        root {folder};
        gzip_static on;
    }}
}}
"""


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server that was started here, and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
