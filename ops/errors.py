"""What can go wrong with operations.

OpsError
└── SettingError     an environment variable says something that cannot be
"""

from __future__ import annotations


class OpsError(Exception):
    """The root of this package's errors."""


class SettingError(OpsError):
    """An environment variable says something that cannot be; the text says which, and what would do."""
