"""Compares an old feed with one of this site's: which entries would readers see as new? Pure.

Readers recognise an entry only by its id. An article with another id than in the old feed is shown again to
everybody who subscribed to the old feed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from articles.conventions import Guids
from feeds.old_feed import OldEntry, OldFeed
from text.urls import canonical_url

_SAME_TIME = timedelta(hours=36)
"""The largest difference of two dates of one article: one of them may have no time, or no time zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEntry:
    """An entry of this site; `is_listed` if it is in the feed now, and not only in its history."""

    path: str
    id: str
    url: str
    title: str
    published: datetime
    is_listed: bool


class Pair(NamedTuple):
    """An entry of the old feed, and the corresponding one of this site."""

    old: OldEntry
    own: OwnEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The comparison of two feeds; each of the old feed's entries is in one of the first four fields.

    `same` have the same id here. `by_link` and `by_title` have another id here, but the same address, or the
    same title and date. `missing` do not exist here. `new` are listed here and not in the old feed.
    """

    same: tuple[Pair, ...]
    by_link: tuple[Pair, ...]
    by_title: tuple[Pair, ...]
    missing: tuple[OldEntry, ...]
    new: tuple[OwnEntry, ...]

    @property
    def changed(self) -> tuple[Pair, ...]:
        """The entries that have another id here."""
        return self.by_link + self.by_title

    @property
    def repeated(self) -> tuple[Pair, ...]:
        """The entries that readers of the old feed would see again."""
        return tuple(pair for pair in self.changed if pair.own.is_listed)


def compare(old: OldFeed, own: Iterable[OwnEntry]) -> Comparison:
    """Return the comparison of the feed `old` with the entries of the feed that is to replace it."""
    matching = _Matching(old.entries, own)
    same = matching.take(lambda entry: entry.id, lambda entry: entry.id)
    by_link = matching.take(
        lambda entry: canonical_url(entry.link) if entry.link else "",
        lambda entry: canonical_url(entry.url),
    )
    by_title = matching.take(
        lambda entry: _letters(entry.title), lambda entry: _letters(entry.title), _is_same_time
    )
    return Comparison(
        same=same,
        by_link=by_link,
        by_title=by_title,
        missing=tuple(matching.old),
        new=tuple(entry for entry in matching.own if entry.is_listed),
    )


class _Matching:
    """The entries of both feeds that have no counterpart yet."""

    def __init__(self, old: Iterable[OldEntry], own: Iterable[OwnEntry]) -> None:
        self.old = list(old)
        self.own = list(own)

    def take(
        self,
        old_key: Callable[[OldEntry], str],
        own_key: Callable[[OwnEntry], str],
        is_one: Callable[[Pair], bool] = lambda pair: True,
    ) -> tuple[Pair, ...]:
        """Remove the pairs with equal keys, and return them. Empty keys match nothing."""
        by_key: dict[str, list[OwnEntry]] = {}
        for entry in self.own:
            by_key.setdefault(own_key(entry), []).append(entry)
        pairs: list[Pair] = []
        rest: list[OldEntry] = []
        for old in self.old:
            key = old_key(old)
            possible = (Pair(old, own) for own in (by_key.get(key, ()) if key else ()))
            if pair := next(filter(is_one, possible), None):
                pairs.append(pair)
            else:
                rest.append(old)
        self.old = rest
        matched = {pair.own.path for pair in pairs}
        self.own = [entry for entry in self.own if entry.path not in matched]
        return tuple(pairs)


def _is_same_time(pair: Pair) -> bool:
    published = pair.old.published
    return published is None or abs(published - pair.own.published) <= _SAME_TIME


def _letters(title: str) -> str:
    """Return the letters of a title, case-folded: quotes and dashes differ between generators."""
    return "".join(filter(str.isalnum, title.casefold()))


IdsOf = Callable[[OwnEntry], Mapping[Guids, str]]
"""Returns the id that an entry would have with each value of `articles.guid`."""


def advice(comparison: Comparison, ids_of: IdsOf, current: Guids, base_url: str | None) -> Iterator[str]:
    """Yield what to change in the settings so that the entries keep their ids; nothing if all do."""
    if not comparison.changed:
        return
    pairs = comparison.same + comparison.changed
    ids = {pair.own.path: ids_of(pair.own) for pair in pairs}
    counts = Counter[Guids]({current: len(comparison.same)})
    for pair in pairs:
        counts.update(
            mode for mode, id_ in ids[pair.own.path].items() if mode != current and id_ == pair.old.id
        )
    best, most = max(counts.items(), key=lambda item: (item[1], item[0] == current))
    if best != current:
        yield f"set articles.guid: {best}, and {most:,} of {len(pairs):,} entries have their old ids"
    rest = [pair for pair in comparison.changed if ids[pair.own.path].get(best) != pair.old.id]
    if not rest:
        return
    if origin := _other_origin(rest, base_url):
        yield f"set articles.base_url to {origin} or an address below it: the old entries lead there"
    elif example := next((pair for pair in rest if _is_address(pair.old.id)), None):
        address = ids[example.own.path].get("address", example.own.url)
        yield (
            f"{example.own.path} had the id {example.old.id}, and its address here is {address}:"
            " if a pattern explains the difference, set articles.permalink"
        )
    counts_with = ", which counts with articles.guid: permalink" if best == "id" else ""
    yield (
        f"{len(rest):,} {'entry needs its' if len(rest) == 1 else 'entries need their'} old id as `guid` in"
        f" the front matter{counts_with}; --json lists all"
    )


def _other_origin(pairs: Iterable[Pair], base_url: str | None) -> str | None:
    """Return the scheme and host of nearly all old links, or None if `base_url` already has them."""
    links = [urlsplit(pair.old.link) for pair in pairs if _is_address(pair.old.link)]
    origins = Counter(f"{link.scheme}://{link.netloc}" for link in links)
    origin, count = next(iter(origins.most_common(1)), ("", 0))
    is_known = bool(base_url) and f"{base_url}/".startswith(f"{origin}/")
    return origin if 2 * count > len(links) and not is_known else None


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))
