"""INSERT … ON CONFLICT, for which SQLAlchemy has a class for each database."""

from __future__ import annotations

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT for this connection's database, to which `on_conflict_do_…` can be added."""
    return (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)
