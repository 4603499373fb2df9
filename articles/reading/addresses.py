"""The address of an article on the site it belongs to, by the conventions of that site's generator."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote, urljoin, urlsplit

from articles.conventions import Conventions
from articles.reading.dates import without_date
from articles.reading.slugs import (
    eleventy_slug,
    hexo_slug,
    hugo_slug,
    jekyll_slug,
    jekyll_title,
    pelican_slug,
    quartz_slug,
    slugified,
    zola_slug,
)
from text.urls import http_url

# The patterns of addresses that generators use if nothing is configured.
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
_FILE_SLUG = re.compile(r"\{\{-?\s*page\.fileSlug\s*(?:\|\s*slug(?:ify)?\s*)?-?\}\}")
_FILE_STEM = re.compile(r"\{\{-?\s*page\.filePathStem\s*-?\}\}")
_TITLE_SLUG = re.compile(r"\{\{-?\s*title\s*\|\s*slug(?:ify)?\s*-?\}\}")
# The filter that Eleventy's Liquid has for dates; only the directives that `_date_parts` knows.
_PAGE_DATE = re.compile(
    r"""\{\{-?\s*page\.date\s*\|\s*date:\s*(["'])((?:%[YmdjyHMbB]|[/_-]){1,10})\1\s*-?\}\}"""
)
_MARKUP = re.compile(r"\{\{|\{%")
_INDEX = ("index", "_index", "readme")
# The folder of a collection, and those in it: only the folders above it are categories in Jekyll.
_COLLECTION = re.compile(r"(?:^|(?<=/))_[^/]+/.*", re.DOTALL)
_POSTS = re.compile(r"\A(?:.*/)?_(?:posts|drafts)/", re.DOTALL)
# English in every locale, as in the generators' own addresses.
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressParts:
    """The values from which an article's address is formed.

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
    keeps_name: bool = False
    """Whether Zola uses names and slugs without changes."""
    above_collection: str | None = None
    """The folders above the collection of Jekyll that all articles are in; None where they are in none."""
    folder_names_page: bool = False
    """Whether `a/a.md` and `a/2026-01-02-index.md` represent the folder `a`, as in Eleventy."""

    @property
    def name(self) -> str:
        """The name as it is in addresses: without its date, unless the generator keeps the date."""
        return self.stem if self.keeps_date else without_date(self.stem)

    @property
    def stem(self) -> str:
        """The file's name without extension, or its folder's name if it is an index; with its date."""
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


def site_address(
    place: AddressParts,
    permalink: str | None,
    configured: str | None,
    conventions: Conventions,
    language_path: str = "",
) -> str | None:
    """Return the article's address below `base_url`, or None if there is no `base_url`.

    `permalink` is the path in the front matter, or with Jekyll a pattern. `configured` is the pattern in the
    generator's own configuration. `language_path` is the path of the article's language.
    """
    base = conventions.base_url
    if base is None:
        return None
    place = replace(place, prefix=_prefix_below(base, place.prefix))
    default_pattern = conventions.permalink or configured
    pattern = permalink or default_pattern or _DEFAULTS.get(conventions.generator)
    if conventions.generator == "pelican" and not place.slug:
        place = replace(place, slug=pelican_slug(place.stem if place.slug_from_name else place.title))
    if conventions.generator == "zola" and not place.keeps_name:
        place = replace(place, slug=zola_slug(place.slug or place.name))
    if conventions.generator == "jekyll" and pattern:
        pattern = _JEKYLL_STYLES.get(pattern, pattern)
    if pattern is None:
        path = _plain_path(place)
    elif conventions.generator == "docusaurus" and not (permalink or default_pattern):
        path = _docusaurus_path(place, pattern)
    else:
        path = _fill(pattern, place, conventions.generator)
        if permalink is None and conventions.generator == "hugo":
            # An unknown placeholder is left unchanged, so that the owner of the site sees it.
            path = "/".join(part if part.startswith(":") else hugo_slug(part) for part in path.split("/"))
        elif permalink and conventions.generator == "zola":
            path = f"{path.rstrip('/')}/"
    if language_path and not (permalink and _is_from_the_root(permalink, conventions)):
        path = f"{language_path}{path.lstrip('/')}"
    path = re.sub(r"/{2,}", "/", f"/{path.lstrip('/')}")
    path = re.sub(r"(?:^|(?<=/))index\.html$", "", path)
    return http_url(f"{base}{path}")


def _is_from_the_root(permalink: str, conventions: Conventions) -> bool:
    """Return whether the path in a front matter is used without the path of the article's language.

    https://gohugo.io/content-management/urls/#multilingual; Zola uses every `path` unchanged.
    """
    generator = conventions.generator
    return generator == "zola" or (generator == "hugo" and permalink.startswith("/"))


def without_templates(permalink: str, title: str) -> str:
    """Return an Eleventy permalink with placeholders for the templates of the file's name and date."""
    permalink = _PAGE_DATE.sub(r"{date:\2}", _FILE_SLUG.sub(":filename", permalink))
    permalink = _FILE_STEM.sub("/:folders/:filename", permalink)
    slug = eleventy_slug(title) if _TITLE_SLUG.search(permalink) else None
    return _TITLE_SLUG.sub(slug, permalink) if slug else permalink


def is_pattern_of_markup(permalink: str) -> bool:
    """Return whether a front matter's permalink contains template code, which is never run."""
    return _MARKUP.search(permalink) is not None


def resolved(
    reference: str, path: str, link: str | None, base_url: str | None, exists: Callable[[str], bool]
) -> str | None:
    """Return the address of a file that an article refers to, or None if there is none.

    A file in the folder of articles is served by this site: its address starts with a slash. Otherwise, a
    reference with a slash is on the host of `base_url`, and others are relative to the article's address.
    """
    if reference.startswith(("@/", "~/", "{")):
        return None  # a path in the site's source, which its bundler replaces, or an expression
    target, _, _ = reference.partition("#")
    target, _, query = target.partition("?")
    if reference.startswith("//"):
        return http_url(f"{urlsplit(base_url).scheme}:{reference}") if base_url else None
    if not target.startswith("/") or base_url is None:
        folder = "" if target.startswith("/") else posixpath.dirname(path)
        local_path = posixpath.normpath(posixpath.join(folder, target.lstrip("/")))
        if not local_path.startswith("../") and local_path not in ("", ".", "..") and exists(local_path):
            return f"/articles/{quote(local_path, errors='replace')}"
    if base_url is None:
        return None
    return http_url(urljoin(link or f"{base_url}/", f"{target}{'?' if query else ''}{query}"))


def _plain_path(place: AddressParts) -> str:
    """Return the file's path without its date and extension; a folder's own page ends in a slash."""
    if place.is_index and "/" not in place.path:
        return f"{place.prefix}{place.slug or ''}"
    last = place.slug or without_date(place.stem)
    path = last if last.startswith("/") else "/".join([*place.folders, last])
    return f"{path.rstrip('/')}/" if place.is_index else path


def _docusaurus_path(place: AddressParts, pattern: str) -> str:
    """Return `/blog/2026/01/05/name` for a dated name, or else the file's path; a slug replaces the date."""
    if place.slug:
        return "/".join([*place.folders[:1], place.slug.strip("/")])
    is_dated = without_date(place.stem) != place.stem
    return _fill(pattern, place) if is_dated else _plain_path(place).rstrip("/")


def _prefix_below(base_url: str, prefix: str) -> str:
    """Return the prefix, or "" if the site's address already ends with the folder of articles."""
    last = prefix.rstrip("/").rpartition("/")[2]
    return "" if last and urlsplit(base_url).path.endswith(f"/{last}") else prefix


def _fill(pattern: str, place: AddressParts, generator: str = "") -> str:
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
            prefix = max((key for key in values if name and name.startswith(key)), key=len, default=None)
            return values[prefix] + (name or "")[len(prefix) :] if prefix else match[0]
        return _sections(value, part) if part else value

    return _PLACEHOLDER.sub(fill, pattern)


def _placeholders(place: AddressParts) -> dict[str, str]:
    """Return the values of the placeholders of all generators."""
    date = place.published_at
    name = place.name
    slug = (place.slug or "").strip("/")
    all_folders = f"{'/'.join(place.folders)}/".lstrip("/")
    folders = place.above_collection
    if folders is None:
        folders = _COLLECTION.sub("", all_folders).strip("/")
    names = [*filter(None, folders.split("/")), *place.categories]
    categories = "/".join(dict.fromkeys(category.lower() for category in names))
    year_week = date.isocalendar()
    month, weekday = _MONTHS[date.month - 1], _WEEKDAYS[date.weekday()]
    return {
        "year": f"{date.year:04}", "month": f"{date.month:02}", "day": f"{date.day:02}",
        "short_year": f"{date.year % 100:02}", "i_month": str(date.month), "i_day": str(date.day),
        "short_month": month[:3], "long_month": month, "monthname": month.lower(),
        "hour": f"{date.hour:02}", "minute": f"{date.minute:02}", "second": f"{date.second:02}",
        "y_day": f"{date:%j}", "yearday": str(int(f"{date:%j}")), "week": f"{year_week.week:02}",
        "w_year": str(year_week.year), "w_day": str(year_week.weekday), "short_day": weekday[:3],
        "weekday": f"{date:%w}", "weekdayname": weekday.lower(),
        "title": slug or name, "slug": slug or slugified(name), "name": slug or slugified(name),
        "slugorfilename": slug or name, "slugorcontentbasename": slug or name,
        "filename": name, "contentbasename": name, "basename": name, "base_name": name,
        "folders": "/".join(place.folders), "sections": "/".join(place.folders),
        "section": place.folders[0] if place.folders else "", "path": "/".join([*place.folders, name]),
        "categories": categories, "slugified_categories": categories,
        "category": place.categories[0].lower() if place.categories else folders,
        "collection": "posts", "output_ext": ".html", "author": slugified(place.author),
        "lang": place.language or "en",
        "quartz_path": quartz_slug("/".join([*place.folders, name])),
        "hexo_title": f"{_POSTS.sub('', all_folders)}{slug or name}",
        "hexo_category": "/".join(map(hexo_slug, place.categories)) or "uncategorized",
    }  # fmt: skip


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
    month = _MONTHS[date.month - 1]
    parts = {"%Y": f"{date.year:04}", "%m": f"{date.month:02}", "%d": f"{date.day:02}", "%b": month[:3],
             "%B": month, "%H": f"{date.hour:02}", "%M": f"{date.minute:02}", "%j": f"{date:%j}",
             "%y": f"{date.year % 100:02}"}  # fmt: skip
    return re.sub(r"%[A-Za-z]", lambda match: parts.get(match[0], ""), form)
