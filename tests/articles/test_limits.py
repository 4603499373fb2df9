"""How much of a front matter is used, and that `secured` reaches no output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.article import Article
from articles.conventions import Conventions
from articles.errors import ArticleError
from articles.reading import frontmatter, limits, other_heads
from articles.reading import record as records
from articles.reading.context import ReadingContext
from articles.topics import Topics
from tests.site import front_matter
from text.links import mentions

SECRET = "c1ph3rT3xT"


def parsed(**keys: Any) -> frontmatter.ParsedFile:
    """Return what a file with these keys gives."""
    found = frontmatter.parse(front_matter(**keys), "a.md")
    assert found is not None
    return found


CASES: list[tuple[str, Any, Callable[[Article], Any], Any]] = [
    ("title", "x" * 2_000, lambda a: a.title, "x" * 999 + "…"),
    ("excerpt", "x" * 30_000, lambda a: a.summary, "x" * 19_999 + "…"),
    ("topics", ["ok", "x" * 201], lambda a: a.topics, ("ok",)),
    ("topics", [f"t{n}" for n in range(150)], lambda a: len(a.topics), 100),
    ("webUrl", "https://a.example/" + "x" * 4_000, lambda a: a.link, None),
    ("id", "x" * 1_001, lambda a: a.id, "a"),
    ("authors", ["ok", "x" * 201], lambda a: a.authors, ("ok",)),
    ("authors", [f"p{n}" for n in range(150)], lambda a: len(a.authors), 100),
    ("locale", "x" * 101, lambda a: a.language, None),
    (
        "provider",
        {"name": "x" * 201, "domain": "d.example"},
        lambda a: a.provider and a.provider.name,
        "d.example",
    ),
    ("type", "x" * 201, lambda a: a.type, None),
    ("category", "x" * 201, lambda a: a.category, None),
    ("images", ["https://a.example/" + "x" * 4_000], lambda a: a.images, ()),
    ("images", [f"https://a.example/{n}" for n in range(150)], lambda a: len(a.images), 100),
    ("featuredContent", "x" * 20_001, lambda a: a.embed, None),
    ("updated", "2026-01-01" + " " * 200, lambda a: a.updated_at == a.published_at, True),
]


@pytest.mark.parametrize(("key", "value", "read", "expected"), CASES)
def test_what_is_over_is_cut_or_left_out_and_named(
    key: str, value: Any, read: Callable[[Article], Any], expected: Any
) -> None:
    """Each limit of docs/articles.md applies, with a warning that names the key."""
    found = parsed(**{key: value})
    assert read(found.article) == expected
    assert len(found.warnings) == 1
    assert found.warnings[0][1].startswith(key)


def test_a_front_matter_that_is_too_long_is_refused() -> None:
    """The length of a front matter is checked before it is parsed."""
    for fence in ("---", "+++"):
        with pytest.raises(ArticleError, match="longer than"):
            frontmatter.parse(f"{fence}\n{'#' * limits.MAX_HEAD}\n{fence}\n", "a.md")


@pytest.mark.parametrize(
    "text",
    [
        "+++\n" + "a." * 100_000 + "a = 1\n+++\n",
        "+++\na = {" + "b." * 100_000 + "c = 1}\n+++\n",
        "+++\na = " + "[" * 100_000 + "\n+++\n",
        '{"a": ' + "[" * 100_000,
        '{"a": ' + "9" * 100_000 + "}",
        "Title: x\n" + "    x\n" * 100_000,
        "Title: x\nDate: 2026-01-01\n" + "a: b\n" * 50_000,
        "# " + "x " * 400_000,
        "\n" * 900_000,
        "import x\n" * 100_000 + "# T\n",
        "---\ndate: " + "1 " * 100_000 + "\ntitle: x\n---\n",
    ],
)
def test_no_head_costs_more_than_its_length(text: str) -> None:
    """A deep, dotted or repetitive head gives an article, none or an error within a bound on calls."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        for path in ("2026-01-01-a.md", "2026-01-01-a.mdx"):
            with suppress(ArticleError):
                frontmatter.parse(text, path)
    finally:
        sys.setprofile(None)
    assert calls < 60 * len(text) + 10_000


