"""The default values in Jekyll's configuration: https://jekyllrb.com/docs/configuration/front-matter-defaults/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

from articles.reading.context import Scope

_MAX_DEPTH = 3
"""Folders of a collection that are nested in each other, at most."""
_STYLES_WITH_EXTENSION = ("date", "ordinal", "weekdate", "none")
FILES = ("_config.yml", "_config.yaml", "_config.toml")


def defaults(config: Mapping[str, Any], base: str) -> Iterator[Scope]:
    """Yield the `defaults` of Jekyll's configuration, the more specific ones last.

    `base` is the path of the articles below the configuration.
    """
    listed = config.get("defaults")
    scopes = []
    for entry in listed if isinstance(listed, list) else ():
        scope = entry.get("scope") if isinstance(entry, Mapping) else None
        values = entry.get("values") if isinstance(entry, Mapping) else None
        if not isinstance(values, Mapping):
            continue
        scope = scope if isinstance(scope, Mapping) else {}
        pattern, kind = str(scope.get("path") or ""), str(scope.get("type") or "")
        scopes.append(
            (
                len(pattern),
                bool(kind),
                Scope(values=with_text_keys(values), base=base, pattern=pattern, kind=kind),
            )
        )
    yield from (scope for *_, scope in sorted(scopes, key=lambda item: item[:2]))


def folders_above(folder: Path, path: str | None) -> str | None:
    """Return the folders above that of a collection such as `_posts`; None for a folder that is in none.

    `path` is that of the folder in its project, None where that is not known.
    """
    if not any(part.startswith("_") for part in folder.parts[-_MAX_DEPTH:]):
        return None
    above = takewhile(lambda part: not part.startswith("_"), path.split("/") if path else ())
    return "/".join(above)


def permalinks(config: Mapping[str, Any], below: str) -> Iterator[tuple[str, str]]:
    """Yield the patterns of addresses that collections have, by the folder that holds their files.

    `below` is the path of the articles below the configuration, "." if they are in the same folder. The
    folder is "" for all files if the articles are in a collection's folder.
    https://jekyllrb.com/docs/permalinks/#collections
    """
    collections = config.get("collections")
    top = config.get("collections_dir")
    top = f"{top.strip('/')}/" if isinstance(top, str) and top.strip("/") else ""
    for name, values in collections.items() if isinstance(collections, Mapping) else ():
        pattern = values.get("permalink") if isinstance(values, Mapping) else None
        if not isinstance(pattern, str):
            if str(name) == "posts" or not (isinstance(values, Mapping) and values.get("output") is True):
                continue
            pattern = f"/:collection/:path{_suffix(config.get('permalink'))}"
        pattern, folder = pattern.replace(":collection", str(name)), f"{top}_{name}"
        if f"{below}/".startswith(f"{folder}/"):
            yield "", pattern
        elif below in (".", top.rstrip("/")):
            key = folder if below == "." else f"_{name}"
            yield key.lower(), pattern.replace(":path", f":folders[{key.count('/') + 1}:]/:basename")


def _suffix(style: Any) -> str:
    """Return the end that the site's `permalink` gives to the addresses of its collections."""
    style = str(style or "date")
    if style == "pretty" or style.endswith("/"):
        return "/"
    return ":output_ext" if style in _STYLES_WITH_EXTENSION or style.endswith(":output_ext") else ""


def with_text_keys(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the values with their keys as texts."""
    return {str(key): value for key, value in values.items()}
