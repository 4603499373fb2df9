"""Starts the web server as the Procfile does: `python serve.py`, with more options of granian if need be.

The application is imported before the workers are forked, so that they share the memory of its modules: with
two of them that is 13 MB less, and 13 MB more where the bot's database is a PostgreSQL server.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
from collections.abc import Mapping
from importlib import import_module

from ops.environment import readable_secrets
from ops.port import fault
from ops.variables import HOST, PORT, WEB_CONCURRENCY

ALLOCATOR = "narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0"
"""How granian's allocator jemalloc gives memory back (https://jemalloc.net/jemalloc.3.html, "TUNING").

Usually it holds what it does not use for ten seconds, in four times as many arenas as there are processors.
"""

SHARED = ("app", "text.markdown.parser", "tzdata", "segno")
"""Modules that workers share, with all that they import. `app` imports the others only when needed."""

POSTGRES = ("bot.operator.metrics", "sqlalchemy.dialects.postgresql.psycopg", "psycopg")
"""What workers also share where the bot's database is a PostgreSQL server.

Each would load it for the metrics or the operator's pages. With an SQLite file that is half as much, which a
site without those should not take.
"""


def options(environ: Mapping[str, str]) -> list[str]:
    """Return granian's options; HOST, PORT and WEB_CONCURRENCY say where it listens, how many workers."""
    return [
        *("--interface", "rsgi", "--factory", "--http", "1", "--no-ws"),
        *("--host", HOST.text(environ)),
        *("--port", PORT.text(environ)),
        *("--workers", WEB_CONCURRENCY.text(environ)),
        # What the server holds for a client that takes nothing; its files are read by so many threads.
        *("--http1-buffer-size", "32768", "--runtime-blocking-threads", "8"),
        *("--workers-kill-timeout", "3", "--respawn-failed-workers"),
        *("--log-config", "ops/granian.json"),
    ]


def shared(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the modules to load before the workers are forked.

    A single worker shares them with nobody: it loads what the first answer does not need when it does.
    """
    if WEB_CONCURRENCY.text(environ) == "1":
        return ("app",)
    addresses = readable_secrets(["DATABASE_URL"], environ)
    return SHARED + POSTGRES if any(each.startswith("postgres") for each in addresses) else SHARED


def main(arguments: list[str]) -> None:
    """Serve until a signal ends it.

    Exits with status 1 and one line where nothing can listen on the port, and with status 2 and every problem
    where the settings cannot be used.
    """
    given = options(os.environ)
    host, port = (given[given.index(name) + 1] for name in ("--host", "--port"))
    if not arguments and (problem := fault(host, port, shared=True)):
        sys.exit(problem)
    os.environ.setdefault("_RJEM_MALLOC_CONF", ALLOCATOR)  # read when granian is loaded
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork")
        for module in shared(os.environ):
            import_module(module)
    if not arguments:
        # Else each worker would print the same problems, and be started again and again.
        import_module("wiring.loading").usable_or_exit(os.environ)
    if sys.platform == "linux":
        # Else each worker's collector would write to all of it, and so get a copy of its own.
        gc.collect()
        gc.freeze()
    from granian.cli import cli

    cli([*given, *arguments, "app:create_web"], auto_envvar_prefix="GRANIAN")


if __name__ == "__main__":
    main(sys.argv[1:])
