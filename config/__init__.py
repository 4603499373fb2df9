"""The settings: config.yaml and the environment, checked as a whole. Only app.py and `wiring` import this."""

from config.channels import BotConfig, ChannelConfig, FilterConfig, channel_model
from config.errors import ConfigError, Location, Problem
from config.file import MAX_CONFIG_BYTES, RULES, load, load_rules
from config.settings import (
    ArticlesConfig,
    Config,
    FeedsConfig,
    PagesConfig,
    SiteConfig,
    TopicConfig,
)

__all__ = [
    "MAX_CONFIG_BYTES",
    "RULES",
    "ArticlesConfig",
    "BotConfig",
    "ChannelConfig",
    "Config",
    "ConfigError",
    "FeedsConfig",
    "FilterConfig",
    "Location",
    "PagesConfig",
    "Problem",
    "SiteConfig",
    "TopicConfig",
    "channel_model",
    "load",
    "load_rules",
]
