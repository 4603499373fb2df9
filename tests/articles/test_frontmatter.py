"""What each key of a front matter may hold, and on which line a wrong value is reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from articles.article import Article, Image, Provider, RelatedArticle
from articles.conventions import Conventions
from articles.errors import ArticleError
from articles.identity import identity
from articles.reading import frontmatter, values
from articles.reading.context import ReadingContext
from articles.reading.frontmatter import ParsedFile
from articles.reading.head import Head
from articles.reading.values import Values
from tests.site import front_matter

HEAD = "---\ntitle: T\ndate: 2026-01-02\n"


def article(**keys: Any) -> Article:
    """Return the article of a file with these keys."""
    return parse(front_matter(**keys), "2026/x.md").article


def parse(text: str, path: str, *, strict: bool = False) -> ParsedFile:
    """Return the article that a file's text gives."""
    parsed = frontmatter.parse(text, path, strict=strict)
    assert parsed is not None
    return parsed


def error_of(text: str, *, strict: bool = False) -> tuple[int, str]:
    """Return the line and the reason with which a file is refused."""
    with pytest.raises(ArticleError) as caught:
        parse(text, "x.md", strict=strict)
    assert caught.value.path == "x.md"
    return caught.value.line, caught.value.reason


def test_a_file_with_the_least_that_is_needed() -> None:
    """A title and a date make an article; everything else has a default."""
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    assert parse(f"{HEAD}---", "2026/x.md").article == Article(
        id="2026/x", path="2026/x.md", title="T", published_at=moment, updated_at=moment
    )


FULL = """---
title: A & B
publishedDateTime: 2026-01-02T03:04:05Z
updatedDateTime: 2026-01-03T00:00:00Z
webUrl: https://a.example/x
originalUrl: https://b.example/y
excerpt: Short
topics: [AI, C++, AI]
quality: 70
heat: -1
published: true
type: article
category: news
provider:
  name: The Paper
  domain: paper.example
  images:
    - url: https://paper.example/icon.png
      width: 50
images:
  - url: https://a.example/1.png
    width: 640
    height: 0
    title: One
  - https://a.example/2.png
related:
  - title: R1
    webUrl: https://r.example/1
    publishedDateTime: 2026-01-01T00:00:00Z
    quality: 5
    provider:
      name: Other
  - title: No address
  - title: R2
    originalUrl: https://r.example/2
featuredContent: <iframe src="https://v.example/"></iframe>
id: my-id
authors:
  - Ann
  - name: Bob
locale: pt_BR
secured: "abc="
ampWebUrl: nothing anyone reads
unknown: [1, {a: b}]
---

Body *text*.
"""


