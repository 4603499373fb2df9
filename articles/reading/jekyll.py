"""What Jekyll's configuration says of many files: https://jekyllrb.com/docs/configuration/front-matter-defaults/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from articles.reading.context import Scope

FILES = ("_config.yml", "_config.yaml", "_config.toml")


def defaults(config: Mapping[str, Any], base: str) -> Iterator[Scope]:
    """Yield the `defaults` of Jekyll's configuration, the more specific ones last.

    `base` is the path of the articles below the configuration.
    """
    listed = config.get("defaults")
    found = []
    for entry in listed if isinstance(listed, list) else ():
        scope = entry.get("scope") if isinstance(entry, Mapping) else None
        values = entry.get("values") if isinstance(entry, Mapping) else None
        if not isinstance(values, Mapping):
            continue
        scope = scope if isinstance(scope, Mapping) else {}
        pattern, kind = str(scope.get("path") or ""), str(scope.get("type") or "")
        found.append(
            (len(pattern), bool(kind), Scope(values=as_texts(values), base=base, pattern=pattern, kind=kind))
        )
    yield from (scope for *_, scope in sorted(found, key=lambda each: each[:2]))


def permalinks(config: Mapping[str, Any], below: str) -> Iterator[tuple[str, str]]:
    """Yield the patterns of addresses that collections have, by the folder that holds their files.

    `below` is the path of the articles below the configuration, "." where they are not. It is "" for all
    files where it lies in a collection's folder. https://jekyllrb.com/docs/permalinks/#collections
    """
    collections = config.get("collections")
    top = config.get("collections_dir")
    top = f"{top.strip('/')}/" if isinstance(top, str) and top.strip("/") else ""
    for name, values in collections.items() if isinstance(collections, Mapping) else ():
        pattern = values.get("permalink") if isinstance(values, Mapping) else None
        if not isinstance(pattern, str):
            continue
        pattern, folder = pattern.replace(":collection", str(name)), f"{top}_{name}"
        if f"{below}/".startswith(f"{folder}/"):
            yield "", pattern
        elif below == "." and not top and ":path" not in pattern:
            yield folder.lower(), pattern


def as_texts(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return values by key, with each key as a text."""
    return {str(key): value for key, value in values.items()}
