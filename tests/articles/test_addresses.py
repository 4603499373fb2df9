"""Where an article lives on the site it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from articles.conventions import Conventions, Generator
from articles.reading import frontmatter
from articles.reading.context import Context, Surroundings
from tests.site import put

BASE = "https://b.example/site"


def link(
    path: str,
    generator: Generator = "plain",
    pattern: str | None = None,
    keys: Mapping[str, str] = MappingProxyType({}),
) -> str | None:
    """Return the address of an article with these keys below BASE."""
    values = {"title": "A Title", "date": "2026-03-04"} | dict(keys)
    lines = "".join(f"{key}: {value}\n" for key, value in values.items())
    context = Context(Conventions(generator=generator, base_url=BASE, permalink=pattern))
    parsed = frontmatter.parse(f"---\n{lines}---\n", path, context)
    assert parsed is not None
    assert parsed.article.link is None or parsed.article.link.startswith("https://")
    return parsed.article.link and parsed.article.link.removeprefix(BASE)


@pytest.mark.parametrize(
    ("path", "generator", "keys", "expected"),
    [
        ("x/2026-03-04-a.md", "plain", {}, "/x/a"),
        ("x/a.md", "plain", {"slug": "s"}, "/x/s"),
        ("x/a/index.md", "plain", {}, "/x/a/"),
        ("x/a/index.md", "plain", {"slug": "s"}, "/x/s/"),
        ("index.md", "plain", {}, "/"),
        ("a.md", "plain", {"permalink": "/p/"}, "/p/"),
        ("a.md", "plain", {"url": "u.html"}, "/u.html"),
        ("a.md", "plain", {"webUrl": "https://w.example/"}, "https://w.example/"),
        ("a.md", "plain", {"canonical_url": "https://c.example/"}, "https://c.example/"),
        ("a.md", "plain", {"permalink": "https://p.example/"}, "https://p.example/"),
        ("_posts/2026-03-04-a.md", "jekyll", {}, "/2026/03/04/a.html"),
        ("old/_posts/2026-03-04-a.md", "jekyll", {"categories": "B c"}, "/old/b/c/2026/03/04/a.html"),
        ("_posts/2026-03-04-a.md", "jekyll", {"permalink": "/:year/:title/"}, "/2026/a/"),
        ("_posts/2026-03-04-a.md", "jekyll", {"permalink": "pretty"}, "/2026/03/04/a/"),
        ("_posts/2026-03-04-Mixed_Case.md", "jekyll", {"permalink": "/:slug/"}, "/mixed_case/"),
        ("posts/My Post.md", "hugo", {}, "/posts/my-post/"),
        ("posts/a/index.md", "hugo", {"slug": "s"}, "/posts/s/"),
        ("posts/a.fr.md", "hugo", {}, "/posts/a/"),
        ("posts/a.md", "zola", {"path": "x/Y"}, "/x/Y/"),
        ("a.md", "pelican", {}, "/a-title.html"),
        ("a.md", "pelican", {"slug": "s"}, "/s.html"),
        ("blog/2026-03-04-a.md", "docusaurus", {}, "/blog/2026/03/04/a"),
        ("blog/2026-03-04-a.md", "docusaurus", {"slug": "s"}, "/blog/s"),
        ("blog/a.md", "docusaurus", {}, "/blog/a"),
        ("posts/2026-03-04-a.md", "eleventy", {}, "/posts/a/"),
        ("posts/a.md", "eleventy", {"permalink": "'/{{ title | slug }}/'"}, "/posts/a/"),
    ],
)
def test_addresses_below_base_url(
    path: str, generator: Generator, keys: dict[str, str], expected: str
) -> None:
    """An address of its own, a path, the generator's default, or the file's path."""
    assert link(path, generator, keys=keys) == expected


@pytest.mark.parametrize(
    ("permalink", "expected"),
    [
        ("/:year/:month/:day/:slug/", "/2026/03/04/a/"),
        ("/:short_year/:i_month/:i_day/:title", "/26/3/4/a"),
        ("/:y_day/:filename.html", "/063/a.html"),
        ("/{date:%Y}/{date:%m}/{slug}.html", "/2026/03/a.html"),
        ("/:section/:sections[1:]/:slug/", "/x/y/a/"),
        ("/:monthname/:weekdayname/:slug", "/march/wednesday/a"),
        ("/no/placeholder", "/no/placeholder"),
        ("/:unknown/:slug", "/:unknown/a"),
    ],
)
def test_a_pattern(permalink: str, expected: str) -> None:
    """Every generator's placeholders, by the article's date and name."""
    assert link("x/y/2026-03-04-a.md", "hugo", permalink) == expected


def test_a_pattern_of_the_generators_own_configuration() -> None:
    """It holds where config.yaml has none, for a section or for all."""
    beside = Surroundings(permalinks={"": "/:slug/", "blog": "/:year/:slug/"}, prefix="")
    for path, expected in (("blog/a.md", f"{BASE}/2026/a/"), ("x/a.md", f"{BASE}/a/")):
        context = Context(Conventions(generator="hugo", base_url=BASE), beside)
        parsed = frontmatter.parse("---\ntitle: T\ndate: 2026-03-04\n---\n", path, context)
        assert parsed is not None
        assert parsed.article.link == expected


def test_days_are_those_of_the_sites_zone() -> None:
    """An article of late evening in UTC is the next day's in Tokyo; its id follows none of this."""
    text = "---\ntitle: T\ndate: 2026-03-04T23:00:00Z\n---\n"
    conventions = Conventions(generator="jekyll", base_url=BASE, timezone="Asia/Tokyo")
    parsed = frontmatter.parse(text, "_posts/2026-03-05-a.md", Context(conventions))
    assert parsed is not None
    assert parsed.article.link == f"{BASE}/2026/03/05/a.html"
    assert parsed.article.id == "_posts/2026-03-05-a"


@pytest.mark.parametrize(
    ("reference", "base_url", "expected"),
    [
        ("a.png", None, "/articles/x/a.png"),
        ("./a.png", BASE, "/articles/x/a.png"),
        ("../b.png", BASE, "/articles/b.png"),
        ("/b.png", None, "/articles/b.png"),
        ("/b.png", BASE, "https://b.example/b.png"),
        ("gone.png", BASE, "https://b.example/site/x/gone.png"),
        ("gone.png", None, None),
        ("../../etc/passwd", None, None),
        (".hidden.png", None, None),
        ("//cdn.example/a.png", BASE, "https://cdn.example/a.png"),
        ("//cdn.example/a.png", None, None),
        ("data:image/png;base64,AA", BASE, None),
    ],
)
def test_pictures(tmp_path: Path, reference: str, base_url: str | None, expected: str | None) -> None:
    """One in the folder is served by this site, a rooted one by the other's; nothing hidden or outside."""
    for name in ("x/a.png", "b.png", "x/.hidden.png"):
        put(tmp_path / "c" / name, b"x")
    context = Context(Conventions(base_url=base_url), root=tmp_path / "c")
    text = f"---\ntitle: T\ndate: 2026-03-04\nimage: '{reference}'\n---\n"
    parsed = frontmatter.parse(text, "x/a.md", context)
    assert parsed is not None
    assert [image.url for image in parsed.article.images] == ([expected] if expected else [])
    assert bool(parsed.warnings) == (expected is None)
