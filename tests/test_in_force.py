"""The settings in force, each with its origin: `flask config show`, and the operator's page."""

from __future__ import annotations

from pathlib import Path

import pytest

from wiring.in_force import in_force
from wiring.loading import load_or_exit

TEXT = """\
site:
  title: A
bot:
  channels:
    - {name: team, kind: slack, webhook_env: TEAM}
    - {name: mail, kind: slack, webhook_env: OTHER}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with settings that name no address of the site."""
    (tmp_path / "content").mkdir()
    (tmp_path / "config.yaml").write_text(TEXT, "utf-8")
    (tmp_path / "secret").write_text("https://hooks.slack.com/services/T0/B0/t0ken\n", "utf-8")
    return tmp_path


def found(home: Path, **environ: str) -> dict[str, tuple[object, str]]:
    """Return the value and the origin of each setting in force in an environment."""
    environ["NEWSWIRE_CONFIG"] = str(home / "config.yaml")
    return {each.name: (each.value, each.origin) for each in in_force(load_or_exit(environ), environ)}


@pytest.mark.parametrize(
    ("environ", "address", "origin"),
    [
        ({}, "http://localhost:8000", "default"),
        ({"PORT": "9000"}, "http://localhost:9000", "derived from PORT"),
        ({"PORT": "9000", "WEB_PORT": "9100"}, "http://localhost:9100", "derived from WEB_PORT"),
        ({"PORT": "9000", "SITE_URL": "https://a.example"}, "https://a.example", "SITE_URL"),
        ({"PORT": "9000", "RENDER": "true"}, "http://localhost:8000", "default"),
    ],
)
def test_the_address_of_the_site(home: Path, environ: dict[str, str], address: str, origin: str) -> None:
    """SITE_URL precedes the port, which has no effect on a hosting platform."""
    settings = found(home, **environ)
    assert settings["site.url"] == (address, origin)
    port = environ.get("PORT")
    assert settings["PORT"] == ((port, "PORT") if port else ("8000", "default"))
    assert settings.get("platform") == (("Render", "RENDER") if "RENDER" in environ else None)


def test_the_address_in_the_file_comes_before_the_port(home: Path) -> None:
    """SITE_URL precedes the file."""
    text = TEXT.replace("title: A", "title: A\n  url: https://file.example")
    (home / "config.yaml").write_text(text, "utf-8")
    assert found(home, PORT="9000")["site.url"] == ("https://file.example", "config.yaml:3")
    environ = {"PORT": "9000", "SITE_URL": "https://b.example", "STATE_DIR": str(home / "s")}
    settings = found(home, **environ)
    assert settings["site.url"] == ("https://b.example", "SITE_URL")
    assert settings["state"] == (str(home / "s"), "STATE_DIR")


def test_secrets_in_variables_and_in_files(home: Path) -> None:
    """A variable precedes the file unless it is blank, and no character of a secret is shown."""
    file, none = str(home / "secret"), str(home / "none")
    settings = found(home, TEAM_FILE=file, OTHER="t0ken", OTHER_FILE=file, SENTRY_DSN_FILE=none)
    assert settings["TEAM"] == ("set", "TEAM_FILE")
    assert settings["OTHER"] == ("set", "OTHER")
    assert settings["METRICS_TOKEN"] == ("not set", "")
    assert "SENTRY_DSN_FILE names cannot be read" in str(settings["SENTRY_DSN"][0])
    assert found(home, TEAM=" ", TEAM_FILE=file)["TEAM"] == ("set", "TEAM_FILE")
    assert "t0ken" not in str(settings)


def test_the_outbox_and_the_proxy_show_no_password(home: Path) -> None:
    """The outbox's address, from DATABASE_URL or in the state folder, and the proxy's have no password."""
    assert found(home)["outbox"] == ("SQLite", "derived from state")
    settings = found(home, DATABASE_URL="postgresql://u:s3cret@db/x", https_proxy="http://u:s3cret@p:1")
    assert settings["outbox"] == ("PostgreSQL", "DATABASE_URL")
    assert settings["DATABASE_URL"] == ("set", "DATABASE_URL")
    assert settings["proxy"] == ("set", "https_proxy")
    assert "s3cret" not in str(settings)
    assert "unusable" in str(found(home, FLY_APP_NAME="x")["outbox"][0])


def test_a_setting_has_the_name_that_the_file_gives_it(home: Path) -> None:
    """Quiet hours are shown as `from` and `to`, with their lines."""
    quiet = '    - {name: late, kind: slack, webhook_env: LATE, quiet: {from: "19:00", to: "08:00"}}\n'
    (home / "config.yaml").write_text(TEXT + quiet, "utf-8")
    settings = found(home)
    assert settings["bot.channels[3].quiet.from"] == ("19:00", "config.yaml:7")
    assert settings["bot.channels[3].quiet.to"] == ("08:00", "config.yaml:7")