def test_every_key_is_read() -> None:
    """The value of each key is in the article's matching field, and unknown keys are ignored."""
    article = parse(FULL, "x.md").article
    assert replace(article, related=()) == Article(
        id="my-id",
        path="x.md",
        title="A & B",
        published_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        updated_at=datetime(2026, 1, 3, tzinfo=UTC),
        link="https://a.example/x",
        original_link="https://b.example/y",
        summary="Short",
        topics=("AI", "C++"),
        quality=70,
        type="article",
        category="news",
        provider=Provider(name="The Paper", domain="paper.example", icon="https://paper.example/icon.png"),
        authors=("Ann", "Bob"),
        language="pt-BR",
        images=(
            Image(url="https://a.example/1.png", width=640, title="One"),
            Image(url="https://a.example/2.png"),
        ),
        embed='<iframe src="https://v.example/"></iframe>',
        body="Body *text*.",
    )
    first = RelatedArticle(
        title="R1",
        link="https://r.example/1",
        provider="Other",
        published_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert article.related == (
        first,
        RelatedArticle(title="R2", link="https://r.example/2"),
    )


@pytest.mark.parametrize(
    "change",
    [
        ("---\ntitle", "---\n# a comment\ntitle"),
        ("secured: ", "secured: |-\n  "),
        ("excerpt: Short", "excerpt: >-\n  Short"),
        ("excerpt: Short", 'excerpt: "Sho\\\n  rt"'),
        ("  - title: R1", '  - "title": R1'),
        ("\n", "\r\n"),
        ("\n", "\r"),
        ("---\ntitle", "---   \ntitle"),
        ("---\ntitle", "\ufeff---\ntitle"),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_how_a_file_is_written_makes_no_difference(change: tuple[str, str], strict: bool) -> None:
    """Comments, styles, line ends and the choice of parser do not change what is read."""
    text = FULL.replace(*change).removeprefix("\ufeff")
    parsed = parse(text, "x.md", strict=strict)
    assert parsed.article == parse(FULL, "x.md").article


@pytest.mark.parametrize("names", [("excerpt", "description", "summary"), ("topics", "tags", "categories")])
def test_the_first_of_several_names_counts(names: tuple[str, ...]) -> None:
    """Every name of a key is understood; the first with a value counts."""
    for position, name in enumerate(names):
        for given_names in (names[position:], [name]):
            found = article(**{given_name: given_name for given_name in given_names})
            assert (found.summary or ",".join(found.topics)) == name


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("  spaced  ", "spaced"),
        ("\u00ad \u00adsoft\u00adhyphen \u00ad", "soft\u00adhyphen"),
        ("\u00a0\u2003wide\u3000", "wide"),
        ("日本語 🎉", "日本語 🎉"),
        ("a\nb", "a\nb"),
    ],
)
def test_titles_are_stripped_at_their_ends(title: str, read: str) -> None:
    """Spaces and soft hyphens at the ends are removed in any order, and stay inside."""
    assert article(title=title).title == read


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-31T09:30:00Z", datetime(2026, 3, 31, 9, 30, tzinfo=UTC)),
        ("2026-03-31T09:30:00", datetime(2026, 3, 31, 9, 30, tzinfo=UTC)),
        ("2026-03-31 09:30:00", datetime(2026, 3, 31, 9, 30, tzinfo=UTC)),
        ("2026-03-31", datetime(2026, 3, 31, tzinfo=UTC)),
        ("2026-03-31T09:30:00+09:00", datetime(2026, 3, 31, 0, 30, tzinfo=UTC)),
        ('"2026-03-31T09:30:00+0900"', datetime(2026, 3, 31, 0, 30, tzinfo=UTC)),
        ('"2026-03-31T09:30:00-05:30"', datetime(2026, 3, 31, 15, 0, tzinfo=UTC)),
        ('"2026-03-31"', datetime(2026, 3, 31, tzinfo=UTC)),
        ("'20260331T093000Z'", datetime(2026, 3, 31, 9, 30, tzinfo=UTC)),
        ("2026-03-31T09:30:00.123456Z", datetime(2026, 3, 31, 9, 30, 0, 123456, tzinfo=UTC)),
        ('" 2026-03-31T09:30 "', datetime(2026, 3, 31, 9, 30, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("key", ["date", "publishedDateTime"])
def test_dates_in_any_iso_form(written: str, moment: datetime, key: str) -> None:
    """A naive time is in UTC, a date means its first moment, an offset is applied, strings are read."""
    assert parse(f"---\ntitle: T\n{key}: {written}\n---\n", "x.md").article.published_at == moment


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("title", "[a]", "must be text, not a list: put it in quotes"),
        ("title", "2048", "must be text, not a number: put it in quotes"),
        ("title", "yes", "must be text, not true or false: put it in quotes"),
        ("title", "2026-01-01", "must be text, not a date: put it in quotes"),
        ("title", '" \u00ad"', "is empty"),
        ("title", "~", "is missing"),
        ("date", "soon", "is not a date: write it like 2026-03-31T09:30:00Z"),
        ("date", "20", "must be a date, not a number: write it like 2026-03-31T09:30:00Z"),
        ("date", '"2026-02-30"', "is not a date: write it like 2026-03-31T09:30:00Z"),
        ("date", "0001-01-01T00:00:00+10:00", "must lie between the years 1900 and 9998"),
        ("date", "9999-12-31T23:59:59-10:00", "must lie between the years 1900 and 9998"),
        ("webUrl", "ftp://a.example/", "must be a whole http:// or https:// address"),
        ("webUrl", "/relative", "must be a whole http:// or https:// address"),
        ("webUrl", "javascript:alert(1)", "must be a whole http:// or https:// address"),
        ("webUrl", "5", "must be text, not a number: put it in quotes"),
        ("originalUrl", "http://", "must be a whole http:// or https:// address"),
        ("excerpt", "[a]", "must be text, not a list: put it in quotes"),
        ("topics", "{a: b}", "must be text, not a mapping: put it in quotes"),
        ("quality", '"90"', "must be a whole number: remove the quotes"),
        ("quality", "high", "must be a whole number, not text"),
        ("quality", "9.5", "must be a whole number, without a fraction"),
        ("quality", "true", "must be a whole number, not true or false"),
        ("quality", "99999999999999", "is too large"),
        ("quality", ".nan", "must be a whole number, without a fraction"),
        ("published", "maybe", "cannot be read as true or false, so the article is not published"),
        ("draft", "[true]", "cannot be read as true or false, so the article is not published"),
        ("removed", "2", "cannot be read as true or false, so the article is not published"),
        ("type", "[a]", "must be text, not a list: put it in quotes"),
        ("category", "{}", "must be text, not a mapping: put it in quotes"),
        ("provider", "[a]", "must have a `name:`, and is a list"),
        ("images", "5", "each image needs a `url:`"),
        ("image", "//a.example/x.png", "must be a whole http:// or https:// address"),
        ("featuredContent", "[a]", "must be text, not a list: put it in quotes"),
        ("id", "[a]", "must be text, not a list: put it in quotes"),
        ("id", '""', "must be 1 to 1,000 characters long"),
        ("updated", "later", "is not a date: write it like 2026-03-31T09:30:00Z"),
        ("author", "5", "must be text, not a number: put it in quotes"),
        ("locale", "not a tag", "must be a language tag such as en or pt-BR"),
        ("lang", "english", "must be a language tag such as en or pt-BR"),
        ("qualtiy", "90", "is not a known key; did you mean quality?"),
        ("Topic", "AI", "is not a known key; did you mean topics?"),
        ("web_url", "https://a.example/", "is not a known key; did you mean webUrl?"),
        ("excerp", "x", "is not a known key; did you mean excerpt?"),
        ("Drafts", "true", "is not a known key; did you mean draft?"),
    ],
)
def test_a_wrong_value_is_reported_with_its_line(key: str, value: str, reason: str) -> None:
    """A wrong title or date refuses the file with its line; another wrong key is left out with a warning.

    Where everything is checked, another wrong key refuses the file too.
    """
    keys = {"title": "T", "date": "2026-01-01", "body": "x"} | {key: value}
    lines = [
        "---",
        "related:",
        "  - title: x",
        "    webUrl: https://a.example/",
        *(f"{name}: {text}" for name, text in keys.items()),
        "---",
        "",
    ]
    text = "\n".join(lines)
    line, message = error_of(text, strict=True)
    missing = value == "~"
    assert message.endswith(reason)
    assert message.startswith(f"{key}")
    assert line == lines.index(f"{key}: {value}") + 1 or missing
    if key in ("title", "date"):
        assert error_of(text) == (line, message)
    else:
        assert parse(text, "x.md").warnings == ((line, message),)


def test_a_key_that_is_there_twice_is_reported() -> None:
    """The last value counts, as with other programs; what only looks like a key is none."""
    text = (
        "---\ntitle: A\ndate: 2026-01-01\ntopics: [AI]\nnote: |\n  topics: x\nimages: [{\nurl: https://a.example/,"
        "\ntitle: x}]\n{}---\ntitle: x\n"
    )
    found = parse(text.replace("{}", ""), "a.md")
    assert found.warnings == ()
    found = parse(text.replace("{}", "topics: [Go]\n"), "a.md")
    assert found.warnings == ((10, "topics: is there twice, and only the last one counts"),)
    assert found.article.topics == ("Go",)
    assert error_of(text.replace("{}", "topics: [Go]\n"), strict=True)[0] == 10


@pytest.mark.parametrize(
    ("key", "conventions"),
    [
        ("topic: AI", Conventions(topics_from=("topic",))),
        ("topic: AI", Conventions(generator="eleventy")),
        ("topic: AI\ntags: [Go]", Conventions()),
        ("description: x\nexcerp: y", Conventions()),
        ("craft: pottery", Conventions()),
    ],
)
def test_a_key_of_its_own_is_not_misspelt(key: str, conventions: Conventions) -> None:
    """Keys that are read, those of other programs, and those beside the right one are not reported."""
    text = f"---\ntitle: T\ndate: 2026-01-01\n{key}\n---\nx"
    found = frontmatter.parse(text, "a.md", ReadingContext(conventions=conventions))
    assert found is not None
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("block", "line", "message"),
    [
        ("topics:\n  - a\n  - [5]\n", 6, "topics[2]: must be text, not a list: put it in quotes"),
        ("images:\n  - url: https://a.example/\n    width: 5\n  - url: https://a.example/\n    width: wide\n",
         8, "images[2].width: must be a whole number, not text"),
        ("images:\n  - title: x\n", 5, "images[1]: each image needs a `url:`"),
        ("provider:\n  name: x\n  domain: [a]\n", 6,
         "provider.domain: must be text, not a list: put it in quotes"),
        ("provider:\n  name: x\n  images:\n    - url: x\n", 7,
         "provider.images[1].url: must be a whole http:// or https:// address"),
        ("authors:\n  - name: x\n  - name: 5\n", 6,
         "authors[2]: must be text, not a number: put it in quotes"),
        ('"quality": x\n', 4, "quality: must be a whole number, not text"),
        ("body: |\n  quality: 5\nquality: x\n", 6, "quality: must be a whole number, not text"),
        ("related:\n  - [\nquality: x\n", 7, "did not find expected ',' or ']': is a bracket left open?"),
    ],
)  # fmt: skip
def test_a_wrong_part_of_a_value_is_reported_with_its_own_line(block: str, line: int, message: str) -> None:
    """The line is that of the inner value, also in long lists, quoted keys and after similar text."""
    assert error_of(f"{HEAD}{block}---\n", strict=True) == (line, message)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\n---\ntitle: x\n---\n", 1, "publishedDateTime: is missing (or `date`): when was it published?"),
        ("--- \ntitle: x\n", 1, "the front matter is never closed: a line with --- is missing"),
        ("---\n---\n", 2, "the front matter must be `key: value` lines"),
        ("---\n- a\n---\n", 2, "the front matter must be `key: value` lines"),
        ("---\ndate: 2026-01-01\n---\n", 1, "title: is missing"),
        (
            "---\ndate: 2026-01-01\nTitel: x\n---\n",
            3,
            "Titel: is not a known key; did you mean title?",
        ),
        ("---\ntitle: x\n---\n", 1, "publishedDateTime: is missing (or `date`): when was it published?"),
        (
            "---\ntitle: x\ndate: 2026-01-01\n\tx: y\n---\n",
            4,
            "use spaces instead of the tab",
        ),
        (
            "---\ntitle: x\ndate: 2026-13-01\n---\n",
            3,
            "date: month must be in 1..12, so this is not a date: write it like 2026-03-31T09:30:00Z",
        ),
        ("---\ntitle: a\x01b\n---\n", 2, "control characters are not allowed"),
    ],
)
def test_a_broken_file_is_reported(text: str, line: int, message: str) -> None:
    """A file without front matter is reported as such, and YAML errors have the line in the file."""
    assert error_of(text) == (line, message)


