"""The card that Google Chat shows, and the text for clients that show none.

Texts in a card can have some HTML, so texts of articles are escaped; the header has no formatting.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from bot.services.listing import fitted
from bot.services.message import Mention, Message, title_of
from bot.services.remarks import comment_of, covered
from bot.services.rich import Line, Markup, cut, write
from bot.services.text import clean, fit, look_alike, units, web_url
from bot.services.words import button_of, quality_of, written_time

# Newswire's own limits, in characters: longer cards are no easier to read.
TITLE = 300
NAME = 100
SUMMARY = 2000
LIST = 8000
TOPICS = 300
URL = 2000


def escape(text: str) -> str:
    """Return `text` escaped for the HTML of a card's texts.

    https://developers.google.com/workspace/chat/format-messages#card-formatting
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_text(text: str) -> str:
    """Return `text` escaped for a message without a card: without markup, links or mentions.

    https://developers.google.com/workspace/chat/format-messages#messages
    """
    return look_alike(text).replace("<", "<\u200b")


def notifying(mention: Mention | None) -> str:
    """Return the markup of a mention in a message's text; "" for None."""
    return f"<users/{mention.id or 'all'}>" if mention else ""


def card_of(message: Message, *, with_image: bool) -> dict[str, object]:
    """Return the message as a card."""
    sections = [{"widgets": list(_widgets(message, with_image=with_image))}]
    if message.text:
        return {"sections": sections}
    provider = fit(clean(message.provider or ""), NAME)
    icon = web_url(message.provider_icon or "", URL) if with_image else None
    header = {"title": fit(title_of(message), TITLE), "subtitle": provider, "imageUrl": icon}
    return {
        "header": {name: value for name, value in header.items() if value},
        "sections": sections,
    }


def _widgets(message: Message, *, with_image: bool) -> Iterator[dict[str, object]]:
    summary = _formatted(message) or fit(clean(message.summary), SUMMARY, escape)
    if summary:
        yield {"textParagraph": {"text": summary}}
    if not message.text and (others := covered(message, _written, units)):
        yield {"textParagraph": {"text": others}}
    image = web_url(message.image or "", URL) if with_image else None
    if image:
        yield {"image": {"imageUrl": image, "altText": fit(title_of(message), TITLE)}}
    if message.text:
        return
    yield {"decoratedText": {"text": escape(_small_print(message)), "wrapText": True}}
    link = web_url(message.link, URL) if not message.items else None
    if link:
        button = {"text": button_of(message), "onClick": {"openLink": {"url": link}}}
        yield {"buttonList": {"buttons": [button]}}


_MARKUP = Markup(
    escape=escape,
    link=lambda words, address: f'<a href="{html.escape(address)}">{words}</a>',
    bold="<b>{}</b>".format,
    italic="<i>{}</i>".format,
    struck="<s>{}</s>".format,
    below="<br>",
)
_BARE = Markup(escape=escape_text, link=lambda words, address: f"{words} {address}")


def _formatted(message: Message) -> str:
    """Return several articles, or the text of a layout; "" for one article without a layout."""
    if message.text:
        return cut(message.text, LIST, _written, units)
    return fitted(message, LIST, _written, units) if message.items else ""


def _written(text: Sequence[Line]) -> str:
    return write(text, _MARKUP).replace("\n", "<br>")


def above(message: Message) -> str:
    """Return the mention and an operator's comment; "" without either."""
    return "\n".join(filter(None, (notifying(message.mention), comment_of(message, escape_text))))


def _small_print(message: Message) -> str:
    topics = fit(", ".join(filter(None, map(clean, message.topics))), TOPICS)
    return " · ".join(filter(None, (topics, quality_of(message), written_time(message))))


def notification_of(message: Message) -> str:
    """Return the text of a notification: the title and the provider."""
    provider = fit(clean(message.provider or ""), NAME, escape_text)
    return fit(title_of(message), TITLE, escape_text) + (f" ({provider})" if provider else "")


def fallback_text(message: Message) -> str:
    """Return the whole message as text, for when Google Chat refused its card."""
    called = f"{notice}\n" if (notice := above(message)) else ""
    if message.text:
        return called + cut(message.text, LIST, _bare, units)
    if message.items:
        return f"{called}{fit(title_of(message), TITLE, escape_text)}\n" + fitted(message, LIST, _bare, units)
    summary = fit(clean(message.summary), SUMMARY, escape_text)
    others = covered(message, _bare, units)
    parts = (fit(title_of(message), TITLE, escape_text), summary, others, web_url(message.link, URL))
    return called + "\n".join(filter(None, parts))


def _bare(text: Sequence[Line]) -> str:
    return write(text, _BARE)
