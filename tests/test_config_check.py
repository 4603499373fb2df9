"""`flask config check` and the start of the bot warn of probable mistakes, each with its line."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import config as configuration
from app import create_app
from wiring.bot import bot_parts

SLACK = "https://hooks.slack.com/services/T0/B0/t0ken"
DISCORD = "https://discord.com/api/webhooks/123456789012345678/t0ken"
TEXT = """\
site: {url: "https://news.example.org"}
feeds:
  topics:
    - {name: Planned}
bot:
  channels:
    - name: team
      kind: slack
      webhook_env: TEAM
      topics: [Security, Secuirty, Planned, Nothing like it]
    - {name: again, kind: slack, webhook_env: AGAIN}
    - {name: readers, kind: discord, webhook_env: READERS}
    - {name: chat, kind: slack, webhook_env: CHAT}
    - {name: later, kind: slack, webhook_env: LATER}
"""
ENVIRON = {
    "TEAM": SLACK,
    "AGAIN": SLACK,
    "READERS": f"{SLACK}2",
    "CHAT": "https://chat.example.org/hooks/t0ken",
    "LATER": "",
}


def site(folder: Path, text: str = TEXT, **environ: str) -> tuple[configuration.Config, dict[str, str]]:
    """Return the settings of a text, beside one article about security, and the environment."""
    (folder / "content").mkdir(parents=True)
    (folder / "content" / "a.md").write_text(
        "---\ntitle: A\ntopics: [Security]\npublishedDateTime: 2026-01-01T00:00:00Z\n---\n"
    )
    (folder / "config.yaml").write_text(text)
    return configuration.load(folder / "config.yaml", {}), ENVIRON | environ


def check(folder: Path, *arguments: str, text: str = TEXT, **environ: str) -> Result:
    """Run `flask config check`."""
    config, given = site(folder, text, **environ)
    app = create_app(config, environ=given)
    result = app.test_cli_runner().invoke(args=["config", "check", *arguments])
    app.extensions["newswire"].catalog.close()
    return result


def test_every_warning_has_its_line(tmp_path: Path) -> None:
    """Misspelt topics, double addresses, wrong services, foreign hosts and missing secrets are warned of."""
    result = check(tmp_path)
    start = f"{tmp_path / 'config.yaml'}:"
    lines = [line.removeprefix(start) for line in result.output.splitlines()]
    assert lines == [
        "10:26: bot.channels[1].topics[2]: no article has the topic Secuirty; did you mean Security?",
        "10:45: bot.channels[1].topics[4]: no article has the topic Nothing like it; is it spelt as in the"
        " articles?",
        "11:47: bot.channels[2].webhook_env: posts to the same address as team: every article would be posted"
        " there twice",
        "12:51: bot.channels[3].webhook_env: has an address of Slack: write `kind: slack`, or the address"
        " of another",
        "13:46: bot.channels[4].webhook_env: has an address on chat.example.org, which is not a host of"
        " Slack (hooks.slack-gov.com, hooks.slack.com, slack-gov.com, slack.com)",
        "14:7: bot.channels[5]: channel later posts nothing: LATER is not set in the environment",
        "6 warnings",
    ]
    assert result.exit_code == 0
    assert "t0ken" not in result.output


def test_a_slack_workflow_is_refused_with_the_reason(tmp_path: Path) -> None:
    """A workflow's address accepts messages and shows none, so the channel posts nothing."""
    result = check(tmp_path, TEAM="https://hooks.slack.com/triggers/T0/1/t0ken")
    (line,) = [line for line in result.output.splitlines() if "starts a Slack workflow" in line]
    assert "channel team posts nothing: TEAM: this address starts a Slack workflow" in line
    assert "t0ken" not in result.output


def test_placeholders_that_are_not_known(tmp_path: Path) -> None:
    """A placeholder that stays in all addresses is named, and those of the generator are not."""
    pattern = "/:yaer/:month/{slug}{foo}/:titleish/{date:%Y}/:output_ext/:week"
    text = f'articles: {{path: content, permalink: "{pattern}"'
    result = check(tmp_path, text=f"{text}}}")
    assert [line.split(": ", 2)[2] for line in result.output.splitlines()[:-1]] == [
        f"{placeholder} is no known placeholder: it stays in addresses"
        for placeholder in (":output_ext", ":week", ":yaer", "{foo}")
    ]
    result = check(tmp_path / "jekyll", text=f"{text}, generator: jekyll}}")
    assert [line.split(": ")[2].split()[0] for line in result.output.splitlines()[:-1]] == [":yaer", "{foo}"]


def test_strict_ends_with_a_status(tmp_path: Path) -> None:
    """A check of a pull request can use the exit status."""
    assert check(tmp_path, "--strict").exit_code == 1


