"""`flask init` writes a config file that suits an existing folder."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

import config as configuration
from articles.conventions import PLAIN
from articles.detection import advice
from articles.files.folder import Folder
from articles.project import examine
from tests.articles.gitserver import Origin
from tests.site import put
from tests.waiting import WAIT_SECONDS
from wiring.init_command import init_command

ROOT = Path(__file__).resolve().parent.parent
POST = "---\ntitle: T\ncategories: [x]\n---\nText.\n"
DATED = "---\ntitle: T\ndate: 2026-01-02\ntags: [x]\n---\nText.\n"


def init(home: Path, *arguments: str, code: int = 0) -> str:
    """Run the command where no config file exists, and return its output."""
    command = [str(Path(sys.executable).parent / "flask"), "init", *arguments]
    environ = {"PATH": os.environ["PATH"], "NEWSWIRE_CONFIG": str(home / "config.yaml"), "HOME": str(home)}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("files", "printed", "expected"),
    [
        (
            {
                "_config.yml": "title: My blog\nurl: https://blog.example\nbaseurl: /log\n"
                "timezone: Europe/Paris\n",
                "_posts/2026-01-02-a.md": POST,
                "_posts/2026-01-03-b.markdown": POST.replace("title", "published: no\ntitle"),
            },
            "Jekyll, 1 published post, 1 not published, dates from file names, topics from categories",
            ("_posts", "jekyll", "https://blog.example/log", "My blog", "Europe/Paris"),
        ),
        (
            {
                "hugo.toml": 'baseURL = "https://h.example/"\nlanguageCode = "de-at"\n'
                '[languages.en]\ntitle = "H"\n',
                "content/posts/a.md": DATED,
            },
            "Hugo, 1 published post, topics from tags",
            ("content", "hugo", "https://h.example", "H", "UTC"),
        ),
        (
            {"config.toml": 'base_url = "https://z.example"\ntitle = "Z"\n', "content/a.md": DATED},
            "Zola, 1 published post, topics from tags",
            ("content", "zola", "https://z.example", "Z", "UTC"),
        ),
        (
            {
                "pelicanconf.py": "import os\nSITENAME = 'P'\nTIMEZONE = 'Asia/Tokyo'\nraise SystemExit(3)\n",
                "publishconf.py": "SITEURL = 'https://p.example'\n",
                "content/a.md": "Title: A\nDate: 2026-01-01\nTags: x\n\nText\n",
            },
            "Pelican, 1 published post, topics from tags",
            ("content", "pelican", "https://p.example", "P", "Asia/Tokyo"),
        ),
        (
            {
                "docusaurus.config.js": "export default {\n  title: 'D',\n  url: 'https://d.example',\n"
                "  baseUrl: '/x/',\n}",
                "blog/2026-01-05-fast/index.mdx": POST,
            },
            "Docusaurus, 1 published post, dates from file names, topics from categories",
            ("blog", "docusaurus", "https://d.example/x", "D", "UTC"),
        ),
        (
            {
                "astro.config.mjs": "export default defineConfig({\n  site: 'https://a.example',\n});",
                "src/content/blog/a.md": DATED.replace("date", "pubDate"),
            },
            "Astro, 1 published post, topics from tags",
            ("src/content/blog", "astro", "https://a.example", "News", "UTC"),
        ),
        (
            {
                "package.json": "{}",
                "docs/guide.md": "---\ntitle: G\n---\n",
                "website/docusaurus.config.ts": "const config = {\n  url: 'https://d.example',\n};",
                "website/blog/2026-01-05-fast.md": POST,
                "website/node_modules/x/2026-01-05-y.md": POST,
            },
            "Docusaurus, 1 published post",
            ("website/blog", "docusaurus", "https://d.example", "News", "UTC"),
        ),
        (
            {
                "docs/_config.yml": "title: J\n",
                "docs/CNAME": "j.example\n",
                "docs/_posts/2026-01-02-a.md": POST,
                "docs/_docs/a.md": DATED,
            },
            "Jekyll, 1 published post",
            ("docs/_posts", "jekyll", "https://j.example", "J", "UTC"),
        ),
        (
            {
                "astro.config.mjs": "const site = 'https://a.example';\nexport default {\n  url: 'https://x.example'}",
                "src/content/docs/blog/a.md": DATED,
                "src/content/docs/guide.md": "---\ntitle: G\n---\n",
            },
            "Astro, 1 published post",
            ("src/content/docs/blog", "astro", "https://a.example", "News", "UTC"),
        ),
        (
            {
                "_config.yml": "title: X\nurl: https://x.example\npermalink: news/:year/:title/\n",
                "source/_posts/2026-01-02-a.md": DATED,
                "source/about/index.md": DATED,
            },
            "Hexo, 1 published post, topics from tags",
            ("source/_posts", "jekyll", "https://x.example", "X", "UTC"),
        ),
        (
            {
                ".vitepress/config.mts": "export default {\n  title: 'V',\n  cleanUrls: true,\n}",
                "package.json": '{"homepage": "https://v.example/"}',
                "posts/a.md": DATED,
                "posts/b.md": DATED,
            },
            "VitePress, 2 published posts",
            ("posts", "astro", "https://v.example", "V", "UTC"),
        ),
        (
            {
                "next.config.mjs": "export default {}",
                "package.json": '{"homepage": "https://github.com/x/y#readme"}',
                "public/a/index.md": DATED,
            },
            "Next.js, 1 published post",
            ("public", "astro", None, "News", "UTC"),
        ),
        (
            {
                "mkdocs.yml": "site_name: M\nsite_url: https://m.example/d/\nx: !!python/name:a.b\n",
                "docs/index.md": "# A page\n",
                "docs/blog/posts/a.md": "---\ndate:\n  created: 2026-01-02\n---\n# A title\n\nText.\n",
            },
            "MkDocs, 1 published post",
            ("docs/blog/posts", "pelican", "https://m.example/d", "M", "UTC"),
        ),
        (
            {
                "eleventy.config.js": "export default {}",
                "src/data/site.js": "export default {\n  'title': 'E',\n  'paths': {\n"
                "    'site': 'https://e.example',\n  },\n};",
                "src/articles/a/index.md": DATED,
            },
            "Eleventy, 1 published post",
            ("src/articles", "eleventy", "https://e.example", "E", "UTC"),
        ),
        (
            {
                "pelicanconf.py": "LOCAL = False\nSITEURL = '' if LOCAL else 'https://p.example'\n",
                "content/a.md": "Title: A\nDate: 2026-01-01\n\nText\n",
            },
            "Pelican, 1 published post",
            ("content", "pelican", "https://p.example", "News", "UTC"),
        ),
        (
            {
                "pelican.conf.py": "SITEURL = 'http://localhost'\nSITENAME = 'P'\n",
                "publishconf.py": "SITEURL = 'https://p.example'\n",
                "content/a.md": "Title: A\nDate: 2026-01-01\n\nText\n",
            },
            "Pelican, 1 published post",
            ("content", "pelican", "https://p.example", "P", "UTC"),
        ),
        (
            {
                "web/archetypes/default.md": "",
                "web/config.yaml": "baseURL: https://h.example\n",
                "web/content/posts/a.md": DATED,
                "docs/guide.md": "---\ntitle: G\n---\n",
            },
            "Hugo, 1 published post",
            ("web/content", "hugo", "https://h.example", "News", "UTC"),
        ),
        (
            {
                "config/_default/hugo.yaml": "defaultContentLanguage: fr\n",
                "config/_default/languages.fr.yaml": "baseURL: https://f.example/\ncontentDir: content/fr\n",
                "content/fr/posts/a.md": DATED,
            },
            "Hugo, 1 published post",
            ("content", "hugo", "https://f.example", "News", "UTC"),
        ),
        (
            {"posts/2026/a.md": DATED, "posts/2025/a.md": DATED, "about.md": "---\ntitle: A\n---\n"},
            "Newswire's own format, 2 published posts, topics from tags",
            ("posts", "plain", None, "News", "UTC"),
        ),
        (
            {"a.md": DATED, "b.md": "---\ntitle: x\n---\n"},
            "Newswire's own format, 1 published post, 1 that cannot be read, topics from tags",
            (".", "plain", None, "News", "UTC"),
        ),
        (
            {
                "docs/guide.md": "---\ntitle: A guide\n---\nText.\n",
                "packages/site/docusaurus.config.mts": "export default {\n  themeConfig: {\n"
                "    title: 'Menu',\n  },\n  title: 'Tool',\n  url: 'https://tool.example',\n};\n",
                "packages/site/blog/2026-01-02-a.mdx": POST,
            },
            "Docusaurus, 1 published post, dates from file names, topics from categories",
            ("packages/site/blog", "docusaurus", "https://tool.example", "Tool", "UTC"),
        ),
        (
            {
                "quartz.config.ts": "configuration: {\n  pageTitle: 'Notes',\n  baseUrl: 'n.example',\n}\n",
                "content/posts/a.md": DATED,
                "content/about.md": "---\ntitle: About\n---\nMe.\n",
                "content/private/b.md": DATED,
            },
            "Quartz, 1 published post, topics from tags",
            ("content", "astro", "https://n.example", "Notes", "UTC"),
        ),
        (
            {
                "config/_default/hugo.toml": 'title = "P"\n',
                "config/production/hugo.toml": 'baseURL = "https://p.example/"\n',
                "content/posts/a.md": DATED,
            },
            "Hugo, 1 published post, topics from tags",
            ("content", "hugo", "https://p.example", "P", "UTC"),
        ),
    ],
)
def test_a_config_for_a_project(
    tmp_path: Path, files: dict[str, str], printed: str, expected: tuple[str, ...]
) -> None:
    """The output states what was found, the configuration is valid, and no code of the project is run."""
    for path, text in files.items():
        put(tmp_path / "site" / path, text)
    command = init_command(tmp_path / "config.yaml", lambda: datetime(2026, 12, 1, tzinfo=UTC))
    done = CliRunner().invoke(command, [str(tmp_path / "site")], catch_exceptions=False)
    assert printed in done.output
    written = configuration.load(tmp_path / "config.yaml", {})
    articles = written.articles
    assert bool(articles.exclude) == ("Quartz" in printed)
    found = (
        (tmp_path / articles.path).resolve().relative_to(tmp_path / "site").as_posix(),
        articles.generator,
        articles.base_url,
        written.site.title,
        written.site.timezone,
    )
    assert found == expected


def test_the_address_that_is_not_in_the_settings(tmp_path: Path) -> None:
    """A repository of GitHub Pages has that of its name; of others, the output says that there is none."""
    command = init_command(tmp_path / "config.yaml", lambda: datetime(2026, 12, 1, tzinfo=UTC))
    for name, printed in (("site", "address of the site was not found"), ("Ann.github.io", "1 published")):
        put(tmp_path / name / "_config.yml", "title: A\n")
        put(tmp_path / name / "_posts/2026-01-02-a.md", POST)
        done = CliRunner().invoke(command, ["--force", str(tmp_path / name)], catch_exceptions=False)
        assert printed in done.output
    assert configuration.load(tmp_path / "config.yaml", {}).articles.base_url == "https://ann.github.io"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Files are replaced only with --force, and a missing folder is reported."""
    put(tmp_path / "site" / "a.md", DATED)
    put(tmp_path / "config.yaml", "site: {title: Mine}\n")
    assert "--force" in init(tmp_path, str(tmp_path / "site"), code=1)
    assert (tmp_path / "config.yaml").read_text() == "site: {title: Mine}\n"
    init(tmp_path, str(tmp_path / "site"), "--force")
    assert "path: " in (tmp_path / "config.yaml").read_text()
    assert "there is no folder" in init(tmp_path, str(tmp_path / "nowhere"), "--force", code=1)
    unwritable = ("--output", str(tmp_path / "none" / "config.yaml"))
    assert "cannot be written: No such file" in init(tmp_path, str(tmp_path / "site"), *unwritable, code=1)


