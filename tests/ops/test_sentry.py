"""What is sent to Sentry, as seen by a server that replaces it."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import brotli
import pytest

from ops import sentry
from ops.errors import SettingError
from tests.waiting import WAIT_SECONDS

ROOT = Path(__file__).parents[2]
SLACK = "https://hooks.slack.com/services/T0000/B0000/XXXXXXXXXXXXXXXX"
DECODERS: dict[str | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
}
SCRIPT = f"""
import logging, os, sys
from ops import sentry
assert sentry.start(os.environ, secrets=["s3cret-value"])
log = logging.getLogger("some.part")
log.info("a crumb with {SLACK}")
def fail():
    local = "a-local-value"
    raise ValueError("no answer from {SLACK} with s3cret-value")
try:
    fail()
except ValueError:
    log.exception("It failed")
import sentry_sdk
sentry_sdk.flush(10)
"""


@pytest.fixture
def received() -> Iterator[tuple[str, list[str]]]:
    bodies: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            bodies.append(DECODERS[self.headers.get("Content-Encoding")](body).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://publickey@127.0.0.1:{server.server_address[1]}/1", bodies
    server.shutdown()
    server.server_close()
    thread.join(WAIT_SECONDS)


def test_an_error_arrives_without_secrets(received: tuple[str, list[str]]) -> None:
    """The error and its traceback arrive without webhooks, known secrets and local variables."""
    dsn, bodies = received
    environ = os.environ | {"SENTRY_DSN": dsn}
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, env=environ, check=True, timeout=WAIT_SECONDS)
    sent = "".join(bodies)
    assert "It failed" in sent
    assert "ValueError" in sent
    for secret in ("XXXXXXXXXXXXXXXX", "s3cret-value", "a-local-value"):
        assert secret not in sent, secret


def test_without_a_dsn_nothing_is_loaded() -> None:
    """The library uses memory only where it is needed."""
    script = (
        "import sys; from ops import sentry\n"
        "assert not sentry.start({}); assert 'sentry_sdk' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=WAIT_SECONDS)


def test_a_dsn_that_is_none() -> None:
    """The message names the variable without its value, which may be a secret."""
    with pytest.raises(SettingError, match="SENTRY_DSN") as caught:
        sentry.start({"SENTRY_DSN": "hush-hush"})
    assert "hush" not in str(caught.value)
