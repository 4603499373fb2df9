"""A message as Slack blocks, and as the text that is sent if Slack refuses the blocks.

All texts of an article are `plain_text`, or in a `rich_text` block: these have no markup, so a title is shown
exactly as it was written. Only the date and a mention are `mrkdwn`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from bot.services.drawing import Drawing, TimeFormatter
from bot.services.listing import fitted
from bot.services.message import Mention, MentionKind, Message, Picture, title_of
from bot.services.remarks import COVERAGE, comment_of, covered
from bot.services.rich import Line, Run, cut
from bot.services.text import clean, fit, units, web_url
from bot.services.words import button_of, quality_of, summary_of

HEADER_TEXT = 150
"""https://docs.slack.dev/reference/block-kit/blocks/header-block"""

SECTION_TEXT = 3000
"""https://docs.slack.dev/reference/block-kit/blocks/section-block"""

IMAGE_URL = 3000
"""https://docs.slack.dev/reference/block-kit/block-elements/image-element"""

ALT_TEXT = 2000
"""https://docs.slack.dev/reference/block-kit/blocks/image-block"""

BUTTON_TEXT = 75
BUTTON_URL = 3000
"""https://docs.slack.dev/reference/block-kit/block-elements/button-element"""

MESSAGE_TEXT = 4000
"""https://docs.slack.dev/reference/methods/chat.postMessage (longer texts are cut by Slack, anywhere)"""

ALL_RICH_TEXT = 10_000
"""Characters of all rich text of a message. Slack gives no number for `msg_blocks_too_long`; users have seen
13,200, with addresses: https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

CONTEXT_TEXT = 200
"""Newswire's own limit: a context line is small print, and should fit on one line."""

_DATE = re.compile(r"<!date\^(\d+)\^[^>]*>")
_MENTION = re.compile(r"<(?:!subteam\^|!|@)(\w+)>")
_STYLES = {"bold": "bold", "italic": "italic", "struck": "strike"}


