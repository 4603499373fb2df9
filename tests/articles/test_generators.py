"""What the files of site generators state in the generators' own terms."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from articles.conventions import Conventions, Generator
from articles.errors import ArticleError
from articles.files.folder import Folder
from articles.reading import frontmatter
from articles.reading.context import ReadingContext
from articles.reading.frontmatter import ParsedFile
from articles.reading.surroundings import SurroundingFiles
from tests.site import put

DATED = "title: T\ndate: 2026-01-02\n"


def read(
    head: str, path: str = "posts/some-thing.md", generator: Generator = "hugo", body: str = "x"
) -> ParsedFile:
    """Return what a file with this front matter gives."""
    context = ReadingContext(Conventions(generator=generator, base_url="https://b.example"))
    parsed = frontmatter.parse(f"---\n{head}---\n{body}\n", path, context)
    assert parsed is not None
    return parsed


@pytest.mark.parametrize(
    "generator", ["jekyll", "hugo", "zola", "pelican", "eleventy", "docusaurus", "astro"]
)
def test_a_page_without_a_date_is_no_article(generator: Generator) -> None:
    """A page without a date is skipped; in a folder of articles it is refused for its missing `date`."""
    context = ReadingContext(Conventions(generator=generator))
    for path in ("about.md", "docs/install.md", "en/careers/a.md"):
        assert frontmatter.parse("---\ntitle: T\n---\nx\n", path, context) is None
    for path in ("posts/a.md", "en/blog/a.md", "2025/news/a.md"):
        with pytest.raises(ArticleError, match="date: is missing"):
            frontmatter.parse("---\ntitle: T\n---\nx\n", path, context)


def test_the_place_of_the_folder_says_what_it_holds(tmp_path: Path) -> None:
    """A folder of articles may be the folder that is read, or lie above it."""
    put(tmp_path / "content/blog/2026/a.md", "")
    for below, is_article in (("content/blog", True), ("content/blog/2026", True), ("content", False)):
        folder = Folder(tmp_path / below)
        context = SurroundingFiles(folder, Conventions(generator="hugo")).context(folder.scan(), 0)
        if is_article:
            with pytest.raises(ArticleError, match="date: is missing"):
                frontmatter.parse("---\ntitle: T\n---\n", "a.md", context)
        else:
            assert frontmatter.parse("---\ntitle: T\n---\n", "a.md", context) is None


@pytest.mark.parametrize(
    ("generator", "head", "body", "title"),
    [
        ("hugo", "title: null\n", "x", "Some thing"),
        ("zola", "", "# A heading\n\nx", "A heading"),
        ("plain", "tags: [a]\n", "# A heading\n\nx", "A heading"),
        ("eleventy", "eleventyNavigation:\n  key: Moved\n", "x", "Moved"),
        ("eleventy", "eleventyNavigation: 3\n", "x", "Some thing"),
        ("jekyll", "", "x", "Some Thing"),
    ],
)
def test_what_takes_the_place_of_a_title(generator: Generator, head: str, body: str, title: str) -> None:
    """Without a title, the first heading counts, or with a generator the file's name."""
    parsed = read(f"date: 2026-01-02\n{head}", generator=generator, body=body)
    assert parsed.article.title == title
    assert any("the file's name" in reason for _, reason in parsed.warnings) == (title == "Some thing")


def test_a_name_in_place_of_a_title_keeps_its_points() -> None:
    """`version-1.2.0.md` is not "Version 1"; a language at the end is no part of the name."""
    for name in ("version-1.2.0.md", "version-1.2.0.fr.md"):
        assert read("date: 2026-01-02\n", f"posts/{name}", "docusaurus").article.title == "Version 1.2.0"


