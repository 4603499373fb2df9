"""Renders pages from templates and values.

Templates get plain values and escape all of them, except Markup, which is HTML already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, tzinfo
from functools import cache
from pathlib import Path
from sys import getsizeof
from typing import ClassVar

from jinja2 import BytecodeCache, Environment, FunctionLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup, escape

from articles.catalog.search_words import MIN_PREFIX
from feeds.model import Site
from pages import article_times, cards, outline
from pages.assets import Assets
from pages.security import security_headers
from pictures.rules import NoPictures, Pictures
from text.cache import LruCache
from text.language import Language
from text.summary import cut
from web.document import Document

_TEMPLATES = Path(__file__).parent / "templates"
_SOURCES = {
    path.relative_to(_TEMPLATES).as_posix(): path.read_text(encoding="utf-8")
    for path in _TEMPLATES.rglob("*.html")
}
"""The templates, read with this module: later, after an update of the files, they would not fit the code."""
_FRESH = "public, max-age=30"

FRAGMENT_BYTES = 500_000
"""Size limit of each cache of rendered macros."""


class Renderer:
    """Renders the templates of one site.

    `zone` is the time zone of dates without one; `pictures` decides which pictures of other hosts are shown.
    With `is_static`, pages have no links to what needs a server, such as the feed builder. The texts of the
    templates are in `language`, by default English.
    """

    def __init__(
        self,
        site: Site,
        assets: Assets,
        *,
        show_quality: bool,
        zone: tzinfo = UTC,
        is_static: bool = False,
        language: Language | None = None,
        pictures: Pictures | None = None,
    ) -> None:
        self.is_static = is_static
        self.pictures: Pictures = pictures or NoPictures()
        self.headers = security_headers(self.pictures.sources)
        self.language = language = language or Language()
        self.times = article_times.ArticleTimes(zone, language.short_date, language.exact)
        self._environment = _environment(language, _Compiled((language.tag, site.path)))
        self._environment.globals |= {
            "site": site,
            "root": site.path,
            "asset": lambda name: site.path + assets.address(name),
            "show_quality": show_quality,
            "is_static": is_static,
            "has_pictures_from_elsewhere": bool(self.pictures.sources),
            "language": language.tag,
            "story": self._cached("story"),
            "subscribe": self._cached("subscribe"),
        }
        self._environment.filters |= {
            "stamp": self.times.stamp,
            "written": self.times.text,
            "topic_path": lambda slug: site.path + cards.topic_path(slug),
        }

    def html(self, template: str, **values: object) -> str:
        """Return a page as text."""
        return self._environment.get_template(template).render(values)

    def document(self, template: str, *, cache_control: str = _FRESH, **values: object) -> Document:
        """Return a page as a document with its HTTP headers."""
        return Document(
            body=self.html(template, **values).encode("utf-8", "replace"),
            mimetype="text/html",
            last_modified=None,
            headers=(("Cache-Control", cache_control), *self.headers),
        )

    def _cached(self, macro: str) -> Callable[..., Markup]:
        """Return a macro of `parts.html` with a cache: many pages call it with equal values."""
        cache = LruCache[tuple[object, ...], Markup](FRAGMENT_BYTES)

        def call(*values: object) -> Markup:
            html = cache.get(values)
            if html is None:
                parts = self._environment.get_template("parts.html").module
                html = getattr(parts, macro)(*values)
                cache.put(values, html, 2 * getsizeof(html))  # the values are about as long
            return html

        return call


class _Compiled(BytecodeCache):
    """Caches the compiled templates of this process: compiling takes 0.1 s for each application.

    Constant expressions are evaluated at compile time, so the code depends on the language and the site's
    path.
    """

    _templates: ClassVar[dict[tuple[tuple[str, str], str], bytes]] = {}

    def __init__(self, owner: tuple[str, str]) -> None:
        self._owner = owner

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load a template's cached code, if there is any."""
        if code := self._templates.get((self._owner, bucket.key)):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Cache the code of a template."""
        self._templates[self._owner, bucket.key] = bucket.bytecode_to_string()


def _source(name: str) -> tuple[str, str, None] | None:
    """Return a template's text and file, the latter for tracebacks."""
    text = _SOURCES.get(name)
    return (text, str(_TEMPLATES / name), None) if text is not None else None


def _environment(language: Language, compiled: BytecodeCache) -> Environment:
    """Return the Jinja2 environment for templates in a language."""
    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
        bytecode_cache=compiled,
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # of the extension
        language.gettext, language.ngettext, newstyle=True
    )
    environment.globals["_"] = environment.globals["gettext"] = _gettext(language)
    environment.filters |= {
        "ago": language.ago,
        "exact": language.exact,
        "day_date": language.day_date,
        "thousands": language.number,
        "decimal": language.decimal,
        "percent": language.percent,
        "counted": language.counted,
        "noun": language.noun,
        "translate": language.translate,
        "sentence": language.sentence,
        "tint": cards.tint,
        "initial": cards.initial,
        "short": lambda name: cut(name, cards.MAX_NAME),
        "sparkline": outline.sparkline,
        "marked": marked,
        "labelled": labelled,
        "as_people": lambda names: [{"@type": "Person", "name": name} for name in names],
    }
    return environment


def _gettext(language: Language) -> Callable[..., Markup]:
    """Return a faster replacement for the extension's `gettext`, for templates that escape everything.

    It returns HTML. Messages are always patterns, so `%%` is a percent sign.
    """

    @cache
    def translated(message: str) -> Markup:
        return Markup(language.gettext(message))  # noqa: S704 - a message of a template

    @cache
    def whole(message: str) -> Markup:
        return translated(message) % {}

    def gettext(message: str, /, **values: object) -> Markup:
        return translated(message) % values if values else whole(message)

    return gettext


def labelled(drawing: Markup, label: str) -> Markup:
    """Return an SVG with the role of an image, and a label for screen readers."""
    return Markup(  # noqa: S704 - of two parts that are Markup
        drawing.replace("<svg ", Markup('<svg role="img" aria-label="{}" ').format(label), 1)
    )


def marked(text: str, words: Iterable[str]) -> Markup:
    """Return `text` as HTML in which each of `words` is marked at the beginning of a word.

    One of one or two letters is marked only as a whole word, as a search finds it.
    """
    ordered = sorted(words, key=len, reverse=True)
    alternatives = "|".join(map(_marked_word, ordered))
    if not alternatives:
        return escape(text)
    parts = re.split(rf"(?<![a-zA-Z0-9])({alternatives})", text, flags=re.IGNORECASE)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )


def _marked_word(word: str) -> str:
    is_short = word.isascii() and len(word) < MIN_PREFIX
    return rf"{re.escape(word)}(?![a-zA-Z0-9#]|\+\+)" if is_short else re.escape(word)
