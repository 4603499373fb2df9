"""`flask config …`: checks the settings before they are used, and lists them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping

import click
from flask.cli import AppGroup

from articles.command_errors import clear_file_errors
from articles.errors import ArticlesError
from config import EffectiveSetting, Location, schema
from text.numbers import counted
from text.printable import print_json, print_line
from wiring.checks import unusable_of, warnings_of
from wiring.in_force import InForce, in_force
from wiring.site import Newswire


def config_commands(newswire: Newswire, environ: Mapping[str, str]) -> AppGroup:
    """Return the `config` group. The file was checked before: with errors in it, no command runs."""
    group = AppGroup("config", help="Check and list the settings.")

    @group.command(short_help="List what is wrong in the settings, or probably not intended.")
    @click.option("--strict", is_flag=True, help="Exit with status 1 when there is a warning.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @clear_file_errors
    def check(strict: bool, as_json: bool) -> None:
        """List what is wrong in the settings, or probably not intended, with its line.

        Exits with status 2 when the site or the bot could not start.
        """
        unread = _unread(newswire)
        unusable = unusable_of(newswire, environ)
        warnings = warnings_of(newswire, environ, missing=True)
        # Without its folder nothing starts; a repository is pulled again until it can be reached.
        (warnings if newswire.checkout else unusable)[:0] = unread
        if as_json:
            print_json({"errors": unusable, "warnings": warnings})
        else:
            _print_check(unusable, warnings)
        sys.exit(2 if unusable else 1 if strict and warnings else 0)

    @group.command(short_help="Show every setting in force and where it comes from.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def show(as_json: bool) -> None:
        """Show every setting in force and where it comes from, and of each secret whether it is set.

        The settings are those of this process: another's environment may differ.
        """
        _print_settings(in_force(newswire.config, environ), as_json=as_json)

    @group.command(name="schema", short_help="Print the JSON Schema of config.yaml.")
    def schema_() -> None:
        """Print the JSON Schema of config.yaml, by which editors complete and check it."""
        print_json(schema(), indent=2)

    return group


def _unread(newswire: Newswire) -> list[str]:
    """Read the articles; return a line that says why that is impossible, or none."""
    try:
        newswire.refresh()
    except ArticlesError as error:
        where: Location = ("articles", "git" if newswire.checkout else "path")
        return newswire.config.located([(where, f"the articles cannot be read: {error}")])
    return []


def _print_settings(in_force: InForce, *, as_json: bool) -> None:
    if as_json:
        parts = {
            "settings": in_force.settings,
            "environment": in_force.environment,
            "secrets": in_force.secrets,
        }
        print_json({name: _values(part) for name, part in parts.items()}, indent=2)
        return
    for setting in (*in_force.settings, *in_force.environment):
        print_line(f"{setting.name} = {json.dumps(setting.value, ensure_ascii=False)}  ({setting.origin})")
    for setting in in_force.secrets:
        print_line(f"{setting.name} is {setting.value}{f', from {setting.origin}' if setting.origin else ''}")


def _values(settings: Iterable[EffectiveSetting]) -> Mapping[str, Mapping[str, object]]:
    return {setting.name: {"value": setting.value, "from": setting.origin or None} for setting in settings}


def _print_check(unusable: list[str], warnings: list[str]) -> None:
    for line in (*unusable, *warnings):
        print_line(line)
    groups = [(unusable, "error"), (warnings, "warning")]
    print_line(", ".join(counted(len(lines), what) for lines, what in groups if lines) or "no warnings")