def test_an_index_without_a_title_has_its_folders_name() -> None:
    """A page that represents its folder is named after it, as `a-walk/index.md` and `a-walk/+page.md`."""
    for name in ("index.md", "+page.md"):
        assert read("date: 2026-01-02\n", f"posts/a-walk/{name}", "astro").article.title == "A walk"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (
            "[Ada Lovelace](https://a.example) (Engines),\n  [Bob B](https://b.example)",
            ("Ada Lovelace", "Bob B"),
        ),
        ("[Ada](https://a.example) and [Bob](https://b.example) & C", ("Ada", "Bob", "C")),
        ("<a href='https://a.example'>Ada</a>, <a href='https://b.example'>Bob</a>", ("Ada", "Bob")),
        ("[Ada Bo](https://a.example), software engineer", ("Ada Bo",)),
        ("Smith, John", ("Smith, John",)),
        ("Ann Lee, Bo van Li, and Łucja J. Ro", ("Ann Lee", "Bo van Li", "Łucja J. Ro")),
        ("Ann Lee and Bo Li", ("Ann Lee", "Bo Li")),
        ("Ann Lee, Site Reliability Engineer", ("Ann Lee, Site Reliability Engineer",)),
        ("Acme, Inc.", ("Acme, Inc.",)),
        ("Research and Development", ("Research and Development",)),
        ("Ann Lee and the web team", ("Ann Lee and the web team",)),
    ],
)
def test_authors_with_links(written: str, meant: tuple[str, ...]) -> None:
    """Markdown links or a list of full names name several people; any other text is one name."""
    assert read(f"{DATED}author: >\n  {written}\n").article.authors == meant


def test_what_is_no_picture_costs_nothing() -> None:
    """A theme's banner of any type gives no warning, and an empty text is no value."""
    parsed = read(f"{DATED}banner: {{content: Hi}}\nfeatured_image: {{uid: x}}\nlastmod: ''\nslug: 12\n")
    assert (parsed.article.images, parsed.warnings) == ((), ())
    assert parsed.article.link == "https://b.example/posts/12/"
    parsed = read(f"{DATED}cover: {{light: /a.png, alt: A}}\n")
    assert [image.url for image in parsed.article.images] == ["https://b.example/a.png"]
    parsed = read(f"{DATED}image: '@/assets/a.png'\n")
    assert (parsed.article.images, len(parsed.warnings)) == ((), 1)


def test_a_picture_needs_the_site(tmp_path: Path) -> None:
    """Where the site of a picture's path is unknown, the warning names the setting."""
    context = ReadingContext(Conventions(generator="hugo"), root=tmp_path)
    parsed = frontmatter.parse(f"---\n{DATED}image: /a.png\n---\n", "posts/a.md", context)
    assert parsed is not None
    assert "set articles.base_url" in parsed.warnings[0][1]


def test_an_excerpt_without_markup() -> None:
    """An excerpt loses its paragraphs, links and paired tags, and keeps their text."""
    head = f"{DATED}excerpt: '<p>See <a href=\"/x\">*this*</a> and [that](https://b.example), a < b.</p>'\n"
    assert read(head).article.summary == "See this and that, a < b."


def test_the_author_of_a_pelican_site(tmp_path: Path) -> None:
    """AUTHOR in Pelican's settings applies to articles without an author."""
    put(tmp_path / "pelicanconf.py", "AUTHOR = 'The Team'\n")
    put(tmp_path / "content/a.md", "")
    folder = Folder(tmp_path / "content")
    context = SurroundingFiles(folder, Conventions(generator="pelican")).context(folder.scan(), 0)
    for head, expected in (("", "The Team"), ("Author: Ada\n", "Ada")):
        parsed = frontmatter.parse(f"Title: T\nDate: 2026-01-02\n{head}\nx\n", "a.md", context)
        assert parsed is not None
        assert parsed.article.authors == (expected,)


def test_the_data_of_an_eleventy_folder(tmp_path: Path) -> None:
    """The folder of articles itself may have a data file too."""
    put(tmp_path / "posts/posts.json", '{"draft": true}')
    put(tmp_path / "posts/a.md", "")
    folder = Folder(tmp_path / "posts")
    context = SurroundingFiles(folder, Conventions(generator="eleventy")).context(folder.scan(), 0)
    parsed = frontmatter.parse(f"---\n{DATED}---\n", "a.md", context)
    assert parsed is not None
    assert not parsed.article.is_published


