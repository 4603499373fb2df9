"""Links in bodies lead to articles, to files beside them, or to the site to which the articles belong."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

import pytest

from articles.article import Article
from articles.catalog.indexer import Indexer
from articles.catalog.served_files import ArticleFiles
from articles.files.folder import Folder
from feeds.bodies import BodyTask, Key, PreparedBody, TextCache, prepared
from feeds.links import ArticleLinks
from feeds.publisher import Publisher
from tests.site import NOON, URL, ArticleSite, Clock, news_feeds, news_site
from tests.text.test_limits import calls
from tests.waiting import WAIT_SECONDS
from text.links import mentions, name_of, target
from wiring.site import article_index

HERE = f"{URL}/articles"
B = "https://owner.example/project/b/"


def publisher_of(site: ArticleSite) -> Publisher:
    """Return a publisher over a fresh catalog that knows the files beside the articles."""
    indexer = article_index(site.config(), Folder(site.root), site.state)
    indexer.refresh()
    catalog = indexer.catalog
    files = ArticleFiles(Folder(site.root), catalog, lambda path: False)
    return Publisher(catalog, news_site(), news_feeds(), site.clock, files=files)


def content(publisher: Publisher, article_id: str) -> str:
    """Return the HTML of one entry in the feed of everything."""
    feed = publisher.feed("all", publisher.now())
    assert feed
    return next(entry.content_html for entry in feed.entries if entry.url.endswith(article_id))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[b](./b.md)", f'<a href="{HERE}/b">b</a>'),
        ("[b](b.md#part)", f'<a href="{HERE}/b#part">b</a>'),
        ("[c](sub/c.md)", '<a href="https://other.example/c">c</a>'),
        ("[c](sub/c)", '<a href="https://other.example/c">c</a>'),
        ("[c](@/sub/c.md)", '<a href="https://other.example/c">c</a>'),
        ("[c](@/content/sub/c.md)", '<a href="https://other.example/c">c</a>'),
        ("[draft](draft.md)", "<a>draft</a>"),
        ("[gone](gone.md)", "<a>gone</a>"),
        ("[out](../../out.md)", None),
        ("[data](data.csv)", "<a>data</a>"),
        ("[pdf](paper.pdf)", f'<a href="{HERE}/paper.pdf">pdf</a>'),
        ("![p](p%20q.png)", f'<img src="{HERE}/p%20q.png" alt="p">'),
        ("![no](no.png)", f'<img src="{HERE}/no.png" alt="no">'),
        ("[r](/x)", f'<a href="{URL}/x">r</a>'),
        ("[x](https://x.example/b.md)", '<a href="https://x.example/b.md">x</a>'),
    ],
)
def test_links_to_what_is_in_the_folder(site: ArticleSite, written: str, shown: str | None) -> None:
    """A link to an article's file leads to its address, one to a file beside it to this site; others go."""
    site.write("a.md", written)
    site.write("b.md")
    site.write("sub/c.md", webUrl="https://other.example/c")
    site.write("draft.md", published=False)
    for name in ("paper.pdf", "p q.png", "data.csv"):
        site.raw(name, "x")
    html = content(publisher_of(site), "/a")
    if shown is None:
        assert "out.md" not in html or f"{HERE}" not in html
    else:
        assert shown in html


@pytest.mark.parametrize(
    ("generator", "written", "shown"),
    [
        ("jekyll", "[b]({% post_url 2026-01-02-b %})", f'href="{B}"'),
        (
            "jekyll",
            "[b]({{ site.baseurl }}{% link _posts/2026-01-02-b.md %})",
            f'href="{B}"',
        ),
        ("jekyll", "[x]({% post_url 2026-01-03-none %})", "<a>x</a>"),
        ("jekyll", "![a](/a.png)", 'src="https://owner.example/a.png"'),
        ("jekyll", "[up]({{ '/up/' | relative_url }})", 'href="https://owner.example/project/up/"'),
        ("jekyll", "[up]({{ site.baseurl }}/up/)", 'href="https://owner.example/project/up/"'),
        ("hugo", '[b]({{< ref "2026-01-02-b" >}})', f'href="{B}"'),
        ("hugo", '[b]({{< relref "2026-01-02-b.md#part" >}})', f'href="{B}#part"'),
        ("pelican", "[b]({filename}2026-01-02-b.md)", f'href="{B}"'),
        ("pelican", "[b]({filename}/_posts/2026-01-02-b.md)", f'href="{B}"'),
        ("pelican", "![p]({static}/pic.png)", f'src="{HERE}/pic.png"'),
        ("pelican", "[t]({tag}rust)", "<a>t</a>"),
        ("jekyll", "[near](other.html)", 'href="https://owner.example/project/2026/a/other.html"'),
    ],
)
def test_links_of_the_generators(site: ArticleSite, generator: str, written: str, shown: str) -> None:
    """Each generator's spelling is read; rooted addresses are on the host to which the articles belong."""
    site.write("_posts/a.md", written, webUrl="https://owner.example/project/2026/a/")
    site.write("_posts/2026-01-02-b.md", webUrl=B)
    site.raw("pic.png", "x")
    site.settings = {"generator": generator, "base_url": "https://owner.example/project"}
    assert shown in content(publisher_of(site), "/a/")


