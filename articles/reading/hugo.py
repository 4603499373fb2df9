"""Hugo's configuration: languages, patterns of addresses, and default values of articles.

https://gohugo.io/configuration/introduction/ and https://gohugo.io/content-management/multilingual/
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from articles.reading import datafiles
from articles.reading.context import Scope

FILES = ("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json", "config.toml", "config.yaml", "config.yml",
         "config/_default/hugo.toml", "config/_default/hugo.yaml", "config/_default/config.toml",
         "config/_default/config.yaml")  # fmt: skip
# The configuration may be split into a file for each of its parts, and one for each language.
_PARTS = ("languages", "permalinks", "cascade")
_PART = rf"(?i:({'|'.join(_PARTS)})(?:\.([a-z]{{2,3}}(?:-[a-z0-9]{{2,8}}){{0,2}}))?\.(?:toml|ya?ml|json))"
"""The pattern of such a file's name; not compiled here, as most folders have none."""
_MAX_PARTS = 300
"""Entries of the folder with the parts that are examined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HugoLanguage:
    """A language of a site: the folder of its content, and what its addresses begin with.

    `content` is relative to the configuration; `url` is "" or the language's path with a slash at its end,
    and `base_url` the address of a language with its own host.
    """

    code: str
    content: str
    url: str
    base_url: str | None = None
    title: str | None = None
    permalinks: Mapping[str, str] = field(default_factory=dict)


def configuration(level: Path) -> dict[str, Any]:
    """Return the configuration in and below a folder, with its keys in lower case; {} where there is none."""
    config: dict[str, Any] = {}
    for name in FILES:
        values = datafiles.load(level / name) if os.path.lexists(level / name) else None
        if isinstance(values, Mapping):
            config |= with_lower_keys(values)
    for path in parts(level):
        match = re.fullmatch(_PART, path.name)
        part, language = (match[1].lower(), (match[2] or "").lower()) if match else ("", "")
        values = datafiles.load(path)
        if language:
            languages = config.get("languages")
            config["languages"] = {**(languages if isinstance(languages, Mapping) else {}), language: values}
        elif isinstance(values, Mapping) and isinstance(config.get(part), Mapping):
            config[part] = {**config[part], **values}
        else:
            config[part] = values
    return config


def parts(level: Path) -> list[Path]:
    """Return the files with parts of a split configuration, also those in a folder of the part's name."""
    folder = level / "config" / "_default"
    paths = [path for name in ("", *_PARTS) for path in _entries(folder / name)]
    return sorted(path for path in paths if re.fullmatch(_PART, path.name))


def _entries(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [folder / entry.name for entry, _ in zip(entries, range(_MAX_PARTS), strict=False)]
    except OSError:
        return []


def languages(config: Mapping[str, Any]) -> list[HugoLanguage]:
    """Return the languages of a site; [] where it has only one."""
    by_code = config.get("languages")
    if not isinstance(by_code, Mapping):
        return []
    default = str(config.get("defaultcontentlanguage") or "en").lower()
    in_folder = config.get("defaultcontentlanguageinsubdir") is True
    content = config.get("contentdir")
    result = []
    for code, language in by_code.items():
        values = with_lower_keys(language) if isinstance(language, Mapping) else {}
        base_url = values.get("baseurl")
        is_at_root = str(code).lower() == default and not in_folder
        result.append(
            HugoLanguage(
                code=str(code).lower(),
                content=_folder(values.get("contentdir")) or _folder(content) or "content",
                url="" if is_at_root or isinstance(base_url, str) else f"{str(code).lower()}/",
                base_url=base_url.rstrip("/") if isinstance(base_url, str) else None,
                title=values["title"] if isinstance(values.get("title"), str) else None,
                permalinks=permalinks(values.get("permalinks")),
            )
        )
    return result


def _folder(value: Any) -> str:
    return value.strip("/.") if isinstance(value, str) else ""


def takes_dates_from_names(config: Mapping[str, Any]) -> bool:
    """Whether dates are taken from names. https://gohugo.io/configuration/front-matter/#dates"""
    by_code = config.get("languages")
    languages = (
        map(with_lower_keys, filter(_is_mapping, by_code.values())) if isinstance(by_code, Mapping) else ()
    )
    for settings in (config, *languages):
        matter = settings.get("frontmatter")
        dates = with_lower_keys(matter).get("date") if isinstance(matter, Mapping) else None
        if ":filename" in (dates if isinstance(dates, list) else [dates]):
            return True
    return False


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def permalinks(value: Any) -> dict[str, str]:
    """Return the patterns of addresses by section. https://gohugo.io/configuration/permalinks/"""
    values = with_lower_keys(value) if isinstance(value, Mapping) else {}
    page = values.get("page")
    values |= with_lower_keys(page) if isinstance(page, Mapping) else {}
    # Hugo puts each page in a folder of its own.
    return {key: f"{pattern.rstrip('/')}/" for key, pattern in values.items() if isinstance(pattern, str)}


def cascade(value: Any, folder: str, base: str) -> Iterator[Scope]:
    """Yield the values that Hugo's `cascade` sets for the pages in a folder. https://gohugo.io/configuration/cascade/"""
    for entry in value if isinstance(value, list) else [value]:
        if not isinstance(entry, Mapping):
            continue
        settings = with_lower_keys(entry)
        target = settings.get("target") or settings.get("_target") or {}
        target = with_lower_keys(target) if isinstance(target, Mapping) else {}
        if not _is_for_pages(target):
            continue
        values = {
            str(key): item for key, item in entry.items() if str(key).lower() not in ("target", "_target")
        }
        for pattern in _alternatives(str(target.get("path") or "")):
            yield Scope(values=values, folder=folder, base=base, pattern=pattern, whole=True)


def _is_for_pages(target: Mapping[str, Any]) -> bool:
    kind = str(target.get("kind") or "page").lower()
    environment = str(target.get("environment") or "production").lower()
    return ("page" in kind or "*" in kind) and environment in ("production", "*", "**")


def _alternatives(pattern: str) -> list[str]:
    """Return the globs for which a glob with `{a,b}` stands."""
    before, opening, rest = pattern.partition("{")
    inner, closing, after = rest.partition("}")
    if not (opening and closing):
        return [pattern]
    return [f"{before}{alternative}{after}" for alternative in inner.split(",")[:100]]


def with_lower_keys(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the values by their keys in lower case."""
    return {str(key).lower(): value for key, value in values.items()}
