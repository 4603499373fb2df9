"""A repeated static export: only what changed is rendered, and the result equals a first export."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.render import Renderer
from tests.site import ArticleSite, Clock, Web, put
from web.document import Document
from wiring.static_site import export_site

TOPICS = ("Go", "Tools", "日本")
NAMES = ("a", "b", "c", "sub/d", "sub/e")


@contextmanager
def exporting(
    site: ArticleSite, processes: int | None = None
) -> Iterator[Callable[[Path], list[tuple[str, str]]]]:
    """Return a function that exports a site as it is now, and returns the broken links."""
    web = Web(site)
    web.refresh()
    try:
        yield lambda folder: sorted(export_site(web.newswire, folder, most_processes=processes)[1])
    finally:
        web.newswire.catalog.close()


def export_again(site: ArticleSite) -> None:
    """Export a site repeatedly into the same folder, in this process."""
    with exporting(site, processes=1) as export:
        export(site.home / "out")


def contents(folder: Path) -> dict[str, bytes]:
    """Return every published file below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name[:9] != ".newswire")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def write(site: ArticleSite, name: str, seed: int) -> None:
    """Write an article whose text, links, picture, times and topics follow from a number."""
    other = NAMES[seed % len(NAMES)]
    keys = {
        "title": f"{name} {seed % 7}",
        "topics": [topic for place, topic in enumerate(TOPICS) if seed >> place & 1],
        "quality": seed % 90,
        "publishedDateTime": f"2026-0{5 + seed % 2}-{seed % 27 + 1:02}T12:00:00Z",
        "updated": f"2026-06-{seed % 20 + 1:02}T18:00:00Z" if seed % 3 == 0 else None,
        "expiryDate": "2026-06-03T00:00:00Z" if seed % 11 == 0 else None,
        "draft": True if seed % 13 == 0 else None,
        "image": "p.png" if seed % 5 == 0 else None,
    }
    up = "../" * name.count("/")
    site.write(f"{name}.md", f"[to]({up}{other}.md) ![]({up}p.png) text {seed % 4}", **keys)


def change(site: ArticleSite, clock: Clock, kind: int, seed: int) -> None:
    """Change the articles, a picture, the settings or the time."""
    name = NAMES[seed % len(NAMES)]
    if kind < 4:
        write(site, name, seed // len(NAMES))
    elif kind == 4:
        (site.root / f"{name}.md").unlink(missing_ok=True)
    elif kind == 5:
        put(site.root / "p.png", b"picture" * (seed % 3)) if seed % 4 else (
            (site.root / "p.png").unlink(missing_ok=True)
        )
    elif kind == 6:
        clock.advance(hours=seed % 60)
    elif kind == 7:
        parent = "Go" if seed % 2 else None
        site.topics = [{"name": "Go", "description": f"{seed % 3}"}, {"name": "Tools", "parent": parent}]
        site.feeds = {"digest": ("day", "week", None)[seed % 3], "size": 10}
    else:  # only the time of the file changes
        put(site.root / f"{name}.md", file.read_bytes()) if (
            file := site.root / f"{name}.md"
        ).exists() else None


@settings(max_examples=3, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 5000)), min_size=3, max_size=5))
def test_an_export_over_an_earlier_one_is_the_same_as_a_first_one(changes: list[tuple[int, int]]) -> None:
    """The files are the same after any changes of articles, topics, links, files, settings and time."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as home:
        site = ArticleSite(Path(home), clock)
        put(site.root / "p.png", b"picture")
        for place, name in enumerate(NAMES[:3]):
            write(site, name, 8 + 3 * place)
        for step, (kind, seed) in enumerate(((0, 17), *changes)):
            change(site, clock, kind, seed)
            with exporting(site) as export:
                again, first = site.home / "again", site.home / f"first-{step}"
                assert export(again) == export(first)
                assert contents(again) == contents(first)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the templates, in the order in which they are rendered."""
    names: list[str] = []
    before = Renderer.document

    def document(self: Renderer, template: str, **values: object) -> Document:
        names.append(template)
        return before(self, template, **values)  # type: ignore[arg-type]

    monkeypatch.setattr(Renderer, "document", document)
    return names


def test_only_pages_that_show_what_changed_are_rendered(site: ArticleSite, rendered: list[str]) -> None:
    """A change of a text renders the article's page; of a title also its lists and the neighbours' pages."""
    for number in range(30):
        _write_numbered(site, number)
    export_again(site)
    assert len(rendered) > 30
    rendered.clear()
    export_again(site)
    assert rendered == []
    _write_numbered(site, 3, body="Another text")
    export_again(site)
    assert rendered == ["article.html"]
    rendered.clear()
    _write_numbered(site, 3, title="Another title")
    export_again(site)
    assert rendered.count("article.html") == 3  # its own page, and those of the older and the newer article
    assert set(rendered) == {"article.html", "home.html", "topic.html"}


def _write_numbered(site: ArticleSite, number: int, body: str = "Text", title: str = "") -> None:
    site.write(
        f"{number}.md", body, title=title or f"Number {number}", excerpt="Excerpt",
        topics=["Go" if number < 15 else "Rust"], publishedDateTime=f"2026-05-{number + 1:02}",
    )  # fmt: skip


def test_a_page_that_somebody_changed_is_written_again(site: ArticleSite) -> None:
    """Changed and deleted files are written again, and all files if the record of exports is damaged."""
    site.write("a.md", "Text", topics=["Go"])
    out = site.home / "out"
    with exporting(site) as export:
        export(out)
        before = contents(out)
        (out / "index.html").write_text("mine")
        (out / "articles" / "a" / "index.html").unlink()
        export(out)
        assert contents(out) == before
        (out / "index.html").write_text("mine")
        for file in site.state.glob("exported-*.sqlite*"):
            file.write_bytes(b"damaged" * 1000)
        export(out)
        assert contents(out) == before


def test_a_link_that_leads_nowhere_is_named_until_it_leads_somewhere(site: ArticleSite) -> None:
    """Each export names it, even if its page is unchanged; a path that no page links to is not looked up."""
    url = "https://news.example.org"
    site.write("a.md", f"[b]({url}/articles/b) [c]({url}/elsewhere/c)", topics=["Go"])
    out = site.home / "out"
    dead = [("/articles/a", address) for address in ("/articles/b", "/elsewhere/c")]
    for _ in range(2):
        with exporting(site) as export:
            assert export(out) == dead
    site.write("b.md", "Text", topics=["Go"])
    with exporting(site) as export:
        assert export(out) == dead[1:]
    (site.root / "b.md").unlink()
    with exporting(site) as export:
        assert export(out) == dead
