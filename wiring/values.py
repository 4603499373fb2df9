"""A section of the settings → the value that a part is given."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from config.values import Section

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value = TypeVar("Value", bound="DataclassInstance")


def value_of(section: Section, kind: type[Value], **others: Any) -> Value:
    """Return the dataclass `kind` with the settings of the same names, and `others` for the remaining fields.

    A setting that a part needs is therefore named twice, in its section and in the part's dataclass, and its
    default is given in the section only. Raises TypeError when a field without a default is neither.
    """
    names = [field.name for field in fields(kind) if field.name in type(section).model_fields]
    return kind(**{name: getattr(section, name) for name in names} | others)
