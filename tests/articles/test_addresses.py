"""The address of an article on the site it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from articles.conventions import Conventions, Generator
from articles.files.folder import Folder
from articles.reading import frontmatter
from articles.reading.context import ReadingContext, Surroundings
from articles.reading.surroundings import SurroundingFiles
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
    context = ReadingContext(Conventions(generator=generator, base_url=BASE, permalink=pattern))
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
        ("_posts/2026-03-04-Mixed_Case.md", "jekyll", {"permalink": "/:slug/"}, "/mixed-case/"),
        (
            "_posts/2026-03-04-a.md",
            "jekyll",
            {"permalink": "/:w_year/:week/:long_day/"},
            "/2026/10/Wednesday/",
        ),
        ("_posts/2026-03-04-My Post [2] v1.0.md", "jekyll", {}, "/2026/03/04/My-Post-2-v1.0.html"),
        ("posts/My Post.md", "hugo", {}, "/posts/my-post/"),
        ("It's/a - b, v1.0 (c)!.md", "hugo", {}, "/its/a-b-v1.0-c/"),
        ("posts/a/index.md", "hugo", {"slug": "s"}, "/posts/s/"),
        ("posts/a.fr.md", "hugo", {}, "/posts/a/"),
        ("posts/a.md", "zola", {"path": "x/Y"}, "/x/Y/"),
        ("posts/2026-03-04-tool-0.12_(Été).md", "zola", {}, "/posts/tool-0-12-ete/"),
        ("posts/a/index.md", "zola", {"slug": "v1.2"}, "/posts/v1-2/"),
        ("posts/Straße, œuvre.md", "zola", {}, "/posts/strasse-oeuvre/"),
        ("posts/Объём 2 — год.md", "zola", {}, "/posts/ob-iom-2-god/"),
        ("posts/什么是 北京?.md", "zola", {}, "/posts/shen-me-shi-bei-jing/"),
        ("a.md", "pelican", {}, "/a-title.html"),
        ("a.md", "pelican", {"slug": "s"}, "/s.html"),
        ("a.md", "pelican", {"title": "Élan: ½ Привет, しゃしん"}, "/elan-12-privet-shiyashin.html"),
        ("blog/2026-03-04-a.md", "docusaurus", {}, "/blog/2026/03/04/a"),
        ("blog/2026-03-04-a.md", "docusaurus", {"slug": "s"}, "/blog/s"),
        ("blog/a.md", "docusaurus", {}, "/blog/a"),
        ("posts/2026-03-04-a.md", "eleventy", {}, "/posts/a/"),
        ("posts/2026-03-04-a.html.md", "astro", {}, "/posts/a/"),
        ("posts/a/+page.md", "astro", {}, "/posts/a/"),
        ("posts/a/a.md", "eleventy", {}, "/posts/a/"),
        ("posts/a/2026-03-04-index.md", "eleventy", {"permalink": "'/b/{{ page.fileSlug }}/'"}, "/b/a/"),
        ("posts/a.md", "eleventy", {"permalink": "'/{{ title | upcase }}/'"}, "/posts/a/"),
        ("posts/a.md", "eleventy", {"permalink": "'/{{ title | slug }}/'"}, "/a-title/"),
        ("posts/2026-03-04-a.md", "eleventy", {"permalink": "'/web/{{ page.fileSlug }}/'"}, "/web/a/"),
        ("posts/2026-03-04-a.md", "eleventy", {"permalink": "'{{ page.filePathStem }}/'"}, "/posts/a/"),
        ("a.md", "eleventy", {"permalink": "'/b/{{ title | slugify }}/index.html'"}, "/b/a-title/"),
        (
            "posts/a.md",
            "eleventy",
            {"permalink": "\"/{{ page.date | date: '%Y/%m' }}/{{ page.fileSlug }}/\""},
            "/2026/03/a/",
        ),
    ],
)
def test_addresses_below_base_url(
    path: str, generator: Generator, keys: dict[str, str], expected: str
) -> None:
    """The address is the article's own, or by a pattern, the generator's default or the file's path."""
    assert link(path, generator, keys=keys) == expected


