"""config.yaml and the environment → Config. An error says where it is, what is wrong, what would be right.

Knows what the settings are called and which values make sense, not what becomes of them.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from articles.conventions import Conventions, Generator
from articles.files.folder import ARTICLE_FILES
from articles.files.git import GitError, checked_address, may_carry_token
from articles.topics import Topic, TopicError, Topics, slugify
from bot.services import SERVICES
from bot.services.options import SECRET_SUFFIX, Options, VariableName
from text.printable import printable
from text.urls import http_url
from text.yaml import safe as safeyaml
from text.zones import zone

Location = tuple[int | str, ...]

MAX_CONFIG_BYTES = 1_000_000
"""The longest config file that is read."""

RULES: Mapping[str, tuple[str, ...]] = {
    "site": ("timezone",),
    "articles": ("include", "exclude", "generator", "base_url", "permalink", "topics_from"),
    "feeds": ("topics", "gone"),
    "bot": ("channels",),
}
"""The settings, by section, that `bot plan --config` takes from another config file.

They say which articles there are, how they are read, and which of them a channel gets. None may lead to a
secret, a file or a host (`base_url` only stands in links): the other file can come from a pull request, and
the check may run with this installation's secrets.
"""

_DURATION = re.compile(r"(\d+(?:\.\d+)?) *([a-z]*)")
_UNITS = {"s": 1, "second": 1, "sec": 1, "m": 60, "minute": 60, "min": 60, "h": 3600, "hour": 3600,
          "d": 86400, "day": 86400, "w": 604800, "week": 604800}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in the config file; line and column count from 1."""

    line: int
    column: int
    key: str
    message: str


class ConfigError(Exception):
    """The configuration cannot be used; its text has one line for each problem."""

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = tuple(sorted(problems))
        super().__init__(path, self.problems)

    @property
    def lines(self) -> list[str]:
        """One line for each problem, safe to print: a key or a value may hold anything."""
        return [
            printable(f"{self.path}:{p.line}:{p.column}: {f'{p.key}: ' if p.key else ''}{p.message}")
            for p in self.problems
        ]

    def __str__(self) -> str:
        return "\n".join(self.lines)


def _duration(value: Any) -> Any:
    match = None if isinstance(value, bool) else _DURATION.fullmatch(str(value).strip().lower())
    unit = match[2] if match else ""
    scale = _UNITS.get(unit or "s") or _UNITS.get(unit.removesuffix("s"))
    if match is None or scale is None or float(match[1]) == 0:
        raise ValueError("write a time such as 60 seconds, 5 minutes or 7 days")
    try:
        return timedelta(seconds=float(match[1]) * scale)
    except OverflowError:
        raise ValueError("is longer than time itself: write one such as 7 days") from None


def _web_address(value: str) -> str:
    url = http_url(value.strip())
    if url is None or "?" in url or "#" in url:
        raise ValueError("write a whole address such as https://news.example.org")
    return url.rstrip("/")


def _git_address(value: str) -> str:
    try:
        return checked_address(value)
    except GitError as error:
        raise ValueError(str(error)) from None


def _time_zone(value: str) -> str:
    zone(value)
    return value


def _permalink(value: str) -> str:
    if len(value) > 500 or "://" in value or any(character.isspace() for character in value):
        raise ValueError("write a pattern of paths such as /:year/:month/:day/:slug/")
    return value


def _inner_folder(value: str) -> str:
    parts = [part for part in value.split("/") if part not in ("", ".")]
    if value.startswith("/") or any(part.startswith(".") for part in parts):
        raise ValueError("write a folder inside the repository, such as content/articles")
    return "/".join(parts)


def _matching(pattern: str, advice: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(advice)
        return value

    return AfterValidator(check)


def _off(value: Any) -> Any:
    return None if value is False or value == "off" else value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _all(value: Any) -> Any:
    return None if value == "all" else value


def _filter(value: Any) -> Any:
    return {"include": value} if isinstance(value, (list, str)) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
LanguageTag = Annotated[
    str, _matching(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", "write a language tag such as en or pt-BR")
]
ChannelName = Annotated[
    str, _matching(r"[A-Za-z0-9][A-Za-z0-9._-]*", "use letters, digits, dots, hyphens and underscores only")
]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Permalink = Annotated[str, Field(min_length=1), AfterValidator(_permalink)]
GitAddress = Annotated[str, AfterValidator(_git_address)]
BranchName = Annotated[
    str, _matching(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./+#@-]*", "write a branch's name, such as main")
]
Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_listed)]


class _Section(BaseModel):
    # Built at first use, each section once: at import, every section would build those within it.
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, defer_build=True)


