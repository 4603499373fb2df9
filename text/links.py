"""Finds the file in the article folder that a relative address in a body means, by its path or name.

This module knows the notations of the generators, but not articles.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple
from urllib.parse import unquote

from text.limits import MAX_URL

ARTICLE_EXTENSIONS = (".md", ".markdown", ".mdown", ".mdx", ".html")

_SPLIT = re.compile(r"([^?#]*)([?#].*)?", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")
# What `text.templates` replaces `post_url`, `link` and `ref` by; and Zola's `@/path.md`.
_REFERENCE = re.compile(r"(?:.*/)?@([~/])(.*)", re.DOTALL)
# Pelican's placeholders (https://docs.getpelican.com/en/latest/content.html#linking-to-internal-content).
_PLACEHOLDER = re.compile(r"[{|](filename|static|attach|author|category|index|tag)[}|](.*)", re.DOTALL)
# How a body may refer to a file; each pattern with a text that is part of every match, and is found faster.
# Between `<` and `>` is no other `<` (https://spec.commonmark.org/0.31.2/#link-destination). Without this
# limit, each of many `](<` would be searched to the end of its line.
_MENTIONS = (
    ("](", re.compile(r"\]\(\s*(?:<([^<>\n]+)>|(?!https?:|mailto:|#)([^\s)]+))")),
    ("]:", re.compile(r"\]:\s*(?:<([^<>\n]+)>|(?!https?:|mailto:|#)(\S+))")),
    ("src", re.compile(r"""src\s*=\s*[{(]*["']?(?!https?:)([^"'\s>)]+)""")),
    ("href", re.compile(r"""href\s*=\s*[{(]*["']?(?!https?:)([^"'\s>)]+)""")),
    ("to=", re.compile(r"""\bto=["']([^"'\s>)]+)""")),
    (
        "{",
        re.compile(r"""\{[{%][<%-]?\s*(?:post_url|link|ref|relref)\s+(?:path\s*=\s*)?["'`]?([^"'`\s%>]+)"""),
    ),
    ("[[", re.compile(r"\[\[([^\[\]|#\n]{1,300})")),
    ("require", re.compile(r"""require\(["']([^"']+)""")),
)


class Target(NamedTuple):
    """The target of an address in a body: a path below the article folder, or the name of a file in it.

    `suffix` is the query and the fragment. "nothing" is a placeholder for something that is not a file.
    """

    kind: Literal["path", "root", "name", "nothing"]
    value: str
    suffix: str = ""


def target(url: str, folder: str) -> Target | None:
    """Return the target of an address in an article in `folder`, or None if it does not refer to a file.

    A "path" is relative to the article folder, a "root" may have further folders in front; a "name" may be a
    path too. No target leads out of the article folder.
    """
    if len(url) > MAX_URL:
        return None
    path, suffix = next(match.groups(default="") for match in [_SPLIT.match(url)] if match)
    path = unquote(path)
    if placeholder := _PLACEHOLDER.match(path):
        kind, rest = placeholder.groups()
        if kind not in ("filename", "static", "attach"):
            return Target("nothing", "")
        return _path_target("" if rest.startswith("/") else folder, rest.lstrip("/"), suffix)
    if reference := _REFERENCE.match(path):
        kind, value = reference.groups()
        return Target("name" if kind == "~" else "root", value.strip("/"), suffix)
    if not path or path.startswith("/") or _SCHEME.match(path):
        return None
    return _path_target(folder, path, suffix)


def candidates(path: str) -> list[str]:
    """Return the article files that a path may mean, the most likely first."""
    path = path.rstrip("/")
    if path.endswith(ARTICLE_EXTENSIONS):
        return [path]
    return [f"{path}{part}{extension}" for part in ("", "/index") for extension in ARTICLE_EXTENSIONS]


def name_of(path: str) -> str:
    """Return the name by which links refer to a file: without folders and extension, case-folded.

    The name of an index is that of its folder.
    """
    parts = [part for part in path.split("/") if part]
    name = parts[-1] if parts else ""
    stem = name.removesuffix(posixpath.splitext(name)[1])
    if stem in ("index", "_index") and len(parts) > 1:
        stem = parts[-2]
    return stem.casefold()


def mentions(body: str, folder: str) -> frozenset[str]:
    """Return the names of all files to which a body in `folder` may refer, and possibly further ones."""
    return frozenset(filter(None, map(name_of, _mentioned(body, folder))))


def _mentioned(body: str, folder: str) -> Iterator[str]:
    patterns = (pattern for marker, pattern in _MENTIONS if marker in body)
    for match in (match for pattern in patterns for match in pattern.finditer(body)):
        url = next(filter(None, match.groups()), "")
        if resolved := target(url, folder):
            yield resolved.value
        elif not url.startswith("#") and not _SCHEME.match(url):
            yield _SPLIT.sub(r"\1", unquote(url[:MAX_URL]), count=1)


def _path_target(folder: str, path: str, suffix: str) -> Target | None:
    whole = posixpath.normpath(posixpath.join(folder, path))
    return None if whole == ".." or whole.startswith(("../", "/")) else Target("path", whole, suffix)