@pytest.fixture
def change(site: ArticleSite) -> Callable[[], tuple[str, bool]]:
    """Return a function that refreshes, and returns what article a shows and whether its feed changed."""
    publisher = publisher_of(site)
    indexer = Indexer(publisher.catalog, Folder(site.root))

    def state() -> tuple[str, bool]:
        before = publisher.state("ai")
        indexer.refresh()
        cached = publisher.document("ai", "json")
        html = re.search(r"<p>.*?</p>", cached.document.body.decode().replace("\\", "")) if cached else None
        return html[0] if html else "", publisher.state("ai") != before

    return state


def test_a_link_follows_its_article(site: ArticleSite, change: Callable[[], tuple[str, bool]]) -> None:
    """A feed changes exactly when the linked article appears, moves or is unpublished."""
    site.write("a.md", "[the other](b.md)", topics=["AI"])
    site.write("z.md")
    assert change() == ("<p><a>the other</a></p>", True)
    site.write("b.md")
    assert change() == (f'<p><a href="{HERE}/b">the other</a></p>', True)
    site.write("z.md", title="Another title")
    assert change() == (f'<p><a href="{HERE}/b">the other</a></p>', False)
    site.write("b.md", webUrl="https://x.example/b")
    assert change() == ('<p><a href="https://x.example/b">the other</a></p>', True)
    site.write("b.md", published=False)
    assert change() == ("<p><a>the other</a></p>", True)
    site.delete("b.md")
    assert change() == ("<p><a>the other</a></p>", True)


def test_a_link_to_an_article_of_the_future_appears_with_it(site: ArticleSite) -> None:
    """The feed is rendered again at the time of the linked article, without a change of files."""
    clock = site.clock
    assert isinstance(clock, Clock)
    site.write("a.md", "[the other](b.md)", topics=["AI"])
    site.write("b.md", publishedDateTime="2026-06-01T13:00:00Z", topics=["Games"])
    publisher = publisher_of(site)

    def body() -> bytes:
        cached = publisher.document("ai", "json")
        assert cached
        return cached.document.body

    assert b"/articles/b" not in body()
    clock.advance(hours=2)
    assert b"/articles/b" in body()


def test_without_a_folder_addresses_are_only_made_absolute() -> None:
    """A feed that is built from values alone only makes addresses absolute."""
    article = Article(id="x/a", path="x/a.md", title="A", published_at=NOON, updated_at=NOON)
    links = ArticleLinks(site_url=URL)
    assert links.resolve("b.md", article, f"{HERE}/x/a") == f"{HERE}/x/b.md"
    assert links.resolve("#part", article, "https://x.example/a") == "https://x.example/a#part"
    assert links.resolve("?page=2", article, f"{HERE}/x/a") == f"{HERE}/x/a?page=2"


def test_own_pages_are_below_the_path_of_the_site() -> None:
    """A path of one of this site's pages is below its own path; others begin at the host."""
    article = Article(id="a", path="a.md", title="A", published_at=NOON, updated_at=NOON)
    here = "https://x.example/news"
    own = ArticleLinks(site_url=here)
    other = ArticleLinks(site_url=here, base_url="https://y.example/blog")
    for url, address in {
        "/topics/go?page=2#top": f"{here}/topics/go?page=2#top",
        "/feeds.opml": f"{here}/feeds.opml",
        "/topical": "https://x.example/topical",
        "/news/topics/go": f"{here}/topics/go",
        "//topics/go": "https://topics/go",
    }.items():
        assert own.resolve(url, article, f"{here}/articles/a") == address
    assert other.resolve("/topics/go", article, f"{here}/articles/a") == "https://y.example/topics/go"


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("[a](../B.md#x) ![b](c/d.png) <img src='e.gif'> [f]: <g h.md>", {"b", "d", "e", "g h"}),
        (
            '{% post_url 2026-01-02 %} {{< ref "posts/c.md" >}} {{% relref path="e" %}} require(\'d.png\')',
            {"2026-01-02", "c", "d", "e"},
        ),
        ("[a](https://x.example/b.md) [c](#d) text", set()),
        ("[a](sub/index.md) [b](index.md)", {"sub", "folder"}),
    ],
)
def test_mentions_are_all_that_a_body_may_refer_to(body: str, names: set[str]) -> None:
    """Mentions are names only, because a link may leave out the folder or the extension."""
    assert mentions(body, "folder") == names


