"""Load on servers that give the same documents: wrk's answers a second, and how late the late ones are."""

from __future__ import annotations

import gzip
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import BenchmarkError
from benchmarks.servers import Server

KINDS: Mapping[str, Mapping[str, str]] = {
    "200": {},
    "gzip": {"Accept-Encoding": "gzip"},
    "304": {"If-None-Match": "*"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What wrk counted: answers a second, and the latency in seconds that 99 of 100 do not exceed."""

    rate: float
    p99: float


def measure(wrk: Path, server: Server, path: str, headers: Mapping[str, str], seconds: int) -> Load:
    """Return what wrk counts in so many seconds; "*" as If-None-Match stands for the document's entity tag.

    Raises BenchmarkError unless every answer was good.
    """
    by_name = dict(headers)
    if "If-None-Match" in by_name:
        _, answered, _ = server.get(path)
        by_name["If-None-Match"] = answered["etag"]
    options = [part for name, value in by_name.items() for part in ("-H", f"{name}: {value}")]
    command: list[str | Path] = [wrk, "-t2", "-c32", f"-d{seconds}s", "--latency", *options]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{server.port}{path}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise BenchmarkError(f"not every answer was good:\n{done.stdout}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout)
    if not rate or not p99:
        raise BenchmarkError(f"wrk said nothing that is understood:\n{done.stdout}")
    return Load(rate=float(rate[1]), p99=float(p99[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[p99[2]])


def check_same(running: Mapping[str, Server], path: str) -> None:
    """Make sure that all give the same bytes, plain and compressed, and 304 where they should.

    Raises BenchmarkError where one does not.
    """
    bodies = set()
    for server in running.values():
        server.wait_for(path)
        status, answered, body = server.get(path)
        packed_status, packed, compressed = server.get(path, {"Accept-Encoding": "gzip"})
        if (status, packed_status) != (200, 200) or packed.get("content-encoding") != "gzip":
            raise BenchmarkError(f"port {server.port} answered {status}, {packed_status} {packed}")
        if gzip.decompress(compressed) != body:
            raise BenchmarkError(f"port {server.port} compresses something else")
        unchanged, _, _ = server.get(path, {"If-None-Match": answered["etag"]})
        if unchanged != 304:
            raise BenchmarkError(f"port {server.port} answered {unchanged} and not 304")
        bodies.add(body)
    if len(bodies) != 1:
        raise BenchmarkError(f"the servers do not serve the same {path}")
