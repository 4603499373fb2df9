"""The errors of operations.

OpsError
└── SettingError     an environment variable has an invalid value
"""

from __future__ import annotations


class OpsError(Exception):
    """The root of this package's errors."""


class SettingError(OpsError):
    """An environment variable has an invalid value; the text has its name and what would be valid."""
