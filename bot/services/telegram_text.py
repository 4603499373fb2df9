"""The texts of a message in Telegram: a text or a caption in HTML, or a text without markup."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from bot.services.listing import fitted
from bot.services.message import Mention, Message, title_of
from bot.services.remarks import comment_of, covered
from bot.services.rich import Line, Markup, cut, write
from bot.services.text import clean, fit, units, web_url, without_mention
from bot.services.words import quality_of, summary_of, written_time

TEXT = 4096
"""Characters without the markup: https://core.telegram.org/bots/api#sendmessage"""

CAPTION = 1024
"""Likewise, under a photo: https://core.telegram.org/bots/api#sendphoto"""

# Newswire's own limits, in characters, which leave room for the summary in a caption.
TITLE = 256
SMALL = 200
COMMENT = 240
COVERED = 250
URL = 2000

REST = 40
"""Characters reserved for quality, time and line ends when the summary is cut."""

_TAG = re.compile(r"<[^<>]*>")


def _free(text: str) -> str:
    """Return a text without mentions, which Telegram otherwise finds in any markup."""
    return text.replace("@", "@\u200b")


def escaped(text: str, limit: int) -> str:
    """Return an escaped text with at most `limit` characters, which Telegram counts without the markup.

    https://core.telegram.org/bots/api#html-style
    """
    return html.escape(fit(text, limit, _free))


def text_of(message: Message) -> dict[str, object]:
    """Return the fields of a request with the message as a text."""
    return {
        "text": _composed(message, TEXT),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }


def caption_of(message: Message) -> dict[str, object]:
    """Return the fields of a request with the message as the caption of a photo."""
    return {"caption": _composed(message, CAPTION), "parse_mode": "HTML"}


def plain_of(message: Message) -> dict[str, object]:
    """Return the fields of a request with the message as text without markup, for when that was refused."""
    called = "\n".join(filter(None, (_notifying(message.mention), comment_of(message, _free, COMMENT))))
    room = TEXT - units(called) - 1
    if message.text:
        text = cut(message.text, room, _bare, units)
    else:
        title, link = fit(title_of(message), TITLE, _free), without_mention(web_url(message.link, URL) or "")
        link = link if len(link) <= URL else ""
        if message.items:
            rest = [fitted(message, room - TITLE - 1, _bare, units)]
        else:
            others = covered(message, _bare, units) or ""
            summary = fit(clean(message.summary), room - TITLE - URL - units(others) - 3, _free)
            rest = [summary, others, link]
        text = "\n".join(filter(None, (title, *rest)))
    return {
        "text": f"{called}\n{text}" if called else text,
        "link_preview_options": {"is_disabled": True},
    }


_MARKUP = Markup(
    escape=lambda text: html.escape(_free(text)),
    link=lambda words, address: f'<a href="{html.escape(address)}">{words}</a>',
    bold="<b>{}</b>".format,
    italic="<i>{}</i>".format,
    struck="<s>{}</s>".format,
)
_BARE = Markup(escape=_free, link=lambda words, address: f"{words} {without_mention(address)}")


def _bare(text: Sequence[Line]) -> str:
    return write(text, _BARE)


def _with_markup(text: Sequence[Line]) -> str:
    return write(text, _MARKUP)


def _visible(text: str) -> int:
    """Return the length of a text without the markup, as Telegram counts it."""
    return units(html.unescape(_TAG.sub("", text)))


def _notifying(mention: Mention | None) -> str:
    """Return the markup of a mention; "" for None."""
    return f"@{mention.id}" if mention else ""


def _composed(message: Message, limit: int) -> str:
    """Return the message's text in at most `limit` characters, not counting addresses of links."""
    comment = html.escape(comment_of(message, _free, COMMENT))
    above = (_notifying(message.mention), comment and f"<i>{comment}</i>")
    called = "\n".join(filter(None, above))
    room = limit - _visible(called) - 1
    if message.text:
        content = cut(message.text, room, _with_markup, _visible)
    elif message.items:
        content = _digest(message, room)
    else:
        content = _article(message, room)
    return f"{called}\n{content}" if called else content


def _digest(message: Message, limit: int) -> str:
    title = escaped(title_of(message), TITLE)
    head = f"<s>{title}</s>" if message.retracted else f"<b>{title}</b>"
    small = f"<i>{_small_print(message)}</i>"
    return "\n".join((head, fitted(message, limit - TITLE - SMALL - 2, _with_markup, _visible), small))


def _article(message: Message, limit: int) -> str:
    """Return title, summary and small print."""
    title, link = escaped(title_of(message), TITLE), web_url(message.link, URL)
    if message.retracted:
        return f"<s>{title}</s>\n{html.escape(summary_of(message))}"
    head = f'<b><a href="{html.escape(link)}">{title}</a></b>' if link else f"<b>{title}</b>"
    small = _small_print(message)
    others = covered(message, _with_markup, _visible, COVERED) or ""
    rest = max(REST, units(_quality_and_time(message)))
    summary = escaped(clean(message.summary), limit - TITLE - SMALL - rest - _visible(others) - 1)
    return "\n".join(filter(None, (head, summary, others, f"<i>{small}</i>")))


def _small_print(message: Message) -> str:
    topics = ", ".join(filter(None, map(clean, message.topics)))
    names = " · ".join(filter(None, (clean(message.provider or ""), topics)))
    return " · ".join(filter(None, (escaped(names, SMALL), html.escape(_quality_and_time(message)))))


def _quality_and_time(message: Message) -> str:
    return " · ".join(filter(None, (quality_of(message), written_time(message))))


def readable(text: str) -> str:
    """Return the text that people see for a text in HTML."""
    return html.unescape(_TAG.sub("", text)).replace("\u200b", "")