@pytest.mark.parametrize(
    ("written", "path", "result"),
    [
        ("11-9-2017", "2017-09-11-a.md", 11),
        ("9/11/2017", "2017/09/11/a.md", 11),
        ("11-9-2017", "2017-09-12-a.md", "can mean two different days"),
        ("11-9-2017", "a.md", "can mean two different days"),
        ("31-31-2017", "2017-09-11-a.md", "is not a date"),
    ],
)
def test_a_date_that_can_mean_two_days(written: str, path: str, result: int | str) -> None:
    """An ambiguous date is read as the day in the file's name or path if it can mean it, or else refused."""
    head = f"title: T\ndate: {written}\n"
    if isinstance(result, str):
        with pytest.raises(ArticleError, match=f"date: {result}"):
            read(head, f"_posts/{path}", "jekyll")
    else:
        found = read(head, f"_posts/{path}", "jekyll").article
        assert found.published_at == datetime(2017, 9, result, tzinfo=UTC)


@pytest.mark.parametrize("key", ["pubDatetime", "datetime", "publishedAt", "published_at", "datePublished"])
def test_the_names_that_themes_give_a_date(key: str) -> None:
    """Every name of the date's key is read, and a better known name comes first."""
    assert read(f"title: T\n{key}: 2026-01-02\n", "a.md", "astro").article.published_at.day == 2
    assert read(f"title: T\n{key}: 2026-01-02\ndate: 2026-01-03\n").article.published_at.day == 3


@pytest.mark.parametrize(
    ("settings", "slug"),
    [
        ("", "a-title"),
        ("SLUGIFY_USE_UNICODE = True\n", "a-titl%C3%A9"),
        ("SLUGIFY_SOURCE = 'basename'\n", "2026-01-02-some_name"),
        ("FILENAME_METADATA = r'(?P<date>\\d{4}-\\d{2}-\\d{2})[-_](?P<slug>.*)'\n", "Some_Name"),
        ("FILENAME_METADATA = '(?P<slug>.*)'\n", "2026-01-02-Some_Name"),
    ],
)
def test_slugs_of_a_pelican_site(tmp_path: Path, settings: str, slug: str) -> None:
    """Slugs come from titles, or from file names where the settings say so."""
    put(tmp_path / "pelicanconf.py", settings)
    name = "2026-01-02-Some_Name.md"
    put(tmp_path / "content" / name, "")
    folder = Folder(tmp_path / "content")
    conventions = Conventions(generator="pelican", base_url="https://b.example")
    context = SurroundingFiles(folder, conventions).context(folder.scan(), 0)
    parsed = frontmatter.parse("Title: A titlé\nDate: 2026-01-02\n\nx\n", name, context)
    assert parsed is not None
    assert parsed.article.link == f"https://b.example/{slug}.html"


def test_a_template_that_is_not_run_is_noted_without_a_pattern() -> None:
    """A template in the front matter gives a warning, unless the settings have a pattern."""
    text = "---\ntitle: T\ndate: 2026-01-02\npermalink: '/{{ title | upcase }}/'\n---\nx\n"
    for pattern, count in ((None, 1), ("/:year/:filename/", 0)):
        conventions = Conventions(generator="eleventy", base_url="https://b.example", permalink=pattern)
        parsed = frontmatter.parse(text, "posts/a.md", ReadingContext(conventions))
        assert parsed is not None
        assert len(parsed.warnings) == count


def test_dates_in_a_mapping() -> None:
    """The creation and change dates that Material for MkDocs has below one key are read."""
    found = read("title: T\ndate:\n  created: 2026-01-02\n  updated: 2026-01-04\n", "a.md", "pelican").article
    assert (found.published_at.day, found.updated_at.day) == (2, 4)
    with pytest.raises(ArticleError, match="date: must be a date, not a mapping"):
        read("title: T\ndate: {at: 3}\n", "a.md", "pelican")


