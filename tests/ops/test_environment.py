"""Secrets and their sources: one that is unusable is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.environment import MAX_SECRET_BYTES, readable_secrets, secret
from ops.errors import SettingError


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """NAME has the secret, or NAME_FILE names its file; None is returned only where neither is set."""
    (tmp_path / "secret").write_text("from file\n")
    assert secret("X", {"X": " value "}) == "value"
    assert secret("X", {"X_FILE": str(tmp_path / "secret")}) == "from file"
    assert secret("X", {"X": "value", "X_FILE": str(tmp_path / "secret")}) == "value"
    assert secret("X", {"X": "", "X_FILE": str(tmp_path / "secret")}) == "from file"
    assert secret("X", {}) is None


@pytest.mark.parametrize(
    "environ",
    [
        {"X": ""},
        {"X": "  "},
        {"X_FILE": ""},
        {"X_FILE": "/proc/none"},
        {"X_FILE": "/"},
        {"X_FILE": "/dev/null"},
        {"X_FILE": "a\0b"},
        {"X": "a\nb"},
        {"X": "\udcff"},
        {"X": "x" * (MAX_SECRET_BYTES + 1)},
    ],
)
def test_a_secret_that_cannot_be_used(environ: dict[str, str]) -> None:
    """An unusable secret is an error that names the variable, and never counts as unset."""
    with pytest.raises(SettingError, match="X"):
        secret("X", environ)


def test_an_endless_file_is_read_to_the_limit() -> None:
    """A device without an end is read no further than the longest secret."""
    with pytest.raises(SettingError):
        secret("X", {"X_FILE": "/dev/zero"})


def test_secrets_to_redact() -> None:
    """An unusable secret does not prevent the redaction of others."""
    assert readable_secrets(["A", "B", "C", "D"], {"A": "one", "B": "", "C_FILE": "/none", "D": "two"}) == [
        "one",
        "two",
    ]
