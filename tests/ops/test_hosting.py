"""What follows from what the host says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from ops.errors import SettingError
from ops.hosting import behind_proxies, outbox_url

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CLIENT = {"REMOTE_ADDR": "127.0.0.1"}
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


def _application(environ: WSGIEnvironment, start_response: StartResponse) -> object:
    request = Request(environ)
    return Response(f"{request.scheme} {request.remote_addr}")(environ, start_response)


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [("", "http 127.0.0.1"), ("0", "http 127.0.0.1"), ("1", "https 3.3.3.3"), ("2", "https 2.2.2.2")],
)
def test_proxies_are_believed_only_when_configured(proxies: str, seen: str) -> None:
    """Of the client's address only the part that trusted proxies wrote counts."""
    application = behind_proxies(_application, {"TRUSTED_PROXIES": proxies})  # type: ignore[arg-type]
    headers = {"X-Forwarded-For": "1.1.1.1, 2.2.2.2, 3.3.3.3", "X-Forwarded-Proto": "gopher, https, https"}
    assert Client(application).get("/", headers=headers, environ_base=CLIENT).text == seen


@pytest.mark.parametrize("value", ["yes", "-1", "11", "1.5", "١"])
def test_a_number_of_proxies_that_cannot_be(value: str) -> None:
    """The message names the variable."""
    with pytest.raises(SettingError, match="TRUSTED_PROXIES"):
        behind_proxies(_application, {"TRUSTED_PROXIES": value})  # type: ignore[arg-type]
