"""The files of a static site's search index: every word is found by its key, and no file is large."""

from __future__ import annotations

import json
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from pages.static_search import MAX_ARTICLES, TEXT, TITLE, SearchEntry, SearchFiles, _steps, words
from tests.site import NOON

MAX = 300


def found(title: str, summary: str = "") -> SearchEntry:
    """Return an article with these texts only."""
    return SearchEntry(
        title=title, href="/a", summary=summary, provider="", when="2026-06-01", topics=(), language=None
    )


def files_of(articles: list[SearchEntry]) -> dict[str, bytes]:
    """Return the index files of articles in the order from newest to oldest."""
    files = SearchFiles(len(articles), max_file=MAX)
    contents = {path: data for article in articles for path, data in files.add(article, NOON)}
    return contents | dict(files.finish([("Go", "/topics/go/", 3, 1, "Golang")]))


def places(files: dict[str, bytes], word: str) -> dict[int, int]:
    """Return the articles with a word and its places, as the script in the browser finds them."""
    keys = json.loads(files["search/index.json"])["words"]
    steps = _steps(word)
    starts = ("-".join(steps[:length]) for length in range(len(steps), 0, -1))
    key = next((start for start in starts if start in keys), None)
    written = json.loads(files[f"search/words/{key}.json"]).get(word, []) if key else []
    numbers = accumulate(written, lambda before, step: before - step)
    return {number // 4: number % 4 for number in numbers}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.text("abcdeé検索 -", max_size=30), st.text("abcx1 ß\u0130が", max_size=30)), max_size=30
    )
)
def test_every_word_is_found(texts: list[tuple[str, str]]) -> None:
    """A word's list has exactly the articles with it; a word in a title counts for the title."""
    files = files_of([found(*each) for each in texts])
    expected: dict[str, dict[int, int]] = {}
    for number, (title, summary) in enumerate(reversed(texts)):
        for word in words(summary):
            expected.setdefault(word, {})[number] = TEXT
        for word in words(title):
            expected.setdefault(word, {})[number] = TITLE
    assert {word: places(files, word) for word in expected} == expected
    assert places(files, "zebra") == {}
    for path, data in files.items():
        if path.startswith("search/words/"):
            assert len(data) <= MAX or len(json.loads(data)) == 1


def test_words_are_compared_without_accents_and_case() -> None:
    """A word is the same in each spelling; signs between words, and scripts without spaces, part them."""
    text = "Crème\u00a0brûlée—Straße ΣΑΣ e\u0301t\u0301e İ 検索 don’t x1_y"
    expected = {"creme", "brulee", "straße", "σας", "ete", "i", "検", "索", "don", "t", "x1", "y"}
    assert words(text) == expected
    assert words("検" * 100) == {"検"}
    assert words("C++17, “C#” and x#y, i++") == {"c++", "17", "c#", "and", "x", "y", "i++"}


def test_the_newest_articles_of_a_common_word() -> None:
    """Articles beyond the limit of a word's list, which bounds its size, are left out."""
    files = files_of([found("word")] * (MAX_ARTICLES + 10))
    assert sorted(places(files, "word")) == list(range(10, MAX_ARTICLES + 10))


def test_a_new_article_changes_only_the_files_of_its_words() -> None:
    """Exports and uploads stay small, because other files do not change."""
    before = [found(f"{letter * 9} {number}") for letter in "abcdefgh" for number in range(30)]
    old, new = files_of(before), files_of([found("ccccccccc"), *before])
    changed = {path for path in old if old[path] != new.get(path)}
    assert {path for path in changed if "words" in path} == {"search/words/63.json"}
    assert len([path for path in changed if "articles" in path]) == 1
