"""Settings that follow from the host's environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.errors import SettingError
from ops.hosting import outbox_url, own_address, unset_address

HOSTS = ["DYNO", "RENDER", "FLY_APP_NAME", "RAILWAY_ENVIRONMENT"]


def test_an_own_machine_keeps_the_outbox_in_a_file(tmp_path: Path) -> None:
    """Without DATABASE_URL the outbox is a file in the state folder."""
    assert outbox_url({}, tmp_path) == f"sqlite:///{tmp_path}/outbox.sqlite"


@pytest.mark.parametrize("host", HOSTS)
def test_a_disk_that_does_not_last_is_refused(host: str, tmp_path: Path) -> None:
    """The message says what to do; a database, or an explicit yes, is accepted."""
    with pytest.raises(SettingError, match=r"PostgreSQL.*DATABASE_URL.*ALLOW_EPHEMERAL_OUTBOX=1"):
        outbox_url({host: "1"}, tmp_path)
    assert outbox_url({host: "1", "DATABASE_URL": "postgres://db/x"}, tmp_path) == "postgres://db/x"
    assert outbox_url({host: "1", "ALLOW_EPHEMERAL_OUTBOX": "1"}, tmp_path).startswith("sqlite:")
    with pytest.raises(SettingError):
        outbox_url({host: "1", "ALLOW_EPHEMERAL_OUTBOX": "0", "DATABASE_URL": " "}, tmp_path)


def test_the_database_address_may_be_in_a_file(tmp_path: Path) -> None:
    """DATABASE_URL_FILE is read as every secret's file is; an unreadable one never means SQLite."""
    (tmp_path / "url").write_text("postgresql://db/x\n")
    assert outbox_url({"DATABASE_URL_FILE": str(tmp_path / "url")}, tmp_path) == "postgresql://db/x"
    for environ in ({"DATABASE_URL_FILE": str(tmp_path / "none")}, {"DATABASE_URL": ""}):
        with pytest.raises(SettingError, match="DATABASE_URL"):
            outbox_url(environ, tmp_path)


@pytest.mark.parametrize(
    ("environ", "address", "origin"),
    [
        ({}, "http://localhost:8000", "default"),
        ({"HOST": "127.0.0.1", "PORT": "9000"}, "http://127.0.0.1:9000", "derived from HOST and PORT"),
        ({"HOST": "::1", "PORT": "9000"}, "http://[::1]:9000", "derived from HOST and PORT"),
        ({"HOST": "0.0.0.0", "PORT": "8001"}, "http://localhost:8001", "derived from PORT"),
        ({"WEB_PORT": "8001", "PORT": "8101"}, "http://localhost:8001", "derived from WEB_PORT"),
        ({"HOST": "192.0.2.7"}, "http://192.0.2.7:8000", "derived from HOST"),
        ({"HOST": "2001:db8::7", "PORT": "80"}, "http://[2001:db8::7]:80", "derived from HOST and PORT"),
        ({"PORT": "$PORT"}, None, None),
        ({"PORT": "5000", "DYNO": "web.1"}, None, None),
    ],
)
def test_a_site_on_a_machine_of_ones_own_has_its_servers_address(
    environ: dict[str, str], address: str | None, origin: str | None
) -> None:
    """HOST and PORT, or WEB_PORT, give the address; on a hosting platform they do not."""
    found = own_address(environ)
    assert (found and found.value, found and found.origin) == (address, origin)


@pytest.mark.parametrize("host", HOSTS)
def test_a_hosting_platform_without_an_address_is_a_warning(host: str) -> None:
    """The warning says what to set, and is absent on a machine of one's own."""
    warning = unset_address({host: "1"}, "http://localhost:8000")
    assert warning is not None
    assert warning.startswith("SITE_URL is not set on ")
    assert unset_address({host: "1"}, "https://news.example.org") is None
    assert unset_address({}, "http://localhost:8000") is None