def test_the_pages_of_a_pelican_site(tmp_path: Path) -> None:
    """Files in PAGE_PATHS, by default `pages`, are no articles, even with a date."""
    text = "Title: T\nDate: 2026-01-02\n\nx\n"
    for settings, pages, other in (("", "pages", "about"), ("PAGE_PATHS = ['about']\n", "about", "pages")):
        put(tmp_path / "pelicanconf.py", settings)
        for below, prefix in (("content", ""), (".", "content/")):
            put(tmp_path / "content/a.md", "")
            folder = Folder(tmp_path / below)
            context = SurroundingFiles(folder, Conventions(generator="pelican")).context(folder.scan(), 0)
            assert frontmatter.parse(text, f"{prefix}{pages}/a.md", context) is None
            assert frontmatter.parse(text, f"{prefix}{other}/a.md", context) is not None


def test_the_name_of_a_project_says_nothing_of_its_pages(tmp_path: Path) -> None:
    """A page without a date is no article, even where its project is called blog."""
    put(tmp_path / "blog/config.toml", 'base_url = "https://b.example"\n')
    put(tmp_path / "blog/content/pages/a.md", "")
    folder = Folder(tmp_path / "blog/content")
    context = SurroundingFiles(folder, Conventions(generator="zola")).context(folder.scan(), 0)
    assert frontmatter.parse("---\ntitle: T\n---\n", "pages/a.md", context) is None
    with pytest.raises(ArticleError, match="date: is missing"):
        frontmatter.parse("---\ntitle: T\n---\n", "posts/a.md", context)


def test_a_readme_in_a_dated_folder_is_no_article() -> None:
    """A README in a dated folder is skipped; any other file with a heading there is an article."""
    context = ReadingContext(Conventions(generator="hugo"))
    text = "# A heading\n\nWords.\n"
    assert frontmatter.parse(text, "post/2026-01-02-a/lib/README.md", context) is None
    assert frontmatter.parse(text, "post/2026-01-02-a/other.md", context) is not None


@pytest.mark.parametrize("name", ["_defaults.md", "#2026-01-02-a.md"])
def test_jekyll_reads_no_file_that_begins_with_these_characters(name: str) -> None:
    """A template in `_posts` is no article, and not one that lacks its date."""
    context = ReadingContext(Conventions(generator="jekyll"))
    assert frontmatter.parse("---\ntitle:\ndate:\n---\n", f"_posts/{name}", context) is None


@pytest.mark.parametrize(
    ("head", "generator", "title", "topics"),
    [
        ("title: A\ndate: 2026-01-02\ntags:\n  - x\n  - y z\n", "jekyll", "A", ("x", "y z")),
        ("title: A: B\ndate: 2026-01-02\ntags: x\n", "plain", "A: B", ("x",)),
        ("---\ntitle: A: B\ndate: 2026-01-02\ntags: x, y\n", "pelican", "A: B", ("x", "y")),
    ],
)
def test_heads_of_other_forms(head: str, generator: Generator, title: str, topics: tuple[str, ...]) -> None:
    """Hexo needs no `---` above the front matter, and Pelican no YAML between its fences."""
    context = ReadingContext(Conventions(generator=generator))
    parsed = frontmatter.parse(f"{head}---\n\nWords.\n", "posts/a.md", context)
    assert parsed is not None
    article = parsed.article
    assert (article.title, article.topics, article.body) == (title, topics, "Words.")
    hidden = frontmatter.parse(f"{head}draft: true\n---\n\nWords.\n", "posts/a.md", context)
    assert hidden is not None
    assert not hidden.article.is_published


def test_the_pictures_of_starters() -> None:
    """With a generator, the keys of its starters have pictures; in the own format they mean nothing."""
    head = f"{DATED}heroImage: /a.png\n"
    assert [image.url for image in read(head, generator="astro").article.images] == [
        "https://b.example/a.png"
    ]
    assert read(f"{DATED}cover_image: ./a.png\n").article.images
    assert not read(head, generator="plain").article.images


