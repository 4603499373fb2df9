"""DATABASE_URL: which addresses are accepted, and the one-line error for others, without the password."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.outbox.address import AddressError, database_address


@pytest.mark.parametrize(
    ("url", "host", "password"),
    [
        ("postgres://news:w0rd@db.example:5432/x", "db.example", "w0rd"),
        ("postgresql://news:w%40rd@db.example/x", "db.example", "w@rd"),
        ("postgresql+psycopg2://news:a:b/c#d@db.example/x?sslmode=require", "db.example", "a:b/c#d"),
        ("postgresql:///x?host=/run/postgresql", None, None),
    ],
)
def test_what_is_taken(url: str, host: str | None, password: str | None) -> None:
    """Hosts' own spellings of the scheme, and passwords with special characters, are accepted."""
    address = database_address(url)
    assert (address.drivername, address.host, address.password) == ("postgresql+psycopg", host, password)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://news:s3c@ret@db.example/x", "an @ that is not escaped: write %40 for @"),
        ("postgresql://news:s3c@r@t@db.example:5432/x", "an @ that is not escaped: write %40 for @"),
        ("postgresql://news:s3cret@a.example:1,b.example:2/x", "names several hosts"),
        ("postgresql://news:s3cret@a.example,b.example/x", "names several hosts"),
        ("postgresql://news:s3cret@/x?host=a.example,b.example", "names several hosts"),
        ("postgresql://news:s3cret@db.example:port/x", "the port must be a number"),
        ("s3cret", "is not a database's address"),
        ("mysql://news:s3cret@db.example/x", "mysql: must be sqlite:///FILE or postgresql://HOST/NAME"),
        ("sqlite://", "sqlite: must be"),
    ],
)
def test_what_is_refused(url: str, expected: str) -> None:
    """The error is one line that says what to write instead."""
    with pytest.raises(AddressError) as caught:
        database_address(url)
    text = str(caught.value)
    assert expected in text and "\n" not in text
    assert not any(part in text for part in ("s3c", "ret", "db.example", "a.example"))
    assert caught.value.__cause__ is None


@given(
    st.text(max_size=40) | st.text(alphabet="pw@:/,?#%4 [", max_size=30).map("postgresql://u:{}@h/x".format)
)
def test_any_text_is_taken_or_refused(url: str) -> None:
    """Any text is accepted or gives the one-line error."""
    with contextlib.suppress(AddressError):
        database_address(url)


def test_the_text_names_where_the_address_was_written() -> None:
    """The error for a command's argument names the argument, not the variable."""
    with pytest.raises(AddressError, match=r"^URL is not a database's address"):
        database_address("s3cret", "URL")
