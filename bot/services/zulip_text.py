"""The text of a message in Zulip's Markdown.

Zulip's Markdown has no backslash escapes, but it has HTML's numeric references, which replace markup here.
https://zulip.com/help/format-your-message-using-markdown
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC

from bot.services.listing import fitted
from bot.services.message import Mention, MentionKind, Message, title_of
from bot.services.remarks import comment_of, covered
from bot.services.rich import Line, Markup, cut, write
from bot.services.service import Detail
from bot.services.text import clean, fit, units, web_url
from bot.services.words import quality_of, summary_of, words_of

CONTENT = 10_000
"""Characters; a server may allow more: https://zulip.com/api/send-message"""

# Newswire's own limits, in characters: longer messages are no easier to read.
TITLE = 600
SUMMARY = 4000
SMALL = 600
URL = 1000

_SPECIAL = re.compile(r"[&<>*~`$\[\]|:#!@\\]|^[+-]|^\d+(?=[.)])")


def escape(text: str) -> str:
    """Return one line of `text` so that Zulip reads nothing in it as Markdown, mention or emoji."""
    return _SPECIAL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    mark = match[0]
    return f"{mark[:-1]}&#{ord(mark[-1])};"


def content_of(message: Message, detail: Detail) -> str:
    """Return the whole text of a message."""
    comment = comment_of(message, escape)
    if comment and detail < Detail.PLAIN:
        comment = f"*{comment}*"
    called = "\n".join(filter(None, (_notifying(message.mention), comment)))
    room = CONTENT - units(called) - 1
    if message.text:
        picture = _picture(message, detail) or ""
        content = cut(
            message.text, room - len(picture) - 1, _plain if detail == Detail.PLAIN else _with_markup, units
        )
        content += f"\n{picture}" if picture else ""
    else:
        content = _digest(message, detail, room) if message.items else _article(message, detail)
    return f"{called}\n{content}" if called else content


def _notifying(mention: Mention | None) -> str:
    """Return the markup of a mention; "" for None."""
    if mention is None:
        return ""
    if mention.kind is MentionKind.GROUP:
        return f"@*{mention.id}*"
    return f"@**|{mention.id}**" if mention.id else "@**all**"


_MARKUP = Markup(
    escape=escape,
    link=lambda words, address: f"[{words}]({_bracketed(address)})",
    bold="**{}**".format,
    italic="*{}*".format,
    struck="~~{}~~".format,
    bullet="* ",
    below="\n  ",
)
_PLAIN = Markup(escape=escape, link=lambda words, address: f"{words} {_bracketed(address)}", below="\n  ")


def _with_markup(text: Sequence[Line]) -> str:
    return write(text, _MARKUP)


def _plain(text: Sequence[Line]) -> str:
    return write(text, _PLAIN)


def _digest(message: Message, detail: Detail, limit: int) -> str:
    title = fit(title_of(message), TITLE, escape)
    if detail == Detail.PLAIN:
        return f"{title}\n" + fitted(message, limit - units(title) - 1, _plain, units)
    head = f"~~{title}~~" if message.retracted else f"**{title}**"
    rest = _small_print(message)
    return "\n".join((head, fitted(message, limit - units(head + rest) - 2, _with_markup, units), rest))


def _article(message: Message, detail: Detail) -> str:
    title = fit(title_of(message), TITLE, escape)
    if message.retracted:
        return f"~~{title}~~\n{escape(summary_of(message))}"
    link = _bracketed(web_url(message.link, URL))
    summary = fit(clean(message.summary), SUMMARY, escape)
    if detail == Detail.PLAIN:
        return "\n".join(filter(None, (title, summary, covered(message, _plain, units), link)))
    head = f"**[{title}]({link})**" if link else f"**{title}**"
    others = covered(message, _with_markup, units)
    return "\n".join(filter(None, (head, summary, others, _small_print(message), _picture(message, detail))))


def _picture(message: Message, detail: Detail) -> str | None:
    """Return a link to the picture, which Zulip shows below the message."""
    image = _bracketed(web_url(message.image or "", URL)) if detail < Detail.NO_IMAGE else None
    return f"[{escape(words_of(message).gettext('Picture'))}]({image})" if image else None


def _small_print(message: Message) -> str:
    topics = ", ".join(filter(None, map(clean, message.topics)))
    names = " · ".join(filter(None, (clean(message.provider or ""), topics)))
    quality = escape(quality_of(message))
    # https://zulip.com/help/global-times: each reader's client shows it in its own zone.
    at = f"<time:{message.published_at.astimezone(UTC).isoformat().replace('+00:00', 'Z')}>"
    return " · ".join(filter(None, (fit(names, SMALL, escape), quality, at)))


def _bracketed(url: str | None) -> str | None:
    """Return an address with brackets, which would end its link, and the asterisks of mentions encoded."""
    return url and url.replace("(", "%28").replace(")", "%29").replace("*", "%2A")
