"""Checks names of environment variables in settings."""

from __future__ import annotations

import re

SECRET_SUFFIX = "_env"  # noqa: S105 - the ending of the name of a setting that names a secret's variable


def variable_name(value: str) -> str:
    """Return the name of an environment variable. Raises ValueError for an invalid one (POSIX.1, 8.1)."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError("write the name of an environment variable, such as SLACK_AI")
    return value
