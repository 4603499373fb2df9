"""The placeholders in a generator's patterns of addresses, such as `:year`, `{slug}` and `{date:%Y}`.

Each generator has a table of its own placeholders; those in `_COMMON` are known with all of them, for the
patterns in `articles.permalink`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from articles.reading.address_parts import AddressParts
from articles.reading.slugs import (
    hexo_slug,
    hugo_slug,
    jekyll_slug,
    jekyll_title,
    nuxt_slug,
    quartz_slug,
    slugified,
)

_Table = Mapping[str, Callable[[AddressParts], str]]

_PLACEHOLDER = re.compile(r":([a-z_]+)(\[[0-9:last]{1,12}\])?|\{([a-z_]+)(?::([^{}]{1,20}))?\}")
# The folder of a collection, and those in it: only the folders above it are categories in Jekyll.
_COLLECTION = re.compile(r"(?:^|(?<=/))_[^/]+/.*", re.DOTALL)
_POSTS = re.compile(r"\A(?:.*/)?_(?:posts|drafts)/", re.DOTALL)
# English in every locale, as in the generators' own addresses.
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def fill(pattern: str, place: AddressParts, generator: str = "") -> str:
    """Return a pattern with the values of the article for its placeholders; unknown ones stay as they are."""
    table = _TABLES.get(generator, _COMMON)

    def value_of(match: re.Match[str]) -> str:
        name, part, braced, form = match.groups()
        if braced == "date" and form:
            return _date_parts(form, place.published_at)
        read = table.get(name or braced)
        if read is None:
            prefix = _prefix(name, table)
            return table[prefix](place) + name[len(prefix) :] if prefix else match[0]
        value = read(place)
        return _sections(value, part) if part else value

    return _PLACEHOLDER.sub(value_of, pattern)


def unknown(pattern: str, generator: str) -> list[str]:
    """Return the placeholders in a pattern that `fill` leaves as they are, such as `:yaer`."""
    table = _TABLES.get(generator, _COMMON)
    return [
        match[0]
        for match in _PLACEHOLDER.finditer(pattern)
        if not (match[3] == "date" and match[4])
        and (match[1] or match[3]) not in table
        and not _prefix(match[1], table)
    ]


def _prefix(name: str | None, table: _Table) -> str:
    """Return the placeholder with which a name begins: `:titleish` is `:title` and `ish`, as in Jekyll."""
    return max((key for key in table if name and name.startswith(key)), key=len, default="")


def _sections(value: str, part: str) -> str:
    """Return the sections that Hugo's `:sections[1:]`, `[0]` or `[last]` selects."""
    parts = value.split("/")
    first, colon, last = part.strip("[]").partition(":")
    try:
        if not colon:
            return parts[-1 if first == "last" else int(first)]
        begin = int(first) if first else None
        end = None if not last else len(parts) - 1 if last == "last" else int(last)
        return "/".join(parts[begin:end])
    except (ValueError, IndexError):
        return value


def _date_parts(form: str, date: datetime) -> str:
    """Return Pelican's `{date:%Y}`; only the directives that name numbers are known."""
    month = _month(date)
    parts = {"%Y": f"{date.year:04}", "%m": f"{date.month:02}", "%d": f"{date.day:02}", "%b": month[:3],
             "%B": month, "%H": f"{date.hour:02}", "%M": f"{date.minute:02}", "%j": f"{date:%j}",
             "%y": f"{date.year % 100:02}"}  # fmt: skip
    return re.sub(r"%[A-Za-z]", lambda match: parts.get(match[0], ""), form)


def _month(date: datetime) -> str:
    return _MONTHS[date.month - 1]


def _weekday(date: datetime) -> str:
    return _WEEKDAYS[date.weekday()]


def _folders(place: AddressParts) -> str:
    return "/".join(place.folders)


def _categories(place: AddressParts) -> str:
    """Return the folders above the collection and the categories of the front matter, each once."""
    names = [*filter(None, _above_collection(place).split("/")), *place.categories]
    return "/".join(dict.fromkeys(category.lower() for category in names))


