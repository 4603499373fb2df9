"""Where an article lives on the site it belongs to, by the conventions of that site's generator."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote, urljoin, urlsplit

from articles.conventions import Conventions
from articles.reading.dates import without_date
from articles.reading.slugs import hugo_slug, jekyll_slug, jekyll_title, pelican_slug, slugified, zola_slug
from text.urls import http_url

# What the generators do where the owner has configured nothing.
_DEFAULTS: Mapping[str, str] = {
    "jekyll": "/:categories/:year/:month/:day/:title:output_ext",
    "hugo": "/:folders/:slugorfilename/",
    "zola": "/:folders/:slugorfilename/",
    "pelican": "/:slug.html",
    "docusaurus": "/:folders/:year/:month/:day/:slugorfilename",
    "eleventy": "/:folders/:slugorfilename/",
    "astro": "/:folders/:slugorfilename/",
}
# https://jekyllrb.com/docs/permalinks/#built-in-formats
_JEKYLL_STYLES: Mapping[str, str] = {
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title:output_ext",
    "weekdate": "/:categories/:year/W:week/:short_day/:title:output_ext",
    "none": "/:categories/:title:output_ext",
}
_PLACEHOLDER = re.compile(r":([a-z_]+)(\[[0-9:last]{1,12}\])?|\{([a-z_]+)(?::([^{}]{1,20}))?\}")
# https://www.11ty.dev/docs/data-eleventy-supplied/#fileslug
_FILE_SLUG = re.compile(r"\{\{-?\s*page\.fileSlug\s*-?\}\}")
# The filter that Eleventy's Liquid has for dates; only the directives that `_date_parts` knows.
_PAGE_DATE = re.compile(
    r"""\{\{-?\s*page\.date\s*\|\s*date:\s*(["'])((?:%[YmdjyHMbB]|[/_-]){1,10})\1\s*-?\}\}"""
)
_MARKUP = re.compile(r"\{\{|\{%")
_INDEX = ("index", "_index", "readme")
_JEKYLL_FOLDERS = re.compile(r"(?:^|(?<=/))_(?:posts|drafts)/")
# English in every locale, as in the generators' own addresses.
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an article's address is made from.

    `published_at` is in the site's zone. `path` is relative to the folder of articles, and `prefix` the path
    of that folder below the generator's own content folder, with a slash at its end, or "".
    """

    path: str
    prefix: str
    title: str
    slug: str | None
    published_at: datetime
    categories: Sequence[str] = ()
    author: str = ""
    language: str | None = None
    keeps_date: bool = False
    slug_from_name: bool = False
    leaves_name: bool = False
    """Whether Zola leaves names and slugs as they are written."""
    folder_names_page: bool = False
    """Whether `a/a.md` and `a/2026-01-02-index.md` represent the folder `a`, as in Eleventy."""

    @property
    def name(self) -> str:
        """The name as it is in addresses: without its date, unless the generator leaves that."""
        return self.stem if self.keeps_date else without_date(self.stem)

    @property
    def stem(self) -> str:
        """The file's name without extension, or its folder's where it is an index; with its date."""
        folders, name = self._parts()
        return posixpath.basename(folders) if self.is_index and folders else name

    @property
    def is_index(self) -> bool:
        """Whether the file represents its folder."""
        folders, name = self._parts()
        if self.folder_names_page and folders:
            name = without_date(name)
            if name == posixpath.basename(folders):
                return True
        return name.lower() in _INDEX

    @property
    def folders(self) -> list[str]:
        """The folders above the file, or above its own folder."""
        folders = self._parts()[0]
        parts = f"{self.prefix}{folders}".strip("/").split("/")
        if self.is_index and folders:
            parts = parts[:-1]
        return [part for part in parts if part]

    def _parts(self) -> tuple[str, str]:
        folders, _, name = self.path.rpartition("/")
        name = name.rpartition(".")[0] or name
        if self.language and name.lower().endswith(f".{self.language.lower()}"):
            name = name[: -len(self.language) - 1]
        return folders, name


def own_address(
    place: Place, permalink: str | None, configured: str | None, conventions: Conventions, below: str = ""
) -> str | None:
    """Return the article's address below `base_url`, or None where there is no `base_url`.

    `permalink` is the front matter's own word for it: a path, or in Jekyll a pattern. `configured` is the
    pattern that the generator's own configuration has. `below` is the path of the article's language.
    """
    base = conventions.base_url
    if base is None:
        return None
    place = replace(place, prefix=_prefix_below(base, place.prefix))
    given = conventions.permalink or configured
    pattern = permalink or given or _DEFAULTS.get(conventions.generator)
    if conventions.generator == "pelican" and not place.slug:
        place = replace(place, slug=pelican_slug(place.stem if place.slug_from_name else place.title))
    if conventions.generator == "zola" and not place.leaves_name:
        place = replace(place, slug=zola_slug(place.slug or place.name))
    if conventions.generator == "jekyll" and pattern:
        pattern = _JEKYLL_STYLES.get(pattern, pattern)
    if pattern is None:
        path = _plain_path(place)
    elif conventions.generator == "docusaurus" and not (permalink or given):
        path = _docusaurus_path(place, pattern)
    else:
        path = _filled(pattern, place, conventions.generator)
        if permalink is None and conventions.generator == "hugo":
            # A placeholder that is not known is left as it is written, so that its owner sees it.
            path = "/".join(part if part.startswith(":") else hugo_slug(part) for part in path.split("/"))
        elif permalink and conventions.generator == "zola":
            path = f"{path.rstrip('/')}/"
    if below and not (permalink and _is_from_the_root(permalink, conventions)):
        path = f"{below}{path.lstrip('/')}"
    path = re.sub(r"/{2,}", "/", f"/{path.lstrip('/')}")
    path = re.sub(r"(?:^|(?<=/))index\.html$", "", path)
    return http_url(f"{base}{path}")


def _is_from_the_root(permalink: str, conventions: Conventions) -> bool:
    """Whether a front matter's own path holds without the path of the article's language.

    https://gohugo.io/content-management/urls/#multilingual; Zola takes every `path` as it is written.
    """
    generator = conventions.generator
    return generator == "zola" or (generator == "hugo" and permalink.startswith("/"))


def without_templates(permalink: str) -> str:
    """Return an Eleventy permalink with placeholders for the file's name and date, which need no running."""
    return _PAGE_DATE.sub(r"{date:\2}", _FILE_SLUG.sub(":filename", permalink))


def is_pattern_of_markup(permalink: str) -> bool:
    """Whether a front matter's permalink holds template code, which is never run."""
    return _MARKUP.search(permalink) is not None


def resolved(
    reference: str, path: str, link: str | None, base_url: str | None, exists: Callable[[str], bool]
) -> str | None:
    """Return the address of a file that an article refers to, or None where there is none.

    One that lies in the folder of articles is served by this site: its address starts with a slash. Else a
    rooted one is on the host of `base_url`, and any other is relative to the article's own address.
    """
    if reference.startswith(("@/", "~/", "{")):
        return None  # a path in the site's source, which its bundler replaces, or an expression
    target, _, _ = reference.partition("#")
    target, _, query = target.partition("?")
    if reference.startswith("//"):
        return http_url(f"{urlsplit(base_url).scheme}:{reference}") if base_url else None
    if not target.startswith("/") or base_url is None:
        beside = "" if target.startswith("/") else posixpath.dirname(path)
        inside = posixpath.normpath(posixpath.join(beside, target.lstrip("/")))
        if not inside.startswith("../") and inside not in ("", ".", "..") and exists(inside):
            return f"/articles/{quote(inside, errors='replace')}"
    if base_url is None:
        return None
    return http_url(urljoin(link or f"{base_url}/", f"{target}{'?' if query else ''}{query}"))


def _plain_path(place: Place) -> str:
    """Return the file's path without its date and extension; a folder's own page ends in a slash."""
    if place.is_index and "/" not in place.path:
        return f"{place.prefix}{place.slug or ''}"
    last = place.slug or without_date(place.stem)
    path = last if last.startswith("/") else "/".join([*place.folders, last])
    return f"{path.rstrip('/')}/" if place.is_index else path


def _docusaurus_path(place: Place, pattern: str) -> str:
    """Return `/blog/2026/01/05/name` for a dated name, or else the file's path; a slug replaces the date."""
    if place.slug:
        return "/".join([*place.folders[:1], place.slug.strip("/")])
    is_dated = without_date(place.stem) != place.stem
    return _filled(pattern, place) if is_dated else _plain_path(place).rstrip("/")


def _prefix_below(base_url: str, prefix: str) -> str:
    """Return the prefix, or "" where the site's address ends with the folder of articles already."""
    last = prefix.rstrip("/").rpartition("/")[2]
    return "" if last and urlsplit(base_url).path.endswith(f"/{last}") else prefix


def _filled(pattern: str, place: Place, generator: str = "") -> str:
    values = _placeholders(place)
    if generator == "jekyll":
        values |= {"title": jekyll_title(values["title"]), "slug": jekyll_slug(values["title"])}
    elif generator == "hugo":  # its `:title` is the title, and so is `:slug` where there is none
        title = hugo_slug(place.title)
        values |= {"title": title or values["title"], "slug": place.slug or title or values["slug"]}

    def fill(match: re.Match[str]) -> str:
        name, part, braced, form = match.groups()
        if braced == "date" and form:
            return _date_parts(form, place.published_at)
        value = values.get(name or braced)
        if value is None:
            # `:titleish` is `:title` and then `ish`, as in Jekyll.
            known = max((key for key in values if name and name.startswith(key)), key=len, default=None)
            return values[known] + (name or "")[len(known) :] if known else match[0]
        return _chosen(value, part) if part else value

    return _PLACEHOLDER.sub(fill, pattern)


def _placeholders(place: Place) -> dict[str, str]:
    """Return what each placeholder of any generator stands for."""
    when = place.published_at
    name = place.name
    slug = (place.slug or "").strip("/")
    folders = _JEKYLL_FOLDERS.sub("", f"{'/'.join(place.folders)}/").strip("/")
    named = [*filter(None, folders.split("/")), *place.categories]
    categories = "/".join(dict.fromkeys(category.lower() for category in named))
    year_week = when.isocalendar()
    month, weekday = _MONTHS[when.month - 1], _WEEKDAYS[when.weekday()]
    return {
        "year": f"{when.year:04}", "month": f"{when.month:02}", "day": f"{when.day:02}",
        "short_year": f"{when.year % 100:02}", "i_month": str(when.month), "i_day": str(when.day),
        "short_month": month[:3], "long_month": month, "monthname": month.lower(),
        "hour": f"{when.hour:02}", "minute": f"{when.minute:02}", "second": f"{when.second:02}",
        "y_day": f"{when:%j}", "yearday": str(int(f"{when:%j}")), "week": f"{year_week.week:02}",
        "w_year": str(year_week.year), "w_day": str(year_week.weekday), "short_day": weekday[:3],
        "weekday": f"{when:%w}", "weekdayname": weekday.lower(),
        "title": slug or name, "slug": slug or slugified(name), "name": slug or slugified(name),
        "slugorfilename": slug or name, "slugorcontentbasename": slug or name,
        "filename": name, "contentbasename": name, "basename": name, "base_name": name,
        "folders": "/".join(place.folders), "sections": "/".join(place.folders),
        "section": place.folders[0] if place.folders else "", "path": "/".join([*place.folders, name]),
        "categories": categories, "slugified_categories": categories,
        "category": place.categories[0].lower() if place.categories else folders,
        "collection": "posts", "output_ext": ".html", "author": slugified(place.author),
        "lang": place.language or "en",
    }  # fmt: skip


def _chosen(value: str, part: str) -> str:
    """Return the sections that Hugo's `:sections[1:]`, `[0]` or `[last]` chooses."""
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


def _date_parts(form: str, when: datetime) -> str:
    """Return Pelican's `{date:%Y}`; only the directives that name numbers are known."""
    month = _MONTHS[when.month - 1]
    known = {"%Y": f"{when.year:04}", "%m": f"{when.month:02}", "%d": f"{when.day:02}", "%b": month[:3],
             "%B": month, "%H": f"{when.hour:02}", "%M": f"{when.minute:02}", "%j": f"{when:%j}",
             "%y": f"{when.year % 100:02}"}  # fmt: skip
    return re.sub(r"%[A-Za-z]", lambda match: known.get(match[0], ""), form)