class SiteConfig(_Section):
    """What the site says of itself. `id` is part of every entry's identity: never change it."""

    title: Annotated[str, Field(min_length=1)] = "Newswire"
    description: str = ""
    url: WebAddress = "http://localhost:8000"
    language: LanguageTag = "en"
    icon: WebAddress | None = None
    author: str | None = None
    id: Annotated[str, Field(min_length=1)] = "newswire"
    timezone: TimeZone = "UTC"


class ArticlesConfig(_Section):
    """Where the article files are: in the folder `path`, or in a git repository.

    Of a repository, `branch` None means the one it shows first, and `token_env` names the variable that holds
    the token for a private one. `files` are globs of files beside the articles that are served although they
    are no pictures, audio, video or PDF. `generator` says by whose conventions they are
    written, `base_url` which site they belong to, and `permalink` how their addresses there are formed.
    """

    path: Path = Path("content")
    include: Names = ARTICLE_FILES
    exclude: Names = ()
    files: Names = ()
    generator: Generator = "plain"
    base_url: WebAddress | None = None
    permalink: Permalink | None = None
    topics_from: Annotated[Names | None, Field(min_length=1)] = None
    git: GitAddress | None = None
    branch: BranchName | None = None
    subdir: Annotated[str, AfterValidator(_inner_folder)] = ""
    every: Duration = timedelta(seconds=60)
    token_env: VariableName | None = None

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        only_git = self.model_fields_set & {"branch", "subdir", "every", "token_env"}
        if self.git is None and only_git:
            raise ValueError(
                f"{', '.join(sorted(only_git))}: only for articles from a git repository (`git:`)"
            )
        if self.git is not None and "path" in self.model_fields_set:
            raise ValueError("give either `path` or `git`; the folder inside a repository is `subdir`")
        if self.token_env and self.git and not may_carry_token(self.git):
            raise ValueError("a token is sent only to an https:// address: anyone on the way could read it")
        return self


class TopicConfig(_Section):
    """A topic that the operator wants to name, describe or place."""

    name: Annotated[str, Field(min_length=1)]
    slug: str | None = None
    title: str = ""
    description: str = ""
    aliases: Names = ()
    parent: str | None = None

    @field_validator("slug")
    @classmethod
    def _slug_is_usable(cls, slug: str | None) -> str | None:
        if slug is not None and slugify(slug) != slug:
            raise ValueError(f"{slug!r} cannot be an address: {slugify(slug)!r} could")
        return slug

    def topic(self) -> Topic:
        """Return the topic these settings describe."""
        slug = self.slug or slugify(self.name)
        return Topic(
            name=self.name,
            slug=slug,
            title=self.title,
            description=self.description,
            aliases=self.aliases,
            parent=self.parent,
        )


def _gone_problem(slug: str, listed: Topics) -> str | None:
    """Return why a topic's slug cannot be in `feeds.gone`, or None if it can."""
    if slugify(slug) != slug:
        return f"{slug!r} is not the slug of a topic; that of a topic with this name is {slugify(slug)!r}"
    topic = listed.at(slug)
    if topic:
        return f"{topic.name!r} is listed under feeds.topics: remove one of the two"
    target = listed.moved(slug)
    if target:
        return f"{slug!r} is another name of {target!r} under feeds.topics: remove one of the two"
    return None


