"""Outgoing connections over real sockets: a proxy, a private certificate authority, public addresses only."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import requests

from bot.sending.connections import is_public
from bot.sending.errors import RequestNotSentError
from bot.sending.network import Network, NetworkError, network_of
from bot.sending.transport import Transport
from bot.services import Request
from bot.services.secret import Secret
from tests.bot.program import wait_until
from tests.bot.test_transport import OK, Peer, answer
from tests.bot.tls import SecureServer, Tunnels
from tests.waiting import WAIT_SECONDS

ROOT = Path(__file__).parents[2]
TIMEOUTS = (60.0, 60.0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SecureServer]:
    running = SecureServer(tmp_path)
    yield running
    running.close()


@pytest.fixture
def tunnels() -> Iterator[Tunnels]:
    running = Tunnels()
    yield running
    running.close()


def transport(network: Network) -> Transport:
    return Transport(requests.Session(), user_agent="tests", timeouts=TIMEOUTS, network=network)


def to(url: str, **changes: object) -> Request:
    return Request(method="POST", url=Secret(url), json={"text": "a"}, **changes)  # type: ignore[arg-type]


def elsewhere(server: SecureServer) -> str:
    """Return an address that only the proxy can resolve, because it maps every host to this machine."""
    return f"https://chat.example.invalid:{server.port}/services/T0/B0/token"


def test_a_private_authority_is_trusted_when_it_is_named(server: SecureServer) -> None:
    """Without `ca_file` TLS fails before anything is sent; with it the request arrives."""
    with pytest.raises(RequestNotSentError, match="TLS failed"):
        transport(Network()).send(to(server.url))
    assert transport(Network(ca_file=server.ca_file)).send(to(server.url)).body == b"ok"
    assert transport(Network(ca_bundle=server.ca_file)).send(to(server.url)).body == b"ok"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ({"names": ["other.example"]}, r"TLS failed \(Hostname mismatch\)$"),
        ({"expires": datetime(2020, 1, 1, tzinfo=UTC)}, r"TLS failed \(certificate has expired\)$"),
    ],
    ids=["another host", "expired"],
)
def test_a_wrong_certificate_is_named(tmp_path: Path, certificate: dict[str, Any], reason: str) -> None:
    """The reason says what is wrong with it and names no host, and nothing is sent."""
    server = SecureServer(tmp_path, **certificate)
    with contextlib.closing(server), pytest.raises(RequestNotSentError, match=reason):
        transport(Network(ca_file=server.ca_file)).send(to(server.url))
    assert server.requests == []


def test_a_proxy_sees_the_host_and_nothing_of_the_address(tunnels: Tunnels, server: SecureServer) -> None:
    """The proxy gets CONNECT for the host; the secret path goes encrypted through the tunnel."""
    network = Network(proxy=Secret(tunnels.address), ca_file=server.ca_file)
    assert transport(network).send(to(elsewhere(server))).body == b"ok"
    assert tunnels.asked[0].startswith(f"CONNECT chat.example.invalid:{server.port} HTTP/1.".encode())
    assert not any(b"token" in asked for asked in tunnels.asked)


def test_a_proxy_that_is_down_is_proof_that_nothing_was_sent(server: SecureServer, tunnels: Tunnels) -> None:
    """With the proxy down, neither it nor the server has received the request."""
    tunnels.close()
    with pytest.raises(RequestNotSentError, match="refused"):
        transport(Network(proxy=Secret(tunnels.address), ca_file=server.ca_file)).send(to(elsewhere(server)))
    assert server.requests == []


def test_this_machine_and_no_proxy_need_no_proxy(server: SecureServer, tunnels: Tunnels) -> None:
    """Loopback addresses and the hosts of NO_PROXY are reached without the proxy."""
    network = Network(proxy=Secret(tunnels.address), ca_file=server.ca_file)
    assert transport(network).send(to(server.url)).body == b"ok"
    excluded = Network(proxy=Secret(tunnels.address), no_proxy="example.invalid")
    with pytest.raises(RequestNotSentError, match="cannot be resolved"):
        transport(excluded).send(to(elsewhere(server)))
    assert tunnels.asked == []


@pytest.mark.parametrize(
    ("no_proxy", "host", "excluded"),
    [
        ("example.com", "example.com", True),
        ("example.com", "hooks.example.com", True),
        (".example.com", "hooks.example.com", True),
        ("example.com", "notexample.com", False),
        (" a.example , Example.com", "example.com", True),
        ("*", "example.com", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "example.com", False),
        ("", "example.com", False),
        (",", "example.com", False),
    ],
)
def test_who_is_excluded(no_proxy: str, host: str, excluded: bool) -> None:
    """NO_PROXY has names, which include their subdomains, networks, or `*`."""
    network = Network(proxy=Secret("http://proxy.example:3128"), no_proxy=no_proxy)
    assert (network.proxy_for(f"https://{host}/x") is None) is excluded


def test_settings_come_before_the_environment(server: SecureServer) -> None:
    """`bot.proxy` and `bot.ca_file` precede the environment; `proxy: off` is no proxy."""
    environ = {
        "https_proxy": "proxy.example:1",
        "NO_PROXY": "a.example",
        "REQUESTS_CA_BUNDLE": str(server.ca_file),
    }
    found = network_of(None, None, environ)
    assert found.proxy == Secret("http://proxy.example:1")
    assert (found.no_proxy, found.ca_bundle) == ("a.example", server.ca_file)
    assert network_of("", None, environ).proxy is None
    chosen = network_of("http://other.example:2", server.ca_file, environ)
    assert chosen.proxy == Secret("http://other.example:2")
    assert (chosen.ca_file, chosen.ca_bundle) == (server.ca_file, None)
    assert network_of(None, None, {}) == Network()


@pytest.mark.parametrize(
    "proxy", ["socks5://user:s3cret@h:1", "http://", "http://user:s3cret@h:99999", "://"]
)
def test_a_proxy_that_cannot_be_used(proxy: str) -> None:
    """The error shows the form of an address, and no password."""
    with pytest.raises(NetworkError, match="http://HOST:PORT") as caught:
        network_of(proxy, None, {})
    assert "s3cret" not in str(caught.value)


def test_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    """The error for a missing file, or one without certificates, names the setting."""
    with pytest.raises(NetworkError, match=r"bot\.ca_file: .*nothing.* cannot be read: No such file"):
        network_of(None, tmp_path / "nothing", {})
    (tmp_path / "empty").write_text("hello")
    with pytest.raises(NetworkError, match=r"REQUESTS_CA_BUNDLE: .*empty has no certificates"):
        network_of(None, None, {"REQUESTS_CA_BUNDLE": str(tmp_path / "empty")})


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    """Private, loopback, link-local and shared addresses are not, also inside an IPv6 address."""
    assert is_public(address) is public


def test_a_private_address_is_refused_where_only_public_ones_will_do(server: SecureServer) -> None:
    """Nothing is sent to a private address, with or without a proxy."""
    network = Network(proxy=Secret("http://127.0.0.1:9"), ca_file=server.ca_file)
    with pytest.raises(RequestNotSentError, match="not public"):
        transport(network).send(to(server.url, public_only=True))
    assert server.requests == []


def test_nothing_goes_out_when_the_last_check_refuses() -> None:
    """If the check refuses on an open connection, the server reads no byte, and the next request is sent."""
    out = transport(Network())
    with Peer(answer(OK)) as peer:
        url = f"http://127.0.0.1:{peer.port}/services/T0/B0/x"
        with pytest.raises(RequestNotSentError, match="the claim is another's"):
            out.send(to(url), lambda: "the claim is another's")
        assert out.send(to(url), lambda: None).body == b"ok"
        assert len(peer.requests) == 1
        assert peer.connections == 2


def test_the_last_check_comes_after_the_handshake(tmp_path: Path) -> None:
    """With TLS too, the check is made once for each request, on the open connection."""
    order: list[str] = []
    server = SecureServer(tmp_path, lambda: order.append("handshake"))
    out = transport(Network(ca_file=server.ca_file))

    def may_send() -> None:
        order.append("check")

    for _ in range(2):
        assert out.send(to(server.url), may_send).body == b"ok"
    server.close()
    assert order == ["handshake", "check", "check"]


def test_a_check_that_fails_sends_nothing() -> None:
    """Without the database the claim cannot be verified, so nothing is sent."""

    def may_send() -> str | None:
        raise OSError("the database is away")

    with Peer(answer(OK)) as peer, pytest.raises(RequestNotSentError, match="OSError"):
        transport(Network()).send(to(f"http://127.0.0.1:{peer.port}/services/T0/B0/x"), may_send)
    assert peer.requests == []


CHILD = """
import sys
from pathlib import Path
import requests
from bot.sending.network import Network
from bot.sending.errors import RequestNotSentError
from bot.sending.transport import Transport
from bot.services import Request
from bot.services.secret import Secret
url, ca_file, claim = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
out = Transport(requests.Session(), user_agent="t", timeouts=(60, 60), network=Network(ca_file=ca_file))
request = Request(method="POST", url=Secret(url))
try:
    out.send(request, lambda: None if claim.exists() else "the claim was taken")
    print("sent")
except RequestNotSentError as error:
    print(error)
"""


def test_a_process_that_was_frozen_while_it_connected_sends_nothing(tmp_path: Path) -> None:
    """A process frozen in the handshake finds its claim taken when it resumes, and sends nothing."""
    connecting, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        connecting.set()
        go_on.wait(WAIT_SECONDS)

    server = SecureServer(tmp_path, hold)
    claim = tmp_path / "claim"
    claim.touch()
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url, str(server.ca_file), str(claim)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert connecting.wait(WAIT_SECONDS)
    child.send_signal(signal.SIGSTOP)
    wait_until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_STOPPED)
    claim.unlink()
    go_on.set()
    child.send_signal(signal.SIGCONT)
    printed, _ = child.communicate(timeout=WAIT_SECONDS)
    server.close()
    assert printed.strip() == "the claim was taken"
    assert server.requests == []
