"""What follows from what the host says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.errors import SettingError
from ops.hosting import outbox_url

HOSTS = ["DYNO", "RENDER", "FLY_APP_NAME", "RAILWAY_ENVIRONMENT"]


def test_an_own_machine_keeps_the_outbox_in_a_file(tmp_path: Path) -> None:
    """Without a database of its own the outbox is a file in the state folder."""
    assert outbox_url({}, tmp_path) == f"sqlite:///{tmp_path}/outbox.sqlite"


@pytest.mark.parametrize("host", HOSTS)
def test_a_disk_that_does_not_last_is_refused(host: str, tmp_path: Path) -> None:
    """The message says what to do; a database, or an explicit yes, is enough."""
    with pytest.raises(SettingError, match=r"PostgreSQL.*DATABASE_URL.*ALLOW_EPHEMERAL_OUTBOX=1"):
        outbox_url({host: "1"}, tmp_path)
    assert outbox_url({host: "1", "DATABASE_URL": "postgres://db/x"}, tmp_path) == "postgres://db/x"
    assert outbox_url({host: "1", "ALLOW_EPHEMERAL_OUTBOX": "1"}, tmp_path).startswith("sqlite:")
    with pytest.raises(SettingError):
        outbox_url({host: "1", "ALLOW_EPHEMERAL_OUTBOX": "0", "DATABASE_URL": " "}, tmp_path)


def test_the_database_address_may_be_in_a_file(tmp_path: Path) -> None:
    """DATABASE_URL_FILE is read as every secret's file is; one that cannot be read never means SQLite."""
    (tmp_path / "url").write_text("postgresql://db/x\n")
    assert outbox_url({"DATABASE_URL_FILE": str(tmp_path / "url")}, tmp_path) == "postgresql://db/x"
    for environ in ({"DATABASE_URL_FILE": str(tmp_path / "none")}, {"DATABASE_URL": ""}):
        with pytest.raises(SettingError, match="DATABASE_URL"):
            outbox_url(environ, tmp_path)
