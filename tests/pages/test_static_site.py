"""The whole site as static files: every link in it leads to a file, on any host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from lxml import etree

from feeds.errors import ExportError
from storage.static_folder import ExportCounts, StaticFolder
from tests.commands import run_here
from tests.pages.parsed import parse
from tests.site import ArticleSite, Clock, Web, put
from wiring.static_site import export_site

IMPOSSIBLE = (
    "/articles/../../up", f"/articles/{'x' * 400}", "/articles/https%3A//a.example//b",
)  # fmt: skip
"""Pages whose folders cannot have the names that their articles' ids ask for."""
DYNAMIC = ("/search?", "/build", "/admin", "/topics?q")


def write_articles(site: ArticleSite, count: int) -> None:
    """Write articles with pictures, in a tree of topics, some with ids that no folder can have."""
    site.topics = [{"name": "Go"}, {"name": "Tools", "parent": "Go"}]
    site.feeds |= {"digest": "week", "size": 10}
    for number in range(count):
        site.write(
            f"{number}.md", f"[next]({number + 1}.md) ![](pictures/a.png)", title=f"A number {number}",
            publishedDateTime=f"2026-05-{number % 28 + 1:02}", topics=["Go", "日本"], quality=number,
        )  # fmt: skip
    site.write("2026/intro.md", "![](../pictures/a.png)", title="“Intro” & <more>", topics=["Tools"])
    site.write("2026.md", "[in](2026/intro.md#x) [out](https://o.example/?page=2)", topics=["Tools"])
    for number, name in enumerate(("../../up", "https://a.example//b", ".hidden", "x" * 400, "a b?page=2#c")):
        site.write(f"odd-{number}.md", "Text", id=name, topics=["Tools"])
    site.write("elsewhere.md", title="Elsewhere", webUrl="https://w.example/a", topics=["Tools"])
    site.write("code.md", 'See `<a href="/topics/go?page=2">` there', topics=["Tools"])
    site.write("draft.md", "Hidden", title="A draft", draft=True, topics=["Tools"])
    put(site.root / "pictures" / "a.png", b"picture")


def export(site: ArticleSite) -> tuple[Web, Path]:
    """Export a site, and return it with the folder of its files."""
    web = Web(site)
    web.refresh()
    folder = site.home / "out"
    _, dead = export_site(web.newswire, folder)
    assert sorted(dead) == [("feeds", address) for address in sorted(IMPOSSIBLE)]
    return web, folder


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Web, Path]]:
    """A site with several pages of its lists, and the folder of its export, both not to be changed."""
    site = ArticleSite(tmp_path_factory.mktemp("site"), Clock())
    write_articles(site, 41)
    web, folder = export(site)
    yield web, folder
    web.newswire.catalog.close()


@pytest.fixture
def small(site: ArticleSite) -> Iterator[tuple[Web, Path]]:
    """A site of few articles that tests may change, and the folder of its export."""
    write_articles(site, 1)
    web, folder = export(site)
    yield web, folder
    web.newswire.catalog.close()


def addresses(file: Path) -> set[str]:
    """Return every address in a file that a client follows."""
    if file.suffix == ".html":
        return {str(link) for link in parse(file.read_text()).xpath("//@href | //@src | //@action")}
    if file.parts[-2] == "articles" and file.suffix == ".json":
        return {href for _, href, *_ in json.loads(file.read_text())}
    if file.parts[-2] == "words":
        return set()
    if file.parts[-2:] == ("search", "index.json"):
        return {href for _, href, *_ in json.loads(file.read_text())["topics"]}
    if file.suffix == ".json":
        feed = json.loads(file.read_text())
        own: Any = [feed["home_page_url"], feed["feed_url"], feed.get("next_url", feed["feed_url"])]
        return {*own, *(item["url"] for item in feed["items"])}
    if file.suffix in (".xml", ".opml", ".rss", ".atom"):
        tree = etree.fromstring(file.read_bytes())
        found: Any = tree.xpath(
            "//@href | //@xmlUrl | //@htmlUrl | //@url"
            " | //*[local-name()='loc' or local-name()='link']/text()"
        )
        return {str(each).strip() for each in found} - {""}
    if file.suffix == ".webmanifest":
        manifest = json.loads(file.read_text())
        return {manifest["start_url"], *(icon["src"] for icon in manifest["icons"])}
    return set()


