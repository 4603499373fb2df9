"""Every kind's settings are read from config.yaml, and a mistake in them has its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import config as configuration
from bot.services import SERVICES
from config import ConfigError, SiteConfig
from tests.contracts.kinds import CASES
from wiring.channels import channel_of


def read(folder: Path, settings: dict[str, object]) -> configuration.Config:
    (folder / "content").mkdir(exist_ok=True)
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump({"bot": {"channels": [settings]}}, sort_keys=False), encoding="utf-8")
    return configuration.load(file, {})


@pytest.mark.parametrize("kind", SERVICES)
def test_a_channel_of_each_kind_is_ready_to_post(tmp_path: Path, kind: str) -> None:
    """Its settings and its variables are all that a channel needs."""
    case = CASES[kind]
    loaded = read(tmp_path, case.settings("news"))
    (channel,) = loaded.bot.channels
    topics = loaded.feeds.catalog_topics()
    found, fault = channel_of(channel, topics, case.environ("news", case.address), SiteConfig())
    assert fault == ""
    assert found.destination is not None
    assert found.destination.address == case.hook.address
    assert found.destination.options == case.hook.options
    assert channel_of(channel, topics, {}, SiteConfig())[0].destination is None


@pytest.mark.parametrize("kind", SERVICES)
def test_a_setting_that_is_missing_or_not_known_has_its_line(tmp_path: Path, kind: str) -> None:
    """The error has the name of the setting as it is written."""
    settings = CASES[kind].settings("news")
    needed = [
        field.alias or name
        for name, field in SERVICES[kind].OPTIONS.model_fields.items()
        if field.is_required()
    ]
    for name in needed:
        with pytest.raises(ConfigError) as caught:
            read(tmp_path, {key: value for key, value in settings.items() if key != name})
        assert f"3:5: bot.channels[1].{name}: is missing" in str(caught.value)
    own = next(name for name in settings if name not in ("name", "kind"))
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, settings | {f"{own}x": "y"})
    line = 3 + len(settings)
    assert f"{line}:" in str(caught.value)
    assert f"bot.channels[1].{own}x: is not a known key; did you mean {own}?" in str(caught.value)