def test_where_the_file_is_written(tmp_path: Path) -> None:
    """With --output, the command that is offered reads that file; a folder as either path is named as one."""
    site, other = tmp_path / "site", tmp_path / "other.yaml"
    put(site / "a.md", DATED)
    command = init_command(tmp_path / "config.yaml", lambda: datetime(2026, 12, 1, tzinfo=UTC))

    def output(*arguments: str) -> str:
        return CliRunner().invoke(command, arguments, catch_exceptions=False).output

    assert output(str(site)).endswith("; check the articles with: flask articles check\n")
    named = f"NEWSWIRE_CONFIG={other} flask articles check\n"
    assert output(str(site), "--output", str(other)).endswith(f"; check the articles with: {named}")
    assert "is a folder: name a file in it" in output(str(site), "--output", str(site))
    assert "other.yaml is not a folder" in output(str(other), "--force")


def test_a_repository(tmp_path: Path) -> None:
    """The repository's address is written with the folder of the articles in it."""
    origin = Origin(tmp_path / "origin")
    put(tmp_path / "origin" / "_config.yml", "title: R\n")
    put(tmp_path / "origin" / "_posts" / "2026-01-02-a.md", POST)
    origin.commit()
    printed = init(tmp_path, origin.url)
    assert "Jekyll, 1 published post" in printed
    articles = configuration.load(tmp_path / "config.yaml", {}).articles
    assert (articles.git, articles.subdir, articles.generator) == (origin.url, "_posts", "jekyll")


