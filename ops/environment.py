"""Secrets from the environment, or from the files that it names.

A secret that is configured and cannot be used is an error, never "not configured": otherwise a typo in the
name of a file would open what the secret protects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ops.errors import SettingError

MAX_SECRET_BYTES = 16_384
"""How long a secret may be; database addresses and tokens have a few hundred bytes."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_UTF_8 = re.compile("[\ud800-\udfff]")  # how Python shows the bytes of an environment that are not UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSecret:
    """A secret, and the variable that holds it or names its file."""

    value: str = field(repr=False)
    origin: str


def secret(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the secret that `find_secret` finds, or None. Raises SettingError as that does."""
    found = find_secret(name, environ)
    return found.value if found else None


def find_secret(name: str, environ: Mapping[str, str]) -> FoundSecret | None:
    """Return the secret in the variable `name`, or in the file that `name`_FILE names; None if none is set.

    Spaces and line breaks around it do not count. Where both are set, the variable wins unless it is blank.
    Raises SettingError, which names the variable and never its value, for a secret that is set and blank, or
    that is longer than `MAX_SECRET_BYTES` or has more than one line, and for a file that cannot be read.
    """
    value = environ.get(name)
    file = environ.get(f"{name}_FILE")
    if file is not None and not (value or "").strip():
        said = f"the file that {name}_FILE names"
        return FoundSecret(value=_checked(_read(f"{name}_FILE", file), said), origin=f"{name}_FILE")
    return None if value is None else FoundSecret(value=_checked(value, name), origin=name)


def readable_secrets(names: Iterable[str], environ: Mapping[str, str]) -> list[str]:
    """Return the secrets with these names, without those that are not set or cannot be used."""
    found = []
    for name in names:
        try:
            value = secret(name, environ)
        except SettingError:
            continue  # where this one is needed, the error is reported
        if value:
            found.append(value)
    return found


def _read(variable: str, file: str) -> str:
    if not file.strip():
        raise SettingError(f"{variable} is set but blank: write the path of a file, or unset it")
    try:
        with Path(file).open("rb") as opened:
            return opened.read(MAX_SECRET_BYTES + 1).decode()
    except UnicodeDecodeError:
        raise SettingError(f"the file that {variable} names is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SettingError(f"the file that {variable} names cannot be read: {reason}") from None


def _checked(value: str, source: str) -> str:
    value = value.strip()
    if not value:
        raise SettingError(f"{source} is blank: give it a value, or unset the variable")
    if len(value) > MAX_SECRET_BYTES:
        raise SettingError(f"{source} holds more than {MAX_SECRET_BYTES:,} bytes")
    if _NOT_UTF_8.search(value):
        raise SettingError(f"{source} is not UTF-8 text")
    if _CONTROL.search(value):
        raise SettingError(f"{source} holds more than one line, or a control character")
    return value
