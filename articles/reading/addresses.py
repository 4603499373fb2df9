"""The address of an article on the site it belongs to, by the conventions of that site's generator."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import quote, urljoin, urlsplit

from articles.conventions import Conventions
from articles.reading.address_parts import AddressParts
from articles.reading.dates import without_date
from articles.reading.placeholders import fill
from articles.reading.slugs import eleventy_slug, hugo_slug, pelican_slug, zola_slug
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
# https://www.11ty.dev/docs/data-eleventy-supplied/#fileslug
_FILE_SLUG = re.compile(r"\{\{-?\s*page\.fileSlug\s*(?:\|\s*slug(?:ify)?\s*)?-?\}\}")
_FILE_STEM = re.compile(r"\{\{-?\s*page\.filePathStem\s*-?\}\}")
_TITLE_SLUG = re.compile(r"\{\{-?\s*title\s*\|\s*slug(?:ify)?\s*-?\}\}")
# The filter that Eleventy's Liquid has for dates; only the directives that `_date_parts` knows.
_PAGE_DATE = re.compile(
    r"""\{\{-?\s*page\.date\s*\|\s*date:\s*(["'])((?:%[YmdjyHMbB]|[/_-]){1,10})\1\s*-?\}\}"""
)
_MARKUP = re.compile(r"\{\{|\{%")


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
    place = _with_slug(replace(place, prefix=_prefix_below(base, place.prefix)), conventions.generator)
    path = _path(place, permalink, conventions.permalink or configured, conventions.generator)
    if language_path and not (permalink and _is_from_the_root(permalink, conventions)):
        path = f"{language_path}{path.lstrip('/')}"
    path = re.sub(r"/{2,}", "/", f"/{path.lstrip('/')}")
    path = re.sub(r"(?:^|(?<=/))index\.html$", "", path)
    return http_url(f"{base}{path}")


def _with_slug(place: AddressParts, generator: str) -> AddressParts:
    """Return the parts with the slug that the generator forms from a name or a title."""
    if generator == "pelican" and not place.slug:
        if place.name_is_slug:
            return replace(place, slug=place.name)
        source = place.stem if place.slug_from_name else place.title
        return replace(place, slug=pelican_slug(source, keeps_letters=place.keeps_name))
    if generator == "zola" and not place.keeps_name:
        return replace(place, slug=zola_slug(place.slug or place.name))
    return place


def _path(place: AddressParts, permalink: str | None, configured: str | None, generator: str) -> str:
    """Return the article's path on its site, without that of its language.

    `permalink` is the path in the front matter, and `configured` the pattern for the article in settings.
    """
    pattern = permalink or configured or _DEFAULTS.get(generator)
    if pattern is None:
        return _plain_path(place)
    if generator == "jekyll":
        return fill(_JEKYLL_STYLES.get(pattern, pattern), place, generator)
    if generator == "docusaurus" and not (permalink or configured):
        return _docusaurus_path(place, pattern)
    path = fill(pattern, place, generator)
    if generator == "hugo" and permalink is None:
        # An unknown placeholder is left unchanged, so that the owner of the site sees it.
        return "/".join(part if part.startswith(":") else hugo_slug(part) for part in path.split("/"))
    if generator == "zola" and permalink:
        return f"{path.rstrip('/')}/"
    return path


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
    return fill(pattern, place) if is_dated else _plain_path(place).rstrip("/")


def _prefix_below(base_url: str, prefix: str) -> str:
    """Return the prefix, or "" if the site's address already ends with the folder of articles."""
    last = prefix.rstrip("/").rpartition("/")[2]
    return "" if last and urlsplit(base_url).path.endswith(f"/{last}") else prefix