def test_nothing_to_say(tmp_path: Path) -> None:
    """One correct channel gives no warning."""
    channel = "{name: a, kind: discord, webhook_env: A}"
    text = f'site: {{url: "https://n.example"}}\nbot:\n  channels:\n    - {channel}\n'
    result = check(tmp_path, "--strict", text=text, A=DISCORD)
    assert (result.exit_code, result.output) == (0, "no warnings\n")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"DATABASE_URL": "postgresql://u:s3c@ret@db/x"}, "DATABASE_URL has a password with an @"),
        ({"HTTPS_PROXY": "socks5://u:s3cret@h:1"}, "the proxy's address must be http://HOST:PORT"),
        ({"REQUESTS_CA_BUNDLE": "/nowhere.pem"}, "REQUESTS_CA_BUNDLE: /nowhere.pem cannot be read"),
        ({"WEB_THREADS": "many"}, "WEB_THREADS: 'many' is not a number from 1 to 64"),
        ({"DYNO": "web.1"}, "Heroku erases this disk at every deploy"),
    ],
)
def test_what_would_not_start(tmp_path: Path, environ: dict[str, Any], expected: str) -> None:
    """An unusable address, proxy or certificate file ends the check with status 2 and one line."""
    result = check(tmp_path, **environ)
    assert result.exit_code == 2
    assert expected in result.output.splitlines()[0]
    assert result.output.splitlines()[-1].startswith("1 error, ")
    assert "s3c" not in result.output


def test_variables_are_checked_without_channels(tmp_path: Path) -> None:
    """A site that only has feeds could not start either."""
    result = check(tmp_path, text="site: {title: A}\n", TRUSTED_PROXIES="all")
    assert result.exit_code == 2
    assert result.output == "TRUSTED_PROXIES: 'all' is not a number from 0 to 10\n1 error\n"


def test_the_bot_warns_when_it_starts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The same lines are in the bot's log."""
    config, environ = site(tmp_path)
    app = create_app(config, environ=environ)
    newswire = app.extensions["newswire"]
    newswire.refresh()
    parts = bot_parts(newswire, environ)
    caplog.set_level(logging.WARNING)
    parts.bot()
    lines = [record.getMessage() for record in caplog.records]
    assert sum("did you mean Security?" in line for line in lines) == 1
    assert sum("posts to the same address as team" in line for line in lines) == 1
    assert sum("LATER is not set" in line for line in lines) == 1
    parts.database.close()
    newswire.catalog.close()


@pytest.mark.parametrize(("other", "twice"), [("team", False), ("news", True)])
def test_one_bot_may_post_to_two_chats(tmp_path: Path, other: str, twice: bool) -> None:
    """One token may serve two chats; with the same chat, every article would be posted twice."""
    channel = "kind: telegram, token_env: TOKEN, chat"
    text = f"bot:\n  channels:\n    - {{name: a, {channel}: news}}\n    - {{name: b, {channel}: {other}}}\n"
    result = check(tmp_path, text=text, TOKEN=f"123456789:{'A' * 35}")
    assert ("posts to the same address as a" in result.output) is twice


@pytest.mark.parametrize(("arguments", "status"), [(["config", "check"], 0), (["articles", "check"], 1)])
def test_a_repository_that_cannot_be_reached(tmp_path: Path, arguments: list[str], status: int) -> None:
    """Both checks say so in one line; the settings are checked all the same, as the site starts without."""
    text = f"articles:\n  git: file://{tmp_path}/nowhere\nstate: {tmp_path}/state\n"
    config, environ = site(tmp_path, text)
    app = create_app(config, environ=environ)
    result = app.test_cli_runner().invoke(args=arguments)
    app.extensions["newswire"].catalog.close()
    assert result.exit_code == status
    assert [f"file://{tmp_path}/nowhere: " in line for line in result.output.splitlines()].count(True) == 1
    assert ("config.yaml:2:8: articles.git: the articles cannot be read: " in result.output) == (status == 0)


@contextmanager
def without_rights(*folders: Path) -> Iterator[None]:
    """Remove the rights to folders; as root, whom they do not bind, ask for access as another user."""
    if os.getuid() == 0:
        os.setreuid(65534, -1)
    else:
        for folder in folders:
            folder.chmod(0)
    try:
        yield
    finally:
        os.setreuid(os.geteuid(), -1)
        for folder in folders:
            folder.chmod(0o700)


def test_a_folder_without_the_rights_to_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line names the folder, before anything starts; there used to be a traceback of each part."""
    config, environ = site(tmp_path, f"state: {tmp_path}/state\n")
    create_app(config, environ=environ)
    with without_rights(tmp_path / "content", tmp_path / "state"):
        with pytest.raises(
            configuration.ConfigError, match=r":1:1: articles.path: the folder .*/content can"
        ):
            configuration.load(tmp_path / "config.yaml", {})
        with pytest.raises(SystemExit, match="2"):
            create_app(config, environ=environ)
    assert capsys.readouterr().err.startswith(f"the state folder {tmp_path}/state cannot be written to: ")