def is_there(folder: Path, path: str) -> bool:
    """Return whether a static host would serve something at an encoded path."""
    file = folder / unquote(path).lstrip("/")
    assert file.resolve().is_relative_to(folder.resolve())
    return file.is_file() if not path.endswith("/") and file.is_file() else (file / "index.html").is_file()


def check_links(folder: Path, url: str) -> int:
    """Fail for a link that leads nowhere, and return the number of links."""
    count = 0
    for file in folder.rglob("*"):
        for address in addresses(file) if file.is_file() and file.name[0] != "." else ():
            absolute = urljoin(f"{url}/", address)
            if absolute == url or absolute.startswith(f"{url}/"):
                parts = urlsplit(absolute.removeprefix(url))
                if parts.path in IMPOSSIBLE and file.suffix != ".html":
                    continue
                assert not parts.query, f"{address} in {file}"
                assert is_there(folder, parts.path), f"{address} in {file}"
                count += 1
    return count


def test_every_link_leads_to_a_file(exported: tuple[Web, Path]) -> None:
    """Links of pages, feeds, archives, digests, lists of feeds, the sitemap and the manifest all work."""
    web, folder = exported
    assert check_links(folder, web.newswire.publisher.site.url) > 1000
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files >= {
        "index.html", "404.html", "page/2/index.html", "topics/index.html", "topics/go/index.html",
        "topics/go/page/3/index.html", "topics/日本/index.html", "articles/2026/index.html",
        "articles/2026/intro/index.html", "articles/pictures/a.png", "feeds.opml", "feeds/go.atom",
        "feeds/go/2026-05.rss", "digests/go.json", "digests/go/2026-W21/index.html", "sitemap.xml",
        "search/index.html", "search/index.json", "search/articles/0.json", "search/words/67.json",
        "robots.txt", "manifest.webmanifest", "favicon.ico", "apple-touch-icon.png",
    }  # fmt: skip
    text = "".join(path.read_text() for path in folder.rglob("*.html"))
    assert "A draft" not in text
    assert not [link for link in DYNAMIC if f'="{link}' in text or f"example.org{link}" in text]
    assert '&lt;a href="/topics/go?page=2"&gt;' in text  # text that is no link stays as it was written


def test_a_page_is_what_the_server_sends(exported: tuple[Web, Path]) -> None:
    """The text is the same, links to pages end in a slash, and the policy is in the page."""
    web, folder = exported
    page = (folder / "articles/2026/intro/index.html").read_text()
    served = parse(web.get("/articles/2026/intro").text)
    assert parse(page).findtext(".//h1") == served.findtext(".//h1")
    assert 'href="/topics/tools/"' in page
    assert '<link rel="canonical" href="https://news.example.org/articles/2026/intro/">' in page
    [policy] = parse(page).xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    sent = web.get("/articles/2026/intro").headers["Content-Security-Policy"]
    assert sent == f"{policy}; frame-ancestors 'none'"
    assert "Page not found" in (folder / "404.html").read_text()


def test_only_what_changed_is_written(small: tuple[Web, Path], site: ArticleSite) -> None:
    """Others' files stay, and files of removed pages are removed."""
    web, folder = small
    (folder / "CNAME").write_text("news.example.org")
    count = sum(path.is_file() and not path.name.startswith(".") for path in folder.rglob("*")) - 1
    again, _ = export_site(web.newswire, folder)
    assert again == (0, count, 0)
    site.delete("2026.md")
    put(site.root / "pictures" / "a.png", b"another")
    (site.root / "pictures" / "a.png").rename(site.root / "pictures" / "b.png")
    web.refresh()
    words = len(list(folder.glob("search/words/*")))
    changed, dead = export_site(web.newswire, folder)
    words -= len(list(folder.glob("search/words/*")))
    assert changed.removed == 2 + words
    assert not (folder / "articles/2026/index.html").exists()
    assert (folder / "articles/2026/intro/index.html").exists()
    assert (folder / "articles/pictures/b.png").read_bytes() == b"another"
    assert (folder / "CNAME").exists()
    assert not [address for _, address in dead if address.startswith("/topics")]