def test_related_coverage_is_checked_only_when_asked() -> None:
    """Feeds leave out invalid related items, and `strict` reports them."""
    text = f"{HEAD}related:\n  - title: R\n    webUrl: https://r.example/\n  - title: 5\n---\n"
    parsed = parse(text, "x.md")
    assert [item.title for item in parsed.article.related] == ["R"]
    assert error_of(text, strict=True) == (
        7,
        "related[2].title: must be text, not a number: put it in quotes",
    )
    assert error_of(f"{HEAD}related: x\n---\n", strict=True) == (4, "related: must be a list, not text")
    assert parse(f"{HEAD}related: x\n---\n", "x.md").article.title == "T"


@pytest.mark.parametrize("comment", ["", "  # parsed whole for this comment\n"])
def test_bad_items_of_related_cost_only_themselves(comment: str) -> None:
    """Only the bad items are left out, whether the block was parsed alone or with the whole text."""
    items = "  - title: 5\n  - title: A\n    webUrl: https://a.example/\n  - title: B\n    webUrl: https://b.example/\n"
    parsed = parse(f"{HEAD}related:\n{comment}{items}---\n", "x.md")
    assert [item.title for item in parsed.article.related] == ["A", "B"]


def test_unpublished_and_removed() -> None:
    """`published: false` and `removed: true` hide an article; `published: true` and no key show it."""
    assert article().is_published
    assert article(published=True, removed=False).is_published
    assert not article(published=False).is_published
    assert not article(removed=True).is_published
    assert not article(published=True, removed=True).is_published


def test_the_link_is_the_first_address_there_is() -> None:
    """The link is webUrl, or else originalUrl, or else none."""
    both = article(webUrl="https://a.example/", originalUrl="https://b.example/")
    assert (both.link, both.original_link) == ("https://a.example/", "https://b.example/")
    one = article(originalUrl="https://b.example/")
    assert (one.link, one.original_link) == ("https://b.example/", None)
    assert article().link is None


def test_identity_is_the_path_or_the_own_id() -> None:
    """The identity is in NFC, and contains neither address nor title nor date."""
    before = article()
    after = article(title="New", publishedDateTime="2026-06-06", webUrl="https://new.example/")
    assert before.id == after.id == "2026/x"
    assert article(id=12).id == "12"
    assert article(id="e\u0301").id == "\u00e9"
    assert identity("a/e\u0301.x.md") == "a/\u00e9.x"


def test_an_edit_that_names_no_new_time_keeps_the_times() -> None:
    """`updated` equals `published` after a typo fix; only the front matter changes it."""
    before, after = article(title="Teh"), article(title="The")
    assert replace(after, title="Teh") == before
    assert after.updated_at == after.published_at
    assert article(updated="2026-05-05").updated_at == datetime(2026, 5, 5, tzinfo=UTC)


def test_a_body_may_hold_what_looks_like_front_matter() -> None:
    """The second line of dashes ends the front matter; later ones belong to the body."""
    parsed = parse(f"{HEAD}---\n\nA\n\n---\n\ntitle: B\n---\n", "x.md").article
    assert parsed.body == "A\n\n---\n\ntitle: B\n---"
    assert parse(f"{HEAD}---not: the end\n--- \nbody", "x.md").article.body == "body"


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.dates()
    | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_keys = st.sampled_from([line.partition(":")[0] for line in FULL.splitlines() if line[:1].isalpha()])


@given(st.dictionaries(_keys, _values, max_size=6), st.text(max_size=20), st.booleans())
@settings(max_examples=250, deadline=None)
def test_any_values_give_an_article_or_an_error(values: dict[str, Any], body: str, strict: bool) -> None:
    """Any type of value gives an article, or an ArticleError with a line of the file."""
    text = front_matter(body, **values)
    line = _line_of_error(text, strict=strict)
    assert line is None or 1 <= line <= text.count("\n") + 1


@given(st.text(alphabet=st.sampled_from("-\n: abt\"'[]{}|>#&*!\t\r\x85\u2028\ufeff"), max_size=60))
@example("---\n---")
@settings(max_examples=300, deadline=None)
def test_any_text_gives_an_article_or_an_error(text: str) -> None:
    """Any text gives an article or an ArticleError."""
    for whole in (text, f"{HEAD}{text}\n---\n"):
        assert _line_of_error(whole) != 0


def _line_of_error(text: str, *, strict: bool = False) -> int | None:
    try:
        parsed = frontmatter.parse(text, "x.md", strict=strict)
    except ArticleError as error:
        return error.line
    assert parsed is None or parsed.article.title
    return None


def test_text_that_no_database_holds() -> None:
    """NUL and lone surrogates are left out of a title, and refused in an id."""
    front = 'title: "one\\0two"\ndate: 2026-01-01\n'
    assert parse(f"---\n{front}---\n", "a.md").article.title == "onetwo"
    parsed = parse(f'---\n{front}id: "a\\0b"\n---\n', "a.md")
    assert parsed.article.id == "a"
    assert parsed.warnings == ((4, "id: must not contain NUL or half of a surrogate pair"),)
    below = parse("---\ndate: 2026-01-01\n---\n# one\0two\n", "a.md")
    assert below.article.title == "onetwo"


def test_lines_that_many_files_share_are_read_for_each_of_them() -> None:
    """A provider and topics that were read before mean the same again, and their faults are named again."""
    shared = "provider:\n  name: P\n  domain: p.example\ntopics:\n  - AI\n  - 2026\n"
    first, second = (parse(f"{HEAD}quality: {n}\n{shared}---\n", f"{n}.md") for n in (1, 2))
    assert first.article.provider == second.article.provider == Provider(name="P", domain="p.example")
    assert first.article.topics == second.article.topics == ("AI", "2026")
    faulty = "provider:\n  name: P\n  feed: nowhere\ntopics:\n  - name: AI\n  -\n    other: AI\n"
    for n in (1, 2):
        parsed = parse(f"{HEAD}quality: {n}\n{faulty}---\n", f"{n}.md")
        assert sorted(line for line, _ in parsed.warnings) == [7, 11]
        assert parsed.article.topics == ("AI",)


@pytest.mark.parametrize("count", [1, 2_000])
def test_only_short_values_are_remembered(count: int) -> None:
    """A reader does not keep long values, nor more than a fixed number of short ones."""
    calls = []

    @values.cached
    def read(found: Values, key: str, value: Any) -> int:
        calls.append(value)
        return len(value)

    found = Values(Head(kind="yaml", values={}, body=""), {})
    short, long = ["a"], ["a" * 1000]
    for value in (short, short, long, long):
        assert read(found, "key", value) == 1
    assert calls == [short, long, long]
    others = [[str(number)] for number in range(count)]
    assert [read(found, "key", value) for value in others] == [1] * count
    calls.clear()
    read(found, "key", short)
    assert calls == ([] if count == 1 else [short])
