"""`flask bot plan --config --content` compares someone else's settings, and never acts on them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

import config as configuration
from app import create_app
from articles.files.git import Git
from tests.articles.gitserver import HttpOrigin, Origin
from tests.bot.program import Program
from tests.bot.world import Clock
from tests.fakechat import FakeChat
from tests.waiting import WAIT_SECONDS

SECRET = "kMq7yWzV2cLr9fTn"
"""The value of every secret that the other config file may name."""


class RecordingEnviron(dict[str, str]):
    """An environment that records every name that is looked up."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        """Record the name, and return its value."""
        self.read.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.read.add(str(name))
        return super().__contains__(name)


class Effects:
    """Records connections, host look-ups, started programs and opened files."""

    def __init__(self) -> None:
        self.active = False
        self.seen: list[tuple[str, str]] = []
        sys.addaudithook(self._hook)

    def of(self, *events: str) -> list[str]:
        """Return the subjects of these events."""
        return [subject for event, subject in self.seen if event in events]

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.active and event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "open"):
            self.seen.append((event, str(arguments[-1] if event == "socket.connect" else arguments[0])))


EFFECTS = Effects()
"""One for all tests: a hook cannot be removed."""


@pytest.fixture
def effects() -> Iterator[Effects]:
    """The effects of this process while `active` is set."""
    EFFECTS.seen.clear()
    yield EFFECTS
    EFFECTS.active = False


@pytest.fixture
def program(tmp_path: Path, chat: FakeChat) -> Iterator[Program]:
    """An installation with one channel and one article that its outbox has seen."""
    installed = Program(home=tmp_path, chat=chat)
    installed.slack("team", min_quality=65)
    installed.write("old")
    yield installed
    installed.close()


Plan = Callable[..., tuple[Result, RecordingEnviron]]


@pytest.fixture
def plan(program: Program, clock: Clock, effects: Effects) -> Plan:
    """Runs `bot plan` in this process, and returns its result and its environment."""

    def run(*arguments: str | Path, **secrets: str) -> tuple[Result, RecordingEnviron]:
        environ = RecordingEnviron({**program.environment(), **secrets})
        config = configuration.load(program.home / "config.yaml", environ)
        app = create_app(config, clock=clock, environ=environ)
        runner = app.test_cli_runner()
        effects.active = True
        result = runner.invoke(args=["bot", "plan", *map(str, arguments)])
        effects.active = False
        app.extensions["newswire"].catalog.close()
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        return result, environ

    return run


def hostile(program: Program, **articles: Any) -> Path:
    """Write a config file that names a secret in every setting that accepts one, and return it."""
    channel = {"kind": "slack", "topics": "all", "max_age": "off"}
    values = {
        "site": {"url": "https://elsewhere.example"},
        "articles": articles,
        "state": str(program.home / "theirs-state"),
        "bot": {
            "channels": [
                {**channel, "name": "team", "webhook_env": "DEPLOY_KEY"},
                {**channel, "name": "extra", "webhook_env": "CLOUD_SECRET"},
            ]
        },
    }
    path = program.home / "branch.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def test_another_config_sends_no_secret_to_its_git_host(
    program: Program, plan: Plan, effects: Effects, tmp_path: Path
) -> None:
    """A branch's `articles.git` with `token_env` causes no connection, and its variable is not read."""
    origin = Origin(tmp_path / "origins" / "news.git")
    origin.write("theirs.md", "Theirs")
    origin.commit()
    with HttpOrigin(tmp_path / "origins").running() as host:
        other = hostile(program, git=host.url("news.git"), token_env="DEPLOY_TOKEN")
        names = {"DEPLOY_TOKEN", "DEPLOY_KEY", "CLOUD_SECRET"}
        # The trap works: with the address and the token, git does send the token to the host.
        Git(host.url("news.git"), SECRET, timeout=WAIT_SECONDS)(
            "ls-remote", host.url("news.git"), folder=tmp_path
        )
        assert host.seen and all(host.seen)
        host.seen.clear()

        result, environ = plan("--config", other, "--json", **dict.fromkeys(names, SECRET))

    assert result.exit_code == 0, result.output
    assert host.seen == []
    assert program.chat.requests == []
    assert effects.of("socket.connect", "socket.getaddrinfo", "subprocess.Popen") == []
    assert not environ.read & {variant for name in names for variant in (name, f"{name}_FILE")}
    assert SECRET not in result.output


def test_another_config_opens_no_file_that_it_names(
    program: Program, plan: Plan, effects: Effects, tmp_path: Path
) -> None:
    """Its article folder, state folder and the file of a `_FILE` variable stay closed."""
    key = tmp_path / "key"
    key.write_text(SECRET, encoding="utf-8")
    private = tmp_path / "private"
    private.mkdir()
    program.write("secret", folder="private")
    other = hostile(program, path=str(private))
    result, _ = plan("--config", other, DEPLOY_KEY_FILE=str(key), CLOUD_SECRET_FILE=str(key))
    assert result.exit_code == 0, result.output
    assert "secret" not in result.stdout
    opened = effects.of("open")
    assert not [
        file for file in opened if file.startswith((str(private), str(key), str(tmp_path / "theirs")))
    ]
    assert not (tmp_path / "theirs-state").exists()


