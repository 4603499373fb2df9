"""The types of settings' values, with errors for invalid values."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from articles.files import globs
from articles.files.git import GitError, checked_address
from text.language_tags import is_language_tag
from text.numbers import reject_boolean
from text.urls import http_url
from text.variables import variable_name
from text.zones import zone

_DURATION = re.compile(r"(\d+(?:\.\d+)?) *([a-z]*)")

# As HTML's forms have it (https://html.spec.whatwg.org/#valid-e-mail-address), with a dot in the host; the
# length is that of RFC 5321 §4.5.3.1.3 without the angle brackets.
_MAIL_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,10}"
)
_MAX_MAIL_ADDRESS = 254

_UNITS = {"s": 1, "second": 1, "sec": 1, "m": 60, "minute": 60, "min": 60, "h": 3600, "hour": 3600,
          "d": 86400, "day": 86400, "w": 604800, "week": 604800}  # fmt: skip


def _duration(value: Any) -> Any:
    match = None if isinstance(value, bool) else _DURATION.fullmatch(str(value).strip().lower())
    unit = match[2] if match else ""
    scale = _UNITS.get(unit or "s") or _UNITS.get(unit.removesuffix("s"))
    if match is None or scale is None or float(match[1]) == 0:
        raise ValueError("write a time such as 60 seconds, 5 minutes or 7 days")
    try:
        return timedelta(seconds=float(match[1]) * scale)
    except OverflowError:
        raise ValueError("is too long: write a time such as 7 days") from None


def _web_address(value: str) -> str:
    url = http_url(value.strip())
    if url is None or "?" in url or "#" in url:
        raise ValueError("write a whole address such as https://news.example.org")
    return url.rstrip("/")


def _mail_address(value: str) -> str:
    address = value.strip()
    if len(address) > _MAX_MAIL_ADDRESS or not _MAIL_ADDRESS.fullmatch(address):
        raise ValueError("write only an e-mail address, such as podcast@example.org")
    return address


def _hub_address(value: str) -> str:
    url = http_url(value.strip())
    parts = urlsplit(url or "")
    if url is None or parts.fragment:
        raise ValueError("write a hub's whole address such as https://hub.example.org/")
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ValueError("write https://: others on the network could change what the hub receives")
    return url


def _git_address(value: str) -> str:
    try:
        return checked_address(value)
    except GitError as error:
        raise ValueError(str(error)) from None


def _time_zone(value: str) -> str:
    zone(value)
    return value


def _language_tag(value: str) -> str:
    if not is_language_tag(value):
        raise ValueError("write a language tag such as en or pt-BR")
    return value


def _permalink(value: str) -> str:
    if len(value) > 500 or "://" in value or any(character.isspace() for character in value):
        raise ValueError("write a pattern of paths such as /:year/:month/:day/:slug/")
    return value


def inner_folder(value: str) -> str:
    """Return the path of a folder inside a repository. Raises ValueError for one that may lead out of it."""
    parts = [part for part in value.split("/") if part not in ("", ".")]
    if value.startswith("/") or any(part.startswith(".") for part in parts):
        raise ValueError("write a folder inside the repository, such as content/articles")
    return "/".join(parts)


def matching(pattern: str, advice: str) -> AfterValidator:
    """Return a validator of texts that match `pattern` as a whole; `advice` says what to write."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(advice)
        return value

    return AfterValidator(check)


def off_as_none(value: Any) -> Any:
    """Read `off` (which YAML may read as false) as None."""
    return None if value is False or value == "off" else value


def text_as_list(value: Any) -> Any:
    """Read a single text as a list of one."""
    return [value] if isinstance(value, str) else value


def all_as_none(value: Any) -> Any:
    """Read `all` as None."""
    return None if value == "all" else value


def list_as_filter(value: Any) -> Any:
    """Read a list as the `include` of a filter."""
    return {"include": value} if isinstance(value, (list, str)) else value


NOT_BOOLEAN = BeforeValidator(reject_boolean)
"""For the type of a number, after its bounds: before them, the JSON Schema would lose their names."""

WholeNumber = Annotated[int, NOT_BOOLEAN]

VariableName = Annotated[str, AfterValidator(variable_name)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]

WebAddress = Annotated[str, AfterValidator(_web_address)]

LanguageTag = Annotated[str, AfterValidator(_language_tag)]

ChannelName = Annotated[
    str, matching(r"[A-Za-z0-9][A-Za-z0-9._-]*", "use letters, digits, dots, hyphens and underscores only")
]

TimeZone = Annotated[str, AfterValidator(_time_zone)]

Permalink = Annotated[str, Field(min_length=1), AfterValidator(_permalink)]

MailAddress = Annotated[str, AfterValidator(_mail_address)]
HubAddress = Annotated[str, AfterValidator(_hub_address)]

GitAddress = Annotated[str, AfterValidator(_git_address)]

BranchName = Annotated[
    str, matching(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./+#@-]*", "write a branch's name, such as main")
]

Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(text_as_list)]

Globs = Annotated[
    tuple[Annotated[str, Field(min_length=1), AfterValidator(globs.checked)], ...],
    BeforeValidator(text_as_list),
]


def _pictures(value: tuple[str, ...]) -> tuple[str, ...]:
    if "own" in value and len(value) > 1:
        raise ValueError("write either own or a list of hosts")
    return value


Pictures = Annotated[
    tuple[
        Annotated[
            str,
            Field(max_length=253),
            matching(
                r"own|(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+",
                "write own, or hosts such as cdn.example.com or *.example.com",
            ),
        ],
        ...,
    ],
    Field(max_length=20),
    BeforeValidator(text_as_list),
    AfterValidator(_pictures),
]


# Otherwise pydantic searches all installed packages for plugins, and none is needed.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


class Section(BaseModel):
    """A section of settings; unknown keys are refused."""

    # Validators are built at the first use: at import, every section would also build those within it.
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, defer_build=True)


def all_defaults() -> Any:
    """Return the default of a field that is a section: the section with the defaults of its own fields.

    It is validated as a part of what it is in. A section that was created here would have its validator
    built at import, for itself only.
    """
    return Field(default_factory=dict, validate_default=True)
