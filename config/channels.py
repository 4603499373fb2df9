"""The settings of the bot and of its channels."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WrapValidator,
    create_model,
    field_validator,
)

from config.errors import Location, refused
from config.layouts import LayoutConfig
from config.policies import PolicySection
from config.values import (
    NOT_BOOLEAN,
    ChannelName,
    Duration,
    LanguageTag,
    Names,
    Section,
    VariableName,
    WholeNumber,
    all_as_none,
    all_defaults,
    list_as_filter,
    off_as_none,
    text_as_list,
)
from text.language import available, language_of
from text.patterns import MAX_PATTERN, pattern
from text.variables import SECRET_SUFFIX

if TYPE_CHECKING:
    from bot.services import Service
    from bot.services.options import ServiceOptions


class FilterConfig(Section):
    """The values that a channel accepts (`include`; empty means all), and never accepts (`exclude`)."""

    include: Names = ()
    exclude: Names = ()


def _keyword(value: str) -> str:
    pattern(value)
    return value


Keywords = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=MAX_PATTERN), AfterValidator(_keyword)], ...],
    BeforeValidator(text_as_list),
]


class KeywordConfig(Section):
    """Words or `/patterns/`: an article must have one of `include`, and none of `exclude`."""

    include: Keywords = ()
    exclude: Keywords = ()


def _translated_language(value: str) -> str:
    """Return a language; raise ValueError for one without translations, whose texts would be English."""
    is_english = value.partition("-")[0].lower() == "en"
    if language_of(value).tag == "en" and not is_english:
        raise ValueError(f"has no translations; there are {', '.join(available())}")
    return value


Filtered = Annotated[FilterConfig, BeforeValidator(list_as_filter)]
KeywordFiltered = Annotated[KeywordConfig, BeforeValidator(list_as_filter)]


def services() -> Mapping[str, Service]:
    """Return the chat services by kind; most configurations have no channel, and never load them."""
    from bot.services import SERVICES

    return SERVICES


def _kind(value: str) -> str:
    services_by_kind = services()
    if value not in services_by_kind:
        close = difflib.get_close_matches(value, services_by_kind, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(services_by_kind))}"
        raise ValueError(f"is not a known kind of service; {hint}")
    return value


class ChannelConfig(PolicySection):
    """One destination in a chat service, and what is posted there. Without `topics`, all topics are posted.

    `language` is the language of the bot's own words, by default the site's; `languages` are those of the
    articles. `was` is a former name of the channel, whose history and waiting posts continue under the new
    name. The settings that only some services have are fields of the subclass that `channel_model` returns.
    """

    name: ChannelName
    was: ChannelName | None = None
    kind: Annotated[str, AfterValidator(_kind)]
    topics: Annotated[Names | None, BeforeValidator(all_as_none)] = None
    not_topics: Names = ()
    min_quality: WholeNumber | None = None
    types: Filtered = all_defaults()
    providers: Filtered = all_defaults()
    authors: Filtered = all_defaults()
    languages: Annotated[tuple[LanguageTag, ...], BeforeValidator(text_as_list)] = ()
    keywords: KeywordFiltered = all_defaults()
    max_age: Annotated[Duration | None, BeforeValidator(off_as_none)] = timedelta(days=7)
    backfill: Annotated[int, Field(ge=0, le=100), NOT_BOOLEAN] = 0
    max_per_tick: Annotated[int, Field(ge=1, le=1000), NOT_BOOLEAN] = 5
    on_unknown: Literal["retry", "hold", "skip"] = "retry"
    review: bool = False
    layout: LayoutConfig | None = None
    thread: Literal["none", "topic", "story", "digest"] = "none"
    language: Annotated[LanguageTag, AfterValidator(_translated_language)] | None = None

    def secret_variables(self) -> dict[str, str]:
        """Return the environment variables that hold this channel's secrets, by what they are for."""
        return {
            name.removesuffix(SECRET_SUFFIX): value
            for name, value in self._own_settings()
            if name.endswith(SECRET_SUFFIX)
        }

    def options(self) -> dict[str, Any]:
        """Return the settings that only this channel's service has, without secrets."""
        return {name: value for name, value in self._own_settings() if not name.endswith(SECRET_SUFFIX)}

    def _own_settings(self) -> Iterator[tuple[str, Any]]:
        for name in type(self).model_fields:
            if name not in ChannelConfig.model_fields and (value := getattr(self, name)) is not None:
                yield name, value


class _UnknownChannel(ChannelConfig):
    """A channel whose kind is missing or unknown, so that its other settings cannot be checked."""

    model_config = ConfigDict(extra="ignore")


def channel_model(kind: str) -> type[ChannelConfig]:
    """Return the model of a channel's settings: the common ones and those of its service."""
    return _combined(services()[kind].OPTIONS)


@cache
def _combined(options: type[ServiceOptions]) -> type[ChannelConfig]:
    bases: tuple[Any, ...] = (ChannelConfig, options)
    model: type[ChannelConfig] = create_model(f"{options.__name__}Channel", __base__=bases)
    return model


