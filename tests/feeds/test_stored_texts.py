"""An export reuses the texts of earlier exports, and shows nothing outdated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from feeds import bodies, stored_texts
from feeds.export import export
from feeds.stored_texts import StoredTexts
from tests.site import ArticleSite, Clock


@pytest.fixture
def exported(
    site: ArticleSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], tuple[int, str]]:
    """Export, and return how many texts were rendered for it, and the feed of everything."""
    rendered: list[object] = []
    unsafe_html = bodies.unsafe_html

    def counted(source: bodies.BodySource) -> str:
        rendered.append(source)
        return unsafe_html(source)

    monkeypatch.setattr(bodies, "unsafe_html", counted)

    def run() -> tuple[int, str]:
        rendered.clear()
        indexer = site.indexer()
        indexer.refresh()
        export(site.publisher(indexer.catalog), tmp_path / "out")
        indexer.catalog.close()
        return len(rendered), (tmp_path / "out/feeds/all.json").read_text()

    return run


def test_a_second_export_makes_no_text_again(
    site: ArticleSite, exported: Callable[[], tuple[int, str]], tmp_path: Path
) -> None:
    """A second export has the same bytes; only changed texts are rendered, or all without the file."""
    site.write("a.md", "Some *text*.")
    site.write("b.md", "Other `text`.")
    first = exported()
    assert first[0] == 2
    assert exported() == (0, first[1])
    site.write("a.md", "New *text*.")
    count, feed = exported()
    assert count == 1
    assert "New <em>text</em>" in feed
    (site.state / "texts.sqlite").unlink()
    assert exported() == (2, feed)


def test_a_damaged_file_costs_only_time(site: ArticleSite, exported: Callable[[], tuple[int, str]]) -> None:
    """A damaged file is replaced."""
    site.write("a.md", "Some *text*.")
    _, feed = exported()
    (site.state / "texts.sqlite").write_bytes(b"no database" * 1000)
    assert exported()[1] == feed
    assert exported() == (0, feed)


def test_a_link_to_another_article_is_looked_up_each_time(
    site: ArticleSite, exported: Callable[[], tuple[int, str]]
) -> None:
    """A link to an article that is no longer published is removed from an unchanged text."""
    site.write("a.md", "See [b](b.md).")
    site.write("b.md", "Text.")
    assert '/articles/b\\"' in exported()[1]
    site.write("b.md", "Text.", published=False)
    assert '/articles/b\\"' not in exported()[1]


def test_another_version_of_the_program_makes_all_again(tmp_path: Path, clock: Clock) -> None:
    """The key of a text includes everything that its rules depend on."""
    one = StoredTexts(tmp_path / "texts.sqlite", clock, program="1")
    key = one.key("body", "plain")
    one.put(key, "<p>a</p>")
    one.finish()
    again = StoredTexts(tmp_path / "texts.sqlite", clock, program="1")
    assert again.get(again.key("body", "plain")) == "<p>a</p>"
    assert again.get(again.key("body", "hugo")) is None
    other = StoredTexts(tmp_path / "texts.sqlite", clock, program="2")
    assert other.key("body", "plain") not in other
    assert len(stored_texts.program_version()) == 32


def test_what_is_not_used_for_long_goes(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts that were not used for long are removed, and the least used ones above the size limit."""
    path = tmp_path / "texts.sqlite"

    def use(*names: str) -> set[str]:
        stored = StoredTexts(path, clock, program="1")
        before = {name for name in "abc" if stored.key(name) in stored}
        for name in names:
            if stored.get(stored.key(name)) is None:
                stored.put(stored.key(name), "x" * 100)
        stored.finish()
        return before

    use("a", "b")
    clock.advance(days=20)
    use("a")
    clock.advance(days=20)
    assert use("a") == {"a", "b"}
    assert use() == {"a"}
    monkeypatch.setattr(stored_texts, "MAX_BYTES", 250)
    clock.advance(days=1)
    use("b", "c")
    assert use() == {"b", "c"}


def test_few_texts_wait_to_be_written(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of another process are counted too, and written before the end."""
    monkeypatch.setattr(stored_texts, "MAX_UNWRITTEN", 10)
    here = StoredTexts(tmp_path / "texts.sqlite", clock, program="1")
    elsewhere = StoredTexts(tmp_path / "texts.sqlite", clock, program="1")
    here.put(b"a", "a" * 6)
    elsewhere.put(b"b", "b" * 6)
    here.add(elsewhere.collect())
    assert not elsewhere.collect().new
    later = StoredTexts(tmp_path / "texts.sqlite", clock, program="1")
    assert [later.get(key) for key in (b"a", b"b", b"c")] == ["a" * 6, "b" * 6, None]
