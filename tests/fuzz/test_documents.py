"""Article files, whatever a contributor writes, as feeds, pages and chat messages."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import pytest
from hypothesis import example
from hypothesis import strategies as st
from lxml import etree

from articles.article import Article
from articles.conventions import Conventions, Generator
from articles.errors import ArticleError
from articles.files.folder import Folder
from articles.reading import frontmatter
from articles.reading.surroundings import SurroundingFiles
from bot.services import SERVICES, Detail
from bot.services.message import compose
from tests.contracts.case import payload_of
from tests.contracts.kinds import CASES
from tests.fuzz.budget import fuzz
from tests.fuzz.checks import active_elements, assert_inert, assert_page_is_sound, strict_json, strict_xml
from tests.fuzz.seeds import article_files, mutated, plausible_files
from tests.site import ArticleSite, Clock, Web
from text.markup import sanitise

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ArticleSite, Web]]:
    """A site that lasts for all examples."""
    site = ArticleSite(tmp_path_factory.mktemp("site"), Clock())
    web = Web(site)
    yield site, web
    web.newswire.catalog.close()


def own_elements(site: ArticleSite, web: Web, path: str) -> Counter[str]:
    """Return the active elements of a page over harmless articles."""
    return active_elements(web.get(path).text)


def show(site: ArticleSite, web: Web, files: list[str]) -> None:
    """Put only these article files into the folder, and refresh the catalog."""
    for old in site.root.rglob("*.md"):
        old.unlink()
    for number, text in enumerate(files):
        site.raw(f"sub/a{number}.md", text)
    web.refresh()


def documents(web: Web) -> Iterator[tuple[str, Any]]:
    """Yield the address and the answer of every document that shows the articles."""
    now = web.newswire.clock()
    slugs = [summary.topic.slug for summary in web.newswire.catalog.summaries(now)]
    for slug in ["all", *slugs]:
        for extension in ("rss", "atom", "json"):
            address = f"/feeds/{quote(slug, safe='')}.{extension}"
            yield address, web.get(address)
    for address in ["/", "/topics", "/feeds.opml", "/search?q=a", "/build"]:
        yield address, web.get(address)
    for slug in slugs:
        address = f"/topics/{quote(slug, safe='')}"
        yield address, web.get(address)
    for article in web.newswire.catalog.scan():
        address = f"/articles/{quote(article.id, safe='/')}"
        yield address, web.get(address)


def check_feed(address: str, body: bytes) -> None:
    """Fail if a feed is malformed, or if a reader would run something in an entry."""
    if address.endswith(".json"):
        feed = strict_json(body)
        contents = [item.get("content_html", "") for item in feed["items"]]
    else:
        # A channel's own description is plain text, as its title is.
        entries = strict_xml(body).iter("item", f"{ATOM}entry")
        found = (each for entry in entries for each in entry.iter(CONTENT, f"{ATOM}content", "description"))
        contents = [each.text or "" for each in found]
    for content in contents:
        assert_inert(content)


@fuzz(files=st.lists(article_files, min_size=1, max_size=4), examples=12)
@example(
    files=[
        "---\ntitle: <script>x</script>\ndate: 2026-05-01\ntopics: ['<b>', '..', '%2F']\n---\n<b onclick=x>"
    ]
)
def test_every_document_is_sound(running: tuple[ArticleSite, Web], files: list[str]) -> None:
    """Feeds parse strictly without active content; pages have only their own elements; nothing is a 5xx."""
    site, web = running
    show(site, web, ["---\ntitle: Plain\ndate: 2026-05-01\ntopics: [Plain]\n---\nText"])
    own = {kind: own_elements(site, web, path) for kind, path in OWN.items()}
    show(site, web, files)
    for address, answer in documents(web):
        assert answer.status_code in (200, 301, 302, 308, 404, 410), (address, answer.status_code)
        if answer.status_code != 200:
            continue
        if address.startswith("/feeds/"):
            check_feed(address, answer.data)
        elif address == "/feeds.opml":
            strict_xml(answer.data)
        else:
            kind = address.split("?")[0].split("/")[1]
            assert_page_is_sound(answer.text, own[kind])


OWN = {
    "": "/",
    "topics": "/topics",
    "search": "/search?q=a",
    "build": "/build",
    "articles": "/articles/sub/a0",
}


DATA_FILES = (
    "_config.yml", "_config.toml", "hugo.toml", "hugo.json", "pelicanconf.py", "_index.md", "sub/_index.md",
    "sub/sub.json", "_data/authors.yml", "authors.json", ".eleventy.js", "docusaurus.config.js",
)  # fmt: skip
DATA = (
    b"defaults:\n  - scope: {path: '', type: posts}\n    values: {draft: true, layout: x}\n",
    b"cascade:\n  - _target: {path: '**'}\n    draft: true\n",
    b"[[cascade]]\ndraft = true\n[cascade._target]\npath='*'\n",
    b"DEFAULT_METADATA = {'status': 'draft'}\nTIMEZONE = 'Europe/Paris'\nimport os\n",
    b'{"draft": true}',
    b"[" * 5000,
    b"anna:\n  name: Anna\nbob: Bob\n",
    b"---\ntitle: S\ncascade: {type: x}\n---\n",
    b"defaults: [[[1]]]\n",
    b"\xff\xfe",
    b"a: &a [x, x]\nb: [*a, *a]\n",
    b"title: " + b"x" * 50_000,
    b"permalink: /:year/:title/\ntimezone: ../../etc/passwd\n",
)


@fuzz(
    files=st.dictionaries(
        st.sampled_from(DATA_FILES), st.one_of(st.sampled_from(DATA), mutated(DATA)), min_size=1, max_size=4
    ),
    text=article_files,
    generator=st.sampled_from(get_args(Generator)),
    examples=30,
)
def test_data_files_beside_the_articles_are_values_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], text: str, generator: Generator
) -> None:
    """With any data files of a generator, a file is an article, none, or an ArticleError."""
    root = tmp_path_factory.getbasetemp() / "beside"
    shutil.rmtree(root, ignore_errors=True)
    for name, data in {"sub/2026-05-01-a.md": text.encode(), **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    folder = Folder(root)
    context = SurroundingFiles(folder, Conventions(generator=generator)).context(folder.scan(), key=None)
    for path in ("sub/2026-05-01-a.md", "_index.md", "sub/_index.md"):
        with suppress(ArticleError):
            frontmatter.parse(text, path, context)


@fuzz(text=article_files, examples=60)
def test_a_file_is_an_article_or_an_article_error(text: str) -> None:
    """Any file gives an article or an ArticleError with a line of it, strict or not."""
    for strict in (False, True):
        error = error_of(text, strict=strict)
        if error:
            assert 1 <= error.line <= text.count("\n") + text.count("\r") + 2
            assert error.path == "a.md"


@fuzz(text=plausible_files(), examples=60)
def test_every_message_is_within_the_services_limits(text: str) -> None:
    """In every form, a message of any article stays within the documented limits and mentions nobody."""
    article = parsed(text)
    if article is None:
        return
    message = compose(article, site="News", site_url="https://news.example.org")
    for kind in SERVICES:
        case = CASES[kind]
        for detail in Detail:
            payload = payload_of(case.service.post(case.hook, message, detail))
            assert list(case.violations(payload)) == []
            assert not any(case.live.search(text) for text in case.texts(payload))


@fuzz(text=plausible_files(), examples=60)
def test_sanitised_html_stays_as_it_is(text: str) -> None:
    """Sanitising HTML a second time changes nothing that matters."""
    once = sanitise(text, "https://news.example.org/articles/a")
    assert_inert(once)
    assert_inert(sanitise(once, "https://news.example.org/articles/a"))


def error_of(text: str, *, strict: bool) -> ArticleError | None:
    try:
        frontmatter.parse(text, "a.md", strict=strict)
    except ArticleError as error:
        return error
    return None


def parsed(text: str) -> Article | None:
    try:
        found = frontmatter.parse(text, "a.md")
    except ArticleError:
        return None
    return found.article if found else None


def test_the_checks_find_what_they_look_for(tmp_path: Path) -> None:
    """Each check fails for a page, a fragment or a document that breaks its rule."""
    for bad in ("<p onclick=x>y</p>", "<a href='java\nscript:x'>y</a>", "<svg></svg>", "<script>x</script>"):
        with pytest.raises(AssertionError):
            assert_inert(bad)
    with pytest.raises(AssertionError):
        assert_page_is_sound("<body><script>x</script></body>", Counter())
    with pytest.raises(etree.XMLSyntaxError):
        strict_xml(b"<a><b></a>")
    with pytest.raises(AssertionError):
        strict_json(b"[NaN]")
