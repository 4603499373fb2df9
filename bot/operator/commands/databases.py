"""`flask db upgrade`, `backup`, `restore` and `copy`: commands about the outbox as a whole."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click
from flask.cli import AppGroup

from bot.operator.commands.shared import LoadParts, clear_errors
from bot.outbox import copying, upgrading
from bot.outbox.database import connect
from text.numbers import counted
from text.printable import print_line

_FILE = click.Path(dir_okay=False, path_type=Path)


def database_commands(load: LoadParts) -> AppGroup:
    """Return the `db` group; `load` loads the bot's parts."""
    group = AppGroup("db", help="Upgrade, back up and copy the bot's database.")

    @group.command(short_help="Bring the tables up to date, at every deploy.")
    @clear_errors
    def upgrade() -> None:
        """Bring the database's tables up to date; safe to run at every deploy, and several times at once."""
        upgrading.upgrade(load(sys.stderr).database)
        print_line("the outbox's tables are up to date")

    @group.command(short_help="Write the outbox into a file, while bots run.")
    @click.argument("file", type=_FILE)
    @clear_errors
    def backup(file: Path) -> None:
        """Write the outbox into FILE, a new SQLite file, from either kind of database, while bots run."""
        copying.back_up(load(sys.stderr).database, file)
        print_line(f"wrote {file}, {counted(file.stat().st_size, 'byte')}")

    _add_copying(group, load)
    return group


def _add_copying(group: AppGroup, load: LoadParts) -> None:
    @group.command(short_help="Copy a backup into a database that has no outbox.")
    @click.argument("file", type=_FILE)
    @clear_errors
    def restore(file: Path) -> None:
        """Copy the outbox in FILE, a backup, into a database that has none.

        What the bot has posted since the backup is not in it. So that nothing is posted again, all articles
        that are there now count as already there, and messages that waited are held until you decide with
        `flask bot resolve`.
        """
        parts = load(sys.stderr)
        rows, held_count = copying.restore(file, parts.database, parts.clock())
        print_line(f"restored {counted(rows, 'row')}; {counted(held_count, 'message')} held")

    @group.command(short_help="Copy the outbox into another database.")
    @click.argument("url", envvar="NEW_DATABASE_URL")
    @clear_errors
    def copy(url: str) -> None:
        """Copy the outbox into the database at URL, which has none; the original is not changed.

        Stop every bot first, and set DATABASE_URL to the new address afterwards. NEW_DATABASE_URL in the
        environment can replace URL, so that no password appears in a command line.
        """
        parts = load(sys.stderr)
        with closing(connect(url, "URL")) as target:
            rows = copying.move(parts.database, target, parts.clock())
        print_line(f"copied {counted(rows, 'row')}")
