"""Databases of one PostgreSQL server for tests: copies of a template, and clean ones used again."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import psycopg
from sqlalchemy import make_url

Urls = Callable[[], str]
"""Each call returns the address of a fresh database; its tables are up to date."""

_numbers = itertools.count()

# What a test may have changed besides rows: tables, columns, indexes, constraints, triggers, the revision.
_SHAPE = """
SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (
    SELECT format('%s %s %s %s', attrelid::regclass, attname, atttypid, attnotnull) AS line
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
    UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tgname FROM pg_trigger
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT version_num FROM alembic_version
) AS lines
"""
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_TABLES = "SELECT string_agg(tablename, ', ') FROM pg_tables WHERE schemaname = 'public' AND tablename <> %s"


class Databases:
    """Copies of a template. To copy one takes the server 75 ms, to empty one 11 ms."""

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template
        self._clean: list[str] = []
        self._shape = ""

    def new(self) -> str:
        """Return the address of a database that nobody has used."""
        return copy_database(self._server, self._template)

    def take(self) -> str:
        """Return the address of a database without rows, perhaps one that was given back."""
        if not self._clean:
            self._clean.append(self.new())
            self._shape = self._shape or self._ask(self._clean[-1], _SHAPE)
        return self._clean.pop()

    def give_back(self, url: str) -> None:
        """Empty a database for the next test, unless a test changed its tables or is still connected."""
        try:
            if self._ask(url, _OTHERS) == "0" and self._ask(url, _SHAPE) == self._shape:
                names = self._ask(url, _TABLES, "alembic_version")
                self._ask(url, f"TRUNCATE {names} RESTART IDENTITY CASCADE")
                self._clean.append(url)
        except psycopg.Error:
            return  # the test has left it in a state that no other one should meet

    def _ask(self, url: str, statement: str, *values: str) -> str:
        plain = url.replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(plain, autocommit=True, options="-c lock_timeout=1000") as connection:
            found = connection.execute(statement, values)
            return str(found.fetchone()[0]) if found.description else ""


def copy_database(server: str, template: str) -> str:
    """Return the address of a new database; `server` is that of one beside it."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")


def name_of(url: str) -> str:
    """Return the name of the database at an address."""
    return make_url(url).database or ""