class FeedsConfig(_Section):
    """What the feeds hold."""

    size: Annotated[int, Field(ge=1, le=1000)] = 50
    content: Literal["full", "excerpt"] = "full"
    related: Annotated[int, Field(ge=0, le=3)] = 3
    ttl: Annotated[int, Field(ge=1, le=1440, description="minutes")] = 60
    topics: tuple[TopicConfig, ...] = ()
    gone: Names = ()

    @field_validator("topics")
    @classmethod
    def _topics_agree(cls, topics: tuple[TopicConfig, ...]) -> tuple[TopicConfig, ...]:
        try:
            Topics(tuple(topic.topic() for topic in topics))
        except TopicError as error:
            raise ValueError(str(error)) from None
        return topics

    @field_validator("gone")
    @classmethod
    def _gone_is_not_listed(cls, gone: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Refuse what would be listed and ended at once, each at its own line."""
        listed = Topics(tuple(topic.topic() for topic in info.data.get("topics", ())))
        problems = [
            InitErrorDetails(
                type=PydanticCustomError("gone_topic", "{reason}", {"reason": reason}),
                loc=(index,),
                input=slug,
            )
            for index, slug in enumerate(gone)
            if (reason := _gone_problem(slug, listed))
        ]
        if problems:
            raise ValidationError.from_exception_data("gone", problems)
        return gone

    def catalog_topics(self) -> Topics:
        """Return the topics the operator listed, and those that are gone."""
        return Topics(tuple(topic.topic() for topic in self.topics), frozenset(self.gone))


class PagesConfig(_Section):
    """What the pages show: `show_quality`, whether entries carry their quality."""

    show_quality: bool = False


class FilterConfig(_Section):
    """Which values a channel takes (`include`; empty = all) and which it never takes (`exclude`)."""

    include: Names = ()
    exclude: Names = ()


Filtered = Annotated[FilterConfig, BeforeValidator(_filter)]


def _kind(value: str) -> str:
    if value not in SERVICES:
        close = difflib.get_close_matches(value, SERVICES, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(SERVICES))}"
        raise ValueError(f"is not a known kind of service; {hint}")
    return value


class ChannelConfig(_Section):
    """One place in a chat service, and what is posted there; `topics` None means all.

    `was` is an earlier name of the channel: what it has posted and what waits goes on under the new one. The
    settings that only some services have are fields of the subclass that `channel_model` returns.
    """

    name: ChannelName
    was: ChannelName | None = None
    kind: Annotated[str, AfterValidator(_kind)]
    topics: Annotated[Names | None, BeforeValidator(_all)] = None
    min_quality: int | None = None
    types: Filtered = FilterConfig()
    providers: Filtered = FilterConfig()
    keywords: Filtered = FilterConfig()
    max_age: Annotated[Duration | None, BeforeValidator(_off)] = timedelta(days=7)
    backfill: Annotated[int, Field(ge=0, le=100)] = 0
    max_per_tick: Annotated[int, Field(ge=1, le=1000)] = 5
    on_unknown: Literal["retry", "hold", "skip"] = "retry"

    def secret_variables(self) -> dict[str, str]:
        """Return the environment variables that hold this channel's secrets, by what they are for."""
        return {
            name.removesuffix(SECRET_SUFFIX): value
            for name, value in self._own_settings()
            if name.endswith(SECRET_SUFFIX)
        }

    def options(self) -> dict[str, Any]:
        """Return the other settings that this channel has because of its service."""
        return {name: value for name, value in self._own_settings() if not name.endswith(SECRET_SUFFIX)}

    def _own_settings(self) -> Iterator[tuple[str, Any]]:
        for name in type(self).model_fields:
            if name not in ChannelConfig.model_fields and (value := getattr(self, name)) is not None:
                yield name, value


class _UnknownChannel(ChannelConfig):
    """A channel whose kind is missing or unknown: nothing can be said about its other settings."""

    model_config = ConfigDict(extra="ignore")


def channel_model(kind: str) -> type[ChannelConfig]:
    """Return the model of a channel's settings: the common ones and those of its service."""
    return _combined(SERVICES[kind].OPTIONS)


@cache
def _combined(options: type[Options]) -> type[ChannelConfig]:
    bases: tuple[Any, ...] = (ChannelConfig, options)
    model: type[ChannelConfig] = create_model(f"{options.__name__}Channel", __base__=bases)
    return model


def _channel(value: Any, handler: Callable[[Any], ChannelConfig]) -> ChannelConfig:
    if not isinstance(value, dict):
        return handler(value)
    kind = value.get("kind")
    model = channel_model(kind) if isinstance(kind, str) and kind in SERVICES else _UnknownChannel
    return model.model_validate(value)


def _proxy(value: Any) -> Any:
    return "" if value is False or value == "off" else value


def _without_password(value: str) -> str:
    if "@" in value:
        raise ValueError("holds a password: set HTTPS_PROXY in the environment instead")
    if value and not re.fullmatch(r"https?://[^/\s]+/?", value):
        raise ValueError("write an address such as http://proxy.example.org:3128, or off")
    return value


def _long_enough(value: timedelta) -> timedelta:
    if value < SHORTEST_KEEP:
        raise ValueError(f"write at least {SHORTEST_KEEP.days} days: messages are corrected for so long")
    return value


SHORTEST_KEEP = timedelta(days=7)
"""Messages are corrected for so long after they were posted."""


class BotConfig(_Section):
    """How often to look, where to post, and the way there.

    `run_in: web` lets the web process post where no other can run. `proxy` "" means none, None that
    HTTPS_PROXY decides; `ca_file` holds certificates to trust besides the usual ones. `keep` is how long
    attempts, and what a message said, are kept. `alerts` names the channel that is told when another fails.
    """

    every: Duration = timedelta(seconds=60)
    run_in: Literal["bot", "web"] = "bot"
    proxy: Annotated[Annotated[str, AfterValidator(_without_password)] | None, BeforeValidator(_proxy)] = None
    ca_file: Path | None = None
    keep: Annotated[Duration, AfterValidator(_long_enough)] = timedelta(days=180)
    channels: tuple[Annotated[ChannelConfig, WrapValidator(_channel)], ...] = ()

    alerts: ChannelName | None = None

    @field_validator("channels")
    @classmethod
    def _names_differ(cls, channels: tuple[ChannelConfig, ...]) -> tuple[ChannelConfig, ...]:
        counted = Counter(channel.name for channel in channels)
        for name, count in counted.items():
            if count > 1:
                raise ValueError(f"{count} are called {name}: give each its own name")
        renamed = Counter(channel.was for channel in channels if channel.was)
        for name, count in renamed.items():
            if name in counted:
                raise ValueError(
                    f"{name} is still the name of a channel, so no other can have been called so"
                )
            if count > 1:
                raise ValueError(f"{count} say that they were {name}: only one can go on with what it posted")
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


class Config(_Section):
    """All settings. `state` is the folder for what the program itself keeps: the catalog and the outbox."""

    site: SiteConfig = SiteConfig()
    articles: ArticlesConfig = ArticlesConfig()
    feeds: FeedsConfig = FeedsConfig()
    pages: PagesConfig = PagesConfig()
    bot: BotConfig = BotConfig()
    state: Path = Path("var")
    _file: Path | None = PrivateAttr(default=None)
    _marks: Mapping[Location, tuple[int, int]] = PrivateAttr(default_factory=dict)

    def located(self, found: Iterable[tuple[Location, str]]) -> list[str]:
        """Return what was found about settings as lines with file, line and column, in the order of the file.

        Settings that did not come from a file are named without a place.
        """
        placed = sorted((*_place(where, self._marks), _dotted(where), said) for where, said in found)
        start = f"{self._file}:" if self._file else ""
        return [
            f"{start}{line}:{column}: {key}: {said}" if start else f"{key}: {said}"
            for line, column, key, said in placed
        ]

    def conventions(self) -> Conventions:
        """Return by whose conventions the articles are written."""
        articles = self.articles
        return Conventions(
            generator=articles.generator,
            base_url=articles.base_url,
            permalink=articles.permalink,
            topics_from=articles.topics_from,
            timezone=self.site.timezone,
        )


def _place(where: Location, marks: Mapping[Location, tuple[int, int]]) -> tuple[int, int]:
    """Return where a setting stands, or else the section that it would be in."""
    while where and where not in marks:
        where = where[:-1]
    return marks.get(where, (1, 1))


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Return the configuration in a file, with SITE_URL and STATE_DIR from the environment before it.

    Relative paths in it are relative to the file. Raises ConfigError with every problem there is.
    """
    values, marks = _read(path, _limited_bytes(path))
    overridden = set[Location]()
    site = values.setdefault("site", {})
    if environ.get("SITE_URL") and isinstance(site, dict):
        site["url"] = environ["SITE_URL"]
        overridden.add(("site", "url"))
    if environ.get("STATE_DIR"):
        values["state"] = environ["STATE_DIR"]
    config = _validated(path, values, marks, overridden)
    base = path.parent
    articles = config.articles.model_copy(update={"path": base / config.articles.path})
    if articles.git is None and not articles.path.is_dir():
        where = marks.get(("articles", "path"), marks.get(("articles",), (1, 1)))
        problem = f"there is no folder {articles.path}: make it, or write the path of another"
        raise ConfigError(path, [Problem(*where, "articles.path", problem)])
    bot = config.bot
    if bot.ca_file is not None:
        bot = bot.model_copy(update={"ca_file": base / bot.ca_file})
    config = config.model_copy(update={"articles": articles, "bot": bot, "state": base / config.state})
    config._file, config._marks = path, marks
    return config


def load_rules(path: Path, own: Config) -> Config:
    """Return `own` with the rules of another config file, which may be someone else's: see `RULES`.

    Every setting that names a secret, a file or an address stays that of `own`, and the environment is not
    read. The file is checked as a whole. Raises ConfigError with every problem there is.
    """
    if path.is_symlink():
        raise ConfigError(path, [Problem(1, 1, "", "is a symbolic link: name the file itself")])
    values, marks = _read(path, _limited_bytes(path))
    other = _validated(path, values, marks, frozenset())
    sections = {
        section: getattr(own, section).model_copy(
            update={name: getattr(getattr(other, section), name) for name in names}
        )
        for section, names in RULES.items()
    }
    return own.model_copy(update=sections)


def _validated(
    path: Path,
    values: dict[str, Any],
    marks: Mapping[Location, tuple[int, int]],
    overridden: Set[Location],
) -> Config:
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise ConfigError(
            path, [_problem(details, marks, overridden) for details in error.errors()]
        ) from None


def _limited_bytes(path: Path) -> bytes:
    """Return the bytes of a config file. Raises ConfigError for one that is no file or is over the limit."""
    try:
        # A FIFO would block, and /dev/zero has no end.
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ConfigError(path, [Problem(1, 1, "", "cannot be read: it is not a regular file")])
        with path.open("rb") as file:
            data = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(path, [Problem(1, 1, "", f"cannot be read: {error.strerror}")]) from None
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(path, [Problem(1, 1, "", f"is longer than {MAX_CONFIG_BYTES} bytes")])
    return data


def _read(path: Path, data: bytes) -> tuple[dict[str, Any], dict[Location, tuple[int, int]]]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(path, [Problem(1, 1, "", "cannot be read: it is not UTF-8")]) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    marks: dict[Location, tuple[int, int]] = {(): (1, 1)}
    try:
        values = safeyaml.load(text if text.endswith("\n") else f"{text}\n")
    except safeyaml.YamlError as error:
        raise ConfigError(path, [Problem(error.line + 1, error.column + 1, "", error.reason)]) from None
    root = yaml.compose(text, yaml.CSafeLoader)
    problems = list(_walk(root, (), marks)) if root else []
    if problems:
        raise ConfigError(path, problems)
    if values is not None and not isinstance(values, dict):
        raise ConfigError(path, [Problem(1, 1, "", "must be `key: value` lines, such as `site:`")])
    return values or {}, marks


def _walk(node: yaml.Node, where: Location, marks: dict[Location, tuple[int, int]]) -> Iterator[Problem]:
    """Note where every key and value stands; yield the keys that stand twice."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                yield Problem(*_position(key), _dotted(where), "a key must be a word")
                continue
            place = (*where, key.value)
            marks[(*place, "")] = _position(key)
            marks[place] = _position(value if isinstance(value, yaml.ScalarNode) else key)
            if key.value in seen:
                yield Problem(*_position(key), _dotted(place), "stands here a second time: keep one")
            seen.add(key.value)
            yield from _walk(value, place, marks)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            marks[(*where, index)] = _position(item)
            yield from _walk(item, (*where, index), marks)


def _position(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _problem(
    details: ErrorDetails, marks: Mapping[Location, tuple[int, int]], overridden: Set[Location]
) -> Problem:
    where = tuple(details["loc"])
    while where and where not in marks and where not in overridden and details["type"] != "missing":
        where = where[:-1]  # pydantic also names the branch of a union it tried
    known = where if where in marks else where[:-1]
    position = marks.get((*where, "")) if details["type"] == "extra_forbidden" else marks.get(known)
    key = "SITE_URL in the environment: site.url" if where in overridden else _dotted(where)
    return Problem(*(position or (1, 1)), key, _message(details, where))


def _message(details: ErrorDetails, where: Location) -> str:
    if details["type"] == "missing":
        return "is missing"
    if details["type"] == "extra_forbidden":
        return _unknown_key(where)
    if details["type"] in ("model_type", "model_attributes_type"):
        return "must be `key: value` lines, indented below it"
    said = details["msg"].removeprefix("Value error, ")
    return said[0].lower() + said[1:] if said.startswith("Input") else said


def _unknown_key(where: Location) -> str:
    names = sorted(_known_keys(where[:-1]))
    close = difflib.get_close_matches(str(where[-1]), names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(names)}"
    return f"is not a known key; {hint}"


_PARTS: Mapping[str, type[_Section]] = {
    "site": SiteConfig, "articles": ArticlesConfig, "feeds": FeedsConfig, "pages": PagesConfig,
    "bot": BotConfig,
    "feeds.topics": TopicConfig, "bot.channels": ChannelConfig,
    "bot.channels.types": FilterConfig, "bot.channels.providers": FilterConfig,
    "bot.channels.keywords": FilterConfig,
}  # fmt: skip


def _known_keys(where: Location) -> set[str]:
    section = _PARTS.get(".".join(str(part) for part in where if isinstance(part, str)), Config)
    own = [service.OPTIONS for service in SERVICES.values()] if section is ChannelConfig else []
    return {name for model in (section, *own) for name in model.model_fields}


def _dotted(where: Location) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
