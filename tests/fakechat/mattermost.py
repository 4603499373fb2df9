"""Mattermost's incoming webhooks: answers, errors, and whom a message pings. No sockets here.

https://docs.mattermost.com/developers/integrate/webhooks/incoming
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

from tests.fakechat.attachments import ATTACHMENT, markdown_of
from tests.fakechat.base import Fake, refused
from tests.fakechat.exchange import Answer, Call, json_answer, text_answer
from tests.fakechat.ledger import Ledger
from tests.fakechat.schema import Violation, array, record, string

LONGEST = 16_383
_MESSAGE = record(
    {},
    {"text": string(LONGEST), "attachments": array(ATTACHMENT, maximum=1, minimum=1), "username": string(64)},
    closed=True,
)
# The server looks for these in posts and in the texts, pretexts and fields of attachments.
_MENTION = re.compile(r"(?<![\w.])@\w+")


def problems(payload: object) -> Iterator[Violation]:
    """Return what is wrong with a payload."""
    yield from _MESSAGE(payload, "")
    if isinstance(payload, dict) and not payload.get("text") and not payload.get("attachments"):
        yield Violation(pointer="", code="no_text", message="No text specified.")


def error(id: str, status: int) -> dict[str, object]:
    """Return an error in Mattermost's wording."""
    return {"id": id, "message": "…", "detailed_error": "", "request_id": "x", "status_code": status}


class FakeMattermost(Fake):
    """Mattermost: it shows the attachments that are sent to it."""

    KIND: ClassVar[str] = "mattermost"
    PATH: ClassVar[re.Pattern[str]] = re.compile(r"(/hooks/[^/]+)")
    # https://docs.mattermost.com/administration-guide/configure/rate-limiting-configuration-settings.html
    LIMIT: ClassVar[tuple[int, float] | None] = (10, 1.0)
    DEAD: ClassVar[tuple[int, object]] = (400, error("web.incoming_webhook.invalid.app_error", 400))
    ANSWERS: ClassVar[Mapping[int, object]] = {400: error("web.incoming_webhook.parse.app_error", 400)}

    def path(self, token: str) -> str:
        """The path of the webhook with that token."""
        return f"/hooks/{token}"

    def answer(self, call: Call, ledger: Ledger) -> Answer:
        """Post the message, or refuse it with the reason."""
        found = list(problems(call.payload))
        if call.method != "POST" or found:
            return refused(json_answer(400, self.ANSWERS[400]), found)
        pings = (ping for text in markdown_of(call.payload) for ping in _MENTION.findall(text))
        return self.show(call, ledger, text_answer(200, "ok"), pings)
