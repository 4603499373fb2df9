"""The settings of a site in its generator's own files, which are read and never run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from articles import programs
from articles.conventions import Generator
from articles.programs import Program
from articles.reading import datafiles, hugo, pelican
from articles.reading.project_folders import SCRIPTS
from text.language_tags import is_language_tag
from text.urls import http_url
from text.zones import zone

_SETTINGS = (
    "_config.yml", "_config.yaml", "_config.toml", "hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json",
    "config/_default/hugo.toml", "config/_default/hugo.yaml", "config/_default/config.toml",
    "config/_default/config.yaml", "config.toml", "config.yaml", "config.yml", "zola.toml", *pelican.FILES,
    # The settings for publishing, which override those for the author's machine.
    "config/production/hugo.toml", "config/production/hugo.yaml",
    "config/production/config.toml", "config/production/config.yaml", "bridgetown.config.yml",
)  # fmt: skip
# Eleventy has no default folder of articles; these are the usual ones.
_DATA = tuple(
    f"{folder}/{name}"
    for folder in ("_data", "src/_data", "src/data", "data", "content/_data")
    for name in ("site", "metadata", "meta")
)
_SCRIPTS = (
    *(f"{name}.{end}" for name in ("docusaurus.config", "astro.config", "gatsby-config") for end in SCRIPTS),
    *(f"{name}.{end}" for name in _DATA for end in ("js", "mjs", "cjs")),
    ".vitepress/config.ts", ".vitepress/config.mts", ".vitepress/config.js", ".vitepress/config.mjs",
    ".vuepress/config.js", ".vuepress/config.ts", ".vuepress/theme.ts", "quartz.config.ts",
    "data/siteMetadata.js", *(f"next-sitemap.config.{end}" for end in ("js", "cjs", "mjs")),
)  # fmt: skip
# Where the themes of Astro have their settings.
_OWN_SCRIPTS = tuple(
    f"src/{name}.ts"
    for name in ("consts", "constants", "config", "site.config", "siteConfig", "data/site", "config/site")
)
_IN_SCRIPT = re.compile(
    r"""^(?P<indent>[ \t]*)(?:(?:export\s+)?const\s+)?(?P<mark>["']?)"""
    r"""(?P<key>url|baseUrl|base|hostname|website|SITE_URL|site|siteUrl|SITE_TITLE|title|pageTitle"""
    r"""|lang|language|locale|defaultLocale)(?P=mark)"""
    r"""\s*[:=]\s*(?P<quote>["'`])(?P<value>[^"'`\n]{1,300})(?P=quote)""",
    re.M,
)
_IN_MKDOCS = re.compile(r"""^site_(url|name):[ \t]*(["']?)([^"'#\n]{1,300}?)\2[ \t]*$""", re.M)
# Of Bridgetown, Middleman, and Lume.
_ADDRESSES_IN_CODE = (
    ("config/initializers.rb", re.compile(r"""^\s*url[ \t]+["'](https?://[^"'\s]{1,300})["']""", re.M)),
    ("config.rb", re.compile(r"""^\s*set[ (]:(?:site_)?url, *["'](https?://[^"'\s]{1,300})["']""", re.M)),
    *((f"_config.{end}", re.compile(r"""\blocation:\s*new URL\(["'](https?://[^"'\s]{1,300})["']"""))
      for end in ("ts", "js")),
)  # fmt: skip
_LANGUAGE_KEYS = (
    "languagecode",
    "default_language",
    "lang",
    "locale",
    "default_lang",
    "language",
    "defaultlocale",
)
_TAG = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?")
_SHARED_HOSTS = ("github.com", "gitlab.com", "npmjs.com", "bitbucket.org", "codeberg.org")
"""Hosts of pages about programs, which many packages have as their homepage."""


def read(home: Path, generator: Generator, program: Program | None) -> Iterator[tuple[str, Any]]:
    """Yield the settings in the generator's own files by key in lower case, without running anything."""
    if generator == "hugo":
        config = hugo.configuration(home)
        code = str(config.get("defaultcontentlanguage") or "en").lower()
        default = next((language for language in hugo.languages(config) if language.code == code), None)
        if default and default.base_url:
            yield "baseurl", default.base_url
        if default and default.title:
            yield "title", default.title
    for name in (*_SETTINGS, *(f"{name}.{end}" for name in _DATA for end in ("json", "yaml", "yml"))):
        values = datafiles.load(home / name) if (home / name).is_file() else None
        if isinstance(values, Mapping):
            yield from ((str(key).lower(), value) for key, value in values.items() if value not in ("", None))
    for name in ("mkdocs.yml", "mkdocs.yaml"):  # which may hold tags of Python, and is not YAML then
        text = datafiles.read_text(home / name) if (home / name).is_file() else None
        yield from ((match[1].lower(), match[3]) for match in _IN_MKDOCS.finditer(text or ""))
    for name, address_in in _ADDRESSES_IN_CODE:
        text = datafiles.read_text(home / name) if (home / name).is_file() else None
        yield from (("url", match[1]) for match in address_in.finditer(text or ""))
    for name in (*_OWN_SCRIPTS, *_SCRIPTS) if generator == "astro" else _SCRIPTS:
        text = datafiles.read_text(home / name) if (home / name).is_file() else None
        yield from _in_script(name, text or "", generator, program).items()


def _in_script(name: str, text: str, generator: Generator, program: Program | None) -> dict[str, str]:
    """Return the settings in a script, by key in lower case."""
    script: dict[str, str] = {}
    # The site's own title is not as deep in the file as that of a menu.
    for match in sorted(_IN_SCRIPT.finditer(text), key=lambda match: len(match["indent"])):
        script.setdefault(match["key"].lower(), match["value"])
    # Astro's address is in `site`; `url` may be any address.
    excluded = {"url", "baseurl", "siteurl"} if generator == "astro" and program is None else set()
    if name in _OWN_SCRIPTS:
        excluded |= {"site", "language", "locale"}
        urls = (script.get(key) for key in ("website", "site_url", "url", "siteurl", "site"))
        if url := next(filter(None, urls), None):
            script["website"] = url
    if program not in (programs.VITEPRESS, programs.VUEPRESS):
        excluded |= {"base", "hostname"}
    # These keys can also be the language of a piece of code.
    excluded |= {key for key in _LANGUAGE_KEYS if not _TAG.fullmatch(script.get(key, ""))}
    if name == "quartz.config.ts" and "baseurl" in script:
        script["baseurl"] = f"https://{script['baseurl']}"  # which is a host, and maybe a path
    return {key: value for key, value in script.items() if key not in excluded}


def address(settings: Mapping[str, Any]) -> str | None:
    """Return the address of the site, or None."""
    for key in ("url", "site", "siteurl", "base_url", "baseurl", "hostname", "website"):
        value = settings.get(key)
        if isinstance(value, str) and value.startswith(("http://", "https://")) and len(value) < 500:
            below = settings.get("base" if key == "hostname" else "baseurl")
            below = below if key in ("url", "site", "hostname") else None
            path = below if isinstance(below, str) and below.startswith("/") else ""
            url = http_url(f"{value.rstrip('/')}{path}".rstrip("/"))
            return url if url and "?" not in url and "#" not in url else None
    return None


def domain(home: Path, root: Path) -> str | None:
    """Return the address that GitHub Pages' file of a site's domain gives, or the name of the repository."""
    for folder in (home, root, *(home / name for name in ("static", "public", "src", "content/extra"))):
        name = (datafiles.read_text(folder / "CNAME") or "").strip()
        if re.fullmatch(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,10}", name):
            return http_url(f"https://{name.lower()}")
    # https://docs.github.com/en/pages/getting-started-with-github-pages/what-is-github-pages
    names = (folder.name.lower() for folder in (home, root.resolve()))
    owner = next((name for name in names if re.fullmatch(r"[a-z0-9-]{1,39}\.github\.io", name)), None)
    return http_url(f"https://{owner}") if owner else None


def homepage(home: Path) -> str | None:
    """Return the homepage of a Node.js package if it is a site of its own, or None."""
    package = datafiles.load(home / "package.json") if (home / "package.json").is_file() else None
    address = package.get("homepage") if isinstance(package, Mapping) else None
    url = http_url(address.rstrip("/")) if isinstance(address, str) and len(address) < 500 else None
    host = urlsplit(url).hostname if url and not re.search(r"[?#]", url) else None
    return url if host and not f".{host}".endswith(tuple(f".{name}" for name in _SHARED_HOSTS)) else None


def text(settings: Mapping[str, Any], *keys: str) -> str | None:
    """Return the first of these settings that has a text, of at most 200 characters."""
    values = (settings.get(key) for key in keys)
    return next((value.strip()[:200] for value in values if isinstance(value, str) and value.strip()), None)


def language(settings: Mapping[str, Any]) -> str | None:
    """Return the language tag of the site, or None."""
    tag = (text(settings, *_LANGUAGE_KEYS) or "").replace("_", "-")
    return tag if is_language_tag(tag) else None


def timezone(settings: Mapping[str, Any]) -> str | None:
    """Return the name of the site's time zone, or None where there is none of that name."""
    name = text(settings, "timezone")
    try:
        return zone(name).key if name else None
    except ValueError:
        return None