def test_lines_of_pelican_that_end_at_the_text() -> None:
    """With `pelican`, the body begins at the first line without a key, also where no blank one is above."""
    text = "Title: A\nTags: b,\n    c\nThe body: begins.\n\nMore.\n"
    parsed = frontmatter.parse(text, "2026-01-02-a.md", ReadingContext(Conventions(generator="pelican")))
    assert parsed is not None
    assert (parsed.article.topics, parsed.article.body) == (("b", "c"), "The body: begins.\n\nMore.")
    assert frontmatter.parse(text, "2026-01-02-a.md") is None


def test_front_matter_without_keys() -> None:
    """Jekyll renders each file with front matter, also with an empty one: it has the heading as its title."""
    context = ReadingContext(Conventions(generator="jekyll"))
    parsed = frontmatter.parse("---\n---\n\n# A\n\nx\n", "_posts/2026-01-02-a.md", context)
    assert parsed is not None
    assert parsed.article.title == "A"
    assert frontmatter.parse("---\n# note\n---\n\n# A\n\nx\n", "docs/a.md", context) is None


def test_a_rule_below_other_lines_ends_no_front_matter() -> None:
    """`---` marks a front matter only directly below its lines, and where these have a title."""
    for text in ("note: a\n---\nWords.\n", "words\n---\ntitle: a\n", "title: a: b\nwords\n---\n"):
        assert frontmatter.parse(text, "2026-01-02-a.md") is None
    parsed = frontmatter.parse("Title: A\n\nWords.\n\n---\n\nMore.\n", "2026-01-02-a.md")
    assert parsed is not None
    assert parsed.article.body == "Words.\n\n---\n\nMore."
    with pytest.raises(ArticleError, match="quotes"):
        read("title: A: B\n", generator="jekyll")


def test_dates_as_programs_write_them() -> None:
    """The form of Unix's `date` and forms with too many colons are read."""
    for written, hour in (
        ("Fri Sep  3 11:21:31 CEST 2021", datetime(2021, 9, 3, 9, 21, 31, tzinfo=UTC)),
        ("2021-09-03 09:21::31 +00:00", datetime(2021, 9, 3, 9, 21, 31, tzinfo=UTC)),
    ):
        assert read(f"title: T\ndate: {written}\n").article.published_at == hour
    parsed = frontmatter.parse("---\ntitle: T\n---\n", "2007/04-19-name.md")
    assert parsed is not None
    assert parsed.article.published_at == datetime(2007, 4, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "head", "story"),
    [
        ("en/posts/a.md", "", "path:posts/a"),
        ("ja/posts/a.md", "permalink: /x/\n", "path:posts/a"),
        ("posts/a.pt-BR.md", "", "path:posts/a"),
        ("posts/2026/a.md", "", "path:posts/2026/a"),
        ("posts/a.md", "translationKey: K\n", "translation:K"),
        ("posts/a.md", "permalink: /x/\n", None),
        ("en/posts/a.md", "canonical_url: https://c.example/a\n", None),
    ],
)
def test_what_translations_have_in_common(path: str, head: str, story: str | None) -> None:
    """Translations share their path without the language, or a key; else their own addresses."""
    assert read(DATED + head, path).article.story == story


def test_an_article_on_a_page_of_this_site_is_no_story() -> None:
    """An article on a page of this site has a story only where the generator's folder names its language."""
    for generator, path, story in (
        ("plain", "en/a.md", None),
        ("hugo", "a.md", None),
        ("hugo", "en/a.md", "path:a"),
    ):
        context = ReadingContext(Conventions(generator=generator))  # type: ignore[arg-type]
        parsed = frontmatter.parse(f"---\n{DATED}---\n", path, context)
        assert parsed is not None
        assert parsed.article.story == story
