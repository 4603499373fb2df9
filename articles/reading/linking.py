"""The addresses of one article: its own, its original's, and its pictures', by its front matter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from articles.article import Image
from articles.reading import addresses, keys, limits, parts, values
from articles.reading.context import Context
from articles.reading.languages import language_in_path
from articles.reading.values import BadValueError, Values


class Links:
    """The reading of one file's addresses; what cannot be used is noted in the file's values."""

    def __init__(self, found: Values, path: str, context: Context) -> None:
        self._values = found
        self._path = path
        self._context = context
        self._conventions = context.conventions

    def given(self) -> tuple[str | None, str | None]:
        """Return the address that the front matter gives, and that of the original where it differs."""
        found = self._values
        original = found.first(values.address, "originalurl")
        link = found.first(values.address, "weburl") or original
        if link is None and not (self._conventions.is_plain and self._conventions.base_url is None):
            whole = (
                each for each in found.given(*keys.LINKS, *keys.PERMALINKS) if _is_whole_address(each[1])
            )
            addresses_given = (found.usable(values.address, key, value) for key, value in whole)
            link = next(filter(None, addresses_given), None)
        return link, original

    def own(
        self, title: str, slug: str | None, published_at: datetime, authors: tuple[str, ...]
    ) -> str | None:
        """Return the address at which the article's site publishes it; None where that is not known."""
        place = addresses.Place(
            path=self._path,
            prefix=self._context.surroundings.prefix,
            title=title,
            slug=slug,
            published_at=published_at.astimezone(self._context.zone),
            categories=self._categories(),
            author=authors[0] if authors else "",
            language=language_in_path(self._path),
        )
        configured = self._context.surroundings.permalink_for(place.folders)
        return addresses.own_address(place, self._permalink(), configured, self._conventions)

    def _permalink(self) -> str | None:
        for key, value in self._values.given(*keys.PERMALINKS):
            if not isinstance(value, str) or not value.strip() or _is_whole_address(value):
                continue
            if len(value) > limits.MAX_URL:
                self._values.note(BadValueError(key, f"is longer than {limits.MAX_URL:,} characters"))
            elif addresses.is_pattern_of_markup(value):
                self._values.note(BadValueError(key, "is a template, which is not run: the pattern holds"))
            else:
                return value.strip()
        return None

    def _categories(self) -> tuple[str, ...]:
        quiet = Values(self._values.head, self._values.by_key)
        separator = keys.SEPARATORS.get(self._conventions.generator, ",")
        return values.topics(quiet, ("category", "categories"), separator, merging=True)

    def images(self, link: str | None) -> tuple[Image, ...]:
        """Return the article's pictures; relative ones are resolved by the article's address `link`."""
        base_url = self._conventions.base_url

        def resolve(reference: str) -> str | None:
            return addresses.resolved(reference, self._path, link, base_url, self._context.exists)

        found = self._values
        for key, value in found.given(*keys.IMAGES):
            if key.lower().endswith("header") and not _has_picture(value):
                continue  # a page's header may be anything
            if pictures := found.usable(parts.images(resolve), key, value):
                return pictures
        return ()


def _is_whole_address(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().lower().startswith(("http://", "https://"))


def _has_picture(value: Any) -> bool:
    return isinstance(value, Mapping) and any(
        isinstance(value.get(key), str) for key in ("teaser", "image", "og_image")
    )
