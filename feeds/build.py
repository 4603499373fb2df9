"""Builds a feed from articles, the same for every format. Pure.

This module does not know XML, JSON, HTTP or the catalog.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, urljoin

from articles.article import Article, Image, Provider, RelatedArticle
from articles.topics import ALL, Topic
from feeds.bodies import Bodies
from feeds.content import entry_html, full_text, paragraph
from feeds.enclosures import enclosures
from feeds.links import ArticleLinks
from feeds.model import Author, Content, Entry, Feed, Site
from text.language import Language, language_of
from text.language_tags import is_language_tag
from text.markup import one_line
from text.people import without_address
from text.summary import MARKED_LENGTH, cut
from text.urls import http_url, is_uri, on_site, page_url

MAX_SUMMARY = MARKED_LENGTH
"""The most characters of a summary by default: as many as an author can mark."""

MAX_CONTENT_BYTES = 8_000_000
"""The most bytes of all contents of a feed, in XML."""

# The namespace of every computed id. It must never change, as readers would show all entries again.
_IDS = uuid.UUID("6d3c3f0e-9c38-5f0b-8f0e-2b1f4f3f0c57")

_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")


def build_feed(
    topic: Topic,
    articles: Iterable[Article],
    site: Site,
    *,
    size: int,
    content: Content,
    related: int,
    ttl: int,
    summary: int = MAX_SUMMARY,
    bodies: Bodies | None = None,
) -> Feed:
    """Return the feed of the `size` newest published ones of `articles`, all of which belong to `topic`.

    The caller leaves out articles that are not due yet. Each entry has at most `related` other articles. With
    "excerpt", entries have their summary, of at most `summary` characters, instead of the article's text; so
    do the longest entries if all of them together would exceed MAX_CONTENT_BYTES. `bodies` converts the
    texts; without it, they are in Newswire's own format.
    """
    bodies = bodies or own_format(site)
    newest = _newest(articles, size)
    if content == "full":
        bodies.prepare((article, entry_url(article, site)) for article in newest)
    entries, shortened = _within_limit(
        newest,
        [build_entry(article, site, content, related, bodies, summary=summary) for article in newest],
        language_of(site.language),
    )
    slug = quote(topic.slug, errors="replace")
    site_title = one_line(site.title) or site.url
    title, description = _headings(topic, site, site_title)
    return Feed(
        id=feed_id(topic.slug, site),
        slug=topic.slug,
        title=title,
        description=description,
        page_url=f"{site.url}/" if topic.slug == ALL else f"{site.url}/topics/{slug}",
        base_url=f"{site.url}/feeds/{slug}",
        home_url=f"{site.url}/",
        language=_language(site.language) or "en",
        author=one_line(without_address(site.author or "")) or site_title,
        ttl=ttl,
        email=site.email,
        updated=max((entry.updated for entry in entries), default=None),
        icon=http_url(urljoin(f"{site.url}/", site.icon)) if site.icon else None,
        entries=entries,
        shortened=shortened,
        changes_at=bodies.links.changes_at,
    )


def _newest(articles: Iterable[Article], size: int) -> list[Article]:
    """Return the newest published articles, sorted by time and then by id."""
    published = sorted((a for a in articles if a.is_published), key=lambda a: a.id)
    return sorted(published, key=lambda a: a.published_at, reverse=True)[:size]


def _headings(topic: Topic, site: Site, site_title: str) -> tuple[str, str]:
    """Return the title and the description of a topic's feed."""
    is_all = topic.slug == ALL
    title = one_line(topic.title) or (site_title if is_all else f"{one_line(topic.name)} – {site_title}")
    fallback = one_line(site.description) if is_all else ""
    return title, one_line(topic.description) or fallback or title


def own_format(site: Site) -> Bodies:
    """Return the conversion of Newswire's own format, without access to the article folder."""
    return Bodies(links=ArticleLinks(site_url=site.url))


