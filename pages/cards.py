"""The cards by which lists show articles."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from urllib.parse import quote, urlsplit

from articles.article import Article, Image
from articles.topics import Topic, Topics
from feeds.build import build_entry
from feeds.model import Entry, Site
from pages.article_times import ArticleTimes
from pages.cover import cover
from pictures.rules import LARGE, SMALL, NoPictures, Pictures
from pictures.size import Size
from text.cache import LruCache
from text.markup import one_line
from text.summary import cut

TINTS = 8
"""The number of colours of topics and providers."""
MAX_TITLE = 160
"""Characters of a title in a list."""
MAX_SUMMARY = 240
"""Characters of a summary in a list."""
MAX_NAME = 60
"""Characters of the name of a topic, a publication or an outlet in a list."""
CACHE_BYTES = 20_000_000
"""Bytes of the cards that an export of a static site caches."""
RELATED = 3
"""Other outlets' articles that are named on a card."""

_CARD_BYTES = 2_000  # about
_OTHER_HOST = re.compile(r"/[\t\r\n]*[/\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Another outlet's article on the same story; `source` is the outlet's name, or else its host."""

    href: str
    title: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The parts of an article that a list shows; all texts are plain.

    `href` is a path if it leads to this site. `image` is the address of the first picture that a page may
    show (see `pictures.rules`), `wide` that of a larger copy, or the same, and `wide_size` the size of that,
    if it is known. `cover` is the drawing that replaces a missing picture: the data of an SVG path and the
    width of its stroke. `tint` is the provider's colour. `day` is the day of publication in the site's time
    zone.
    """

    id: str
    href: str
    title: str
    summary: str
    published: datetime
    day: date
    provider: str
    initial: str
    tint: int
    quality: int | None
    language: str | None
    image: str | None
    image_text: str
    wide: str | None
    wide_size: Size | None
    cover: tuple[str, int]
    topics: tuple[Topic, ...]
    coverage: tuple[Coverage, ...]

    @property
    def cover_tint(self) -> int:
        """The colour of the drawing that replaces a picture: that of the first topic."""
        return tint(self.topics[0].slug) if self.topics else self.tint


CardCache = LruCache[tuple[str, int, bool], Card]


class Cards:
    """Creates the cards of one site's articles.

    With a `cache`, each card is created only once, so the articles must not change meanwhile.
    """

    def __init__(
        self,
        site: Site,
        topics: Topics,
        times: ArticleTimes,
        pictures: Pictures | None = None,
        cache: CardCache | None = None,
    ) -> None:
        self._site = site
        self._topics = topics
        self._times = times
        self._pictures: Pictures = pictures or NoPictures()
        self._cache = cache

    def card(self, article: Article, *, without: str = "") -> Card:
        """Return an article's card without the topic whose slug is `without`."""
        card = self._built(article) if self._cache is None else self._cached(article, self._cache)
        if not without:
            return card
        return replace(card, topics=tuple(topic for topic in card.topics if topic.slug != without))

    def _cached(self, article: Article, cache: CardCache) -> Card:
        # The catalog returns an article with its body and related coverage, or without them. The body matters
        # only for an article without a summary.
        key = article.id, len(article.related), bool(article.body and not one_line(article.summary))
        card = cache.get(key)
        if card is None:
            card = self._built(article)
            cache.put(key, card, _CARD_BYTES)
        return card

    def _built(self, article: Article) -> Card:
        site, topics = self._site, self._topics
        entry = build_entry(article, site, content="excerpt", related=RELATED)
        names = [author.name for author in entry.authors]
        provider = entry.provider.name if entry.provider else next(iter(names), site.title)
        image, wide, size, text = next(self._shown(entry.images), (None, None, None, ""))
        by_slug = {topic.slug: topic for topic in map(topics.of, entry.categories)}
        return Card(
            id=article.id,
            href=local(entry.url, site),
            title=cut(entry.title, MAX_TITLE),
            summary=cut(entry.summary, MAX_SUMMARY),
            published=entry.published,
            day=self._times.day(entry.published),
            provider=cut(provider, MAX_NAME),
            initial=initial(provider),
            tint=tint(provider),
            quality=article.quality,
            language=entry.language,
            image=image,
            image_text=text,
            wide=wide,
            wide_size=size,
            cover=cover(article.id),
            topics=tuple(topic for topic in by_slug.values() if topic.slug not in topics.gone),
            coverage=tuple(_coverage(entry)),
        )

    def cards(self, articles: Iterable[Article], *, without: str = "") -> list[Card]:
        """Return the cards of several articles."""
        return [self.card(article, without=without) for article in articles]

    def _shown(self, images: Iterable[Image]) -> Iterator[tuple[str, str, Size | None, str]]:
        """Yield the pictures that a page may show: addresses for lists and wide views, size and text."""
        for image in images:
            address = local(image.url, self._site)
            if address != image.url:
                yield address, address, None, image.title or ""
                continue
            small = self._pictures.shown(image.url, SMALL)
            if small:
                wide = self._pictures.shown(image.url, LARGE)
                large = wide or small
                size = Size(large.width, large.height) if large.width and large.height else None
                yield small.address, large.address, size, image.title or ""


def _coverage(entry: Entry) -> Iterator[Coverage]:
    for item in entry.related:
        source = item.provider or urlsplit(item.link).hostname or item.link
        yield Coverage(
            href=item.link,
            title=cut(item.title, 2 * MAX_NAME),
            source=cut(source.removeprefix("www."), MAX_NAME),
        )


def tint(name: str) -> int:
    """Return the number of a name's colour, from 0 to TINTS - 1, which never changes."""
    return hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=1).digest()[0] % TINTS


def local(url: str, site: Site) -> str:
    """Return an address on this site as a path, which works for every host name; others unchanged.

    An address is also returned unchanged if a browser would take its path as another host, as in
    `https://site//evil.example` (https://url.spec.whatwg.org/#relative-slash-state; browsers ignore tabs and
    line breaks there).
    """
    path = url.removeprefix(site.url)
    is_other = path == url or not path.startswith("/")
    return url if is_other or _OTHER_HOST.match(site.path + path) else site.path + path


def topic_path(slug: str) -> str:
    """Return the path of a topic's page below the site's own."""
    return f"/topics/{quote(slug, safe='', errors='replace')}"


def initial(name: str) -> str:
    """Return the first letter or digit of a name, which replaces a picture; "" if there is none."""
    return next((character.upper() for character in name if character.isalnum()), "•")[:1]