@pytest.mark.parametrize(
    ("files", "permalink"),
    [
        ({".vitepress/config.ts": "  cleanUrls: true,\n", "posts/a.md": DATED}, "/posts/:path"),
        ({".vuepress/config.js": "", "blog/a.md": DATED}, "/blog/:path.html"),
        ({"quartz.config.ts": "", "content/a.md": DATED}, "/:quartz_path"),
        ({"mkdocs.yml": "", "docs/blog/posts/a.md": DATED}, "/blog/:year/:month/:day/:slug/"),
        (
            {
                "mkdocs.yml": "plugins:\n  - blog:\n      post_url_format: '{date}/{file}'\n"
                "      post_url_date_format: yyyy/M\n",
                "docs/news/posts/a.md": DATED,
            },
            "/news/:year/:i_month/:basename/",
        ),
        ({"mkdocs.yml": "", "docs/notes/a.md": DATED, "docs/b.md": ""}, "/notes/:folders/:basename/"),
        (
            {
                "astro.config.mjs": "",
                "src/content/blog/a.md": DATED,
                "src/pages/writing/[...slug].astro": 'await getCollection("blog")',
                "src/pages/writing/[...page].astro": 'await getCollection("blog")',
            },
            "/writing/:folders[1:]/:slugorfilename/",
        ),
        (
            {
                "astro.config.mjs": "  trailingSlash: 'never',\n",
                "src/data/blog/a.md": DATED,
                "src/pages/b/[slug]/index.astro": 'await getCollection("blog")',
            },
            "/b/:folders/:slugorfilename",
        ),
        (
            {
                "next.config.js": "",
                "content/news/a.md": DATED,
                "content/news/b.md": DATED,
                "src/app/news/[slug]/page.tsx": "",
            },
            "/news/:folders/:slugorfilename",
        ),
        (
            {
                "astro.config.mjs": "",
                "src/content/blog/a.md": DATED,
                "src/pages/blog/[slug].astro": 'await getCollection("blog")',
            },
            None,
        ),
        ({"_config.yml": "title: X\n", "scaffolds/post.md": "", "source/_posts/a.md": DATED}, None),
        (
            {
                "next.config.js": "",
                "content/news/a.md": DATED,
                "content/news/b.md": DATED,
            },
            "/news/:folders/:slugorfilename",
        ),
        (
            {"react-router.config.ts": "", "content/blog/a.md": DATED, "app/routes/blog_.$slug.tsx": ""},
            "/blog/:folders/:slugorfilename",
        ),
        ({"nuxt.config.ts": "", "content/1.blog/1.a.md": DATED}, "/:nuxt_path"),
        (
            {
                "svelte.config.js": "",
                "posts/a/a.md": DATED,
                "posts/b/b.md": DATED,
                "src/routes/(site)/notes/[slug]/+page.svelte": "",
                "src/routes/tags/[tag]/+page.svelte": "",
                "src/routes/drafts/[slug]/+page.svelte": "",
                "src/routes/+layout.ts": "export const trailingSlash = 'always';\n",
            },
            "/notes/:slugorfilename/",
        ),
        ({"svelte.config.js": "", "src/routes/(x)/blog/a/+page.md": DATED}, "/blog/a/:folders/:basename"),
        (
            {
                "gatsby-config.js": "path: `${__dirname}/content/blog`,\npath: `${__dirname}/src/images`,\n",
                "gatsby-node.js": "createFilePath({ node, getNode })\n  path: post.fields.slug,\n",
                "content/blog/a/index.md": DATED,
                "content/blog/b/index.md": DATED,
            },
            "/:folders/:basename/",
        ),
        (
            {
                "gatsby-config.js": "path: './content/posts',\n",
                "gatsby-node.js": "createFilePath({ node, getNode })\nvalue: `/blog${filePath}`,\n",
                "content/posts/2026/a.md": DATED,
                "content/posts/b.md": DATED,
            },
            "/blog/:folders/:basename/",
        ),
        (
            {"gatsby-config.js": "", "gatsby-node.js": "path: node.frontmatter.path\n", "posts/a.md": DATED},
            None,
        ),
        (
            {
                "config.rb": "activate :blog do |blog|\n  blog.prefix = 'news'\n  # blog.permalink = 'x'\n",
                "source/news/2026-01-02-a.html.md": POST,
            },
            "/news/{year}/{month}/{day}/{title}.html",
        ),
        (
            {
                "config.rb": "activate :blog, permalink: 'b/{title}.html'\nactivate :directory_indexes\n",
                "source/2026-01-02-a.html.md": POST,
            },
            "/b/{title}/",
        ),
        (
            {"bridgetown.config.yml": "permalink: simple\n", "src/_posts/2026-01-02-a.md": POST},
            "/:categories/:slug/",
        ),
        (
            {"Package.swift": '.package(url: "https://g.example/Publish.git"', "Content/posts/a.md": DATED},
            "/:path_with_date",
        ),
    ],
)
def test_the_addresses_of_other_programs(
    tmp_path: Path, files: dict[str, str], permalink: str | None
) -> None:
    """A pattern is written where neither the program's configuration nor the generator has one."""
    for path, text in files.items():
        put(tmp_path / path, text)
    assert examine(tmp_path, datetime(2026, 12, 1, tzinfo=UTC)).permalink == permalink


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {
                ".vitepress/config.mts": "  title: 'V',\n  base: '/v/',\n  sitemap: {\n    hostname: 'https://v.example',",
                "posts/a.md": DATED,
            },
            ("posts", "https://v.example/v", "V", 1),
        ),
        (
            {
                "next.config.mjs": "",
                "next-sitemap.config.js": "module.exports = {\n  siteUrl: 'https://n.example',",
                "content/blog/a.md": DATED,
            },
            ("content/blog", "https://n.example", None, 1),
        ),
        (
            {
                "astro.config.mjs": "  site: SITE.url,\n",
                "src/config.ts": "export const SITE = {\n  website: 'https://a.example/',\n  title: 'A',",
                "src/data/blog/a.md": DATED,
            },
            ("src/data/blog", "https://a.example", "A", 1),
        ),
        (
            {
                "astro.config.mjs": "",
                "content/notes/posts/a.md": DATED,
                "content/notes/posts/b.md": DATED,
                "src/content/c.md": DATED,
                "src/content/d.md": "---\ntitle: D\n---\n",
            },
            (".", None, None, 3),
        ),
        (
            {
                "package.json": "{}",
                "content/guide.md": "---\ntitle: G\n---\n",
                "content/tips/a.mdx": "---\ndate: 2026-01-02\n---\nText.\n",
                "content/b.md": DATED,
            },
            ("content", None, None, 2),
        ),
    ],
)
def test_what_is_found_of_sites_of_node(
    tmp_path: Path, files: dict[str, str], expected: tuple[str, str | None, str | None, int]
) -> None:
    """The folder of the articles, and the address and the title of the site, are taken from its scripts."""
    for path, text in files.items():
        put(tmp_path / path, text)
    found = examine(tmp_path, datetime(2026, 12, 1, tzinfo=UTC))
    articles = found.articles.relative_to(tmp_path).as_posix()
    assert (articles, found.base_url, found.title, found.published) == expected
    assert found.generator == "astro"


