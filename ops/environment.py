"""Reads secrets from environment variables, or from files that variables name.

A secret that is configured but cannot be used is an error, and does not count as not configured: otherwise a
typo in the name of a file would remove the protection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ops.errors import SettingError

MAX_SECRET_BYTES = 16_384
"""The most bytes of a secret; database addresses and tokens have a few hundred."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_UTF_8 = re.compile("[\ud800-\udfff]")  # how Python represents bytes that are not UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSecret:
    """A secret, and the variable with the secret or with the name of its file."""

    value: str = field(repr=False)
    origin: str


def secret(name: str, environ: Mapping[str, str]) -> str | None:
    """Return the secret that `find_secret` finds, or None. Raises SettingError as that does."""
    match = find_secret(name, environ)
    return match.value if match else None


def find_secret(name: str, environ: Mapping[str, str]) -> FoundSecret | None:
    """Return the secret in the variable `name`, or in the file that `name`_FILE names; None if none is set.

    White space around it is removed. If both are set, the variable is used unless it is blank. Raises
    SettingError, with the variable's name but not its value, for a secret that is set but blank, is longer
    than `MAX_SECRET_BYTES` or has more than one line, and for a file that cannot be read.
    """
    value = environ.get(name)
    file = environ.get(f"{name}_FILE")
    if file is not None and not (value or "").strip():
        source = f"the file that {name}_FILE names"
        return FoundSecret(value=_checked(_read(f"{name}_FILE", file), source), origin=f"{name}_FILE")
    return None if value is None else FoundSecret(value=_checked(value, name), origin=name)


def readable_secrets(names: Iterable[str], environ: Mapping[str, str]) -> list[str]:
    """Return the secrets with these names, without those that are not set or cannot be used."""
    values = []
    for name in names:
        try:
            value = secret(name, environ)
        except SettingError:
            continue  # the error is reported where the secret is needed
        if value:
            values.append(value)
    return values


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
        raise SettingError(f"{source} has more than {MAX_SECRET_BYTES:,} bytes")
    if _NOT_UTF_8.search(value):
        raise SettingError(f"{source} is not UTF-8 text")
    if _CONTROL.search(value):
        raise SettingError(f"{source} has more than one line, or a control character")
    return value
