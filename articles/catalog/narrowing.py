"""How the search index finds the articles of a filter: the terms of a text, and an expression of terms.

An index of terms finds every article that has a word of a filter, and a few that do not: `c` for `c++`. So
the caller checks each result by the rule of `text.words`. Texts are split into terms so that no article is
missed: where `text.words` finds a word, the index has the same terms in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from articles.article import Article
from articles.topics import ALL
from text.markup import one_line
from text.words import fold, needs_boundary

COLUMNS = ("words", "topics", "providers", "types")

# What separates terms: all but letters and digits; an underscore too, because a filter may begin with it.
_SEPARATORS = re.compile(r"[\W_]+")
_UNUSUAL = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Conditions on articles: one of the values of each field that has any, or all of the topics.

    Topics are slugs; all other values are folded.
    """

    topics: Collection[str] = ()
    needs_all_topics: bool = False
    providers: Collection[str] = ()
    types: Collection[str] = ()
    words: Collection[str] = ()

    def expression(self) -> str:
        """Return the conditions as an FTS5 expression (https://www.sqlite.org/fts5.html#full_text_query_syntax).

        "" if the index cannot help: without a condition, and for words that have no letter or digit.
        """
        words = [" ".join(terms(word)) for word in self.words]
        topics = [] if ALL in self.topics and not self.needs_all_topics else self.topics
        parts = (
            _any("words", words if all(words) else []),
            _any("topics", map(_as_term, topics), " AND " if self.needs_all_topics else " OR "),
            _any("providers", map(_as_term, self.providers)),
            _any("types", map(_as_term, self.types)),
        )
        return " AND ".join(filter(None, parts))


def terms(folded: str) -> list[str]:
    """Return the terms of a folded text: its words, and single characters of scripts without spaces."""
    spaced = folded if folded.isascii() else _UNUSUAL.sub(lambda match: _spaced(match[0]), folded)
    return _SEPARATORS.sub(" ", spaced).split()


def indexed(article: Article) -> tuple[str, str, str, str]:
    """Return the columns of an article in the index."""
    provider = article.provider
    names = (provider.name, provider.domain) if provider else ()
    return (
        " ".join(terms(fold(f"{article.title}\n{article.summary}"))),
        " ".join(map(_as_term, article.slugs)),
        " ".join(_as_term(fold(one_line(name))) for name in names if name),
        _as_term(fold(article.type or "")),
    )


@lru_cache(maxsize=5000)
def _spaced(character: str) -> str:
    return character if needs_boundary(character) else f" {character} "


def _as_term(value: str) -> str:
    """Return a value that is only compared as a whole as one term."""
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _any(column: str, phrases: Iterable[str], operator: str = " OR ") -> str:
    quoted = operator.join(f'"{phrase}"' for phrase in phrases)
    return f"({column} : ({quoted}))" if quoted else ""
