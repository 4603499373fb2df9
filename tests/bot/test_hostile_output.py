"""What commands print for hostile articles, paths, settings and arguments."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

import config as configuration
from app import create_app
from tests.bot.program import Program
from tests.bot.world import Clock
from tests.fakechat import FakeChat
from tests.hostile import HOSTILE, assert_safe

ARGUMENTS: dict[str, list[list[str]]] = {
    "articles check": [[], ["--strict"], ["--content", "{home}/content"]],
    "bot approve": [["1"], ["1", "--at", HOSTILE]],
    "bot channels": [[]],
    "bot comment": [["1", HOSTILE]],
    "bot deliveries": [[], ["--json"]],
    "bot drop": [["1"]],
    "bot explain": [["first"], ["content/first.md"], [HOSTILE]],
    "bot forget": [["team"], [HOSTILE]],
    "bot health": [[], ["--json"]],
    "bot once": [[], ["--json"]],
    "bot pause": [["team"], [HOSTILE]],
    "bot plan": [[], ["--json"], ["--content", "{home}/content"], ["--config", "{home}/bad.yaml"]],
    "bot preview": [["team", "first"]],
    "bot replay": [["1"], ["999"]],
    "bot resolve": [["1", "--posted"]],
    "bot review": [[], ["--json"]],
    "bot resume": [["team"], [HOSTILE]],
    "bot simulate": [["--from", "2026-05-01", "--to", "2026-07-01"], ["--from", HOSTILE, "--to", HOSTILE]],
    "bot skip": [["1"]],
    "bot test": [["team"], ["silent"]],
    "bot threshold": [["team"]],
    "config check": [[], ["--strict"]],
    "config schema": [[]],
    "config show": [[], ["--json"]],
    "db backup": [["{home}/backup.sqlite"]],
    "db copy": [["sqlite:///{home}/" + HOSTILE]],
    "db restore": [["{home}/content/first.md"]],
    "db upgrade": [[]],
    "feeds compare": [["{home}/content/first.md"], [HOSTILE]],
    "feeds export": [["{home}/out"], ["{home}/out", "--json"]],
    "feeds list": [[]],
    "feeds token": [["team"], ["team", "--json"], [HOSTILE]],
    "site export": [["{home}/site"], ["{home}/site", "--json"]],
}
"""Every command with arguments that make it show as much as it can; `bot run` is `bot once` in a loop."""


def commands(app: Flask) -> Iterator[str]:
    """Yield the name of every command of this program."""
    with app.app_context(), click.Context(app.cli) as context:
        for group in app.cli.list_commands(context):
            command = app.cli.get_command(context, group)
            if isinstance(command, click.Group):
                yield from (f"{group} {name}" for name in command.list_commands(context))


@pytest.fixture
def hostile_program(tmp_path: Path, chat: FakeChat) -> Iterator[Program]:
    """An installation whose articles have hostile text in every text field."""
    program = Program(home=tmp_path, chat=chat)
    program.slack("team", backfill=2, max_per_tick=1)
    program.slack("silent")
    del program.environ["HOOK_SILENT"]
    program.upgrade()
    program.write(
        "first", title=HOSTILE, topics=[HOSTILE, "C"], provider={"name": HOSTILE}, type=HOSTILE,
        excerpt=HOSTILE, author=HOSTILE, webUrl=f"https://example.com/{HOSTILE}", id="first",
    )  # fmt: skip
    for name in ("::error::a", "bad\n::error::b", "c\x1b[2J", "\u202ed", "##[error]e", "f\udcff"):
        program.write(name, title=HOSTILE, quality=HOSTILE)
        program.write(f"good {name}", title=f"::error::{name!r}")
    (tmp_path / "bad.yaml").write_text('"a\\n::error::b\\e[2J": 1\n', encoding="utf-8")
    yield program
    program.close()


def test_no_command_prints_what_a_terminal_or_a_ci_system_obeys(
    hostile_program: Program, clock: Clock
) -> None:
    """Every command prints only safe lines on both streams for hostile articles, paths and arguments."""
    environ = hostile_program.environment()
    app = create_app(
        configuration.load(hostile_program.home / "config.yaml", environ), clock=clock, environ=environ
    )
    assert set(commands(app)) - {"bot run"} == set(ARGUMENTS), "add the new command to ARGUMENTS"
    shown = dict[str, str]()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    for _ in range(2):  # the second run has a history to show
        for name, variants in ARGUMENTS.items():
            for arguments in variants:
                given = [argument.replace("{home}", str(hostile_program.home)) for argument in arguments]
                result = app.test_cli_runner().invoke(args=[*name.split(), *given])
                assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
                assert_safe(result.output)
                shown[name] = shown.get(name, "") + result.output
    for name in ("articles check", "bot deliveries", "bot explain", "bot once", "bot plan", "feeds list"):
        assert "error::" in shown[name], f"{name} shows nothing hostile: {shown[name]}"
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)
    app.extensions["newswire"].catalog.close()
