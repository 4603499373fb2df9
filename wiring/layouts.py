"""Creates a channel's layout from its settings, and reads its template's file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from articles.article import Article
from bot.services.layout import BadTemplateError, Layout, MessagePart, Template
from bot.services.message import Picture, compose
from config import ChannelConfig, LayoutConfig

_PICTURES = {None: Picture.DEFAULT, "none": None, "thumbnail": Picture.THUMBNAIL, "large": Picture.LARGE}


def layout_of(channel: ChannelConfig) -> Layout:
    """Return a channel's layout without its template, so that no file is read."""
    settings = channel.layout or LayoutConfig()
    return Layout(picture=_PICTURES[settings.image], parts=frozenset(map(MessagePart, settings.show)))


def template_of(channel: ChannelConfig) -> Template | None:
    """Return the channel's template, or None. Raises BadTemplateError if the template cannot be used."""
    path = channel.layout.template if channel.layout else None
    return _read(path) if path else None


def trial(tried: Template, articles: Iterable[Article], *, site: str, site_url: str) -> str | None:
    """Return why a template fails, with the id of the first article for which it does, or None."""
    for article in articles:
        try:
            tried.render(compose(article, site=site, site_url=site_url))
        except BadTemplateError as fault:
            return f"{fault} (for the article {article.id}, which is posted without the template)"
    return None


def _read(path: Path) -> Template:
    from bot.services.templates import MAX_TEMPLATE, template

    try:
        # A FIFO would block, and /dev/zero has no end.
        if not path.is_file():
            raise BadTemplateError(str(path), 1, "there is no such file")
        with path.open(encoding="utf-8") as file:
            return template(file.read(MAX_TEMPLATE + 1), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BadTemplateError(str(path), 1, f"cannot be read: {reason}") from error
