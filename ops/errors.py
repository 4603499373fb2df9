"""What can go wrong with operations.

OpsError
└── SettingError     an environment variable has an invalid value
"""

from __future__ import annotations


class OpsError(Exception):
    """The root of this package's errors."""


class SettingError(OpsError):
    """An environment variable has an invalid value; the text names it and says what would be valid."""
