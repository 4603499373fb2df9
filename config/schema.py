"""The settings as a JSON Schema, by which editors complete and check config.yaml as it is written.

It accepts every form that a value may have there; what only makes sense together, the program itself checks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from config.channels import channel_model, services
from config.descriptions import DESCRIPTIONS
from config.settings import Config

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def schema() -> Schema:
    """Return the schema, equal for equal programs; channels have the settings of each service."""
    document = Config.model_json_schema()
    definitions = document["$defs"]
    for kind in sorted(services()):
        channel = channel_model(kind).model_json_schema()
        definitions |= {
            name: found for name, found in channel.pop("$defs", {}).items() if name not in definitions
        }
        channel["properties"]["kind"] = {"const": kind}
        definitions[f"{kind}-channel"] = channel
    definitions["ChannelConfig"] = {
        "anyOf": [{"$ref": f"#/$defs/{kind}-channel"} for kind in sorted(services())]
    }
    document_as_written: Schema = _as_written(document)
    _describe("", document_as_written)
    for name, definition in document_as_written["$defs"].items():
        _describe("channel." if name.endswith("-channel") else f"{name}.", definition)
    return {"$schema": DIALECT, "title": "Newswire's config.yaml"} | document_as_written


def _describe(section: str, definition: Schema) -> None:
    for key, setting in definition.get("properties", {}).items():
        if f"{section}{key}" in DESCRIPTIONS:
            setting["description"] = DESCRIPTIONS[f"{section}{key}"]


def in_words(duration: timedelta) -> str:
    """Return a time as config.yaml has it: `60 seconds`, `7 days`."""
    seconds = duration.total_seconds()
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds % length == 0 and seconds > length:
            return f"{seconds / length:g} {unit}s"
    return f"{seconds:g} seconds"


def _as_written(schema: Any) -> Any:
    """Return a part of the schema that also accepts the short forms of values."""
    if isinstance(schema, list):
        return [_as_written(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: _as_written(value) for key, value in schema.items() if key not in ("title", "default")}
    if isinstance(schema.get("title"), dict):  # a setting of that name
        converted["title"] = _as_written(schema["title"])
    for accepts, widen in _FORMS:
        if accepts(schema):
            return widen(converted)
    return converted


def _is_duration(schema: Schema) -> bool:
    return schema.get("format") == "duration"


def _is_list_of_texts(schema: Schema) -> bool:
    items = schema.get("items")
    return schema.get("type") == "array" and isinstance(items, dict) and items.get("type") == "string"


def _is_filter(schema: Schema) -> bool:
    return str(schema.get("$ref", "")).endswith(("/FilterConfig", "/KeywordConfig"))


def _is_optional(schema: Schema) -> bool:
    return {"type": "null"} in schema.get("anyOf", [])


def _duration(schema: Schema) -> Schema:
    return {"type": ["string", "number"], "examples": ["60 seconds", "5 minutes", "7 days"]}


def _list_or_text(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "string"}]}


def _filter(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "array", "items": {"type": "string"}}, {"type": "string"}]}


def _or_off(schema: Schema) -> Schema:
    return schema | {"anyOf": [*schema["anyOf"], {"enum": ["off", "all", False]}]}


_FORMS: tuple[tuple[Callable[[Schema], bool], Callable[[Schema], Schema]], ...] = (
    (_is_duration, _duration),
    (_is_list_of_texts, _list_or_text),
    (_is_filter, _filter),
    (_is_optional, _or_off),
)
