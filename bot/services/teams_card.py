"""The Adaptive Card that Teams shows, and the request that carries it.

All texts of an article are in TextRuns, which have no Markdown, so a title is shown exactly as it was
written. Only the date is in a TextBlock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

from bot.services.listing import fitted
from bot.services.message import Mention, Message, Picture, title_of
from bot.services.remarks import comment_of, covered
from bot.services.rich import Line, Run, cut
from bot.services.service import Destination, Request
from bot.services.text import clean, fit, web_url
from bot.services.words import quality_of

CARD = 28_000
"""Bytes of a card, "about 28 KB": a workflow answers 202 to a larger one, and fails later.

https://learn.microsoft.com/en-us/connectors/teams/#known-issues-and-limitations-with-actions
"""

VERSION = "1.5"
"""https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-reference"""

# Newswire's own limits, in characters, which keep every card below CARD even in UTF-16.
TITLE = 300
NAME = 100
SUMMARY = 1500
TOPICS = 300
URL = 2000
LIST = 20_000
"""Bytes of the rich text of a card, as JSON in UTF-16."""
COVERED = 6_000
"""Likewise, of the line that names other publishers."""


def above(message: Message) -> Iterator[dict[str, object]]:
    """Yield the blocks with the mention and with an operator's comment.

    A mention has to be in the card's text, too.
    """
    if message.mention:
        yield {"type": "TextBlock", "id": "mention", "text": f"<at>{message.mention.id}</at>"}
    if comment := comment_of(message):
        yield {**_runs(_run(comment)), "id": "comment"}


def body_of(message: Message, *, with_image: bool) -> Iterator[dict[str, object]]:
    """Yield the blocks that show the message."""
    if message.text:
        yield from cut(message.text, LIST, _rich, _size)
        yield from _image(message) if with_image else ()
        return
    if message.items:
        title = fit(title_of(message), TITLE)
        struck = {"strikethrough": True} if message.retracted else {}
        yield {**_runs(_run(title, weight="Bolder", size="Medium", **struck)), "id": "title"}
        yield from fitted(message, LIST, _rich, _size)
        yield _published(message)
        return
    yield from _article(message, with_image=with_image)


def _article(message: Message, *, with_image: bool) -> Iterator[dict[str, object]]:
    provider = fit(clean(message.provider or ""), NAME)
    if provider:
        yield {**_runs(_run(provider, isSubtle=True, size="Small")), "id": "provider"}
    yield {**_runs(_run(fit(title_of(message), TITLE), weight="Bolder", size="Medium")), "id": "title"}
    summary = fit(clean(message.summary), SUMMARY)
    if summary:
        yield {**_runs(_run(summary)), "id": "summary"}
    for block in covered(message, _rich, _size, COVERED) or ():
        yield {**block, "id": "covered"}
    yield from _image(message) if with_image else ()
    topics = fit(", ".join(filter(None, map(clean, message.topics))), TOPICS)
    small = " · ".join(filter(None, (topics, quality_of(message))))
    if small:
        yield {**_runs(_run(small, isSubtle=True, size="Small")), "id": "topics"}
    yield _published(message)


def _published(message: Message) -> dict[str, object]:
    return {"type": "TextBlock", "id": "published", "isSubtle": True, "size": "Small", "text": _time(message)}


def _image(message: Message) -> Iterator[dict[str, object]]:
    image = web_url(message.image or "", URL)
    if image:
        alt = fit(title_of(message), TITLE)
        size = "Medium" if message.picture is Picture.THUMBNAIL else "Stretch"
        yield {"type": "Image", "url": image, "altText": alt, "size": size, "id": "picture"}


def _rich(text: Sequence[Line]) -> list[dict[str, object]]:
    """Return a RichTextBlock for each line, with an id by which the preview finds it."""
    blocks = []
    for number, line in enumerate(text, 1):
        runs = [_formatted(run) for run in line.runs]
        start = [_run("• ")] if line.bullet else []
        blocks.append({**_runs(*start, *runs), "id": f"line{number}"})
    return blocks


def _formatted(run: Run) -> dict[str, object]:
    inline = _run(run.text or " ")
    if run.bold:
        inline["weight"] = "Bolder"
    inline |= {"italic": True} if run.italic else {}
    inline |= {"strikethrough": True} if run.struck else {}
    return inline | ({"selectAction": {"type": "Action.OpenUrl", "url": run.link}} if run.link else {})


def _size(blocks: Sequence[dict[str, object]]) -> int:
    """Return the bytes of blocks of a card, in the longer of the two encodings."""
    text = json.dumps(blocks, ensure_ascii=False)
    return max(len(text.encode(coding, "surrogatepass")) for coding in ("utf-8", "utf-16-le"))


def _time(message: Message) -> str:
    """Return a date that each client shows in its own time zone.

    https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features#datetime-formatting-and-localization
    """
    time = message.published_at.astimezone(UTC)
    # The functions take seconds without a fraction, and years of four digits.
    stamp = f"{time.year:04d}{time:-%m-%dT%H:%M:%SZ}"
    return f"{{{{DATE({stamp},SHORT)}}}} {{{{TIME({stamp})}}}}"


def _run(text: str, **style: object) -> dict[str, object]:
    return {"type": "TextRun", "text": text, **style}


def _runs(*runs: dict[str, object]) -> dict[str, object]:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def paragraph(text: str) -> dict[str, object]:
    """Return a block with plain text."""
    return _runs(_run(text))


def text_of(block: dict[str, Any] | None) -> str:
    """Return the text of a block; "" for None."""
    return "".join(run["text"] for run in (block or {}).get("inlines", ()))


def _bare(text: Sequence[Line]) -> list[dict[str, object]]:
    """Return lines as plain text, with the address of each link after its words."""
    lines = []
    for line in text:
        words = "".join(f"{run.text} {run.link}" if run.link else run.text for run in line.runs)
        lines.append(_runs(_run(("• " if line.bullet else "") + (words or " "))))
    return lines


def plain_body(message: Message) -> list[dict[str, object]]:
    """Return the whole message as text, for when a workflow refused its card."""
    if message.text:
        return cut(message.text, LIST, _bare, _size)
    if message.items:
        return [_runs(_run(fit(title_of(message), TITLE))), *fitted(message, LIST, _bare, _size)]
    parts = (
        fit(title_of(message), TITLE),
        fit(clean(message.summary), SUMMARY),
        web_url(message.link, URL) or "",
    )
    others = covered(message, _bare, _size, COVERED) or ()
    return [_runs(_run("\n\n".join(filter(None, parts)))), *others]


def request(
    to: Destination,
    body: list[dict[str, object]],
    summary: str,
    link: str | None = None,
    button: str = "",
    mention: Mention | None = None,
) -> Request:
    """Return the request for a card in the envelope that a workflow's template expects.

    `button` is the text of the button that leads to `link`.

    https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
    """
    card: dict[str, object] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": VERSION,
        "fallbackText": fit(summary, TITLE),
        "body": body,
    }
    if link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": button, "url": link}]
    if mention:
        who = {"id": mention.id, "name": mention.id}
        entity = {"type": "mention", "text": f"<at>{mention.id}</at>", "mentioned": who}
        card["msteams"] = {"entities": [entity]}
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return Request(method="POST", url=to.address, json={"type": "message", "attachments": [attachment]})
