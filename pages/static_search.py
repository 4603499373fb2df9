"""The search index of a static site: small files, of which a script in the browser reads a few for a search.

    search/index.json           what there is: topics, and the other files with digests of their content
    search/words/KEY.json       for each word that begins as KEY says, the articles that have it
    search/articles/N.json      what is shown of articles, ARTICLES_PER_FILE in each

Articles are numbered by the time of their publication, from 0 for the oldest: a new article changes the files
of its own words and of the newest articles. `pages/static/search.js` reads this format.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import sub

from articles.article import Article
from articles.catalog.search_index import MAX_BODY, names_of
from articles.catalog.search_words import SIGNED_NAME, body_words, spaced
from articles.topics import ALL
from feeds.publisher import Publisher
from pages.article_times import ArticleTimes
from pages.cards import Card, Cards, tint, topic_path
from text.words import stream_safe
from text.zones import zone

ARTICLES_PER_FILE = 32
MAX_FILE = 120_000
"""About how many bytes a file of words has, of which gzip leaves a third; a single word's may have more."""
MAX_ARTICLES = 5_000
"""Articles that are listed for a word: the newest, as many as the server looks at."""
MAX_TOPICS = 500
"""Topics that are searched for by their names: the largest."""
MAX_NAMED = 3
"""Topics that are shown of an article."""
MAX_WITH_BODIES = 10_000
"""Articles of a site on which bodies are searched too: the index of more would take too long to make."""
MAX_WORD = 32
"""Characters of a word that count."""

BODY, TEXT, TITLE = 1, 2, 3
"""Where in an article a word is; of several places, the highest counts."""

_LEVELS = 4
_WORD = re.compile(r"[^\W_]+")
_WORD_OR_SIGNED_NAME = re.compile(rf"{SIGNED_NAME}|[^\W_]+")
_FOLDER = "search"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEntry:
    """What a search shows of an article: plain text; `when` is the attribute of a `time` element.

    `initial` and `tint` are the letter and the colour that stand for the publication.
    """

    title: str
    href: str
    summary: str
    provider: str
    when: str
    topics: tuple[str, ...]
    language: str | None
    initial: str = ""
    tint: int = 0
    quality: int | None = None


def search_files(
    publisher: Publisher, link: Callable[[str], str], *, show_quality: bool
) -> Iterator[tuple[str, bytes]]:
    """Yield the paths and bytes of the index of a site; `link` says where an address leads in it.

    Bodies are searched too on a site of at most MAX_WITH_BODIES articles.
    """
    catalog, site, now = publisher.catalog, publisher.site, publisher.now()
    times = ArticleTimes(zone(catalog.conventions.timezone))
    cards = Cards(site, catalog.topics, times)
    count = catalog.count(ALL, now)
    files = SearchFiles(count)
    with closing(catalog.shown(ALL, now)) as newest:
        for article in newest:
            card = cards.card(article)
            entry = SearchEntry(
                title=card.title,
                href=link(card.href),
                summary=card.summary,
                provider=card.provider,
                when=times.stamp(card.published),
                topics=tuple(topic.name for topic in card.topics),
                language=card.language,
                initial=card.initial,
                tint=card.tint,
                quality=card.quality if show_quality else None,
            )
            has_body = count <= MAX_WITH_BODIES
            body = body_words(catalog.body_start(article.id, MAX_BODY)) if has_body else ""
            whole = (article.title, article.summary) if _is_cut(article, card) else ()
            text = " ".join((body, *whole))
            yield from files.add(entry, card.published, text, names_of(article, catalog.topics))
    yield from files.finish(
        (
            summary.topic.name,
            link(site.path + topic_path(summary.topic.slug)),
            summary.articles,
            tint(summary.topic.slug),
            " ".join(filter(None, (summary.topic.title, *summary.topic.aliases))),
        )
        for summary in catalog.summaries(now)
    )


def _is_cut(article: Article, card: Card) -> bool:
    """Return whether a card has only the beginning of the title or the excerpt."""
    return len(article.title) > len(card.title) or len(article.summary) > len(card.summary)


