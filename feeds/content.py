"""The HTML of one entry: the article's text, with its picture, source and related coverage.

This module does not know the formats; it escapes or sanitises every part.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from articles.article import Article, Image, RelatedArticle
from feeds.bodies import Bodies
from feeds.model import Author
from text.language import Language
from text.markup import embed_link


def full_text(article: Article, summary: str, bodies: Bodies, own_url: str) -> str:
    """Return the article's text, or else its summary, with its embed below: safe HTML, or ""."""
    body = bodies.html(article, own_url) if article.body.strip() else ""
    embed = embed_link(article.embed, bodies.links.base_address(article)) if article.embed else ""
    return "\n".join(filter(None, [body or paragraph(summary), embed]))


def entry_html(
    text: str,
    language: Language,
    *,
    url: str,
    title: str,
    image: Image | None = None,
    provider: Author | None = None,
    related: Sequence[RelatedArticle] = (),
) -> str:
    """Return `text` with an entry's picture above it, and its source and related coverage below.

    Their headings are in the language of the site. An entry without any of these becomes a link to its
    address.

    The picture is in the HTML for readers that show no media elements; others leave out a picture whose
    address is already in the HTML.
    """
    parts = [
        _picture(image) if image and "<img " not in text else "",
        text,
        _source(provider, language) if provider else "",
        _related(related, language) if related else "",
    ]
    return "\n".join(filter(None, parts)) or f"<p>{_anchor(url, title)}</p>"


def paragraph(text: str) -> str:
    """Return plain text as HTML; "" stays ""."""
    return f"<p>{escape(text, quote=False)}</p>" if text else ""


def _picture(image: Image) -> str:
    sizes = "".join(
        f' {name}="{value}"' for name, value in (("width", image.width), ("height", image.height)) if value
    )
    return f'<p><img src="{escape(image.url)}" alt="{escape(image.title or "")}"{sizes}></p>'


def _source(provider: Author, language: Language) -> str:
    name = _anchor(provider.url, provider.name) if provider.url else escape(provider.name, quote=False)
    return f"<p>{language.gettext('Source:')} {name}</p>"


def _related(related: Sequence[RelatedArticle], language: Language) -> str:
    items = (
        _anchor(item.link, item.title) + (f" ({escape(item.provider, quote=False)})" if item.provider else "")
        for item in related
    )
    rows = "\n".join(f"<li>{item}</li>" for item in items)
    return f"<p>{language.gettext('Related coverage')}</p>\n<ul>\n{rows}\n</ul>"


def _anchor(url: str, text: str) -> str:
    return f'<a href="{escape(url)}">{escape(text, quote=False)}</a>'