def test_below_a_path(site: ArticleSite) -> None:
    """On GitHub Pages sites are below the repository's name; dead links are named with their page."""
    url = "https://me.example/blog"
    site.write("bad.md", f"[gone]({url}/nowhere) [other]({url}/search?q=a)", topics=["Go"])
    own = site.config()
    config = own.model_copy(update={"site": own.site.model_copy(update={"url": url})})
    folder = site.home / "out"
    done = run_here(config, {}, "site", "export", str(folder), clock=Clock())
    assert done.exit_code == 0
    assert done.stdout.endswith("0 unchanged, 0 removed\n")
    assert sorted(done.stderr.splitlines()) == [
        "/articles/bad: broken link: /nowhere",
        "/articles/bad: broken link: /search?q=a",
    ]
    again = json.loads(run_here(config, {}, "site", "export", str(folder), "--json", clock=Clock()).stdout)
    assert (again["written"], again["removed"], again["dead_links"]) == (0, 0, 2)
    page = (folder / "index.html").read_text()
    assert 'href="/blog/topics/"' in page and 'href="/topics' not in page
    assert is_there(folder, "/topics/go/")


def test_links_with_other_slashes(site: ArticleSite) -> None:
    """A page is found with a slash at its end too, and no number of slashes leads out of the folder."""
    url = "https://news.example.org"
    slashes = ("//[", "//topics/go", "////topics/go", "/articles//b", "/topics/../b", "/topics/go%2F")
    site.write("a.md", " ".join(f"[a]({url}{path})" for path in ("/articles/b/", "/topics/go/", *slashes)))
    site.write("b.md", "Text", topics=["Go"])
    web = Web(site)
    web.refresh()
    folder = site.home / "out"
    _, dead = export_site(web.newswire, folder)
    web.newswire.catalog.close()
    assert {address for _, address in dead} == {"//%5B", *slashes[1:]}
    for page in ("articles/b", "topics/go"):
        assert "<h1" in (folder / page / "index.html").read_text()


def test_the_manifest_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    """Nothing outside the folder is removed, whatever the manifest and symbolic links say."""
    folder, outside = tmp_path / "out", tmp_path / "outside"
    put(outside / "precious.txt", "precious")
    folder.mkdir()
    (folder / "linked").symlink_to(outside)
    (folder / "m.json").write_text('["linked/precious.txt", "../outside/precious.txt"]')
    files = StaticFolder(folder, "m.json", lambda path: True)
    assert files.finish() == ExportCounts(0, 0, 2)
    assert (outside / "precious.txt").exists()


def test_the_site_of_another_program_is_not_replaced(site: ArticleSite, tmp_path: Path) -> None:
    """Nothing is written into a folder with a front page that no export wrote; the error says what to do."""
    put(tmp_path / "public/index.html", "another site")
    done = run_here(site.config(), {}, "site", "export", str(tmp_path / "public"), clock=Clock())
    assert done.exit_code == 1
    assert "index.html was not written by an export and would be replaced: export into" in done.stderr
    assert [each.read_text() for each in (tmp_path / "public").iterdir()] == ["another site"]


def test_a_folder_that_cannot_be_written_is_an_error(small: tuple[Web, Path]) -> None:
    """The error has path and reason, and no partial file is left."""
    web, folder = small
    (folder / "index.html").unlink()
    (folder / "index.html").mkdir()
    with pytest.raises(ExportError, match=r"index\.html: Is a directory"):
        export_site(web.newswire, folder)
    hidden = {path.name for path in folder.rglob(".*") if path.is_file()}
    assert hidden == {".newswire-export.json", ".newswire-site.json"}
