"""The settings: config.yaml and the environment, checked as a whole. Only app.py and `wiring` import this."""

from config.channels import BotConfig, ChannelConfig, FilterConfig, channel_model
from config.effective import EffectiveSetting, effective_settings
from config.errors import ConfigError, Location, Problem
from config.file import MAX_CONFIG_BYTES, RULES, load, load_rules
from config.layouts import LayoutConfig
from config.schema import schema
from config.settings import (
    DEFAULT,
    ArticlesConfig,
    Config,
    FeedsConfig,
    PagesConfig,
    SiteConfig,
    TopicConfig,
)

__all__ = [
    "DEFAULT",
    "MAX_CONFIG_BYTES",
    "RULES",
    "ArticlesConfig",
    "BotConfig",
    "ChannelConfig",
    "Config",
    "ConfigError",
    "EffectiveSetting",
    "FeedsConfig",
    "FilterConfig",
    "LayoutConfig",
    "Location",
    "PagesConfig",
    "Problem",
    "SiteConfig",
    "TopicConfig",
    "channel_model",
    "effective_settings",
    "load",
    "load_rules",
    "schema",
]
