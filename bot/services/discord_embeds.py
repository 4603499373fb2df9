"""A message as a Discord embed, and as the plain content that is sent if Discord refuses the embed.

Titles, descriptions, fields and content are Markdown and escaped; author and footer are not Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from bot.services.drawing import Drawing, TimeFormatter
from bot.services.listing import fitted
from bot.services.message import Mention, MentionKind, Message, Picture, title_of
from bot.services.remarks import COVERAGE, comment_of, covered
from bot.services.rich import Line, Markup, cut, write
from bot.services.text import clean, fit, units, web_url, without_mention
from bot.services.words import summary_of, words_of

# https://docs.discord.com/developers/resources/message#embed-object-embed-limits
TITLE = 256
DESCRIPTION = 4096
FIELD_VALUE = 1024
AUTHOR_NAME = 256
FOOTER_TEXT = 2048
ALL_EMBEDS = 6000

CONTENT = 2000
"""https://docs.discord.com/developers/resources/webhook#execute-webhook"""

URL = 2048
"""Undocumented; the API answers "Must be 2048 or fewer in length"."""

QUIET: Mapping[str, object] = {"allowed_mentions": {"parse": []}}
"""No mention notifies: https://docs.discord.com/developers/resources/message#allowed-mentions-object"""

COLOUR = 0x2563EB
COLOUR_RETRACTED = 0x6B7280

_MARKDOWN = re.compile(r"[\\*_~`|<>\[\]():]|^[#+-]|^\d+(?=\.)|@(?=everyone|here|[!&]?\d)", re.IGNORECASE)
_TIME = re.compile(r"<t:(\d+)(?::\w)?>")
_ESCAPED = re.compile(r"\\([^\w\s]|_)")
_LINK = re.compile(r"(?<!\\)\[((?:\\.|[^\]\\])*)\]\(<?https?://[^)]*\)")
_CALL = re.compile(r"@here|<@&?\d+>")
_STYLE = re.compile(r"(?<!\\)(?:\*\*|~~|\*)")


def escape(text: str) -> str:
    r"""Return one line of `text` so that Discord reads nothing in it as Markdown, link, mention or emoji.

    Markup gets a backslash (`:` too, which is part of links and emoji). A mention gets a zero-width space
    after `@`, as a backslash does not hide `@everyone`.
    https://docs.discord.com/developers/reference#message-formatting
    """
    return _MARKDOWN.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    mark = match[0]
    if mark == "@":
        return "@\u200b"
    return f"{mark}\\" if mark.isdigit() else f"\\{mark}"


def notifying(mention: Mention | None) -> str:
    """Return the markup of a mention, which notifies if `allowed` is sent too; "" for None.

    https://docs.discord.com/developers/reference#message-formatting
    """
    if mention is None:
        return ""
    if mention.kind is MentionKind.HERE:
        return "@here"
    return f"<@{'&' if mention.kind is MentionKind.ROLE else ''}{mention.id}>"


def above(message: Message) -> str:
    """Return the text above an embed: the mention and an operator's comment; "" without either."""
    return "\n".join(filter(None, (notifying(message.mention), comment_of(message, escape))))


def allowed(mention: Mention | None) -> Mapping[str, object]:
    """Return the field that makes Discord notify only whom the mention names, whatever the text contains.

    `@here` is allowed only together with `@everyone`, which `escape` breaks up in every text.
    https://docs.discord.com/developers/resources/message#allowed-mentions-object
    """
    if mention is None:
        return QUIET
    if mention.kind is MentionKind.HERE:
        return {"allowed_mentions": {"parse": ["everyone"]}}
    kind = "roles" if mention.kind is MentionKind.ROLE else "users"
    return {"allowed_mentions": {"parse": [], kind: [mention.id]}}


def content_of(message: Message) -> str:
    """Return the whole message as text, for when Discord refused its embed."""
    called = above(message)
    head = f"{called}\n" if called else ""
    room = CONTENT - units(head)
    if message.text:
        return head + cut(message.text, room, _bare, units)
    title = _title(message)
    if message.items:
        return f"{head}{title}\n" + fitted(message, room - units(title) - 1, _bare, units)
    address = without_mention(web_url(message.link, URL) or "")
    address = address if len(address) <= room - units(title) - 3 else ""
    # Between < and > a link has no preview.
    rest = f"\n<{address}>" if address and not message.retracted else ""
    others = covered(message, _bare, units, min(COVERAGE, room - units(title + rest) - 1))
    rest = (f"\n{others}" if others else "") + rest
    text = fit(summary_of(message), room - units(title + rest) - 1, escape)
    return head + title + (f"\n{text}" if text else "") + rest


