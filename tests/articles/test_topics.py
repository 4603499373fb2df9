"""What topics are called, and their addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.topics import ALL, MAX_SLUG, Topic, TopicError, Topics, slugify


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("AI", "ai"),
        ("C", "c"),
        ("C++", "c-plus-plus"),
        ("C#", "c-sharp"),
        (".NET", "dot-net"),
        ("ASP.NET", "asp.net"),
        ("Node.js", "node.js"),
        ("A.I.", "a.i"),
        ("日本語", "日本語"),
        ("Machine Learning", "machine-learning"),
        ("R&D", "r-and-d"),
        ("snake_case/path", "snake-case-path"),
        ("  Trimmed  ", "trimmed"),
        ("ＦＵＬＬ", "full"),
        ("Straße", "strasse"),
        ("हिन्दी", "हिन्दी"),
    ],
)
def test_slugs_of_well_known_names(name: str, slug: str) -> None:
    """The slugs of well-known names never change, because addresses are made of them."""
    assert slugify(name) == slug


def test_names_that_are_near_have_slugs_of_their_own() -> None:
    """C, C++, C#, .NET, NET, 日本語, AI and A.I. have distinct slugs, and so do names of only symbols."""
    names = [
        "C",
        "C++",
        "C#",
        "C+",
        ".NET",
        "NET",
        "日本語",
        "AI",
        "A.I.",
        "???",
        "!!!",
        "🎉",
        "all",
        "x!",
        "x?",
    ]
    slugs = {slugify(name) for name in names}
    assert len(slugs) == len(names)
    assert ALL not in slugs
    assert "" not in slugs


@given(st.text())
def test_any_name_has_an_address_that_can_be_a_file_name(name: str) -> None:
    """A slug is never empty, `all` or too long, and needs no escape in URLs and file names."""
    slug = slugify(name)
    assert slug not in ("", ALL)
    assert len(slug.encode()) <= MAX_SLUG + 7
    assert not set(slug) & set("/\\?#%&+,;:<>\"'\n\t ")
    assert not slug.startswith(("-", ".")) and not slug.endswith(("-", "."))
    assert slugify(slug) == slug


@given(st.text(alphabet="日a -", min_size=200, max_size=400))
def test_long_names_stay_distinct(name: str) -> None:
    """A shortened name is distinguished by its hash."""
    assert slugify(f"{name}a") != slugify(f"{name}b")


def test_aliases_and_old_slugs_lead_to_the_topic() -> None:
    """The name, an alias in any case and the name's slug mean the listed topic, others themselves."""
    listed = Topic(name="AI", slug="artificial", aliases=("A.I.", "Machine Minds"))
    topics = Topics((listed,))
    for name in ("AI", "ai", "A.I.", "machine  minds", "Machine-Minds"):
        assert topics.of(name) is listed
    assert topics.of(" Go ") == Topic(name="Go", slug="go")
    assert topics.at("artificial") is listed
    assert topics.at("ai") is None
    assert [topics.moved(slug) for slug in ("ai", "a.i", "machine-minds", "artificial", "go")] == [
        "artificial", "artificial", "artificial", None, None,
    ]  # fmt: skip


def test_ancestors() -> None:
    """A topic's lineage is the topic itself and then its parents, by name or alias."""
    topics = Topics(
        (
            Topic(name="Tech", slug="tech", aliases=("Technology",)),
            Topic(name="AI", slug="ai", parent="technology"),
            Topic(name="ML", slug="ml", parent="AI"),
        )
    )
    assert [topic.slug for topic in topics.lineage(topics.of("ML"))] == ["ml", "ai", "tech"]
    assert [topic.slug for topic in topics.lineage(topics.of("Go"))] == ["go"]


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ([Topic(name="A", slug="a"), Topic(name="a", slug="b")], "both claim 'a'"),
        ([Topic(name="A", slug="x"), Topic(name="B", slug="x")], "both claim 'x'"),
        ([Topic(name="A", slug="a"), Topic(name="B", slug="b", aliases=("A",))], "both claim 'a'"),
        ([Topic(name="A", slug="a", parent="B")], "the parent 'B' of 'A' is not a listed topic"),
        ([Topic(name="A", slug="a", parent="A")], "'A' is its own ancestor"),
        (
            [Topic(name="A", slug="a", parent="B"), Topic(name="B", slug="b", parent="A")],
            "'A' is its own ancestor",
        ),
        (
            [
                Topic(name="A", slug="a", parent="B"),
                Topic(name="B", slug="b", parent="C"),
                Topic(name="C", slug="c", parent="B"),
            ],
            "is its own ancestor",
        ),
    ],
)
def test_topics_that_contradict_each_other(listed: list[Topic], message: str) -> None:
    """Two claims to one address, unknown parents and circles are refused."""
    with pytest.raises(TopicError, match=message):
        Topics(tuple(listed))


@pytest.mark.parametrize("name", ["A\x07I", "\x00AI", "AI\x9f", "A\ufffeI\x0b"])
def test_characters_that_no_feed_can_show_make_no_other_topic(name: str) -> None:
    """A name with control characters is the topic as it is shown, with that one address."""
    topic = Topics().of(name)
    assert (topic.name, topic.slug) == ("AI", "ai")
