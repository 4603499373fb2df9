"""Converts a section of the settings into the value that a part receives."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from config.values import Section

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Value = TypeVar("Value", bound="DataclassInstance")


def value_of(section: Section, kind: type[Value], **others: Any) -> Value:
    """Return the dataclass `kind` with the settings of the same names, and `others` for the remaining fields.

    So a setting that a part needs has the same name in its section and in the part's dataclass, and its
    default is only in the section. Raises TypeError if a field without a default is in neither the section
    nor `others`.
    """
    names = [field.name for field in fields(kind) if field.name in type(section).model_fields]
    return kind(**{name: getattr(section, name) for name in names} | others)