def _within_limit(
    articles: Sequence[Article], entries: Sequence[Entry], language: Language
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """Return the entries with contents within the limit, and the paths of articles that were shortened.

    The longest content is replaced by its summary first; of two with the same length, that of the older
    entry.
    """
    sizes = [_written_size(entry.content_html) for entry in entries]
    excess = sum(sizes) - MAX_CONTENT_BYTES
    shortened: set[int] = set()
    for index in sorted(range(len(entries)), key=lambda index: (-sizes[index], -index)):
        if excess <= 0:
            break
        shortened.add(index)
        excess -= sizes[index]
    within = (
        _shortened(entry, language) if index in shortened else entry for index, entry in enumerate(entries)
    )
    return tuple(within), tuple(articles[index].path for index in sorted(shortened))


def _written_size(content: str) -> int:
    """Return the bytes of HTML in the longest format: XML, which escapes it once more."""
    return (
        len(content.encode("utf-8", "replace"))
        + 3 * (content.count("<") + content.count(">"))
        + 4 * content.count("&")
    )


def _shortened(entry: Entry, language: Language) -> Entry:
    html = entry_html(
        paragraph(entry.summary), language, url=entry.url, title=entry.title, provider=entry.provider
    )
    return replace(entry, content_html=html)


def build_entry(
    article: Article,
    site: Site,
    content: Content,
    related: int,
    bodies: Bodies | None = None,
    *,
    summary: int = MAX_SUMMARY,
) -> Entry:
    """Return the entry of one article, with at most `related` other articles and a summary cut to length."""
    bodies, language = bodies or own_format(site), language_of(site.language)
    url = entry_url(article, site)
    excerpt = cut(one_line(article.summary), summary) or cut(bodies.summary(article), summary)
    text = full_text(article, excerpt, bodies, url) if content == "full" else paragraph(excerpt)
    via = http_url(article.original_link or "")
    provider = _publication(article.provider)
    people = tuple(Author(name=name) for name in _unique(map(without_address, article.authors)))
    title = one_line(article.title) or language.gettext("Untitled")
    images = tuple(_images(article.images, site))
    coverage = tuple(_related(article.related))[:related]
    image = images[0] if images else None
    html = entry_html(text, language, url=url, title=title, image=image, provider=provider, related=coverage)
    return Entry(
        id=entry_id(article, site),
        url=url,
        title=title,
        published=article.published_at.astimezone(UTC),
        updated=_updated(article, bodies.links),
        content_html=html,
        summary=excerpt,
        categories=_unique(article.topics),
        authors=people or ((provider,) if provider else ()),
        provider=provider,
        language=_language(article.language),
        images=images,
        enclosures=enclosures(article, text if content == "full" else "", bodies.links),
        related=coverage,
        via=via if via != url else None,
    )


def _updated(article: Article, links: ArticleLinks) -> datetime:
    """Return when the article last changed; a time in the future is ignored until then."""
    if links.now and article.updated_at > links.now:
        links.note_change(article.updated_at)
        return article.published_at.astimezone(UTC)
    return max(article.updated_at, article.published_at).astimezone(UTC)


def feed_id(name: str, site: Site) -> str:
    """Return the id of a feed in every format: a function of its slug, or of its filter's address."""
    return _uuid(site, "feed", name)


def digest_id(slug: str, period: str, site: Site) -> str:
    """Return the id of the digest of a topic and a period in every format."""
    return _uuid(site, "digest", f"{slug}/{period}")


def entry_id(article: Article, site: Site) -> str:
    """Return the id of the article in every feed: its own id if that is a URI, or else a UUID.

    The UUID is a function of the article's id and the site's, never of an address, title or date (RFC 4287
    §4.2.6). An article whose old feed gave it another id keeps that id.
    """
    if article.guid:
        return article.guid
    return article.id if is_uri(article.id) else _uuid(site, "article", article.id)


def entry_url(article: Article, site: Site) -> str:
    """Return the address of the article: on the site where it was published, or else on this one."""
    return http_url(article.link or "") or article_page(article, site)


def article_page(article: Article, site: Site) -> str:
    """Return the address of the article's own page on this site."""
    return page_url(site.url, article.id)


def _publication(provider: Provider | None) -> Author | None:
    name = one_line(without_address(provider.name)) if provider else ""
    if not provider or not name:
        return None
    domain = provider.domain or ""
    return Author(
        name=name,
        url=http_url(f"https://{domain}/") if _HOST.fullmatch(domain) else None,
        feed_url=http_url(provider.feed or ""),
    )


def _images(images: Iterable[Image], site: Site) -> Iterator[Image]:
    for image in images:
        if url := http_url(on_site(image.url, site.url)):
            title = one_line(image.title or "") or None
            yield Image(url=url, width=image.width, height=image.height, title=title, alt=image.alt)


def _related(items: Iterable[RelatedArticle]) -> Iterator[RelatedArticle]:
    for item in items:
        url, title = http_url(item.link), one_line(item.title)
        if url and title:
            yield replace(item, link=url, title=title, provider=one_line(item.provider or "") or None)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(one_line, names))))


def _language(tag: str | None) -> str | None:
    """Return a language tag unchanged if it can be one (RFC 5646), or else None."""
    return tag if tag and is_language_tag(tag) else None


def _uuid(site: Site, kind: str, name: str) -> str:
    return _urn(site.id, f"{kind}:{name}")


# Cached, as each change of one article renders the entries of others again.
@lru_cache(maxsize=2048)
def _urn(site_id: str, name: str) -> str:
    """Return the UUID of a name as a URN, in a namespace for each site."""
    readable = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return uuid.uuid5(_namespace(site_id), readable).urn


@lru_cache(maxsize=8)
def _namespace(site_id: str) -> uuid.UUID:
    return uuid.uuid5(_IDS, site_id)