class SearchFiles:
    """Collects articles, the newest first, and makes the files of the index.

    It holds four bytes for each different word of each article, and the words themselves.
    """

    def __init__(self, count: int, *, max_file: int = MAX_FILE) -> None:
        """`count` is the number of articles that will be added."""
        self._next = count
        self._max_file = max_file
        self._postings: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
        self._waiting: list[list[object]] = []
        self._files: dict[int, tuple[str, int]] = {}

    def add(
        self, entry: SearchEntry, published: datetime, body: str = "", names: Collection[str] = ()
    ) -> Iterator[tuple[str, bytes]]:
        """Add the next older article; yield the file of articles that is full with it.

        `names` are those of its publication, authors and topics, by which it is found too.
        """
        self._next -= 1
        shown = {name for name in (entry.provider, *entry.topics[:MAX_NAMED]) if name in names}
        hidden = (name for name in names if name not in shown)
        places = dict.fromkeys(words(" ".join((body, *hidden))), BODY)
        places |= dict.fromkeys(words(" ".join((entry.summary, *shown))), TEXT)
        places |= dict.fromkeys(words(entry.title), TITLE)
        for word, place in places.items():
            postings = self._postings[word]
            if len(postings) < MAX_ARTICLES:
                postings.append(self._next * _LEVELS + place)
        self._waiting.append(
            [
                entry.title, entry.href, entry.summary, entry.provider, entry.when,
                entry.topics[:MAX_NAMED], entry.language or "", entry.initial, entry.tint, entry.quality,
            ]
        )  # fmt: skip
        if self._next % ARTICLES_PER_FILE == 0:
            number = self._next // ARTICLES_PER_FILE
            data = _json(self._waiting[::-1])
            self._files[number] = _digest(data), int(published.timestamp()) // 86_400
            self._waiting.clear()
            yield f"{_FOLDER}/articles/{number}.json", data

    def finish(self, topics: Iterable[tuple[str, str, int, int, str]]) -> Iterator[tuple[str, bytes]]:
        """Yield the files of words and the index.

        `topics` are names, addresses, numbers of articles, numbers of colours (see `pages.cards.tint`), and
        other names; they are sorted by name.
        """
        keys: dict[str, str] = {}
        for key, listed in self._parts(sorted(self._postings), 0):
            data = _json({word: _written(self._postings[word]) for word in listed})
            keys[key] = _digest(data)
            yield f"{_FOLDER}/words/{key}.json", data
        largest = sorted(topics, key=lambda topic: -topic[2])[:MAX_TOPICS]
        index = {
            "perFile": ARTICLES_PER_FILE,
            "most": MAX_ARTICLES,
            "articles": [self._files[number] for number in sorted(self._files)],
            "words": keys,
            "topics": largest,
        }
        yield f"{_FOLDER}/index.json", _json(index)

    def _parts(self, listed: Sequence[str], depth: int) -> Iterator[tuple[str, Sequence[str]]]:
        """Yield keys of files with the words in each: all that begin as it says, if that is not too much.

        The files of other words stay as they are when a word is added.
        """
        groups: dict[tuple[str, ...], list[str]] = {}
        for word in listed:
            groups.setdefault(tuple(_steps(word)[: depth + 1]), []).append(word)
        for steps, group in groups.items():
            if len(group) == 1 or sum(map(self._size, group)) <= self._max_file:
                yield "-".join(steps), group
                continue
            whole = [word for word in group if len(_steps(word)) == depth + 1]
            if whole:
                yield "-".join(steps), whole
            yield from self._parts([word for word in group if word not in whole], depth + 1)

    def _size(self, word: str) -> int:
        return len(word.encode("utf-8", "replace")) + 6 + 5 * len(self._postings[word])


def words(text: str) -> set[str]:
    """Return the words of a text as they are compared: without case and accents, cut to MAX_WORD.

    Characters of scripts without spaces between words are words of their own.
    """
    if not text.isascii():
        # Most parts are ASCII even then, and the others repeat: dashes, quotation marks, names.
        parts = text.split(" ")
        text = " ".join(part if part.isascii() else _plain_part(part) for part in parts)
    pattern = _WORD_OR_SIGNED_NAME if "++" in text or "#" in text else _WORD
    return {word[:MAX_WORD] for word in set(pattern.findall(text.lower()))}


def _plain_part(text: str) -> str:
    return _cached_plain(text) if len(text) <= MAX_WORD else _plain(text)


def _plain(text: str) -> str:
    """Return text in lower case, without accents, with spaces around characters that are words."""
    apart = unicodedata.normalize("NFKD", stream_safe(text)).lower()
    bare = "".join(letter for letter in apart if not unicodedata.category(letter).startswith("M"))
    return spaced(unicodedata.normalize("NFC", bare))


_cached_plain = lru_cache(maxsize=4_096)(_plain)


def _steps(word: str) -> list[str]:
    """Return the path to a word in the tree of files: a block of characters, and then one after the other."""
    codes = [f"{ord(character):x}" for character in word]
    return codes if word[0].isascii() else [f"u{ord(word[0]) >> 8:x}", *codes]


def _written(postings: array[int]) -> list[int]:
    """Return descending numbers as the first one and the differences."""
    return [postings[0], *map(sub, postings, postings[1:])]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=5).hexdigest()
