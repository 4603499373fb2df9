"""How the bodies of a site's articles become HTML: by whose rules they are written, and where links lead."""

from __future__ import annotations

from dataclasses import dataclass

from articles.article import Article
from feeds.links import Links
from text.limits import MAX_BODY
from text.markup import render_markdown, sanitise
from text.summary import summarise
from text.templates import expand


@dataclass(frozen=True, slots=True, kw_only=True)
class Bodies:
    """The rules for the bodies of one site's articles, with the links as they are now."""

    links: Links
    generator: str = "plain"

    def html(self, article: Article, own_url: str) -> str:
        """Return an article's body as safe HTML with absolute addresses, for the page at `own_url`."""

        def resolve(url: str) -> str | None:
            return self.links.resolve(url, article, own_url)

        body = expand(
            article.body[:MAX_BODY],
            generator=self.generator,
            markup=article.markup,
            base_url=self.links.base_url,
        ).text
        if article.markup == "html":
            return sanitise(body, own_url, resolve=resolve)
        return render_markdown(body, own_url, resolve=resolve)

    def summary(self, article: Article) -> str:
        """Return the summary of an article that has none of its own."""
        return summarise(article.body, generator=self.generator, markup=article.markup)
