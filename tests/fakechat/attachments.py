"""The attachments of Mattermost and Rocket.Chat: what they may hold, and which fields are Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from tests.fakechat.schema import array, boolean, iso8601, record, string, web_url

_URL = web_url(2048)
ATTACHMENT = record(
    {},
    {
        "title": string(300, 1),
        "fallback": string(4000, 1),
        "color": string(7, 7),
        "author_name": string(300, 1),
        "author_icon": _URL,
        "title_link": _URL,
        "text": string(16_383),
        "thumb_url": _URL,
        "image_url": _URL,
        "fields": array(
            record({"title": string(100, 1), "value": string(2000, 1)}, {"short": boolean}, closed=True),
            maximum=10,
        ),
        "footer": string(300),
        "ts": iso8601,
    },
    closed=True,
)


def markdown_of(payload: object) -> Iterator[str]:
    """Yield the texts in which the service looks for markup and mentions."""
    if not isinstance(payload, dict):
        return
    yield str(payload.get("text") or "")
    for each in payload.get("attachments") or []:
        yield from (str(each.get(name) or "") for name in ("text", "pretext"))
        if "title_link" not in each and "title" in each:
            yield str(each["title"])
        yield from (str(field.get("value")) for field in each.get("fields", ()))
