"""The check of the port before `make serve` starts anything."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import serve
from ops.port import port_fault
from tests.ports import free_port
from tests.waiting import WAIT_SECONDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_in_use_is_one_line_with_what_to_do(shared: bool) -> None:
    """The line is printed even where the other program, such as another Newswire, shares its port."""
    with socket.socket() as other:
        if shared:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-m", "ops.port"],
            cwd=ROOT,
            env={**os.environ, "HOST": "127.0.0.1", "PORT": port},
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith(
        f"port {port} is in use: stop the program that listens there, or use another"
    )


@pytest.mark.parametrize("option", ["PORT", "--port", "--port="])
def test_the_server_says_so_too(option: str) -> None:
    """`python serve.py` ends with the line and no traceback, but may share the port with another."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "serve.py", *_arguments(option, port)],
            cwd=ROOT,
            env={**os.environ, "HOST": "127.0.0.1", "PORT": port if option == "PORT" else "0"},
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
        )
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith(f"port {port} is in use")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert port_fault("127.0.0.1", str(other.getsockname()[1]), shared=True) is None


def test_settings_that_cannot_be_used_end_the_server_at_once(tmp_path: Path) -> None:
    """The status is 2, with each problem once, whatever options it has; no worker is started repeatedly."""
    config = tmp_path / "config.yaml"
    config.write_text("feeds:\n  size: 0\n")
    port = str(free_port())
    ended = subprocess.run(
        [sys.executable, "serve.py", "--backlog", "64"],
        cwd=ROOT,
        env={**os.environ, "HOST": "127.0.0.1", "PORT": port, "NEWSWIRE_CONFIG": str(config)},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr == f"{config}:2:9: feeds.size: must be greater than or equal to 1\n"


def test_a_free_port_is_no_fault() -> None:
    """The check leaves nothing listening on the port."""
    port = str(free_port())
    assert port_fault("127.0.0.1", port) is None
    assert port_fault("127.0.0.1", port) is None


@pytest.mark.parametrize("port", ["many", "65536", "-1", ""])
def test_what_is_no_port_is_named(port: str) -> None:
    """The error has no traceback."""
    assert port_fault("127.0.0.1", port) == f"PORT: {port!r} is not a number from 1 to 65535"


@pytest.mark.parametrize(
    ("host", "reason"), [("192.0.2.7", "Cannot assign requested address"), ("x" * 300, "it is no address")]
)
def test_what_is_no_address_of_this_machine_is_named(host: str, reason: str) -> None:
    """The error says why, without a traceback."""
    fault = port_fault(host, str(free_port()))
    assert fault is not None
    assert fault.startswith(f"cannot listen on {host} port ")
    assert fault.endswith((reason, "Can't assign requested address"))


def _arguments(option: str, value: str) -> list[str]:
    return [] if option == "PORT" else [option + value] if option.endswith("=") else [option, value]


@pytest.mark.parametrize(
    ("environ", "arguments", "port"),
    [
        ({"HOST": "localhost"}, [], "8000"),
        ({"HOST": "192.0.2.7"}, ["--host", "localhost", "--port", "81", "--port=82"], "82"),
    ],
)
def test_the_server_listens_on_the_address_of_a_name(
    environ: dict[str, str], arguments: list[str], port: str
) -> None:
    """`localhost` is possible, although granian takes only IP addresses; the last option counts."""
    address = serve.listening([*serve.options(environ), *arguments], environ)
    assert address in (("127.0.0.1", port), ("::1", port))


def test_what_is_no_address_is_left_as_it_is() -> None:
    """The error then quotes it. A Unix socket has neither an address nor a port."""
    words = serve.options({"HOST": "x" * 300})
    assert serve.listening(words, {}) == ("x" * 300, "8000")
    assert serve.listening([*words, "--uds", "/run/site"], {}) is None
    assert serve.listening(words, {"GRANIAN_UDS": "/run/site"}) is None


def test_a_single_worker_shares_nothing() -> None:
    """Modules for later answers are loaded before several workers are forked, to share their memory."""
    assert serve.shared({"WEB_CONCURRENCY": "1"}) == ("app",)
    assert "text.markdown.parser" in serve.shared({"WEB_CONCURRENCY": "2"})
