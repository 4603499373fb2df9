"""`flask config …`: look at the settings before they are used."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping

import click
from flask.cli import AppGroup

from config import Config, schema, shown
from ops.environment import secret
from ops.errors import SettingError
from text.numbers import counted
from text.printable import print_json, print_line
from wiring.checks import unusable_of, warnings_of
from wiring.site import Newswire

SECRETS = ("ADMIN_TOKEN", "METRICS_TOKEN", "GIT_HOOK_SECRET", "FEEDS_SECRET", "DATABASE_URL", "SENTRY_DSN")
"""The secrets of every installation; the settings name others."""


def config_commands(newswire: Newswire, environ: Mapping[str, str]) -> AppGroup:
    """Return the `config` group. The file itself was checked before: errors in it end every command."""
    group = AppGroup("config", help="Check and list the settings.")

    @group.command(short_help="List what is wrong in the settings, or probably not intended.")
    @click.option("--strict", is_flag=True, help="Exit with status 1 when there is a warning.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def check(strict: bool, as_json: bool) -> None:
        """List what is wrong in the settings, or probably not intended, with its line.

        Exits with status 2 when the site or the bot could not start.
        """
        newswire.refresh()
        unusable = unusable_of(newswire, environ)
        warnings = warnings_of(newswire, environ, missing=True)
        if as_json:
            print_json({"errors": unusable, "warnings": warnings})
        else:
            _print_check(unusable, warnings)
        sys.exit(2 if unusable else 1 if strict and warnings else 0)

    @group.command(short_help="Show every setting in force and where it comes from.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def show(as_json: bool) -> None:
        """Show every setting in force and where it comes from, and of each secret whether it is set."""
        settings = shown(newswire.config, environ)
        secrets = dict(secrets_of(newswire.config, environ))
        if as_json:
            listed = {each.name: {"value": each.value, "from": each.origin} for each in settings}
            print_json({"settings": listed, "secrets": secrets}, indent=2)
            return
        for each in settings:
            print_line(f"{each.name} = {json.dumps(each.value, ensure_ascii=False)}  ({each.origin})")
        for name, state in secrets.items():
            print_line(f"{name} is {state}")

    @group.command(name="schema", short_help="Print the JSON Schema of config.yaml.")
    def schema_() -> None:
        """Print the JSON Schema of config.yaml, by which editors complete and check it."""
        print_json(schema(), indent=2)

    return group


def secrets_of(config: Config, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield of each variable that holds a secret whether it is set, not set, or what is wrong with it."""
    names = dict.fromkeys(SECRETS)
    names |= dict.fromkeys(filter(None, [config.articles.token_env, config.bot.heartbeat_env]))
    for channel in config.bot.channels:
        names |= dict.fromkeys(channel.secret_variables().values())
    for name in names:
        try:
            yield name, "set" if secret(name, environ) else "not set"
        except SettingError as error:
            yield name, f"unusable: {error}"


def _print_check(unusable: list[str], warnings: list[str]) -> None:
    for line in (*unusable, *warnings):
        print_line(line)
    found = len(warnings)
    print_line(counted(found, "warning") if found or unusable else "no warnings")