def _channel_settings(value: Any, handler: Callable[[Any], ChannelConfig]) -> ChannelConfig:
    if not isinstance(value, dict):
        return handler(value)
    kind = value.get("kind")
    model = channel_model(kind) if isinstance(kind, str) and kind in services() else _UnknownChannel
    channel = model.model_validate(value)
    problems = [*_mentions_refused(channel), *_layout_refused(channel), *_threads_refused(channel)]
    if problems:
        raise refused(model.__name__, problems)
    return channel


def _layout_refused(channel: ChannelConfig) -> Iterator[tuple[Location, str]]:
    if channel.layout and not services()[channel.kind].LAID_OUT:
        yield (
            ("layout",),
            f"a channel of the kind {channel.kind} has none: a program is sent all there is",
        )


def _threads_refused(channel: ChannelConfig) -> Iterator[tuple[Location, str]]:
    own = {name for name, value in channel._own_settings() if value}
    if channel.thread != "none" and not services()[channel.kind].has_threads(own):
        yield (
            ("thread",),
            f"a channel of the kind {channel.kind} with these settings has no threads: see docs/bot.md",
        )


def _mentions_refused(channel: ChannelConfig) -> Iterator[tuple[Location, str]]:
    """Yield an error for each mention that the channel's service does not support."""
    refused: list[tuple[Location, str]] = []
    if channel.urgent and channel.urgent.mention:
        refused.append((("urgent", "mention"), channel.urgent.mention))
    for number, rule in enumerate(channel.mentions):
        refused.append((("mentions", number, "mention"), rule.mention))
    for where, text in refused:
        from bot.services.mention import refusal
        from bot.services.message import read_mention

        service = services()[channel.kind]
        if reason := refusal(read_mention(text), service.MENTIONS, service.NAME):
            yield where, reason


def _names_taken(channels: tuple[ChannelConfig, ...]) -> Iterator[tuple[Location, str]]:
    """Yield each name and former name that another channel has, and where it is."""
    names = [channel.name for channel in channels]
    former = [channel.was for channel in channels]
    for number, channel in enumerate(channels):
        if channel.name in names[:number]:
            yield (number, "name"), f"another channel is called {channel.name} too: give each its own name"
        if channel.was is None:
            continue
        if channel.was in names:
            reason = f"{channel.was} is still the name of a channel, so no other channel can have had it"
            yield (number, "was"), reason
        elif channel.was in former[:number]:
            reason = f"another channel has `was: {channel.was}` too: only one can take over its history"
            yield (number, "was"), reason


def _proxy(value: Any) -> Any:
    return "" if value is False or value == "off" else value


def _without_password(value: str) -> str:
    if "@" in value:
        raise ValueError("has a password: set HTTPS_PROXY in the environment instead")
    if value and not re.fullmatch(r"https?://[^/\s]+/?", value):
        raise ValueError("write an address such as http://proxy.example.org:3128, or off")
    return value


def _long_enough(value: timedelta) -> timedelta:
    if value < MIN_KEEP:
        raise ValueError(f"write at least {MIN_KEEP.days} days: messages are corrected for that long")
    return value


MIN_KEEP = timedelta(days=7)

"""How long after they were posted messages are corrected."""


class BotConfig(Section):
    """How often the bot runs, where it posts, and through which network.

    `run_in: web` lets the web process post where no other can run. An empty `proxy` means none; without the
    setting, HTTPS_PROXY decides. `ca_file` has certificates to trust besides the usual ones. `keep` is how
    long attempts and sent messages are stored. `alerts` names the channel that is alerted when another fails.
    """

    every: Duration = timedelta(seconds=60)
    run_in: Literal["bot", "web"] = "bot"
    proxy: Annotated[Annotated[str, AfterValidator(_without_password)] | None, BeforeValidator(_proxy)] = None
    ca_file: Path | None = None
    keep: Annotated[Duration, AfterValidator(_long_enough)] = timedelta(days=180)
    channels: tuple[Annotated[ChannelConfig, WrapValidator(_channel_settings)], ...] = ()

    alerts: ChannelName | None = None
    heartbeat_env: VariableName | None = None

    @field_validator("channels")
    @classmethod
    def _names_differ(cls, channels: tuple[ChannelConfig, ...]) -> tuple[ChannelConfig, ...]:
        problems = list(_names_taken(channels))
        if problems:
            raise refused("channels", problems)
        return channels

    @field_validator("alerts")
    @classmethod
    def _alerts_are_read(cls, alerts: str | None, info: ValidationInfo) -> str | None:
        names = [channel.name for channel in info.data.get("channels", ())]
        if alerts is not None and "channels" in info.data and alerts not in names:
            close = difflib.get_close_matches(alerts, names, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names) or 'none'}"
            raise ValueError(f"there is no channel {alerts}; {hint}")
        return alerts
