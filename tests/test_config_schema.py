"""The JSON Schema of config.yaml, and the commands that show the settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

import config as configuration
from app import create_app
from config import Config, effective_settings, schema
from config.descriptions import DESCRIPTIONS
from tests.site import ArticleSite

ROOT = Path(__file__).parents[1]

ACCEPTED = [
    "site: {url: 'https://news.example.org'}\nstate: var\n",
    "articles: {include: '*.md', exclude: [a, b], generator: hugo}\n",
    "articles: {git: 'https://git.example.org/x.git', every: 5 minutes, token_env: TOKEN}\n",
    "feeds: {size: 20, content: excerpt, digest: week, topics: [{name: Go, aliases: golang}]}\n",
    "feeds: {digest: off}\n",
    "bot: {every: 90, proxy: off, keep: 30 days}\n",
    "bot: {channels: [{name: a, kind: slack, webhook_env: A, topics: all, max_age: off}]}\n",
    "bot: {channels: [{name: a, kind: discord, webhook_env: A, topics: Go, types: [x], providers: y}]}\n",
    "bot: {channels: [{name: a, kind: slack, webhook_env: A, keywords: {exclude: [x]}}]}\n",
]
REFUSED = [
    "sites: {}\n",
    "site: {titel: x}\n",
    "feeds: {size: many}\n",
    "feeds: {content: all}\n",
    "bot: {every: [1]}\n",
    "bot: {channels: [{name: a, kind: pager, webhook_env: A}]}\n",
    "bot: {channels: [{name: a, kind: slack, webhook_env: A, min_qualty: 5}]}\n",
]


def problems(text: str) -> list[str]:
    checker = jsonschema.Draft202012Validator(schema())
    return [error.message for error in checker.iter_errors(yaml.safe_load(text))]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "content").mkdir()
    return tmp_path


def loaded(home: Path, text: str, environ: dict[str, str]) -> Config:
    (home / "config.yaml").write_text(text, encoding="utf-8")
    return configuration.load(home / "config.yaml", environ)


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_the_program_takes_the_schema_takes(text: str, home: Path) -> None:
    """The schema also accepts short forms of lists, durations and switches."""
    loaded(home, text, {})
    assert problems(text) == []


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_schema_refuses_the_program_refuses(text: str, home: Path) -> None:
    """Both refuse unknown keys and values of the wrong type."""
    assert problems(text)
    with pytest.raises(configuration.ConfigError):
        loaded(home, text, {})


def test_the_schema_is_sound_and_beside_the_sample() -> None:
    """config.schema.json is the output of `flask config schema`, and config.yaml names it for editors."""
    jsonschema.Draft202012Validator.check_schema(schema())
    written = json.loads((ROOT / "config.schema.json").read_text(encoding="utf-8"))
    assert written == schema(), "run: .venv/bin/flask config schema > config.schema.json"
    sample = (ROOT / "config.yaml").read_text(encoding="utf-8")
    assert sample.startswith("# yaml-language-server: $schema=config.schema.json\n")
    assert problems(sample) == []


def test_every_setting_has_a_description() -> None:
    """Each setting of the schema has its sentence in `config.descriptions`, and each sentence a setting."""
    written = schema()
    described = {
        f"channel.{key}" if name.endswith("-channel") else f"{name}.{key}".lstrip(".")
        for name, part in {"": written, **written["$defs"]}.items()
        for key in part.get("properties", {})
    }
    assert described == DESCRIPTIONS.keys()


def test_every_setting_is_shown_with_its_origin(home: Path) -> None:
    """The origin is the file's line, an environment variable or the default; times are as written."""
    text = "site:\n  title: A\n  url: https://a.example\nbot:\n  every: 2 hours\n  channels:\n"
    text += "    - {name: x, kind: slack, webhook_env: X, types: [news]}\n"
    environ = {"SITE_URL": "https://b.example"}
    found = {each.name: (each.value, each.origin) for each in effective_settings(loaded(home, text, environ))}
    assert found["site.title"] == ("A", "config.yaml:2")
    assert found["site.url"] == ("https://b.example", "SITE_URL")
    assert found["site.language"] == ("en", "default")
    assert found["bot.every"] == ("2 hours", "config.yaml:5")
    assert found["bot.keep"] == ("180 days", "default")
    assert found["bot.channels[1].types"] == ({"include": ["news"], "exclude": []}, "config.yaml:7")
    assert found["state"] == (str(home / "var"), "default")


def test_the_commands(site: ArticleSite) -> None:
    """The JSON can be read back, and of a secret it has only whether it is set."""
    site.write("a.md", topics=["Go"])
    site.write("bad.md", title=None)
    (site.home / "config.yaml").write_text(
        "state: state\nbot: {channels: [{name: x, kind: slack, webhook_env: X}]}\n", encoding="utf-8"
    )
    environ = {"ADMIN_TOKEN": "s3cret" * 5, "X": " "}
    app = create_app(configuration.load(site.home / "config.yaml", environ), environ=environ)

    def run(*arguments: str) -> Any:
        return app.test_cli_runner().invoke(args=arguments)

    def answer(*arguments: str) -> Any:
        return json.loads(run(*arguments, "--json").stdout)

    effective_settings = answer("config", "show")
    assert effective_settings["settings"]["state"] == {
        "value": str(site.home / "state"),
        "from": "config.yaml:1",
    }
    assert effective_settings["secrets"]["ADMIN_TOKEN"] == {"value": "set", "from": "ADMIN_TOKEN"}
    assert effective_settings["secrets"]["METRICS_TOKEN"] == {"value": "not set", "from": None}
    assert "blank" in effective_settings["secrets"]["X"]["value"]
    text = run("config", "show").stdout
    assert 'site.title = "Newswire"  (default)\n' in text
    assert "ADMIN_TOKEN is set, from ADMIN_TOKEN\n" in text
    assert "s3cret" not in text
    assert json.loads(run("config", "schema").stdout) == schema()
    assert [line for line in answer("config", "check")["warnings"] if "X" in line]
    checked = answer("articles", "check")
    assert checked["bad"] == [{"path": "bad.md", "line": 1, "reason": "title: is missing"}]
    assert (checked["counts"]["published"], checked["counts"]["bad"]) == (1, 1)
    (topic,) = answer("feeds", "list")
    assert (topic["topic"], topic["articles"]) == ("Go", 1)
    assert topic["feeds"]["rss"].endswith("/feeds/go.rss")
