"""The settings in force, each with its origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from config.channels import FilterConfig
from config.errors import Location, dotted
from config.schema import in_words
from config.settings import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSetting:
    """A setting with its JSON value and its origin: `config.yaml:4`, a variable, or `default`."""

    name: str
    value: object
    origin: str


def effective_settings(config: Config) -> list[EffectiveSetting]:
    """Return every setting. None of them is a secret, as secrets come only from the environment."""
    return [
        EffectiveSetting(name=dotted(where), value=value, origin=config.origin(where))
        for where, value in _leaves(config, ())
    ]


def _leaves(value: Any, where: Location) -> Iterator[tuple[Location, object]]:
    if isinstance(value, FilterConfig):  # a list is one too
        yield where, value.model_dump(mode="json")
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _leaves(getattr(value, name), (*where, field.alias or name))
    elif isinstance(value, (tuple, list)) and any(isinstance(item, BaseModel) for item in value):
        for number, each in enumerate(value):
            yield from _leaves(each, (*where, number))
    else:
        yield where, _plain(value)


def _plain(value: Any) -> object:
    if isinstance(value, timedelta):
        return in_words(value)
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
