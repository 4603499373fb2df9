"""What commands print for any titles, topics, paths and addresses of articles."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import Result

import config as configuration
from app import create_app
from tests.bot.program import Program
from tests.fakechat import FakeChat
from tests.fuzz.budget import fuzz
from tests.hostile import assert_safe, hostile_text
from tests.site import Clock, front_matter, put

COMMANDS = (
    ("articles", "check"), ("articles", "check", "--strict"), ("feeds", "list"), ("bot", "plan"),
    ("bot", "plan", "--json"), ("bot", "deliveries"), ("bot", "deliveries", "--json"), ("bot", "channels"),
    ("bot", "threshold", "team"), ("bot", "explain", "a"), ("bot", "preview", "team", "a"),
)  # fmt: skip
file_texts = hostile_text().map(lambda text: text.encode("utf-8", "replace").decode())
names = file_texts.map(lambda text: text.replace("/", "").replace("\0", "")).filter(
    lambda name: len(name.encode()) < 200  # a file's name has at most 255 bytes
)


@pytest.fixture(scope="module")
def flask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, Callable[..., Result]]]:
    """An installation that has posted its first articles, and a function that runs its commands here."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    with FakeChat() as chat:
        program = Program(home=tmp_path_factory.mktemp("terminal"), chat=chat)
        program.slack("team", backfill=3)
        program.upgrade()
        environ = program.environment()
        config = configuration.load(program.home / "config.yaml", environ)
        app = create_app(config, clock=Clock(), environ=environ)
        yield program, lambda *arguments: app.test_cli_runner().invoke(args=arguments)
        app.extensions["newswire"].catalog.close()
        program.close()
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)


@fuzz(title=file_texts, topic=file_texts, other=file_texts, name=names, examples=4)
def test_every_line_is_safe(
    flask: tuple[Program, Callable[..., Result]], title: str, topic: str, other: str, name: str
) -> None:
    """No command prints a control character, an override or a command of a CI system."""
    program, run = flask
    folder = program.home / "content"
    for old in folder.iterdir():
        old.unlink()
    keys: dict[str, Any] = {
        "topics": [topic, "AI"],
        "provider": {"name": other},
        "type": other,
        "excerpt": other,
    }
    put(
        folder / "a.md",
        front_matter(title=title or "T", quality=80, webUrl=f"https://a.example/{other}", **keys),
    )
    put(folder / f"x{name}.md", front_matter(title=None, quality=other))
    for arguments in COMMANDS:
        result = run(*arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert_safe(result.output)
