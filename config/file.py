"""Reads config.yaml and the environment into Config. Errors have their place, and say what would be valid."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import yaml
from pydantic import (
    ValidationError,
)
from pydantic_core import ErrorDetails

from config.channels import (
    BotConfig,
    ChannelConfig,
    FilterConfig,
    KeywordConfig,
    services,
)
from config.errors import ConfigError, Location, Problem, dotted
from config.layouts import LayoutConfig
from config.policies import (
    BudgetConfig,
    DigestConfig,
    MentionConfig,
    QuietConfig,
    UrgentConfig,
    WhenConfig,
)
from config.settings import (
    DEFAULT,
    ArticlesConfig,
    Config,
    FeedsConfig,
    PagesConfig,
    SiteConfig,
    TopicConfig,
)
from config.values import (
    Section,
)
from text.yaml import safe as safeyaml

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
secret, a file or a host (`base_url` is only used in links): the other file can come from a pull request, and
the check may run with this installation's secrets.
"""


def load(
    path: Path,
    environ: Mapping[str, str],
    *,
    own_address: str | None = None,
    own_address_origin: str = DEFAULT,
) -> Config:
    """Return the configuration in a file; SITE_URL and STATE_DIR in the environment override it.

    `own_address` is the site's address where neither names one, and `own_address_origin` what it comes from.
    Relative paths in the file are relative to it. Raises ConfigError with every problem there is.
    """
    values, marks = _read(path, _limited_bytes(path))
    origins = dict[Location, str]()
    site = values.setdefault("site", {})
    if environ.get("SITE_URL") and isinstance(site, dict):
        site["url"] = environ["SITE_URL"]
        origins["site", "url"] = "SITE_URL"
    elif own_address and isinstance(site, dict) and "url" not in site:
        site["url"] = own_address
        origins["site", "url"] = own_address_origin
    if environ.get("STATE_DIR"):
        values["state"] = environ["STATE_DIR"]
        origins["state",] = "STATE_DIR"
    config = _validated(path, values, marks, {("site", "url")} if environ.get("SITE_URL") else frozenset())
    base = path.parent
    articles = config.articles.model_copy(update={"path": base / config.articles.path})
    if articles.git is None and (fault := _folder_fault(articles.path)):
        where = marks.get(("articles", "path"), marks.get(("articles",), (1, 1)))
        raise ConfigError(path, [Problem(*where, "articles.path", fault)])
    bot = config.bot
    if bot.ca_file is not None:
        bot = bot.model_copy(update={"ca_file": base / bot.ca_file})
    channels = tuple(_with_template(channel, base) for channel in bot.channels)
    bot = bot.model_copy(update={"channels": channels})
    config = config.model_copy(update={"articles": articles, "bot": bot, "state": base / config.state})
    config._file, config._marks, config._origins = path, marks, origins
    return config


def _folder_fault(folder: Path) -> str | None:
    """Return what is wrong with a folder of articles, None when it can be read."""
    if not folder.exists():
        return f"there is no folder {folder}: create it, or write the path of another"
    if not folder.is_dir():
        return f"{folder} is not a folder: write the path of another"
    if folder.samefile(folder.absolute().anchor):
        return "all files of this machine would be read: write the folder of the articles"
    if not os.access(folder, os.R_OK | os.X_OK):
        return (
            f"the folder {folder} cannot be read: give this user the right to, or write the path of another"
        )
    return None


def _with_template(channel: ChannelConfig, base: Path) -> ChannelConfig:
    """Return a channel with an absolute path of its template."""
    if channel.layout is None or channel.layout.template is None:
        return channel
    layout = channel.layout.model_copy(update={"template": base / channel.layout.template})
    return channel.model_copy(update={"layout": layout})


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
    """Return the bytes of a config file. Raises ConfigError when it is not a file or over the limit."""
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
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = "is not UTF-8: save the file in that encoding"
        raise ConfigError(path, [Problem(line, 1, "", reason)]) from None
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
    """Store the positions of all keys and values in `marks`; yield the keys that occur twice."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                yield Problem(*_position(key), dotted(where), "a key must be a word")
                continue
            place = (*where, key.value)
            marks[(*place, "")] = _position(key)
            marks[place] = _position(value if isinstance(value, yaml.ScalarNode) else key)
            if key.value in seen:
                yield Problem(*_position(key), dotted(place), "is set twice: remove one")
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
    marked = where if where in marks else where[:-1]
    position = marks.get((*where, "")) if details["type"] == "extra_forbidden" else marks.get(marked)
    key = "SITE_URL in the environment: site.url" if where in overridden else dotted(where)
    return Problem(*(position or (1, 1)), key, _message(details, where))


# pydantic's types of errors (https://docs.pydantic.dev/latest/errors/validation_errors/) in words for people
# who write YAML.
_WRONG_TYPES = {
    "string_type": "must be text: put it in quotes",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must be a list of at least {min_length}",
    "too_long": "must be a list of at most {max_length}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list: [a, b], or lines with a hyphen",
    "list_type": "must be a list: [a, b], or lines with a hyphen",
    "path_type": "must be a path: put it in quotes",
    "dict_type": "must be `key: value` lines, indented below it",
}


# YAML reads `title:x` as a text. The key is short and plain, so that it is no part of a secret.
_KEY_WITHOUT_SPACE = re.compile(r"([a-z_]{1,30}):\S")


def _message(details: ErrorDetails, where: Location) -> str:
    if details["type"] == "missing":
        is_kind = where[:2] == ("bot", "channels") and where[-1] == "kind"
        return f"is missing; known here: {', '.join(sorted(services()))}" if is_kind else "is missing"
    if details["type"] == "extra_forbidden":
        return _unknown_key(where)
    if details["type"] in ("model_type", "model_attributes_type"):
        if match := _KEY_WITHOUT_SPACE.match(str(details["input"])):
            return f"put a space after `{match[1]}:`"
        return "must be `key: value` lines, indented below it"
    if details["type"] in _WRONG_TYPES:
        return _WRONG_TYPES[details["type"]].format_map(details.get("ctx", {}))
    text = details["msg"].removeprefix("Value error, ")
    return text.replace("Input should be", "must be", 1)


def _unknown_key(where: Location) -> str:
    names = sorted(_known_keys(where[:-1]))
    close = difflib.get_close_matches(str(where[-1]), names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(names)}"
    return f"is not a known key; {hint}"


_PARTS: Mapping[str, type[Section]] = {
    "site": SiteConfig, "articles": ArticlesConfig, "feeds": FeedsConfig, "pages": PagesConfig,
    "bot": BotConfig,
    "feeds.topics": TopicConfig, "bot.channels": ChannelConfig,
    "bot.channels.types": FilterConfig, "bot.channels.providers": FilterConfig,
    "bot.channels.keywords": KeywordConfig, "bot.channels.authors": FilterConfig,
    "bot.channels.quiet": QuietConfig, "bot.channels.budget": BudgetConfig,
    "bot.channels.digest": DigestConfig, "bot.channels.urgent": UrgentConfig,
    "bot.channels.layout": LayoutConfig,
    "bot.channels.mentions": MentionConfig, "bot.channels.mentions.when": WhenConfig,
}  # fmt: skip


def _known_keys(where: Location) -> set[str]:
    section = _PARTS.get(".".join(str(part) for part in where if isinstance(part, str)), Config)
    own = [service.OPTIONS for service in services().values()] if section is ChannelConfig else []
    fields = (model.model_fields for model in (section, *own))
    return {each.alias or name for model in fields for name, each in model.items()}
