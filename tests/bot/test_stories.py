"""Which addresses are one story: a table of cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from bot.operator import orders
from bot.outbox.causes import Cause
from bot.planning.stories import story_address, story_keys
from tests.bot.test_planner import states_of
from tests.bot.world import World, article

PAGE = "https://a.example/news/x"

SAME = [
    (PAGE, "http://www.a.example/news/x/"),
    (PAGE, "https://A.example:443/news/x"),
    (PAGE, "http://a.example:80/news/x"),
    (PAGE, "https://m.a.example/news/x"),
    (PAGE, "https://mobile.a.example/news/x"),
    (PAGE, "https://amp.a.example/news/x"),
    (PAGE, "https://www.m.a.example/news/x"),
    (PAGE, "https://a.example./news/x"),
    (PAGE, "https://a.example/news/x/amp"),
    (PAGE, "https://a.example/news/x/amp/"),
    (PAGE, "https://a.example/news/x/amp.html"),
    (PAGE, "https://a.example/news/x.amp"),
    (PAGE, "https://a.example/news/x/index.html"),
    (PAGE, "https://a.example/news/x/index.php"),
    (PAGE, "https://a.example/news/x/Default.aspx"),
    (PAGE, "https://a.example/news/x/amp/index.html"),
    (PAGE, f"{PAGE}?utm_source=feed&utm_medium=rss"),
    (PAGE, f"{PAGE}?UTM_Source=feed"),
    (PAGE, f"{PAGE}?ref=rss"),
    (PAGE, f"{PAGE}?source=rss"),
    (PAGE, f"{PAGE}?source=rss----5517fd7b58a6---4"),
    (PAGE, f"{PAGE}?amp"),
    (PAGE, f"{PAGE}?amp=1"),
    (PAGE, f"{PAGE}?&fbclid=abc&"),
    (PAGE, f"{PAGE}?at_medium=RSS&at_campaign=rss"),
    (PAGE, f"{PAGE}?"),
    (PAGE, f"{PAGE}#"),
    (PAGE, f"{PAGE}#xtor=RSS-1"),
    (PAGE, f"{PAGE}#utm_source=feed&utm_medium=rss"),
    (PAGE, f"{PAGE}#ref=rss"),
    (PAGE, f"{PAGE}#:~:text=some%20words"),
    (f"{PAGE}#part", f"{PAGE}#part:~:text=some%20words"),
    (f"{PAGE}?id=1", f"{PAGE}?fbclid=abc&id=1&utm_campaign=x"),
    ("https://a.example/~me/%7Bx%7D", "https://a.example/%7eme/%7bx%7d"),
    ("https://a.example/x.html", "https://a.example/x.amp.html"),
    ("https://a.example", "https://www.a.example/index.html"),
    ("https://en.wikipedia.org/wiki/X", "https://en.m.wikipedia.org/wiki/X"),
    ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
    ("https://me@a.example/news/x", PAGE),
]
OTHER = [
    ("https://a.example/changes#v1.2", "https://a.example/changes#v1.3"),
    ("https://a.example/#/news/1", "https://a.example/#/news/2"),
    ("https://a.example/#!/news/1", "https://a.example/"),
    ("https://a.example/changes#v1.2", "https://a.example/changes"),
    ("https://a.example/#id=1", "https://a.example/#id=2"),
    ("https://a.example/#ref", "https://a.example/"),
    (PAGE, "https://a.example/news/y"),
    (PAGE, "https://a.example/news/X"),
    (PAGE, "https://b.example/news/x"),
    (PAGE, "https://blog.a.example/news/x"),
    (PAGE, "https://a.example:8080/news/x"),
    (PAGE, f"{PAGE}?id=1"),
    (PAGE, f"{PAGE}?reference=1"),
    (PAGE, f"{PAGE}?sources=1"),
    (f"{PAGE}?id=1", f"{PAGE}?id=2"),
    (f"{PAGE}?p=a%26b", f"{PAGE}?p=a&b"),
    ("https://a.example/a%2Fb", "https://a.example/a/b"),
    ("https://a.example/camp", "https://a.example/c"),
    ("https://a.example/example", "https://a.example/ex"),
    ("https://a.example/index.html.txt", "https://a.example/"),
    ("https://m.example/x", "https://example/x"),
    ("https://strasse.example/x", "https://straße.example/x"),
    ("ftp://a.example/x", "https://a.example/x"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_addresses_of_one_story(one: str, other: str) -> None:
    """The form of a page, or where its reader came from, makes no other story."""
    assert story_address(one) == story_address(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_addresses_of_different_stories(one: str, other: str) -> None:
    """Sections with their own address, pages shown by a script, and other parameters differ."""
    assert story_address(one) != story_address(other)


def test_an_article_without_a_link_shares_no_story() -> None:
    """An article without a link is found on this site only."""
    assert story_keys(article("a", link=None)) is None


def test_the_old_key_is_what_the_first_edition_wrote() -> None:
    """Deliveries written before the change of keys are found by their old keys."""
    keys = story_keys(article("a", link="https://www.a.example/x/?utm_source=f#part"))
    assert keys is not None
    assert (keys.key, keys.legacy) == ("2:a.example/x#part", "a.example/x")
    assert list(keys) == [keys.key, keys.legacy]


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_no_new_key_is_an_old_one(one: str, other: str) -> None:
    """Two sections of a page share an old key, but are two stories by their new keys."""
    first, second = (story_keys(article("a", link=link)) for link in (one, other))
    assert first and second
    assert first.key not in list(second)


PAGE_OF_CHANGES = "https://www.a.example/changes"


@pytest.mark.parametrize("at_once", [True, False])
def test_sections_of_a_page_are_posted_each(world: World, at_once: bool) -> None:
    """`#v1.2` and `#v1.3` are posted each, together or one after the other; AMP pages are not."""
    bot = world.started()
    articles = [article(name, link=f"{PAGE_OF_CHANGES}#{name}") for name in ("v1.2", "v1.3")]
    for some in [articles] if at_once else [[each] for each in articles]:
        world.catalog.put(*some)
        world.tick(bot)
    world.catalog.put(article("amp", link="https://m.a.example/changes/amp?ref=rss#v1.2"))
    world.tick(bot)
    assert states_of(world) == {"v1.2": "sent", "v1.3": "sent", "amp": "skipped"}


def test_what_was_written_with_the_old_key_is_not_repeated(world: World) -> None:
    """A renamed file is the same story as a delivery of an earlier version with the old key."""
    bot = world.started()
    link = f"{PAGE_OF_CHANGES}?utm_source=feed#v1.2"
    world.catalog.put(article("before", link=link))
    world.tick(bot)
    keys = story_keys(article("before", link=link))
    assert keys is not None
    with world.database.write() as connection:
        connection.execute(text("UPDATE deliveries SET story = :key"), {"key": keys.legacy})
    world.catalog.delete("before")
    world.catalog.put(article("renamed", title="Another title", link=link))
    world.tick(bot)
    assert states_of(world) == {"before": "sent", "renamed": "skipped"}
    assert len(world.chat.requests) == 1


urls = st.text(max_size=60) | st.builds(
    "https://{}/{}".format,
    st.sampled_from(["www.a.example", "m.a.example", "ü.example", "a..b", "[::1]:8"]),
    st.text(alphabet="ab/.?#&=%2fF~ampindex.html:üß", max_size=60),
)


@given(urls)
def test_any_text_has_a_key(url: str) -> None:
    """Any text has a key, and tracking parameters at the end of an address never matter."""
    address = story_address(url)
    if url.startswith("https://www.a.example/") and "#" not in url:
        assert story_address(f"{url}{'&' if '?' in url else '?'}utm_source=feed") == address


def test_the_translations_of_an_article_are_one_story(world: World) -> None:
    """A channel gets the first; an address that a pattern gives to two articles joins no stories."""
    bot = world.started()
    link = "https://a.example/posts/monthly"
    world.catalog.put(article("en", link=f"{link}?en", story="path:posts/a"))
    world.tick(bot)
    world.catalog.put(article("fr", link=f"{link}?fr", story="path:posts/a"))
    world.catalog.put(*(article(name, link=link, story=f"path:posts/{name}") for name in ("may", "june")))
    world.tick(bot)
    assert states_of(world) == {"en": "sent", "fr": "skipped", "may": "sent", "june": "sent"}


def test_a_moved_file_is_not_posted_again_at_its_new_address(world: World) -> None:
    """A moved file with a new address and story is recognised by its content."""
    bot = world.started()
    world.catalog.put(article("old", title="T", link="https://a.example/old", story="path:old"))
    world.tick(bot)
    world.catalog.delete("old")
    world.catalog.put(article("new", title="T", link="https://a.example/new", story="path:new"))
    world.tick(bot)
    world.catalog.put(article("fr/new", title="neu", link="https://a.example/fr/new", story="path:new"))
    world.tick(bot)
    assert states_of(world) == {"new": "sent", "fr/new": "skipped"}
    assert len(world.chat.requests) == 1


def test_the_article_that_covers_a_story_is_stored_as_a_value(world: World) -> None:
    """Only a delivery that was left out names the other article, as a value instead of a text."""
    bot = world.started()
    world.catalog.put(article("first", link="https://e.example/x"))
    world.tick(bot)
    world.catalog.put(article("second", link="https://www.e.example/x?utm_source=b"), article("other"))
    world.tick(bot)
    found = {each.article_id: (each.cause, each.covered_by) for each in world.deliveries()}
    assert found["second"] == (Cause.SAME_STORY, "first")
    assert found["first"] == found["other"] == (Cause.NONE, None)
    second = next(each for each in world.deliveries() if each.article_id == "second")
    assert second.reason == "same story already posted: first"
    assert orders.replay(world.database, second.id, world.clock()).done
    assert next(each for each in world.deliveries() if each.article_id == "second").covered_by is None
