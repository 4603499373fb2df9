"""`flask config …`: look at the settings before they are used."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import click
from flask.cli import AppGroup

from text.printable import print_line
from wiring.checks import unusable_of, warnings_of
from wiring.site import Newswire


def config_commands(newswire: Newswire, environ: Mapping[str, str]) -> AppGroup:
    """Return the `config` group. The file itself was checked before: errors in it end every command."""
    group = AppGroup("config", help="Look at the settings.")

    @group.command()
    @click.option("--strict", is_flag=True, help="End with status 1 when there is a warning.")
    def check(strict: bool) -> None:
        """Say what in the settings is wrong or probably not meant, each with its line.

        Ends with status 2 when the site or the bot could not start.
        """
        newswire.refresh()
        unusable = unusable_of(newswire, environ)
        warnings = warnings_of(newswire, environ, missing=True)
        for line in (*unusable, *warnings):
            print_line(line)
        found = len(warnings)
        print_line(f"{found} warning{'' if found == 1 else 's'}" if found or unusable else "no warnings")
        sys.exit(2 if unusable else 1 if strict and warnings else 0)

    return group