def _category(place: AddressParts) -> str:
    return place.categories[0].lower() if place.categories else _above_collection(place)


def _above_collection(place: AddressParts) -> str:
    if place.above_collection is not None:
        return place.above_collection
    return _COLLECTION.sub("", _folders_and_slash(place)).strip("/")


def _folders_and_slash(place: AddressParts) -> str:
    return f"{_folders(place)}/".lstrip("/")


def _slug_or_slugified(place: AddressParts) -> str:
    return (place.slug or "").strip("/") or slugified(place.name)


_COMMON: _Table = {
    "year": lambda place: f"{place.published_at.year:04}",
    "short_year": lambda place: f"{place.published_at.year % 100:02}",
    "month": lambda place: f"{place.published_at.month:02}",
    "i_month": lambda place: str(place.published_at.month),
    "day": lambda place: f"{place.published_at.day:02}",
    "i_day": lambda place: str(place.published_at.day),
    "y_day": lambda place: f"{place.published_at:%j}",
    "hour": lambda place: f"{place.published_at.hour:02}",
    "minute": lambda place: f"{place.published_at.minute:02}",
    "second": lambda place: f"{place.published_at.second:02}",
    "title": lambda place: place.slug_or_name,
    "slug": _slug_or_slugified,
    "name": _slug_or_slugified,
    "slugorfilename": lambda place: place.slug_or_name,
    "filename": lambda place: place.name,
    "basename": lambda place: place.name,
    "folders": _folders,
    "path": lambda place: "/".join([*place.folders, place.name]),
    "path_with_date": lambda place: "/".join([*place.folders, place.stem]),
    "section": lambda place: place.folders[0] if place.folders else "",
    "sections": _folders,
    "category": _category,
    "categories": _categories,
    "author": lambda place: slugified(place.author),
    "lang": lambda place: place.language or "en",
    "quartz_path": lambda place: quartz_slug("/".join([*place.folders, place.name])),
    "nuxt_path": lambda place: nuxt_slug("/".join([*place.folders, place.name])),
}
# https://jekyllrb.com/docs/permalinks/#placeholders; those of Hexo have its name: see reading.hexo.
_JEKYLL: _Table = {
    "title": lambda place: jekyll_title(place.slug_or_name),
    "slug": lambda place: jekyll_slug(place.slug_or_name),
    "short_month": lambda place: _month(place.published_at)[:3],
    "long_month": lambda place: _month(place.published_at),
    "week": lambda place: f"{place.published_at.isocalendar().week:02}",
    "w_year": lambda place: str(place.published_at.isocalendar().year),
    "w_day": lambda place: str(place.published_at.isocalendar().weekday),
    "short_day": lambda place: _weekday(place.published_at)[:3],
    "long_day": lambda place: _weekday(place.published_at),
    "slugified_categories": _categories,
    "collection": lambda _: "posts",
    "output_ext": lambda _: ".html",
    "hexo_title": lambda place: f"{_POSTS.sub('', _folders_and_slash(place))}{place.slug_or_name}",
    "hexo_category": lambda place: "/".join(map(hexo_slug, place.categories)) or "uncategorized",
}
# https://gohugo.io/content-management/urls/#tokens
_HUGO: _Table = {
    "title": lambda place: hugo_slug(place.title) or place.slug_or_name,
    "slug": lambda place: place.slug or hugo_slug(place.title) or slugified(place.name),
    "monthname": lambda place: _month(place.published_at).lower(),
    "weekday": lambda place: f"{place.published_at:%w}",
    "weekdayname": lambda place: _weekday(place.published_at).lower(),
    "yearday": lambda place: str(int(f"{place.published_at:%j}")),
    "slugorcontentbasename": lambda place: place.slug_or_name,
    "contentbasename": lambda place: place.name,
}
# https://docs.getpelican.com/en/latest/settings.html#url-settings
_PELICAN: _Table = {"base_name": lambda place: place.name}
_TABLES: Mapping[str, _Table] = {
    "jekyll": {**_COMMON, **_JEKYLL},
    "hugo": {**_COMMON, **_HUGO},
    "pelican": {**_COMMON, **_PELICAN},
}
