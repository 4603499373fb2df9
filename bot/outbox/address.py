"""Checks DATABASE_URL, and converts it into the address of the outbox's database.

Errors repeat only the scheme of the address: any other part of an invalid address may be a password.
"""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import BotError

_POSTGRES = {"postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"}
_ESCAPES = "%40 for @, %3A for :, %2F for /, %3F for ?, %23 for #"


class AddressError(BotError):
    """DATABASE_URL cannot be used."""


def database_address(url: str, name: str = "DATABASE_URL") -> URL:
    """Return the address in `url`: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST:PORT/NAME`.

    Raises AddressError, whose text has `name` for the address.
    """
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise AddressError(f"{name} {_fault(url)}") from None
    if address.drivername in _POSTGRES:
        if "@" in (address.host or "") or "," in f"{address.host}{address.query.get('host', '')}":
            raise AddressError(f"{name} {_fault(url)}")
        return address.set(drivername="postgresql+psycopg")
    if address.drivername == "sqlite" and address.database not in (None, "", ":memory:"):
        return address
    raise AddressError(f"{name}: {address.drivername}: must be sqlite:///FILE or postgresql://HOST/NAME")


def _fault(url: str) -> str:
    """Return what is wrong with an address that cannot be parsed, or has an invalid host."""
    _, scheme, rest = url.partition("://")
    authority, _, query = rest.partition("?")
    if not scheme:
        return (
            "is not a database's address: write sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME"
        )
    if authority.count("@") > 1:
        return f"has a password with an @ that is not escaped: write {_ESCAPES} in it"
    if "," in authority.rpartition("@")[2] or "," in query:
        return "names several hosts: write the one that takes writes"
    return f"cannot be read: the port must be a number, and a password must have {_ESCAPES}"
