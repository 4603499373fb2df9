"""The addresses of one article: its own, its original's, and its pictures', by its front matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from articles.article import Enclosure, Image
from articles.identity import identity
from articles.reading import addresses, hexo, keys, limits, media, values
from articles.reading.address_parts import AddressParts
from articles.reading.context import ReadingContext
from articles.reading.guids import generators_guid
from articles.reading.languages import language_in_path, without_language
from articles.reading.values import BadValueError, Values
from text.urls import is_uri

_TEMPLATE = "is a template, which is not run: the pattern is used"
_NO_SITE = "is a path on the site, which is not known: set articles.base_url"


class AddressReader:
    """Reads one file's addresses; those that cannot be used are recorded in the file's values."""

    def __init__(self, file_values: Values, path: str, context: ReadingContext) -> None:
        self._values = file_values
        self._path = path
        self._context = context
        self._conventions = context.conventions
        self._is_plain = context.conventions.is_plain

    def given(self) -> tuple[str | None, str | None]:
        """Return the address that the front matter gives, and that of the original where it differs."""
        file_values = self._values
        original = file_values.first(values.address, "originalurl")
        link = file_values.first(values.address, "weburl") or original
        if link is None and not (self._is_plain and self._conventions.base_url is None):
            absolute = (
                item for item in file_values.given(*keys.LINKS, *keys.PERMALINKS) if _is_absolute(item[1])
            )
            links = (file_values.usable(values.address, key, value) for key, value in absolute)
            link = next(filter(None, links), None)
        return link, original

    def place(
        self, title: str, slug: str | None, published_at: datetime, authors: tuple[str, ...]
    ) -> AddressParts:
        """Return the values from which the article's address on its site is formed."""
        surroundings = self._context.surroundings
        home = surroundings.home_of(self._path)
        return AddressParts(
            path=self._path.removeprefix(home.folder) if home else self._path,
            prefix=home.prefix if home else surroundings.prefix,
            title=title,
            slug=slug,
            published_at=published_at.astimezone(self._context.zone),
            categories=self._categories(),
            author=authors[0] if authors else "",
            language=home.code if home else language_in_path(self._path),
            keeps_date=surroundings.names_keep_dates,
            name_is_slug=surroundings.names_are_slugs,
            slug_from_name=surroundings.slugs_from_names,
            keeps_name=surroundings.keeps_names,
            above_collection=surroundings.above_collection,
            names_output=self._conventions.generator in ("plain", "astro"),
            # https://www.11ty.dev/docs/permalinks/: `a/a.md` is the page `a/`.
            folder_names_page=self._conventions.generator == "eleventy",
        )

    def own(self, place: AddressParts) -> str | None:
        """Return the address at which the article's site publishes it; None where that is not known."""
        surroundings = self._context.surroundings
        home = surroundings.home_of(self._path)
        configured = surroundings.permalink_for(place.folders, home)
        if configured and hexo.DATA in configured:
            configured = hexo.filled(
                configured, {key: value for key, (_, value) in self._values.by_key.items()}
            )
        conventions = self._conventions
        if home and home.base_url and self._is_one_of_several_hosts():
            conventions = replace(conventions, base_url=home.base_url)
        return addresses.site_address(
            place,
            self._permalink(place.title),
            configured,
            conventions,
            language_path=home.url if home else "",
        )

    def guid(
        self, place_of: Callable[[], AddressParts], link: str | None, given_id: str | None
    ) -> str | None:
        """Return the article's id in its old feed; None if feeds use the id of the article.

        `link` is the article's address, and `given_id` the front matter's `id`. The front matter decides
        first: by its `guid`, or an `id` that is a URI. An article that has its only address on this site was
        in no other feed.
        """
        file_values, mode = self._values, self._conventions.guid
        if mode == "id":
            return None
        if guid := file_values.first(values.guid, "guid"):
            return guid
        if is_uri(given_id or "") or link is None:
            return None
        if mode == "address" or self._is_plain:
            return link
        # A generator's feed has the page on its own site, also where the entry leads to another one.
        place = place_of()
        return generators_guid(
            self._conventions.generator,
            self.own(place) or link,
            place.slug or place.name,
            place.published_at.date(),
        )

    def _is_one_of_several_hosts(self) -> bool:
        """Return whether each language of the articles' site has its own host."""
        base_url = self._conventions.base_url
        return any(home.base_url == base_url for home in self._context.surroundings.languages)

    def story(self) -> str | None:
        """Return a key that an article shares with its translations; its front matter has no address.

        None if only the address identifies the article, or if it is read on this site and names no language.
        """
        home = self._context.surroundings.home_of(self._path)
        has_language = not self._is_plain and bool(home or language_in_path(self._path))
        if not has_language and (self._conventions.base_url is None or self._permalink(is_quiet=True)):
            return None
        for _, key in self._values.given(*keys.TRANSLATIONS):
            if isinstance(key, str) and 0 < len(key) <= limits.MAX_ID:
                return f"translation:{key}"
        folder = home.folder if home else ""
        return f"path:{without_language(self._path, folder) if has_language else identity(self._path)}"

    def _permalink(self, title: str = "", *, is_quiet: bool = False) -> str | None:
        for key, value in self._values.given(*keys.PERMALINKS):
            if not isinstance(value, str) or not value.strip() or _is_absolute(value):
                continue
            if is_quiet:
                return value
            if self._conventions.generator == "eleventy":
                value = addresses.without_templates(value, title)
            if len(value) > limits.MAX_URL:
                self._values.note(BadValueError(key, f"is longer than {limits.MAX_URL:,} characters"))
            elif addresses.is_pattern_of_markup(value):
                if self._conventions.permalink is None:  # otherwise the pattern in the settings is used
                    self._values.note(BadValueError(key, _TEMPLATE))
            else:
                return value.strip()
        return None

    def _categories(self) -> tuple[str, ...]:
        quiet = Values(self._values.head, self._values.by_key)
        separator = keys.SEPARATORS.get(self._conventions.generator, ",")
        return values.topics(quiet, ("category", "categories"), separator, merging=True)

    def images(self, link: str | None) -> tuple[Image, ...]:
        """Return the article's pictures; relative ones are resolved by the article's address `link`."""
        file_values = self._values
        is_missing = self._conventions.base_url is None and not self._is_plain
        read = media.images(partial(self._resolved, link), _NO_SITE if is_missing else media.NOT_ABSOLUTE)
        for key, value in file_values.given(*(keys.IMAGES if self._is_plain else keys.THEME_IMAGES)):
            if not self._is_plain and isinstance(value, Mapping) and not _has_picture(value):
                continue  # themes use a banner or a cover for other things too
            if key.lower().endswith("header") and not _has_picture(value):
                continue  # the header of a page may be something else
            if pictures := file_values.usable(read, key, value):
                return pictures
        return ()

    def enclosures(self, link: str | None) -> tuple[Enclosure, ...]:
        """Return the recordings, films and documents that the front matter names, each address once."""
        entries = list(self._values.given(*keys.ENCLOSURES))
        if not entries:
            return ()
        read = media.enclosures(partial(self._resolved, link))
        by_url: dict[str, Enclosure] = {}
        for key, value in entries:
            # Themes use these names for other values too: a flag, or the id of a film at a service.
            if isinstance(value, (str, list, Mapping)):
                for enclosure in self._values.usable(read, key, value) or ():
                    by_url.setdefault(enclosure.url, enclosure)
        return tuple(by_url.values())[: limits.MAX_ENCLOSURES]

    def _resolved(self, link: str | None, reference: str) -> str | None:
        base_url = self._conventions.base_url
        return addresses.resolved(reference, self._path, link, base_url, self._context.exists)


def _is_absolute(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().lower().startswith(("http://", "https://"))


def _has_picture(value: Any) -> bool:
    return isinstance(value, Mapping) and any(value.get(key) for key in media.IMAGE_KEYS)