@pytest.mark.parametrize(
    "text",
    [
        "# T #" + " " * 60_000 + "x",
        "# T" + "\t" * 60_000 + "x",
        "---\ntitle: T\ndate: 2026-01-01\n---\n" + "](< " * 15_000,
        "---\ntitle: T\ndate: 2026-01-01\n---\n" + "[a]:< " * 15_000,
    ],
    ids=lambda text: repr(text[-8:]),
)
def test_no_pattern_reads_a_line_again_and_again(text: str) -> None:
    """A long line costs milliseconds, not seconds: what a single regular expression does is no call."""
    started = time.thread_time()
    head = other_heads.split(text, "md")
    mentions(text if head is None else head.body, "")
    assert time.thread_time() - started < 0.5


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("# A title", "A title"), ("#\tA title \t", "A title"), ("#   A # b ##  ", "A # b"), ("# C#", "C#"),
        ("# C# #", "C#"), ("# #", "#"), ("# A \\#", "A \\#"), ("#A", None), ("## A", None), ("# ", None),
    ],
)  # fmt: skip
def test_the_title_of_a_heading(line: str, title: str | None) -> None:
    """A heading's title ends before its closing number signs, which have a space in front of them."""
    head = other_heads.split(f"{line}\n\nText", "md")
    assert (head and head.values["title"]) == title


_KEYS = [
    "secured", '"secured"', "'secured'", "secured ", '"sec\\u0075red"', "? secured\n", "!!str secured",
    "Secured", "SECURED",
]  # fmt: skip
_VALUES = [
    "{}", '"{}"', "'{}'", "|\n  {}", ">-\n  {}\n  {}", "[{}, {}]", "{{a: {}}}", "\n  a: {}\n  b: {}",
    "\n  - {}\n  - {}", "\n- {}", '"{}\n  {}"', "&x {}", "!!str {}", "!!binary {}", "{}: {}", "@{}", '"{}',
    "[{}",
    "!!timestamp {}",
    "!!float {}", "*{}", "\n    {}\n  {}", "# {}\n  {}",
]  # fmt: skip
_PLACES = [
    "{0}title: T\ndate: 2026-01-01\n", "title: T\n{0}date: 2026-01-01\n", "title: T\ndate: 2026-01-01\n{0}",
    "title: T\ndate: 2026-01-01\nrelated:\n  - title: R\n    webUrl: https://r.example/\n    {1}",
    "title: T\ndate: 2026-01-01\nprovider:\n  name: P\n  {1}",
    "title: T\ndate: 2026-01-01\ndraft: maybe\n{0}",
]  # fmt: skip


@given(st.sampled_from(_KEYS), st.sampled_from(_VALUES), st.sampled_from(_PLACES), st.booleans())
@settings(max_examples=600, deadline=None)
def test_secured_gets_nowhere(key: str, value: str, place: str, strict: bool) -> None:
    """However `secured` is written in YAML, valid or not, no record, warning or error contains it."""
    written = value.replace("{}", SECRET).replace("{{", "{").replace("}}", "}")
    line = f"{key}: {written}\n"
    text = f"---\n{place.format(line, line.replace(chr(10), chr(10) + '    ').rstrip(' '))}---\nBody.\n"
    for generator in ("plain", "hugo"):
        context = ReadingContext(Conventions(generator=generator))
        outputs = []
        try:
            found = frontmatter.parse(text, "a.md", context, strict=strict)
            if found:
                outputs += [
                    repr(records.record(found, Topics())),
                    json.dumps(found.warnings),
                    repr(found.hidden),
                ]
        except ArticleError as error:
            outputs.append(str(error))
        assert SECRET not in "".join(outputs)