def embed_of(message: Message, *, with_image: bool) -> dict[str, object]:
    """Return the embed that shows a message."""
    is_listed, is_free = bool(message.items), bool(message.text)
    embed: dict[str, Any] = {
        "title": "" if is_free else _title(message),
        "color": COLOUR_RETRACTED if message.retracted else COLOUR,
        "timestamp": None if is_free else message.published_at.astimezone(UTC).isoformat(),
        "url": None if message.retracted or is_free else _url(message.link),
        "author": None if is_listed or is_free else _author(message, with_icon=with_image),
        "fields": [] if message.retracted or is_listed or is_free else list(_fields(message)),
        "footer": _named("text", fit(clean(message.site), FOOTER_TEXT)),
    }
    image = _url(message.image) if with_image and not message.retracted else None
    embed["image" if message.picture is Picture.LARGE else "thumbnail"] = {"url": image} if image else None
    room = min(DESCRIPTION, ALL_EMBEDS - _size(embed))
    embed["description"] = _described(message, room)
    return {name: value for name, value in embed.items() if value or name == "color"}


def drawing_of(payload: Mapping[str, Any], times: TimeFormatter) -> Drawing:
    """Return what Discord shows of a message with one embed."""
    embed: dict[str, Any] = next(iter(payload.get("embeds", ())), {})
    stamp = embed.get("timestamp")
    footer = (embed.get("footer", {}).get("text"), stamp and times.exact(datetime.fromisoformat(stamp)))
    picture = embed.get("image", embed.get("thumbnail", {})).get("url", "")
    called, _, comment = payload.get("content", "").partition("\n")
    if not _CALL.fullmatch(called):
        called, comment = "", called
    return Drawing(
        sender=payload.get("username", "Webhook"),
        mention=re.sub(r"<@&?(\d+)>", r"@\1", called),
        comment=_readable(comment, times),
        above=embed.get("author", {}).get("name", ""),
        title=_readable(embed.get("title", ""), times),
        text=_readable(embed.get("description", ""), times),
        picture=urlsplit(picture).hostname or "",
        fields=tuple((part["name"], _readable(part["value"], times)) for part in embed.get("fields", ())),
        below=(" • ".join(filter(None, footer)),),
        link=embed.get("url", ""),
        is_card=True,
    )


def _readable(text: str, times: TimeFormatter) -> str:
    """Return the text that Discord shows for Markdown by `escape` and `_MARKUP`."""
    text = _STYLE.sub("", _LINK.sub(r"\1", text))
    text = _TIME.sub(lambda match: times.ago(datetime.fromtimestamp(int(match[1]), UTC)), text)
    return _ESCAPED.sub(r"\1", re.sub(r"(?<=\d)\\(?=\.)", "", text)).replace("\u200b", "")


def _linked(words: str, address: str) -> str:
    """Return a link, or only its words if Discord would refuse the address."""
    usable = _url(address)
    if not usable:
        return words
    return f"[{words}]({without_mention(usable).replace('(', '%28').replace(')', '%29')})"


_MARKUP = Markup(
    escape=escape,
    link=_linked,
    bold="**{}**".format,
    italic="*{}*".format,
    struck="~~{}~~".format,
)
_BARE = Markup(
    escape=escape,
    link=lambda words, address: f"{words} <{without_mention(address)}>",
    struck="~~{}~~".format,
)


def _formatted(text: Sequence[Line]) -> str:
    return write(text, _MARKUP)


def _bare(text: Sequence[Line]) -> str:
    return write(text, _BARE)


def _described(message: Message, room: int) -> str:
    if message.text:
        return cut(message.text, room, _formatted, units)
    if message.items:
        return fitted(message, room, _formatted, units)
    others = covered(message, _formatted, units, min(COVERAGE, room)) or ""
    text = fit(summary_of(message), room - units(others) - 1, escape)
    return "\n".join(filter(None, (text, others)))


def _title(message: Message) -> str:
    if not message.retracted:
        return fit(title_of(message), TITLE, escape)
    return f"~~{fit(title_of(message), TITLE - 4, escape)}~~"


def _author(message: Message, *, with_icon: bool) -> dict[str, str] | None:
    author = _named("name", fit(clean(message.provider or ""), AUTHOR_NAME))
    icon = _url(message.provider_icon) if with_icon else None
    return author | {"icon_url": icon} if author and icon else author


def _named(key: str, text: str) -> dict[str, str] | None:
    return {key: text} if text else None


def _fields(message: Message) -> Iterator[dict[str, object]]:
    words = words_of(message)
    topics = fit(", ".join(filter(None, map(clean, message.topics))), FIELD_VALUE, escape)
    if topics:
        yield {"name": words.gettext("Topics"), "value": topics, "inline": True}
    if message.quality is not None:
        yield {"name": words.gettext("Quality"), "value": str(message.quality), "inline": True}
    at = f"<t:{int(message.published_at.timestamp())}:R>"
    yield {"name": words.gettext("Published"), "value": at, "inline": True}


def _size(embed: dict[str, Any]) -> int:
    """Return how many of ALL_EMBEDS characters the embed has without its description."""
    texts = [embed["title"], *(embed["author"] or {}).values(), *(embed["footer"] or {}).values()]
    values = (str(value) for field in embed["fields"] for value in field.values())
    return sum(map(units, [*texts, *values]))


def _url(url: str | None) -> str | None:
    """Return the address if Discord accepts it, or None: it refuses a host without a dot, as localhost."""
    address = web_url(url or "", URL)
    return address if address and "." in (urlsplit(address).hostname or "") else None