def escape(text: str) -> str:
    """Return `text` with the three characters escaped that have a meaning in Slack.

    https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def notifying(mention: Mention | None) -> str:
    """Return what notifies somebody: https://docs.slack.dev/messaging/formatting-message-text#mentioning-users

    "" for nobody.
    """
    if mention is None:
        return ""
    signs = {MentionKind.HERE: "!here", MentionKind.USER: "@", MentionKind.GROUP: "!subteam^"}
    return f"<{signs[mention.kind]}{mention.id}>"


def blocks_of(message: Message, *, with_image: bool) -> list[dict[str, object]]:
    """Return the blocks that show a message."""
    return list(_blocks(message, with_image=with_image))


def notification(message: Message) -> str:
    """Return the text that notifications and screen readers use instead of the blocks."""
    called = notifying(message.mention)
    provider = clean(message.provider or "")
    text = title_of(message) + (f" ({provider})" if provider else "")
    text = ": ".join(filter(None, (comment_of(message), text)))
    return f"{called} {fit(text, MESSAGE_TEXT - units(called) - 1, escape)}".strip()


def fallback_text(message: Message) -> str:
    """Return the whole message as text, for when Slack refused its blocks."""
    above = filter(None, (notifying(message.mention), comment_of(message, escape)))
    head = "".join(f"{line}\n" for line in above)
    room = MESSAGE_TEXT - units(head)
    if message.text:
        return head + cut(message.text, room, _plain_lines, units)
    title = fit(title_of(message), HEADER_TEXT, escape)
    if message.items:
        return f"{head}{title}\n" + fitted(message, room - units(title) - 1, _plain_lines, units)
    address = escape(web_url(message.link, BUTTON_URL) or "")
    is_linked = address and not message.retracted and units(title + address) + 3 <= room
    rest = f"\n<{address}>" if is_linked else ""
    others = covered(message, _plain_lines, units, min(COVERAGE, room - units(title + rest) - 1))
    rest = (f"\n{others}" if others else "") + rest
    summary = fit(summary_of(message), room - units(title + rest) - 1, escape)
    return head + title + (f"\n{summary}" if summary else "") + rest


def drawing_of(blocks: Sequence[Mapping[str, Any]], times: TimeFormatter) -> Drawing:
    """Return the drawing of a message that consists of blocks."""
    called = [block for block in blocks if block.get("text", {}).get("type") == "mrkdwn"]
    blocks = blocks[len(called) :]
    comments = [
        block for block in blocks[:1] if block["type"] == "section"
    ]  # an article has its header first
    blocks = blocks[len(comments) :]
    by_type: dict[str, Any] = {block["type"]: block for block in reversed(blocks)}
    button: Mapping[str, Any] = next(iter(by_type.get("actions", {}).get("elements", ())), {})
    small = (_readable(element, times) for element in by_type.get("context", {}).get("elements", ()))
    section: Mapping[str, Any] = by_type.get("section", {})
    texts = [_readable(section.get("text"), times)]
    texts += [_rich_words(block) for block in blocks if block["type"] == "rich_text"]
    picture = section.get("accessory", by_type.get("image", {})).get("image_url", "")
    return Drawing(
        mention=" ".join(_MENTION.sub(r"@\1", block["text"]["text"]) for block in called),
        comment="".join(_readable(block["text"], times) for block in comments),
        title=_readable(by_type.get("header", {}).get("text"), times),
        text="\n".join(filter(None, texts)),
        picture=urlsplit(picture).hostname or "",
        below=tuple(filter(None, small)),
        button=_readable(button.get("text"), times),
        link=button.get("url", ""),
    )


def _blocks(message: Message, *, with_image: bool) -> Iterator[dict[str, object]]:
    if called := notifying(message.mention):
        yield {"type": "section", "text": {"type": "mrkdwn", "text": called}}
    if comment := comment_of(message):
        yield {"type": "section", "text": _plain_text(comment, SECTION_TEXT)}
    if message.text:
        yield from cut(message.text, ALL_RICH_TEXT, _rich, _size)
        yield from _large_image(message) if with_image else ()
        return
    title = title_of(message)
    if not message.retracted:
        yield {"type": "header", "text": _plain_text(title, HEADER_TEXT)}
    else:
        # A header has no formatting: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
        yield from _rich([Line(runs=(Run(text=fit(title, HEADER_TEXT), bold=True, struck=True),))])
    if message.items:
        yield from fitted(message, ALL_RICH_TEXT, _rich, _size)
        yield {"type": "context", "elements": [{"type": "mrkdwn", "text": _local_time(message.published_at)}]}
        return
    yield from _article(message, title, with_image=with_image and not message.retracted)


def _article(message: Message, title: str, *, with_image: bool) -> Iterator[dict[str, object]]:
    is_large = message.picture is Picture.LARGE
    image = _image(message.image, title) if with_image and not is_large else None
    summary = summary_of(message)
    if summary or image:
        section: dict[str, object] = {"type": "section", "text": _plain_text(summary or title, SECTION_TEXT)}
        yield {**section, "accessory": image} if image else section
    yield from covered(message, _rich, _size) or ()
    yield from _large_image(message) if with_image and is_large else ()
    elements = [*_source(message, with_icon=with_image), *_small_print(message)]
    yield {"type": "context", "elements": elements}
    link = web_url(message.link, BUTTON_URL)
    if link and not message.retracted:
        button = {"type": "button", "text": _plain_text(button_of(message), BUTTON_TEXT), "url": link}
        yield {"type": "actions", "elements": [button]}


def _large_image(message: Message) -> Iterator[dict[str, object]]:
    image = _image(message.image, title_of(message))
    if image:
        yield image


def _source(message: Message, *, with_icon: bool) -> Iterator[dict[str, object]]:
    provider = clean(message.provider or "")
    if provider:
        icon = _image(message.provider_icon, provider) if with_icon else None
        yield from [icon] if icon else []
        yield _plain_text(provider, CONTEXT_TEXT)


def _small_print(message: Message) -> Iterator[dict[str, object]]:
    topics = ", ".join(filter(None, map(clean, message.topics)))
    if topics:
        yield _plain_text(topics, CONTEXT_TEXT)
    if message.quality is not None:
        yield _plain_text(quality_of(message), CONTEXT_TEXT)
    yield {"type": "mrkdwn", "text": _local_time(message.published_at)}


def _image(url: str | None, alt: str) -> dict[str, object] | None:
    address = web_url(url or "", IMAGE_URL)
    if not address:
        return None
    return {"type": "image", "image_url": address, "alt_text": fit(alt, ALT_TEXT, escape)}


def _plain_text(text: str, limit: int) -> dict[str, object]:
    return {"type": "plain_text", "text": fit(text, limit, escape), "emoji": False}


def _local_time(at: datetime) -> str:
    """Return a date that each client shows in its own time zone, or in UTC if it cannot.

    https://docs.slack.dev/messaging/formatting-message-text#date-formatting
    """
    fallback = at.astimezone(UTC).isoformat(" ", "minutes").removesuffix("+00:00")
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}}, {{time}}|{fallback} UTC>"


def _plain_lines(text: Sequence[Line]) -> str:
    """Return lines as plain text, with the address of each link in <>, which makes it a link."""
    lines = []
    for line in text:
        words = escape("".join(run.text for run in line.runs))
        links = dict.fromkeys(run.link for run in line.runs if run.link)
        bullet = "• " if line.bullet else ""
        lines.append(bullet + words + "".join(f" <{escape(link)}>" for link in links))
    return "\n".join(lines)


def _rich(text: Sequence[Line]) -> list[dict[str, object]]:
    """Return `rich_text` blocks of at most SECTION_TEXT characters each, unless one line is longer."""
    blocks: list[list[Line]] = []
    used = SECTION_TEXT
    for line in text:
        size = _line_size(line)
        if used + size > SECTION_TEXT:
            blocks.append([])
            used = 0
        blocks[-1].append(line)
        used += size
    return [{"type": "rich_text", "elements": list(_elements(lines))} for lines in blocks]


def _elements(lines: Sequence[Line]) -> Iterator[dict[str, object]]:
    for is_list, some in groupby(lines, key=lambda line: line.bullet):
        sections: list[dict[str, object]] = [
            {"type": "rich_text_section", "elements": _runs(line)} for line in some
        ]
        if is_list:
            yield {"type": "rich_text_list", "style": "bullet", "elements": sections}
        else:
            yield from sections


def _runs(line: Line) -> list[dict[str, object]]:
    return [_run(run) for run in line.runs if run.text] or [{"type": "text", "text": " "}]


def _run(run: Run) -> dict[str, object]:
    node: dict[str, object] = {"type": "text", "text": run.text}
    if run.link:
        node = {"type": "link", "url": run.link, "text": run.text}
    style = {name: True for field, name in _STYLES.items() if getattr(run, field)}
    return {**node, "style": style} if style else node


def _line_size(line: Line) -> int:
    return sum(units(run.text) + len(run.link) for run in line.runs)


def _size(blocks: Sequence[Mapping[str, Any]]) -> int:
    """Return the total length of the texts and addresses in rich text."""
    total = 0
    for block in blocks:
        for section in _sections(block):
            total += sum(units(run["text"]) + len(run.get("url", "")) for run in section["elements"])
    return total


def _sections(block: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for element in block["elements"]:
        yield from element["elements"] if element["type"] == "rich_text_list" else (element,)


def _rich_words(block: Mapping[str, Any]) -> str:
    """Return rich text as a preview shows it."""
    lines = []
    for element in block["elements"]:
        is_list = element["type"] == "rich_text_list"
        for section in element["elements"] if is_list else (element,):
            words = "".join(run["text"] for run in section["elements"])
            lines.append(f"• {words}" if is_list else words)
    return "\n".join(lines)


def _readable(element: Mapping[str, Any] | None, times: TimeFormatter) -> str:
    """Return the text of a text object as Slack shows it."""
    text = str((element or {}).get("text") or "")
    text = _DATE.sub(lambda match: times.exact(datetime.fromtimestamp(int(match[1]), UTC)), text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