@pytest.mark.parametrize(
    ("permalink", "expected"),
    [
        ("/:year/:month/:day/:slug/", "/2026/03/04/a-title/"),
        ("/:short_year/:i_month/:i_day/:title", "/26/3/4/a-title"),
        ("/:y_day/:filename.html", "/063/a.html"),
        ("/{date:%Y}/{date:%m}/{slug}.html", "/2026/03/a-title.html"),
        ("/:section/:sections[1:]/:slug/", "/x/y/a-title/"),
        ("/:monthname/:weekdayname/:slug", "/march/wednesday/a-title"),
        ("/no/placeholder", "/no/placeholder"),
        ("/:quartz_path", "/x/y/a"),
        ("/:nuxt_path", "/x/y/a"),
        ("/:path_with_date", "/x/y/2026-03-04-a"),
        ("/:unknown/:slug", "/:unknown/a-title"),
    ],
)
def test_a_pattern(permalink: str, expected: str) -> None:
    """Every generator's placeholders work, by date and name.

    Hugo's `:slug` and `:title` come from the title.
    """
    assert link("x/y/2026-03-04-a.md", "hugo", permalink) == expected


def test_a_pattern_of_the_generators_own_configuration() -> None:
    """The generator's pattern, for a section or for all, applies where config.yaml has none."""
    beside = Surroundings(permalinks={"": "/:slug/", "blog": "/:year/:slug/"}, prefix="")
    for path, expected in (("blog/a.md", f"{BASE}/2026/a/"), ("x/a.md", f"{BASE}/a/")):
        context = ReadingContext(Conventions(generator="hugo", base_url=BASE), beside)
        parsed = frontmatter.parse("---\ntitle: A\ndate: 2026-03-04\n---\n", path, context)
        assert parsed is not None
        assert parsed.article.link == expected


def test_days_are_those_of_the_sites_zone() -> None:
    """An article of late evening in UTC has the next day in its address in Tokyo; its id has no date."""
    text = "---\ntitle: T\ndate: 2026-03-04T23:00:00Z\n---\n"
    conventions = Conventions(generator="jekyll", base_url=BASE, timezone="Asia/Tokyo")
    parsed = frontmatter.parse(text, "_posts/2026-03-05-a.md", ReadingContext(conventions))
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
    """A picture in the folder is on this site, and a rooted path is on the other site.

    Hidden files and files outside the folder are not served.
    """
    for name in ("x/a.png", "b.png", "x/.hidden.png"):
        put(tmp_path / "c" / name, b"x")
    context = ReadingContext(Conventions(base_url=base_url), root=tmp_path / "c")
    text = f"---\ntitle: T\ndate: 2026-03-04\nimage: '{reference}'\n---\n"
    parsed = frontmatter.parse(text, "x/a.md", context)
    assert parsed is not None
    assert [image.url for image in parsed.article.images] == ([expected] if expected else [])
    assert bool(parsed.warnings) == (expected is None)


def test_numbers_that_order_files() -> None:
    """Nuxt leaves the numbers before a point out of addresses, and Newswire what is not in them."""
    assert link("1.Blog/2.A name.md", "astro", "/:nuxt_path") == "/blog/a-name"


@pytest.mark.parametrize(
    ("title", "expected"),
    [("A & B, C++", "a-b-c++"), ("It’s – here", "its-here"), ("One-two  3.10", "one-two-3.10")],
)
def test_a_title_in_an_address(title: str, expected: str) -> None:
    """Hugo leaves punctuation out, and puts one hyphen between words."""
    keys = {"title": f'"{title}"'}
    assert link("posts/x.md", "hugo", "/:title/", keys) == f"/{expected}/"


def languages(
    tmp_path: Path, generator: Generator, path: str, below: str = "content", head: str = ""
) -> str | None:
    """Return the address of a file in a project with these files."""
    put(tmp_path / "content" / path, f"---\ntitle: T\ndate: 2026-03-04\n{head}---\n")
    folder = Folder(tmp_path / below, top=tmp_path)
    context = SurroundingFiles(folder, Conventions(generator=generator, base_url="https://b.example"))
    name = path.removeprefix(f"{below.removeprefix('content').strip('/')}/".removeprefix("/"))
    parsed = frontmatter.parse(
        (tmp_path / "content" / path).read_text(), name, context.context(folder.scan(), 0)
    )
    assert parsed is not None
    return parsed.article.link


HUGO = """
defaultContentLanguage = "en"
[permalinks]
posts = "/:year/:filename/"
[languages.en]
contentDir = "content/en"
[languages.fr]
contentDir = "content/fr"
[languages.de]
contentDir = "content/de"
baseURL = "https://de.example/"
[languages.de.permalinks]
posts = "/blatt/:filename/"
"""


