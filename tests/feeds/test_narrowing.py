"""Filters answered by the search index choose the same articles as the plain rule, from the whole history."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.catalog.deadline import Deadline
from articles.catalog.indexer import Indexer
from articles.catalog.narrowing import COLUMNS, Narrowing, terms
from feeds.filters import FeedFilter, parse
from feeds.publisher import Publisher
from tests.site import NOON, ArticleSite
from text.markup import one_line
from text.words import any_of, fold

# Letters that fold to others, marks, digits, scripts without spaces, and all boundaries between them.
CHARACTERS = "abßİıéÉﬁｱＡ1²Ⅳ_-+.#&'’ \u0301\u0345\u200d\U0001f389中文カ한글ไทยक्षα" + '"*()^:'
TEXTS = st.one_of(st.text(CHARACTERS, max_size=12), st.text(max_size=8))
WORDS = st.builds(lambda text: one_line(fold(one_line(text))), TEXTS).filter(bool)


def contains(whole: list[str], part: list[str]) -> bool:
    """Return whether a list contains another one as a run."""
    return any(whole[start : start + len(part)] == part for start in range(len(whole) - len(part) + 1))


@settings(max_examples=200)
@given(st.lists(TEXTS, max_size=4), WORDS, st.sampled_from(["", " ", "x", "中", "_", "-"]))
def test_no_text_with_the_word_is_missed(parts: list[str], word: str, beside: str) -> None:
    """Where the plain rule finds a word, the text's terms contain the word's terms in a row."""
    text = fold(beside.join([*parts, word, *parts]))
    if any_of(frozenset({word})).search(text):
        assert contains(terms(text), terms(word))


@settings(max_examples=100)
@given(TEXTS, st.lists(WORDS, min_size=1, max_size=3))
def test_sqlite_keeps_the_terms_as_they_are(text: str, words: list[str]) -> None:
    """Any expression is valid, and finds texts with the terms of one of the words in a row."""
    expression = Narrowing(words=words).expression()
    if not expression:
        return
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE VIRTUAL TABLE f USING fts5 ({', '.join(COLUMNS)}, tokenize = 'ascii')")
        connection.execute("INSERT INTO f (words) VALUES (?)", (" ".join(terms(fold(text))),))
        found = connection.execute("SELECT count(*) FROM f WHERE f MATCH ?", (expression,)).fetchone()[0]
    assert bool(found) == any(contains(terms(fold(text)), terms(word)) for word in words)


FILTERS = [
    ("all", [("word", "go")]),
    ("all", [("word", "c++")]),
    ("all", [("word", "c++"), ("word", "日本")]),
    ("all", [("word", "🎉")]),
    ("all", [("word", "ＧＯ lang")]),
    ("all", [("word", "nothing")]),
    ("ai", [("word", "go")]),
    ("ai,games", []),
    ("ai,games", [("word", "go")]),
    ("ai+games", [("word", "go"), ("min_quality", "50")]),
    ("all", [("provider", "TechSpot")]),
    ("all", [("provider", "techspot.com"), ("type", "video")]),
    ("ai", [("type", "Video")]),
]


@pytest.fixture
def publisher(site: ArticleSite) -> Publisher:
    """A publisher over articles of many kinds, several of them of one second."""
    titles = ["Go", "Mongo", "C++ and C", "日本語の話", "🎉 party", "go lang", "GO LANG!", "_go_", "Gö", "no"]
    for number in range(60):
        site.write(
            f"{number:02}.md",
            title=f"{titles[number % 10]} {number}" if number % 3 else titles[number % 10],
            excerpt="in go" if number % 7 == 0 else "text",
            topics=[["AI"], ["Games"], ["AI", "Games"]][number % 3],
            quality=number,
            type=["article", "video"][number % 2],
            provider={"name": "TechSpot", "domain": "techspot.com"} if number % 4 else {"name": "Other"},
            publishedDateTime=f"2026-0{1 + number % 5}-01T00:00:00Z",
            published=number % 11 > 0,
        )
    indexer = site.indexer()
    indexer.refresh()
    return site.publisher(indexer.catalog)


def plain(publisher: Publisher, requested: FeedFilter) -> list[str]:
    """Return the ids of the articles that the plain rule admits, newest first."""
    return [a.id for a in publisher.catalog.shown("all", NOON) if requested.matches(a)]


def chosen(publisher: Publisher, requested: FeedFilter) -> list[str]:
    """Return the ids of the articles that the publisher chooses."""
    found = publisher.selection.matching(requested, NOON, limit=100)
    assert found.cut_short is None
    return [article.id for article in found.articles]


@pytest.mark.parametrize(("path", "pairs"), FILTERS)
def test_the_index_chooses_what_the_plain_rule_does(
    publisher: Publisher, path: str, pairs: list[tuple[str, str]]
) -> None:
    """The index chooses the same articles in the same order, also with a limit."""
    requested = parse(path, pairs, publisher.catalog.topics)
    assert chosen(publisher, requested) == plain(publisher, requested)
    first = publisher.selection.matching(requested, NOON, limit=3).articles
    assert [article.id for article in first] == plain(publisher, requested)[:3]


def test_changes_newer_than_the_index_count_at_once(publisher: Publisher, site: ArticleSite) -> None:
    """New, edited, unpublished, moved and removed articles are chosen by their present state."""
    requested = parse("all", [("word", "go")], publisher.catalog.topics)
    before = chosen(publisher, requested)
    publisher.search.index._retry_at = float("inf")  # the index is no longer updated
    site.write("new.md", title="All of go", publishedDateTime="2026-03-01T00:00:00Z")
    site.write(f"{before[0]}.md", title="Another matter")
    site.write(f"{before[1]}.md", title="Go on", publishedDateTime="2026-02-03T00:00:00Z")
    site.write(f"{before[2]}.md", title="Go", published=False)
    site.delete(f"{before[3]}.md")
    Indexer(publisher.catalog, site.indexer().folder).refresh()
    after = chosen(publisher, requested)
    assert after == plain(publisher, requested)
    assert {"new", before[1]} <= set(after)
    assert not {before[0], before[2], before[3]} & set(after)


def test_without_an_index_all_articles_are_read(publisher: Publisher) -> None:
    """Filters that the index cannot answer are answered from the articles."""
    requested = parse("all", [("word", "go")], publisher.catalog.topics)
    publisher.search.index._retry_at = float("inf")
    expression = requested.narrowing().expression()
    assert expression
    assert publisher.search.newest(expression, NOON, Deadline(5)) is None
    assert chosen(publisher, requested) == plain(publisher, requested) != []
