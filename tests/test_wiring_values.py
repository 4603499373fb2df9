"""Settings become the values of parts."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pytest

from bot.planning.rules import Channel
from config import ChannelConfig, FeedsConfig, SiteConfig
from feeds.model import Site
from feeds.publisher import FeedSettings
from wiring.values import value_of


@dataclass(frozen=True, kw_only=True)
class _Titled:
    title: str
    length: int


def test_settings_of_the_same_name_are_copied() -> None:
    """A part gets the settings that its dataclass names, and the caller's values for other fields."""
    assert value_of(SiteConfig(title="News"), _Titled, length=3) == _Titled(title="News", length=3)
    assert value_of(SiteConfig(title="News"), _Titled, title="Other", length=3).title == "Other"


def test_a_field_that_no_setting_fills_is_an_error() -> None:
    """A misspelt field is noticed at the start, not read as a default."""
    with pytest.raises(TypeError, match="length"):
        value_of(SiteConfig(), _Titled)


def test_parts_are_filled_by_settings() -> None:
    """Every field of these values is a setting, except those named here."""
    own = {"destination", "taxonomy", "policy"}  # from the environment, a comparison, and several settings
    assert {field.name for field in fields(Channel)} - set(ChannelConfig.model_fields) == own
    assert {field.name for field in fields(Site)} <= set(SiteConfig.model_fields)
    assert {field.name for field in fields(FeedSettings)} <= set(FeedsConfig.model_fields)