def test_the_rules_of_another_config_are_used(program: Program, plan: Plan) -> None:
    """The other file's channels, topics and article patterns apply."""
    program.upgrade()
    (program.home / "theirs").mkdir()
    program.write("new", folder="theirs", topics=["Machine Learning"])
    program.write("excluded", folder="theirs", topics=["Machine Learning"])
    values = {
        "articles": {"path": "not-here", "exclude": ["excluded.md"]},
        "feeds": {"topics": [{"name": "AI", "aliases": ["Machine Learning"]}]},
        "bot": {
            "channels": [
                {"name": "ai", "kind": "discord", "webhook_env": "UNSET", "topics": ["AI"], "backfill": 5,
                 "max_age": "off"}
            ]
        },
    }  # fmt: skip
    other = program.home / "branch.yaml"
    other.write_text(yaml.safe_dump(values), encoding="utf-8")
    result, _ = plan("--config", other, "--content", program.home / "theirs", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["posts"] == [
        {"channel": "ai", "article": "new", "title": "Title of new"}
    ]


def test_without_content_the_articles_are_this_installations(program: Program, plan: Plan) -> None:
    """With only another config file, its rules apply to this installation's articles."""
    program.upgrade()
    values = {
        "articles": {"path": "nowhere"},
        "bot": {"channels": [{"name": "new", "kind": "slack", "webhook_env": "UNSET", "backfill": 1,
                              "max_age": "off"}]},
    }  # fmt: skip
    other = program.home / "branch.yaml"
    other.write_text(yaml.safe_dump(values), encoding="utf-8")
    result, _ = plan("--config", other, "--json")
    assert [post["article"] for post in json.loads(result.stdout)["posts"]] == ["old"]


def test_a_comparison_leaves_nothing_behind(program: Program, plan: Plan, tmp_path: Path) -> None:
    """The state folder and the temporary folder are unchanged afterwards."""
    program.upgrade()
    plan()
    before = sorted((program.home / "state").iterdir())
    other = hostile(program)
    assert plan("--config", other)[0].exit_code == 0
    assert sorted((program.home / "state").iterdir()) == before


def test_a_comparison_without_an_outbox_creates_none(program: Program, plan: Plan) -> None:
    """In a pull request's check without an outbox no database is created."""
    result, _ = plan("--config", hostile(program))
    assert result.exit_code == 0, result.output
    assert not list(program.home.rglob("outbox.sqlite*"))


def test_a_link_is_no_config_file_and_no_folder(program: Program, plan: Plan, tmp_path: Path) -> None:
    """A symbolic link in a branch is refused by name, unread."""
    target = tmp_path / "target.yaml"
    target.write_text(f"{SECRET}: 1\n", encoding="utf-8")
    link = tmp_path / "link.yaml"
    link.symlink_to(target)
    folder = tmp_path / "link"
    folder.symlink_to(tmp_path / "content")
    result, _ = plan("--config", link)
    assert (result.exit_code, SECRET in result.output) == (2, False)
    assert plan("--content", folder)[0].exit_code == 2


def test_a_config_file_has_a_longest_length(program: Program, plan: Plan) -> None:
    """One byte over the limit is refused before parsing."""
    other = program.home / "branch.yaml"
    other.write_bytes(b"#" * (configuration.MAX_CONFIG_BYTES + 1))
    result, _ = plan("--config", other)
    assert result.exit_code == 2
    other.write_bytes(b"#" * configuration.MAX_CONFIG_BYTES)
    assert plan("--config", other)[0].exit_code == 0


def test_every_setting_is_either_a_rule_or_stays_ours(program: Program) -> None:
    """A new setting fails here until it is listed as a rule or as this installation's own."""
    stays = {
        "site": {"title", "description", "url", "language", "icon", "author", "email", "id"},
        "articles": {"path", "git", "branch", "subdir", "every", "token_env", "files", "guid"},
        "feeds": {
            *("size", "content", "summary", "related", "ttl"),
            *("archives", "digest", "hubs", "private", "readers"),
        },
        "bot": {"every", "run_in", "proxy", "ca_file", "keep", "alerts", "heartbeat_env"},
    }
    fields = configuration.Config.model_fields
    assert set(fields) == {"pages", "state"} | set(configuration.RULES)
    own = configuration.load(program.home / "config.yaml", {})
    for section, names in configuration.RULES.items():
        known = set(type(getattr(own, section)).model_fields)
        assert known == stays[section] | set(names), f"{section}: decide on the new setting"
        assert not stays[section] & set(names)