@pytest.mark.parametrize(
    "url", ["/x", "https://x.example/", "#a", "", "../../a.md", "mailto:a@b.example", "//x/y"]
)
def test_what_is_no_file_of_the_folder(url: str) -> None:
    """No address leads out of the folder."""
    assert target(url, "folder") is None


def test_the_name_of_an_index_is_its_folders() -> None:
    """Links may name the index or its folder."""
    assert (name_of("a/Tide/index.md"), name_of("Tide/"), name_of("tide.md")) == ("tide", "tide", "tide")


def test_a_body_is_rendered_once_for_all_feeds(site: ArticleSite) -> None:
    """The feeds of an article's other topics take its text from the cache, until it changes."""
    for number in range(10):
        site.write(f"{number}.md", "Some *text* with [a link](0.md). " * 20, topics=["AI", "Games"])
    publisher = publisher_of(site)
    first = calls(lambda: publisher.feed("ai", NOON))
    second = calls(lambda: publisher.feed("games", NOON))
    assert second < first / 10
    site.write("0.md", "Other text", topics=["AI", "Games"])
    Indexer(publisher.catalog, Folder(site.root)).refresh()
    feed = publisher.feed("ai", NOON)
    assert feed and [entry.content_html for entry in feed.entries].count("<p>Other text</p>") == 1


def test_processes_read_bodies_as_this_one_does() -> None:
    """An export's bytes do not depend on the number of processors."""
    script = """if True:
        from datetime import UTC, datetime
        from articles.article import Article
        from feeds.bodies import BodySource, BodyTask, TextCache, prepared
        from feeds.workers import Workers
        texts = (f"# {n}\\n\\n*text* {{{{ x }}}}" for n in range(40))
        sources = [BodySource(text, "jekyll", "markdown", None) for text in texts]
        day = datetime(2026, 1, 1, tzinfo=UTC)
        article = Article(id="a", path="a.md", title="A", published_at=day, updated_at=day)
        url = "https://x.example"
        tasks = [BodyTask(source, article, f"{url}/a", url, True) for source in sources]
        workers = Workers(2)
        cache = TextCache(1_000_000, workers=workers)
        cache.begin(dict(enumerate(tasks)))
        assert [cache.take(key) for key in range(40)] == list(map(prepared, tasks))
        cache.begin(dict(enumerate(tasks[:3])))
        assert [cache.take(key) for key in range(3)] == [None, None, None]
        workers.close()
    """
    subprocess.run([sys.executable, "-c", script], check=True, timeout=WAIT_SECONDS)


class _InOtherProcess(TextCache):
    """Reads bodies as another process does, with only what can be sent there."""

    done: ClassVar[dict[Key, PreparedBody]] = {}

    def begin(self, tasks: Mapping[Key, BodyTask]) -> None:
        """Do the tasks at once."""
        self.done.update((key, prepared(pickle.loads(pickle.dumps(task)))) for key, task in tasks.items())

    def take(self, key: Key) -> PreparedBody | None:
        """Return the results."""
        return self.done.pop(key, None)


@pytest.mark.parametrize("base_url", [None, "https://owner.example/blog"])
def test_bodies_that_another_process_makes_safe_are_the_same(site: ArticleSite, base_url: str | None) -> None:
    """Only bodies whose links need the folder are completed in this process."""
    site.write("a.md", "# One\n\n[here](#one) [b](b.md) ![p](p.png) [r](/x)")
    site.write("b.md", "[x](https://x.example/) [r](/x)\n\n## Two\n\n[two](#two)")
    site.write("c.md", "*text* <script>x</script>", webUrl="https://other.example/c")
    site.raw("p.png", "x")
    unhelped, helped = publisher_of(site), publisher_of(site)
    for publisher in (unhelped, helped):
        publisher.catalog.conventions = replace(publisher.catalog.conventions, base_url=base_url)
    helped.texts = _InOtherProcess(1_000_000)
    feeds = [publisher.feed("all", publisher.now()) for publisher in (unhelped, helped)]
    assert feeds[0] == feeds[1]
    articles = helped.catalog.newest("all", helped.now(), limit=9)
    tasks = [helped.bodies(helped.now())._task(article, f"{HERE}/{article.id}") for article in articles]
    assert {task.article.path: prepared(task).safe for task in tasks} == {
        "a.md": False,
        "b.md": True,
        "c.md": True,
    }
