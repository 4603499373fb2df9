"""Starts the web server, as the Procfile does: `python serve.py`, optionally with further options of granian.

The application is imported before the workers are forked, so that they share the memory of its modules: two
workers need 13 MB less, and another 13 MB less if the bot's database is a PostgreSQL server.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from ops.environment import readable_secrets
from ops.port import ip_address, port_fault
from ops.variables import HOST, PORT, WEB_CONCURRENCY

ALLOCATOR = "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0"
"""Options of granian's allocator jemalloc, which return memory to the system earlier.

By default it keeps unused memory for ten seconds, in four times as many arenas as there are processors:
https://jemalloc.net/jemalloc.3.html, "TUNING".
"""

SHARED = ("app", "text.markdown.parser", "tzdata", "segno")
"""Modules that workers share, with all their imports. `app` imports others only when they are needed."""

POSTGRES = ("bot.operator.metrics", "sqlalchemy.dialects.postgresql.psycopg", "psycopg")
"""Modules that workers also share if the bot's database is a PostgreSQL server.

Each worker would load them for the metrics or the operator's pages. With an SQLite file they take half as
much memory, which a site without metrics and operator's pages should not need.
"""

_HELP = frozenset({"--help", "--version"})


def options(environ: Mapping[str, str]) -> list[str]:
    """Return granian's options; HOST, PORT and WEB_CONCURRENCY give its address and number of workers."""
    return [
        *("--interface", "rsgi", "--factory", "--http", "1", "--no-ws"),
        *("--host", HOST.text(environ)),
        *("--port", PORT.text(environ)),
        *("--workers", WEB_CONCURRENCY.text(environ)),
        # The buffer for a client that does not read, and the threads that read files.
        *("--http1-buffer-size", "32768", "--runtime-blocking-threads", "8"),
        *("--workers-kill-timeout", "3", "--respawn-failed-workers"),
        *("--log-config", "ops/granian.json"),
    ]


def listening(words: Sequence[str], environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the address and the port that granian would listen on with these options, the last of each.

    A host may be given by name; granian takes only IP addresses. None stands for a Unix socket.
    """
    last = {"--host": "", "--port": "", "--uds": environ.get("GRANIAN_UDS", "")}
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name in last:
            last[name] = value if equals else following
    return None if last["--uds"] else (ip_address(last["--host"]), last["--port"])


def shared(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the modules to import before the workers are forked.

    A single worker has nothing to share: it imports a module when it needs it.
    """
    if WEB_CONCURRENCY.text(environ) == "1":
        return ("app",)
    addresses = readable_secrets(["DATABASE_URL"], environ)
    return SHARED + POSTGRES if any(address.startswith("postgres") for address in addresses) else SHARED


def main(arguments: list[str]) -> None:
    """Serve until a signal ends it.

    Exits with status 1 and one line if the port cannot be used, and with status 2 and every error if the
    settings cannot be used.
    """
    words = [*options(os.environ), *arguments]
    is_help = bool(_HELP & set(arguments))
    address = None if is_help else listening(words, os.environ)
    if address:
        if problem := port_fault(*address, shared=True):
            sys.exit(problem)
        words += ["--host", address[0]]
    os.environ.setdefault("_RJEM_MALLOC_CONF", ALLOCATOR)  # jemalloc reads it when granian is imported
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork")
        for module in shared(os.environ):
            import_module(module)
    if not is_help:
        # Otherwise each worker would print the same errors, and be restarted again and again.
        import_module("wiring.startup").usable_or_exit(os.environ)
    if sys.platform == "linux":
        # Otherwise each worker's garbage collector would write to the shared memory, and so copy it.
        gc.collect()
        gc.freeze()
    from granian.cli import cli

    cli([*words, "app:create_web"], auto_envvar_prefix="GRANIAN")


if __name__ == "__main__":
    main(sys.argv[1:])