@pytest.mark.parametrize(
    ("path", "below", "expected"),
    [
        ("en/posts/a.md", "content", "https://b.example/2026/a/"),
        ("fr/posts/a.md", "content", "https://b.example/fr/2026/a/"),
        ("fr/posts/a.md", "content/fr/posts", "https://b.example/fr/2026/a/"),
        ("en/posts/a.md", "content/en", "https://b.example/2026/a/"),
        ("de/posts/a.md", "content", "https://b.example/blatt/a/"),
    ],
)
def test_the_languages_of_hugo(tmp_path: Path, path: str, below: str, expected: str) -> None:
    """The default language is at the site's root, the others below their code, with patterns of their own."""
    put(tmp_path / "hugo.toml", HUGO)
    assert languages(tmp_path, "hugo", path, below) == expected


def test_a_split_configuration_of_hugo(tmp_path: Path) -> None:
    """Languages and patterns may be in files of their own, and a suffix also names the language."""
    put(tmp_path / "config/_default/hugo.toml", 'baseURL = "https://b.example"\n')
    put(tmp_path / "config/_default/permalinks.toml", 'posts = "/:year/:filename/"\n')
    put(tmp_path / "config/_default/languages.fr.toml", 'label = "Français"\n')
    put(tmp_path / "config/_default/languages.en.toml", 'label = "English"\n')
    assert languages(tmp_path, "hugo", "posts/a.fr.md") == "https://b.example/fr/2026/a/"
    assert languages(tmp_path, "hugo", "posts/a.md") == "https://b.example/2026/a/"
    put(tmp_path / "config/_default/languages/languages.de.toml", 'label = "Deutsch"\n')
    assert languages(tmp_path, "hugo", "posts/a.de.md") == "https://b.example/de/2026/a/"
    put(tmp_path / "config/_default/languages.zh-hant-tw.toml", 'label = "繁體中文"\n')
    assert (
        languages(tmp_path, "hugo", "posts/a/index.zh-hant-tw.md") == "https://b.example/zh-hant-tw/2026/a/"
    )


def test_the_languages_of_zola(tmp_path: Path) -> None:
    """A file's suffix names its language, which comes first in the address."""
    put(tmp_path / "config.toml", 'base_url = "https://b.example"\n[languages.fr]\n')
    assert languages(tmp_path, "zola", "posts/a.fr.md") == "https://b.example/fr/posts/a/"
    assert languages(tmp_path, "zola", "posts/a.md") == "https://b.example/posts/a/"
    put(
        tmp_path / "config.toml",
        'base_url = "https://b.example"\n[languages.fr]\n'
        '[slugify]\npaths = "safe"\npaths_keep_dates = true\n',
    )
    assert (
        languages(tmp_path, "zola", "posts/2026-01-02-a_B.1.md")
        == "https://b.example/posts/2026-01-02-a_B.1/"
    )
    # A path in the front matter is the whole path: Zola puts no language in front of it.
    assert languages(tmp_path, "zola", "posts/b.fr.md", head="path: fr/b\n") == "https://b.example/fr/b/"


@pytest.mark.parametrize(
    ("generator", "mark", "folder", "expected"),
    [
        ("eleventy", "eleventy.config.js", "src/blog", "https://b.example/blog/a/"),
        ("eleventy", "eleventy.config.js", "_posts", "https://b.example/_posts/a/"),
        ("astro", "astro.config.mjs", "src/content/docs/blog", "https://b.example/blog/a/"),
        ("docusaurus", "docusaurus.config.js", "blog", "https://b.example/blog/a"),
        ("docusaurus", "package.json", "content/blog", "https://b.example/blog/a"),
    ],
)
def test_the_folder_of_articles_is_in_the_address(
    tmp_path: Path, generator: Generator, mark: str, folder: str, expected: str
) -> None:
    """The folder is in the address if it is in the generator's, and once if the site's address has it."""
    text = "---\ntitle: T\ndate: 2026-03-04\n---\n"
    put(tmp_path / mark, "")
    put(tmp_path / folder / "a.md", text)
    articles = Folder(tmp_path / folder, top=tmp_path)
    last = folder.rpartition("/")[2]
    for base_url in ("https://b.example", f"https://b.example/{last}"):
        beside = SurroundingFiles(articles, Conventions(generator=generator, base_url=base_url))
        parsed = frontmatter.parse(text, "a.md", beside.context(articles.scan(), 0))
        assert parsed is not None
        assert parsed.article.link == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [("", "2026-03-04-a"), ('[frontmatter]\ndate = [":filename", ":default"]\n', "a")],
)
def test_the_date_in_a_name_in_hugo(tmp_path: Path, config: str, expected: str) -> None:
    """A date in the name is in the address, unless the site's configuration reads it as a date."""
    put(tmp_path / "hugo.toml", f'baseURL = "https://b.example"\n{config}')
    assert languages(tmp_path, "hugo", "posts/2026-03-04-a.md") == f"https://b.example/posts/{expected}/"


