"""The content of a mail: as text, and as HTML."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from bot.services.listing import fitted
from bot.services.message import Message, Picture, title_of
from bot.services.remarks import comment_of, covered
from bot.services.rich import Line, Markup, cut, write
from bot.services.text import clean, fit, units, web_url
from bot.services.words import quality_of, written_time

# Newswire's own limits, in characters: longer messages are no easier to read.
SUBJECT = 200
NAME = 60
SUMMARY = 2000
TOPICS = 300
URL = 1500
LIST = 40_000

COMMENT_STYLE = "margin:0 0 12px;font-style:italic"
"""The style of the paragraph with an operator's comment."""

_PLAIN = Markup(escape=str, link=lambda words, address: f"{words}\n  {address}", bullet="* ", below="\n  ")
_HTML = Markup(
    escape=html.escape,
    link=lambda words, address: f'<a href="{html.escape(address)}" style="color:#1c4f8f">{words}</a>',
    bold="<b>{}</b>".format,
    italic="<i>{}</i>".format,
    struck="<s>{}</s>".format,
    below="<br>\n",
)


def _plain_lines(text: Sequence[Line]) -> str:
    return write(text, _PLAIN)


def _html_lines(text: Sequence[Line]) -> str:
    """Return a paragraph for each line, as mailboxes show lists differently."""
    return "\n".join(f'<p style="margin:0 0 8px">{write([line], _HTML)}</p>' for line in text)


def text_of(message: Message) -> str:
    """Return the message as plain text, with an empty line between paragraphs."""
    return "\n\n".join(filter(None, (comment_of(message), *_paragraphs(message)))) + "\n"


def _paragraphs(message: Message) -> tuple[str | None, ...]:
    if message.text:
        return (cut(message.text, LIST, _plain_lines, units),)
    title, link = fit(title_of(message), SUBJECT), web_url(message.link, URL)
    if message.items:
        return (title, fitted(message, LIST, _plain_lines, units), link, _small_print(message))
    summary, others = fit(clean(message.summary), SUMMARY), covered(message, _plain_lines, units)
    return (title, summary, others, link, _small_print(message))


def _small_print(message: Message) -> str:
    topics = fit(", ".join(filter(None, map(clean, message.topics))), TOPICS)
    provider = fit(clean(message.provider or ""), NAME)
    return " · ".join(filter(None, (provider, topics, quality_of(message), written_time(message))))


def html_of(message: Message, *, with_image: bool) -> str:
    """Return the message as an HTML page, with styles only in its elements, as mailboxes ignore others."""
    parts = "\n".join(filter(None, _parts(message, with_image=with_image)))
    return (
        '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head>\n'
        '<body style="margin:0;padding:16px;font-family:Arial,sans-serif;font-size:16px;line-height:1.5">\n'
        f'<div style="max-width:600px;margin:0 auto">\n{parts}\n</div>\n</body></html>\n'
    )


def _parts(message: Message, *, with_image: bool) -> Iterator[str]:
    if comment := comment_of(message):
        yield f'<p style="{COMMENT_STYLE}">{html.escape(comment)}</p>'
    if message.text:
        yield cut(message.text, LIST, _html_lines, units)
        yield from _image(message) if with_image else ()
        return
    title, link = html.escape(fit(title_of(message), SUBJECT)), web_url(message.link, URL)
    linked = f'<a href="{html.escape(link)}" style="color:#1c4f8f">{title}</a>' if link else title
    yield f'<h1 style="margin:0 0 8px;font-size:20px;line-height:1.3">{linked}</h1>'
    yield from _image(message) if with_image else ()
    if message.items:
        yield fitted(message, LIST, _html_lines, units)
    summary = html.escape(fit(clean(message.summary), SUMMARY))
    if summary:
        yield f'<p style="margin:0 0 8px">{summary}</p>'
    yield covered(message, _html_lines, units) or ""
    yield f'<p style="margin:0;color:#616061;font-size:13px">{html.escape(_small_print(message))}</p>'


def _image(message: Message) -> Iterator[str]:
    image = web_url(message.image or "", URL)
    if image:
        width = "160px" if message.picture is Picture.THUMBNAIL else "100%"
        picture = f'<img src="{html.escape(image)}" alt="" style="max-width:{width}">'
        yield f'<p style="margin:0 0 8px">{picture}</p>'
