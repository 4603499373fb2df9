"""Hostile clients in a process of their own: `python -m tests.soak.attackers URL SECONDS KIND…`.

Each kind runs in a thread that repeats one form of abuse at a bounded rate, with random values from a fixed
seed. The clients ignore what the server answers.
"""

from __future__ import annotations

import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import quote, urlsplit

from tests import clients

PAUSE = 0.01
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

Attack = Callable[["Target", random.Random], None]


class Target:
    """The web server under attack, and the time at which the attack ends."""

    def __init__(self, url: str, seconds: float) -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        self.address = parts.hostname, parts.port
        self.end = time.monotonic() + seconds

    def send(self, data: bytes, *, read: int = 65536) -> None:
        """Send bytes on a new connection, and read the start of the response."""
        with socket.create_connection(self.address, timeout=5) as connection:
            connection.sendall(data)
            connection.recv(read)

    def get(self, path: str, **headers: str) -> None:
        """Request a path."""
        fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self.send(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n".encode())


def word(chance: random.Random, length: int) -> str:
    """Return a random string of letters and digits."""
    return "".join(chance.choices(LETTERS, k=length))


def header_variety(target: Target, chance: random.Random) -> None:
    """Vary header fields that caches may store, up to and beyond their limits, on cached feeds."""
    name = chance.choice(("Accept_Encoding", "User_Agent", "If_None_Match", "X_Other"))
    length = chance.choice((50, 500, 7000, 7900, 8100, 20_000))
    value = word(chance, length) + chance.choice(("", ", gzip", ";q=0.5, br", " (7 subscribers)"))
    target.get(f"/feeds/topic-{chance.randrange(300)}.rss", **{name: value})


def path_variety(target: Target, chance: random.Random) -> None:
    """Request topics, articles, pages and filters that do not exist, some long or in other scripts."""
    text = word(chance, chance.choice((5, 100, 1900, 2100, 9000)))
    if chance.random() < 0.3:
        text = quote("日本語́"[chance.randrange(3) :] * chance.choice((5, 100, 150)) + text[:100])
    form = chance.choice(
        (
            "/feeds/{}.rss",
            "/topics/{}",
            "/articles/{}",
            "/feeds/topic-1+{}.json",
            "/{}",
            "/static/{}",
            "/feeds/{}",
        )
    )
    target.get(form.format(text))


def every_document(target: Target, chance: random.Random) -> None:
    """Request every topic's feed in every format and coding, and its page: more than any cache holds."""
    topic, coding = chance.randrange(300), chance.choice(("identity", "gzip", "br", "zstd"))
    form = chance.choice(
        ("/feeds/topic-{}.rss", "/feeds/topic-{}.atom", "/feeds/topic-{}.json", "/topics/topic-{}")
    )
    target.get(form.format(topic), Accept_Encoding=coding)


def searches(target: Target, chance: random.Random) -> None:
    """Send long search queries, and filters that match nothing."""
    words = " ".join(chance.choices(("a", "b", "wo", word(chance, 5)), k=60))[:199]
    forms = (
        "/search?q={}",
        "/feeds/all.rss?word={}",
        "/feeds/all.atom?provider={}",
        "/build?word={}&topic=topic-1",
        "/feeds/topic-2+topic-3.json?min_quality=1&word={}",
    )
    target.get(chance.choice(forms).format(quote(words[: chance.choice((79, 199))])))


def malformed(target: Target, chance: random.Random) -> None:
    """Send bytes that are not HTTP, or that can be read as HTTP in more than one way."""
    junk = chance.randbytes(chance.choice((1, 100, 5000)))
    target.send(
        chance.choice(
            (
                junk + b"\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: x\r\n" + junk.replace(b"\n", b"") + b": x\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
                b"GET /%00%ff%2e%2e/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0",
                b"BREW /pot HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + junk,
                b"GET http://[ HTTP/1.1\r\nHost: [\r\nOrigin: http://[\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=" + b"0-0," * 2000 + b"\r\n\r\n",
            )
        )
    )


def slow_bodies(target: Target, chance: random.Random) -> None:
    """Hold 48 connections that send one byte of a form every two seconds."""
    path = chance.choice(("/admin/login", "/hooks/git", "/"))
    _hold(target, 48, clients.post(path, 100), trickle=True)


def silent_readers(target: Target, chance: random.Random) -> None:
    """Hold 200 connections that request a large file or feed and read none of the response."""
    paths = ("/articles/film.mp4", f"/feeds/topic-{chance.randrange(300)}.json")
    _hold(target, 200, *(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths))


def slow_heads(target: Target, chance: random.Random) -> None:
    """Hold 48 connections that never complete their header fields."""
    _hold(target, 48, b"GET / HTTP/1.1\r\nHost: x\r\nX-Other: ", trickle=True)


def _hold(target: Target, count: int, *heads: bytes, trickle: bool = False) -> None:
    """Hold connections for 25 seconds, or until the attack ends."""
    connections = []
    end = min(target.end, time.monotonic() + 25)
    try:
        for number in range(count):
            connection = socket.socket()
            connections.append(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(5)
            connection.connect(target.address)
            connection.sendall(heads[number % len(heads)])
        while time.monotonic() < end:
            time.sleep(2)
            for connection in connections if trickle else ():
                with suppress(OSError):
                    connection.sendall(b"a")
    finally:
        for connection in connections:
            connection.close()


KINDS: Mapping[str, Attack] = {
    attack.__name__: attack
    for attack in (
        header_variety,
        path_variety,
        every_document,
        searches,
        malformed,
        slow_bodies,
        silent_readers,
        slow_heads,
    )
}


def _attack(target: Target, name: str, counts: dict[str, int]) -> None:
    chance = random.Random(name)
    while time.monotonic() < target.end:
        with suppress(OSError):  # the server may close any of these connections at any time
            KINDS[name](target, chance)
        counts[name] += 1
        time.sleep(PAUSE)


def main(url: str, seconds: str, *names: str) -> None:
    """Attack with all of the kinds at once, and print how often each attack was repeated."""
    target, counts = Target(url, float(seconds)), dict.fromkeys(names, 0)
    threads = [threading.Thread(target=_attack, args=(target, name, counts), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(float(seconds) + 30)
    print(counts)


if __name__ == "__main__":
    main(*sys.argv[1:])
