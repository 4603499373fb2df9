"""Statements that are put into a database's own words once, for those that run thousands of times.

Knows how SQLAlchemy compiles; of connections and transactions, nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Dialect, Executable

Parameters = dict[str, object] | list[object]


class Prepared:
    """A statement as the driver takes it; `parameters` turns the values of its bindparams into the driver's.

    SQLAlchemy's own way does the same anew with each execution, at many times the cost of running it.
    """

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        self.text: str = compiled.string
        self._positions: list[str] | None = compiled.positiontup
        self._constants: dict[str, object] = {}
        self._processors: dict[str, Callable[[Any], object]] = {}
        for parameter, name in compiled.bind_names.items():
            process = parameter.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is
            if parameter.required:
                self._processors[name] = process
            else:
                self._constants[name] = process(parameter.effective_value)

    def parameters(self, values: Mapping[str, object]) -> Parameters:
        """Return what to execute `text` with; `values` may hold more than the statement asks for."""
        found = {name: process(values[name]) for name, process in self._processors.items()}
        found |= self._constants
        return found if self._positions is None else [found[name] for name in self._positions]


def _as_it_is(value: object) -> object:
    return value
