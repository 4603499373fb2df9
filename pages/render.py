"""Templates and values → pages, and the pages that were asked for last.

Templates get plain values and escape all of them; what is HTML already says so by being Markup.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from feeds.model import Site
from pages import cards, outline, when
from pages.assets import Assets
from web.document import Document

T = TypeVar("T")

_TEMPLATES = Path(__file__).parent / "templates"
_FRESH = "public, max-age=30"
_MOST_KEPT = 64


class Renderer:
    """Renders the templates of one site."""

    def __init__(self, site: Site, assets: Assets, *, show_quality: bool) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._environment.globals |= {"site": site, "asset": assets.address, "show_quality": show_quality}
        self._environment.filters |= {
            "ago": when.ago,
            "exact": when.exact,
            "topic_path": cards.topic_path,
            "initial": cards.initial,
            "sparkline": outline.sparkline,
            "marked": marked,
            "thousands": "{:,}".format,
        }

    def html(self, template: str, **values: object) -> str:
        """Return a page as text."""
        return self._environment.get_template(template).render(values)

    def document(self, template: str, *, cache_control: str = _FRESH, **values: object) -> Document:
        """Return a page with all that HTTP says of it."""
        return Document(
            body=self.html(template, **values).encode("utf-8", "replace"),
            mimetype="text/html",
            last_modified=None,
            headers=(("Cache-Control", cache_control),),
        )


class Kept(Generic[T]):
    """Keeps what was asked for last, each for as long as its state is the same."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[Hashable, T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, state: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept for `key`, made anew when the state differs from the one it was made in."""
        with self._lock:
            kept = self._kept.get(key)
            if kept and kept[0] == state:
                self._kept.move_to_end(key)
                return kept[1]
        made = make()
        with self._lock:
            self._kept[key] = state, made
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return made


def marked(text: str, words: Iterable[str]) -> Markup:
    """Return `text` with each of `words` marked where it begins a word."""
    alternatives = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    if not alternatives:
        return escape(text)
    parts = re.split(rf"(?<![a-zA-Z0-9])({alternatives})", text, flags=re.IGNORECASE)
    return Markup("").join(
        Markup("<mark>{}</mark>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )
