"""A receiver of Standard Webhooks that processes each event once. No sockets here.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import ClassVar

from tests.fakechat.base import Fake, refused
from tests.fakechat.exchange import Answer, Call, json_answer
from tests.fakechat.ledger import Ledger

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LONGEST = 20_000


class FakeWebhook(Fake):
    """Checks signatures with the specification's own library, and shows each article once, as it is now."""

    KIND: ClassVar[str] = "webhook"
    PATH: ClassVar[re.Pattern[str]] = re.compile(r"(/events/[^/]+)")
    DEAD: ClassVar[tuple[int, object]] = (410, {})

    def path(self, token: str) -> str:
        """The path of the receiver with that token."""
        return f"/events/{token}"

    def answer(self, call: Call, ledger: Ledger) -> Answer:
        """Accept the event, or refuse it if it is not signed or too long."""
        if call.method != "POST" or not isinstance(call.payload, dict):
            return json_answer(400, {})
        if not _is_signed(call):
            return refused(json_answer(401, {}), ["the signature is wrong"])
        if len(call.body) > LONGEST:
            return refused(json_answer(413, {}), [f"{len(call.body)} bytes"])
        id = call.headers["webhook-id"]
        published = call.payload["data"].get("published_event")
        earlier = ledger.message(call.route.webhook, published or id)
        if earlier and published:
            ledger.post(replace(earlier, payload=call.payload, edited_at=call.at))
            return replace(json_answer(200, {}), outcome="edited", message_id=published)
        return json_answer(200, {}) if earlier else self.show(call, ledger, json_answer(200, {}), id=id)

    def has_image(self, payload: object) -> bool:
        """Always False: an event has no picture, only addresses of some."""
        return False

    def is_rich(self, payload: object) -> bool:
        """Always False: an event is data."""
        return False


def _is_signed(call: Call) -> bool:
    """Whether the signature is valid. Its time is not checked, as the tests' clocks do not advance."""
    id, stamp = call.headers.get("webhook-id", ""), call.headers.get("webhook-timestamp", "")
    if not id or "." in id or not stamp.isdecimal():
        return False
    at = datetime.fromtimestamp(int(stamp), UTC)
    if find_spec("standardwebhooks") is None:
        return True  # `make chat` runs without the tests' packages; in tests the library is installed
    from standardwebhooks.webhooks import Webhook  # imported here, because it takes long

    right = Webhook(SECRET).sign(msg_id=id, timestamp=at, data=call.body.decode())
    return right in call.headers.get("webhook-signature", "").split(" ")
