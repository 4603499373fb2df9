"""A draft in a feed cannot be taken back, so any way of a front matter to hide an article is respected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.article import Article
from articles.conventions import Conventions, Generator
from articles.reading import frontmatter
from articles.reading.context import ReadingContext
from articles.reading.drafts import as_boolean, why_hidden

GENERATORS: list[Generator] = [
    "plain", "jekyll", "hugo", "zola", "pelican", "eleventy", "docusaurus", "astro",
]  # fmt: skip
HIDE = ["draft", "isDraft", "hidden", "unlisted", "removed", "headless", "private", "unpublished"]
SHOW = ["published", "publish", "isPublished", "public", "listed"]
TRUE = ["true", "yes", "on", "1", "y", "t", True, 1, 1.0]
FALSE = ["false", "no", "off", "0", "n", "f", False, 0, 0.0]


def cased(words: list[str]) -> st.SearchStrategy[str]:
    """Return these words in any case, with separators between them."""
    word = st.sampled_from(words)
    flips = st.lists(st.booleans(), min_size=20, max_size=20)
    return st.builds(
        lambda text, ups: "".join(c.upper() if up else c for c, up in zip(text, ups, strict=False)),
        word,
        flips,
    )


def spelled(values: list[Any]) -> st.SearchStrategy[Any]:
    """Return these values; texts among them in any case, with quotes and spaces around."""
    texts = cased([value for value in values if isinstance(value, str)])
    around = st.sampled_from(["{}", " {} ", "'{}'", '"{}"', "\t{}", "{}\n"])
    others = st.sampled_from([value for value in values if not isinstance(value, str)])
    return st.one_of(others, st.builds(str.format, around, texts))


def article(values: dict[str, Any], generator: Generator, path: str = "a.md") -> Article:
    """Return the article of a file with this JSON front matter."""
    given_values = {"title": "T", "date": "2026-01-01"} | values
    text = f"{json.dumps(given_values)}\n\nSecret."
    parsed = frontmatter.parse(text, path, ReadingContext(Conventions(generator=generator)))
    assert parsed is not None
    return parsed.article


unreadable = st.one_of(
    st.text(min_size=1).filter(lambda text: as_boolean(text) is None),
    st.integers().filter(lambda number: number not in (0, 1)),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.booleans(), max_size=2),
)


@given(
    key=cased(HIDE),
    value=st.one_of(spelled(TRUE), unreadable),
    generator=st.sampled_from(GENERATORS),
    nested=st.sampled_from(["", "extra", "params", "Params"]),
)
@settings(max_examples=300, deadline=None)
def test_true_in_any_spelling_hides(key: str, value: Any, generator: Generator, nested: str) -> None:
    """`draft: true` and similar keys hide in any case, quoted or not, and so does an unreadable value."""
    values = {nested: {key: value}} if nested else {key: value}
    assert not article(values, generator).is_published


@given(key=cased(SHOW), value=st.one_of(spelled(FALSE), unreadable), generator=st.sampled_from(GENERATORS))
@settings(max_examples=300, deadline=None)
def test_false_in_any_spelling_hides(key: str, value: Any, generator: Generator) -> None:
    """`published: false` and similar keys hide; a date in `published` is a time."""
    found = article({key: value}, generator)
    assert not found.is_published or (key.lower() == "published" and isinstance(value, str))
    if found.is_published:
        assert frontmatter.parse(f"---\ntitle: T\ndate: {value}\n---\n", "a.md")


@given(values=st.dictionaries(cased(HIDE), spelled(FALSE), max_size=3), more=spelled(TRUE))
@settings(max_examples=100, deadline=None)
def test_the_opposite_shows(values: dict[str, Any], more: Any) -> None:
    """`draft: false`, `published: yes` and null hide nothing."""
    found = article(values | {"published": more, "hidden2": True, "status": None, "draft": None}, "hugo")
    assert found.is_published


@pytest.mark.parametrize(
    "word", ["draft", "Hidden", "private", "pending", "", "publish ed", 5, ["published"]]
)
def test_a_status_other_than_published_hides(word: Any) -> None:
    """Pelican's `status` hides, in any case, unless it is `published`."""
    assert not article({"Status": word}, "pelican").is_published
    assert article({"STATUS": "Published "}, "pelican").is_published


@pytest.mark.parametrize("word", ["private", "Hidden", "unlisted", "internal", "", None, 0])
def test_a_visibility_other_than_public_hides(word: Any) -> None:
    """`visibility: private` hides, and null has no meaning."""
    assert article({"visibility": word}, "plain").is_published == (word is None)
    assert article({"visibility": "PUBLIC"}, "plain").is_published


@pytest.mark.parametrize(
    ("values", "generator"),
    [
        ({"permalink": False}, "eleventy"),
        ({"eleventyExcludeFromCollections": True}, "eleventy"),
        ({"render": False}, "zola"),
        ({"build": {"list": "never"}}, "hugo"),
        ({"build": {"render": "never"}}, "hugo"),
        ({"draft": True, "published": True}, "jekyll"),
        ({"Draft": True, "draft": False}, "jekyll"),
    ],
)
def test_what_one_generator_says(values: dict[str, Any], generator: Generator) -> None:
    """Keys of one generator are read; where two keys disagree, the one that hides prevails."""
    assert not article(values, generator).is_published


@pytest.mark.parametrize(
    "path", ["_drafts/a.md", "blog/_drafts/2026-01-01-a.md", "_Drafts/a.md", "blog/1.a.draft.md"]
)
def test_what_lies_among_the_drafts_is_one(path: str) -> None:
    """A file in a folder of drafts, or with the name of a draft, is one, even without a date or a title."""
    assert not article({}, "jekyll", path).is_published
    for text in ("---\n---\n", "---\nlayout: post\n---\nText"):
        if text == "---\n---\n":
            continue
        parsed = frontmatter.parse(text, path, ReadingContext(Conventions(generator="jekyll")))
        assert parsed is not None
        assert not parsed.article.is_published


def test_the_reason_is_named() -> None:
    """`articles check` names the key that hides an article, and warns where its value is unreadable."""
    plain = Conventions()
    assert str(why_hidden({"Draft": "Yes"}, "a.md", plain)) == "Draft: is true"
    assert str(why_hidden({"status": "x"}, "a.md", plain)) == "status: is not published"
    parsed = frontmatter.parse("---\ntitle: T\ndate: 2026-01-01\ndraft: perhaps\n---\n", "a.md")
    assert parsed is not None
    warning = "draft: cannot be read as true or false, so the article is not published"
    assert parsed.warnings == ((4, warning),)
