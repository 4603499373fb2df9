"""The patterns of addresses that programs for sites use, by their own configuration: nothing is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from articles import node_routes, page_routes, programs
from articles.programs import Program
from articles.reading import datafiles

_IN_MKDOCS_BLOG = re.compile(
    r"""^[ ]+post_url_(format|date_format):[ ]*["']?([^"'\n#]{1,200}?)["']?[ ]*$""", re.M
)
_BLOG_PLUGIN = re.compile(r"^[ ]*-[ ]*(?:material/)?blog\b", re.MULTILINE)
# https://unicode.org/reports/tr35/tr35-dates.html#Date_Field_Symbol_Table
_DATE_PARTS = {"yyyy": ":year", "MM": ":month", "dd": ":day", "M": ":i_month", "d": ":i_day", "y": ":year"}
_DATE_LETTERS = re.compile("yyyy|MM|dd|M|d|y")
_CLEAN_URLS = re.compile(r"^\s*cleanUrls\s*:\s*true\b", re.MULTILINE)
# https://middlemanapp.com/basics/blogging/
_IN_MIDDLEMAN = re.compile(
    r"""^[^#\n]{0,100}?\b(prefix|permalink)\s*[:=]\s*["']([^"'\n]{0,200})["']""", re.MULTILINE
)
_MIDDLEMAN_DEFAULT = "{year}/{month}/{day}/{title}.html"
_DIRECTORY_INDEXES = re.compile(r"^\s*activate\s+:directory_indexes\b", re.MULTILINE)
# https://www.bridgetownrb.com/docs/content/permalinks
_BRIDGETOWN_STYLES: Mapping[str, str] = {
    "pretty": "/:categories/:year/:month/:day/:slug/",
    "pretty_ext": "/:categories/:year/:month/:day/:slug.*",
    "simple": "/:categories/:slug/",
    "simple_ext": "/:categories/:slug.*",
}
_IN_BRIDGETOWN = re.compile(r"""^\s*permalink[:\s]\s*["']?([^\s"'#]{1,200})["']?\s*(?:#.*)?$""", re.MULTILINE)

# Unless their own code says otherwise, these programs have no slash at the end of an address.
_WITHOUT_SLASH = frozenset(program.name for program in (programs.NEXT, programs.SVELTEKIT, programs.REMIX))


def permalink(program: Program, home: Path, articles: Path) -> str | None:
    """Return the pattern of the addresses of a program's articles, or None where none is certain."""
    if not articles.is_relative_to(home):
        return None
    find = _PATTERNS.get(program.name)
    pattern = find(home, articles) if find else None
    if pattern or program.name not in _WITHOUT_SLASH:
        return pattern
    return _joined(_below_content(articles.relative_to(home)), ":folders", ":slugorfilename")


def _of_mkdocs(home: Path, articles: Path) -> str | None:
    """https://squidfunk.github.io/mkdocs-material/plugins/blog/."""
    below = articles.relative_to(home).as_posix()
    settings = _text(home, "mkdocs.yml", "mkdocs.yaml")
    blog = below.removeprefix("docs/").removesuffix("posts").strip("/")
    is_blog = below.endswith("posts") or _BLOG_PLUGIN.search(settings)
    path = _mkdocs_path(settings) if is_blog else ":folders/:basename"
    return f"/{blog}/{path}/" if blog not in ("", ".", "docs") else None


def _mkdocs_path(settings: str) -> str:
    """Return the pattern below the blog in the settings of Material's blog plugin, or else its default."""
    given = {match[1]: match[2] for match in _IN_MKDOCS_BLOG.finditer(settings)}
    date = _DATE_LETTERS.sub(lambda match: _DATE_PARTS[match[0]], given.get("date_format", "yyyy/MM/dd"))
    path = given.get("format", "{date}/{slug}").replace("{date}", date)
    return path.replace("{slug}", ":slug").replace("{file}", ":basename").strip("/")


def _of_quartz(home: Path, articles: Path) -> str:
    return _joined(_below(home, articles, "content"), ":quartz_path")


def _of_vitepress(home: Path, articles: Path) -> str:
    configs = (f".vitepress/config.{end}" for end in ("ts", "mts", "js", "mjs"))
    is_clean = any(_CLEAN_URLS.search(_text(home, name)) for name in configs)
    return _joined(_below(home, articles), f":path{'' if is_clean else '.html'}")


def _of_middleman(home: Path, _articles: Path) -> str:
    text = _text(home, "config.rb")
    given = {match[1]: match[2] for match in reversed(list(_IN_MIDDLEMAN.finditer(text)))}
    path = _joined(given.get("prefix", ""), given.get("permalink", _MIDDLEMAN_DEFAULT))
    if not _DIRECTORY_INDEXES.search(text):
        return path
    return f"{path.removesuffix('/index.html').removesuffix('.html')}/".replace("//", "/")


def _of_bridgetown(home: Path, _articles: Path) -> str:
    given = _IN_BRIDGETOWN.search(_text(home, "config/initializers.rb", "bridgetown.config.yml"))
    style = given[1] if given else "pretty"
    return _BRIDGETOWN_STYLES.get(style, style).replace(".*/", "/").replace(".*", ":output_ext")


def _of_publish(home: Path, articles: Path) -> str:
    """https://github.com/JohnSundell/Publish: the path below `Content`."""
    return _joined(_below(home, articles, "Content"), ":path_with_date")


def _below_content(path: Path) -> str:
    """Return the part of a path that is likely to be in addresses: below a folder of content or pages."""
    at = max((path.parts.index(name) for name in ("content", "pages") if name in path.parts), default=None)
    return "" if at is None else "/".join(path.parts[at + 1 :])


def _below(home: Path, articles: Path, content: str = "") -> str:
    """Return the path of the articles in the folder of the program's content."""
    below = articles.relative_to(home).as_posix()
    return "" if below == "." else below.removeprefix(content)


def _joined(*parts: str) -> str:
    return f"/{'/'.join(part.strip('/') for part in parts if part.strip('/'))}"


def _text(home: Path, *names: str) -> str:
    """Return the text of the first of these files that there is, or ""."""
    texts = (datafiles.read_text(home / name) for name in names)
    return next(filter(None, texts), "")


_PATTERNS: Mapping[str, Callable[[Path, Path], str | None]] = {
    programs.MKDOCS.name: _of_mkdocs,
    programs.QUARTZ.name: _of_quartz,
    programs.VITEPRESS.name: _of_vitepress,
    programs.VUEPRESS.name: _of_vitepress,
    programs.MIDDLEMAN.name: _of_middleman,
    programs.BRIDGETOWN.name: _of_bridgetown,
    programs.PUBLISH.name: _of_publish,
    programs.NEXT.name: page_routes.of_next,
    programs.REMIX.name: page_routes.of_remix,
    programs.GATSBY.name: node_routes.of_gatsby,
    programs.SVELTEKIT.name: node_routes.of_sveltekit,
    programs.NUXT.name: node_routes.of_nuxt,
}
