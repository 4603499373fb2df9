"""How much of a front matter is taken: what is over a limit is cut or left out, and named."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from articles.errors import ArticleError
from articles.reading import frontmatter, limits
from articles.reading.frontmatter import ParsedFile


def parsed(**keys: Any) -> ParsedFile:
    values = {"title": "T", "date": "2026-05-01"} | keys
    found = frontmatter.parse(f"---\n{yaml.safe_dump(values, width=10**9)}---\nText\n", "a.md")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("key", "limit", "attribute"),
    [("title", limits.MAX_TITLE, "title"), ("excerpt", limits.MAX_EXCERPT, "summary")],
)
def test_a_long_text_is_cut(key: str, limit: int, attribute: str) -> None:
    """At the limit it is whole; over it, it is cut to it, and the file has a warning."""
    whole = parsed(**{key: "x" * limit})
    assert getattr(whole.article, attribute) == "x" * limit
    assert whole.warnings == ()
    cut = parsed(**{key: "x" * (limit + 1)})
    assert len(getattr(cut.article, attribute)) <= limit
    assert len(cut.warnings) == 1


@pytest.mark.parametrize(
    ("key", "value", "over"),
    [
        ("topics", ["x" * limits.MAX_TOPIC], ["x" * (limits.MAX_TOPIC + 1)]),
        (
            "topics",
            [f"t{n}" for n in range(limits.MAX_TOPICS)],
            [f"t{n}" for n in range(limits.MAX_TOPICS + 1)],
        ),
        ("id", "x" * limits.MAX_ID, "x" * (limits.MAX_ID + 1)),
        (
            "webUrl",
            f"https://a.example/{'x' * (limits.MAX_URL - 18)}",
            f"https://a.example/{'x' * limits.MAX_URL}",
        ),
        ("type", "x" * limits.MAX_NAME, "x" * (limits.MAX_NAME + 1)),
        ("authors", ["x" * limits.MAX_NAME], ["x" * (limits.MAX_NAME + 1)]),
        ("featuredContent", "x" * limits.MAX_EMBED, "x" * (limits.MAX_EMBED + 1)),
    ],
)
def test_what_is_too_long_or_too_many_is_left_out(key: str, value: Any, over: Any) -> None:
    """At the limit there is no warning; over it there is one, and the article stays."""
    assert parsed(**{key: value}).warnings == ()
    left_out = parsed(**{key: over})
    assert len(left_out.warnings) == 1
    assert len(left_out.article.topics) <= limits.MAX_TOPICS
    assert left_out.article.title == "T"


def test_a_front_matter_has_a_longest_length() -> None:
    """One that is longer is refused before it is parsed."""
    with pytest.raises(ArticleError, match="256,000"):
        parsed(heat="x" * limits.MAX_HEAD)


def test_the_warnings_of_a_file_are_few() -> None:
    """Thousands of faults in one file are not thousands of lines."""
    found = parsed(topics=[["x"]] * 5000)
    assert 1 <= len(found.warnings) <= limits.MAX_WARNINGS