@pytest.mark.parametrize(
    ("files", "printed"),
    [
        (
            {"conf.py": "BLOG_TITLE = 'N'\n", "posts/a.md": "<!--\n.. title: A\n-->\n"},
            "Nikola is not supported",
        ),
        (
            {"n.ghost.2026-01-02-03-04-05.json": "{}"},
            "an export of Ghost is one JSON file, and not supported",
        ),
        ({"utils.jl": "", "blog/a.md": '@def title = "A"\n'}, "Franklin is not supported"),
        ({"a.lektorproject": "", "content/contents.lr": "title: A\n"}, "Lektor is not supported"),
        ({"zine.ziggy": "", "content/a.smd": "---\n"}, "Zine is not supported"),
        ({"docs/issue-1.md": "# One\n\nWords.\n"}, "no published article was found"),
        ({".vitepress/config.ts": "", "a.md": DATED}, "VitePress: components and scripts are left out"),
    ],
)
def test_what_is_not_supported_is_said(tmp_path: Path, files: dict[str, str], printed: str) -> None:
    """`flask init`, and the advice of a check without articles, name what is not supported."""
    for path, text in files.items():
        put(tmp_path / "site" / path, text)
    command = init_command(tmp_path / "config.yaml", lambda: datetime(2026, 12, 1, tzinfo=UTC))
    done = CliRunner().invoke(command, [str(tmp_path / "site")], catch_exceptions=False)
    assert printed in done.output
    if "Words" not in str(files):
        assert printed in str(advice(Folder(tmp_path / "site"), PLAIN, is_empty=True))
