"""The compound values of a front matter: authors, the provider, related coverage."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from articles.article import Provider, RelatedArticle
from articles.reading import limits
from articles.reading.keys import RELATED_DATES, RELATED_LINKS
from articles.reading.values import (
    BadValueError,
    Values,
    address,
    cached,
    cut_text,
    date_reader,
    items,
    kind,
    name,
    part_of,
    split_text,
    text,
)
from text.urls import http_url

_BETWEEN_NAMES = re.compile(r"\s*\([^()]*\)\s*(?:,|and\b|&|$)?\s*|\s*,\s*(?:and\s+)?|\s+(?:and|&)\s+")
_text = cut_text(limits.MAX_NAME)
_UTC_DATE = date_reader(UTC)


# Words after a name that describe the person: `[Ada](https://…), software engineer`.
_ROLE = re.compile(r"[a-z]+(?:[ -][a-z]+)+")
_IN_A_LIST = re.compile(r",?\s+(?:and|&)\s+|,\s+")
# First and last name, each with a capital: not "Doe, Jane", "Acme, Inc." or "the web team and friends".
_FULL_NAME = re.compile(
    r"[^\W\d_a-z][^\s,.]*(?:\s+(?:[^\W\d_a-z]\.|[^\s,.]{1,40})){0,3}\s+[^\W\d_a-z][^\s,.]+"
)


@cached
def provider(values: Values, key: str, value: Any) -> Provider | None:
    """Return the publication that an article comes from."""
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        raise BadValueError(key, f"must have a `name:`, and is {kind(value)}")
    provider_name, domain = _name_and_domain(values, key, value)
    if not provider_name:
        return None
    icon = None
    for place, item in items(f"{key}.images", value["images"]) if value.get("images") else ():
        icon = icon or values.usable(_icon, place, item)
    feed = values.usable(address, f"{key}.feed", value["feed"]) if value.get("feed") else None
    return Provider(name=provider_name, domain=domain or None, icon=icon, feed=feed or None)


def _name_and_domain(values: Values, key: str, value: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return a publication's name, or else its domain, and its domain."""
    domain = part_of(values, name, key, value, "domain")
    return part_of(values, name, key, value, "name") or domain, domain


def _provider_name(values: Values, key: str, value: Any) -> str | None:
    if values.strict or not isinstance(value, dict):
        whole = provider(values, key, value)
        return whole.name if whole else None
    return _name_and_domain(values, key, value)[0]


def _icon(values: Values, key: str, value: Any) -> str:
    if isinstance(value, dict) and value.get("url") is not None:
        return address(values, f"{key}.url", value["url"])
    if isinstance(value, str):
        return address(values, f"{key}.url", value)
    raise BadValueError(key, "each image needs a `url:`")


def authors(
    known: Mapping[str, str], separator: str = "", *, in_words: bool = False
) -> Callable[[Values, str, Any], tuple[str, ...]]:
    """Return a reader of authors, whose keys in a data file are in `known` with their names.

    With a separator, a string that holds several names is split at it; with `in_words`, one that is a list of
    full names, such as "Ann Lee, Bo Li, and Cy Ro".
    """

    def person(values: Values, key: str, value: Any) -> str | None:
        if isinstance(value, dict):
            entry = next((value[part] for part in ("name", "title") if value.get(part) is not None), None)
            value = value.get("key") if entry is None else entry
            if value is None:
                return None
        if isinstance(value, str) and "](" in value:
            value = _without_markup(value)
        if type(value) is int and str(value) in known:
            value = str(value)
        person_name = name(values, key, value)
        return known.get(person_name) or known.get(person_name.lower()) or person_name

    def read(values: Values, key: str, value: Any) -> tuple[str, ...]:
        if isinstance(value, str) and ("](" in value or (in_words and "</a>" in value)):
            value = _linked_names(value)
        elif isinstance(value, str) and separator and value not in known:
            value = split_text(value, separator)
        elif isinstance(value, str) and in_words and value not in known:
            value = _names_in_words(value)
        listed = (values.usable(person, place, item) for place, item in items(key, value))
        names = tuple(dict.fromkeys(filter(None, listed)))
        if len(names) > limits.MAX_ITEMS:
            values.note(BadValueError(key, f"only the first {limits.MAX_ITEMS} are taken"))
        return names[: limits.MAX_ITEMS]

    return read


def _names_in_words(value: str) -> list[str]:
    """Return the full names that a text lists, or only the text if a part of it is not a full name."""
    names = _IN_A_LIST.split(value.strip()[: limits.MAX_EXCERPT])
    # "Ann Lee, Site Reliability Engineer" is one person.
    is_list = len(names) > 2 or "," not in value
    return names if is_list and all(map(_FULL_NAME.fullmatch, names)) else [value]


def _linked_names(value: str) -> list[str]:
    """Return the names in `[Ada](https://…) (Lab), [Bob](https://…)`, or in links of HTML."""
    without_markup = _without_markup(value[: limits.MAX_EXCERPT])
    parts = (name_or_role.strip() for name_or_role in _BETWEEN_NAMES.split(without_markup))
    return [name_or_role for name_or_role in parts if name_or_role and not _ROLE.fullmatch(name_or_role)]


def _without_markup(value: str) -> str:
    """Return names without their markup."""
    from text.titles import plain_text  # late: few sites have any

    return plain_text(value)


def related(values: Values, key: str, value: Any) -> tuple[RelatedArticle, ...]:
    """Return the first few usable items of `related`; those that cannot be read are recorded."""
    if not isinstance(value, list):
        raise BadValueError(key, f"must be a list, not {kind(value)}")
    articles = []
    limit = len(value) if values.strict else limits.MAX_RELATED
    for place, item in items(key, value[:limit]):
        if article := values.usable(_related, place, item):
            articles.append(article)
            if len(articles) == limits.MAX_RELATED and not values.strict:
                break
    return tuple(articles[: limits.MAX_RELATED])


def _related(values: Values, key: str, value: Any) -> RelatedArticle | None:
    """Read one item of `related`; one without a title or an address is not worth showing."""
    if not isinstance(value, dict):
        raise BadValueError(key, f"must have a `title:`, and is {kind(value)}")
    title = part_of(values, _text, key, value, "title")
    links = (part_of(values, text, key, value, part) for part in RELATED_LINKS)
    link = next(filter(None, links), None)
    url = http_url(link) if link and len(link) <= limits.MAX_URL else None
    if not title or not url:
        return None
    dates = (part_of(values, _UTC_DATE, key, value, part) for part in RELATED_DATES)
    return RelatedArticle(
        title=title,
        link=url,
        provider=part_of(values, _provider_name, key, value, "provider"),
        published_at=next(filter(None, dates), None),
    )