@pytest.mark.parametrize(
    ("path", "below", "expected"),
    [
        ("_posts/2026-03-04-a.md", "_posts", "/blog/a/"),
        ("_posts/2026-03-04-a.md", ".", "/blog/a/"),
        ("_news/b.md", "_news", "/news/b"),
        ("_other/c.md", "_other", "/2026/03/04/c.html"),
        ("more/2026-03-04-a.md", "more", "/2026/03/04/a.html"),
        ("_shown/b/c.md", ".", "/shown/b/c.html"),
        ("all/_news/2026-03-04-a.md", "all", "/news/2026/a/"),
        ("all/_news/2026-03-04-a.md", ".", "/news/2026/a/"),
        ("all/_shown/b/c.md", "all", "/shown/b/c.html"),
    ],
)
def test_the_collections_of_jekyll(tmp_path: Path, path: str, below: str, expected: str) -> None:
    """A collection's own pattern holds for the files in its folder, wherever all collections are."""
    top = "collections_dir: all\n" if path.startswith("all/") else ""
    news = "/:collection/:year/:title/" if top else "/:collection/:path"
    put(
        tmp_path / "_config.yml",
        f"permalink: date\n{top}collections:\n  posts: {{permalink: '/blog/:title/'}}\n"
        f"  news: {{permalink: '{news}'}}\n  other:\n  shown: {{output: true}}\n",
    )
    put(tmp_path / path, "---\ntitle: T\ndate: 2026-03-04\n---\nx\n")
    folder = Folder(tmp_path / below, top=tmp_path)
    context = SurroundingFiles(folder, Conventions(generator="jekyll", base_url=BASE)).context(
        folder.scan(), 0
    )
    name = (tmp_path / path).relative_to(tmp_path / below).as_posix()
    parsed = frontmatter.parse((tmp_path / path).read_text(), name, context)
    assert parsed is not None
    assert parsed.article.link == BASE + expected


@pytest.mark.parametrize(
    ("config", "path", "expected"),
    [
        ("new_post_name: :title.md\n", "b/2026-03-05-a.md", "/2026/03/04/b/2026-03-05-a/"),
        ("permalink: /blog/:title/\n", "2026-03-05-a.md", "/blog/a/"),
        ("permalink: /:year/:abbrlink.html\n", "a.md", "/2026/1a2b.html"),
        ("permalink: :category/:name.html\n", "b/a.md", "/D/E-f/a.html"),
        ("permalink: /:title/\nnew_post_name: :year-:month-:day-:title.md\n", "2026-03-05-a.md", "/a/"),
    ],
)
def test_the_addresses_of_hexo(tmp_path: Path, config: str, path: str, expected: str) -> None:
    """`:title` is the path below `_posts`, with the date in a name unless `new_post_name` has one."""
    put(tmp_path / "_config.yml", f"title: X\n{config}")
    text = "---\ntitle: T\ndate: 2026-03-04\nabbrlink: 1a2b\ncategories: [D, E f]\n---\nx\n"
    put(tmp_path / "source/_posts" / path, text)
    for below in ("source/_posts", "source"):
        folder = Folder(tmp_path / below, top=tmp_path)
        context = SurroundingFiles(folder, Conventions(generator="jekyll", base_url=BASE)).context(
            folder.scan(), 0
        )
        name = path if below.endswith("_posts") else f"_posts/{path}"
        parsed = frontmatter.parse(text, name, context)
        assert parsed is not None
        assert parsed.article.link == BASE + expected


def test_folders_in_a_collection_of_jekyll_are_no_categories(tmp_path: Path) -> None:
    """The folders above `_posts` are categories, and those in it are not, from wherever they are read."""
    text = "---\ntitle: T\n---\nx\n"
    put(tmp_path / "_config.yml", "title: X\n")
    put(tmp_path / "b/_posts/c/2026-03-04-a.md", text)
    for below, category in ((".", "/b"), ("b", ""), ("b/_posts", "/b"), ("b/_posts/c", "/b")):
        folder = Folder(tmp_path / below, top=tmp_path)
        context = SurroundingFiles(folder, Conventions(generator="jekyll", base_url=BASE)).context(
            folder.scan(), 0
        )
        path = (tmp_path / "b/_posts/c/2026-03-04-a.md").relative_to(tmp_path / below).as_posix()
        parsed = frontmatter.parse(text, path, context)
        assert parsed is not None
        assert parsed.article.link == f"{BASE}{category}/2026/03/04/a.html"
