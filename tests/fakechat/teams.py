"""The webhook of a workflow in Teams: it accepts every message, and posts valid ones. No sockets here.

https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from tests.fakechat.base import Fake, refused
from tests.fakechat.exchange import Answer, Call, json_answer
from tests.fakechat.ledger import Ledger

LONGEST = 28_000
_CARD_TYPE = "application/vnd.microsoft.card.adaptive"


@cache
def card_schema() -> Any:
    """Return a validator of cards by the published schema, whose package takes long to import.

    Return None without the tests' packages: `make chat` runs without them.
    """
    package = find_spec("adaptive_cards")
    if package is None or package.origin is None:
        return None
    from jsonschema import Draft6Validator  # type: ignore[import-untyped]

    schema = Path(package.origin).parent / "schemas" / "schema-1.5.json"
    return Draft6Validator(json.loads(schema.read_text(encoding="utf-8-sig")))


def problems(payload: Any) -> Iterator[str]:
    """Return what is wrong with a payload: the envelope, the card by the published schema, or its size."""
    if not isinstance(payload, dict) or payload.get("type") != "message" or len(payload["attachments"]) != 1:
        yield "no message with one attachment"
        return
    (attachment,) = payload["attachments"]
    card = attachment.get("content")
    if attachment.get("contentType") != _CARD_TYPE or card.get("type") != "AdaptiveCard":
        yield "no Adaptive Card"
    standard = {key: value for key, value in card.items() if key != "msteams"}
    if schema := card_schema():
        yield from (f"{list(error.path)}: {error.message[:200]}" for error in schema.iter_errors(standard))
    # https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-format
    for entity in card.get("msteams", {}).get("entities", ()):
        texts = [block.get("text", "") for block in card["body"]]
        if entity["type"] != "mention" or not any(entity["text"] in text for text in texts):
            yield "a mention that the card does not show"
    written = json.dumps(card, ensure_ascii=False)
    size = max(len(written.encode(coding, "surrogatepass")) for coding in ("utf-8", "utf-16-le"))
    if size > LONGEST:
        yield f"{size} bytes"


def error(code: str) -> dict[str, object]:
    """Return an error in a workflow's wording."""
    return {"error": {"code": code, "message": "…"}}


class FakeTeams(Fake):
    """Teams: it accepts messages with 202.

    A real workflow accepts an invalid message and does not show it; this one refuses it, so that tests
    notice.
    """

    KIND: ClassVar[str] = "teams"
    PATH: ClassVar[re.Pattern[str]] = re.compile(
        r"(/powerautomate/automations/direct/workflows/[^/]+/triggers/manual/paths/invoke)"
    )
    # https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
    LIMIT: ClassVar[tuple[int, float] | None] = (4, 1.0)
    DEAD: ClassVar[tuple[int, object]] = (404, error("WorkflowNotFound"))
    ANSWERS: ClassVar[Mapping[int, object]] = {
        400: error("TriggerInputSchemaMismatch"),
        429: error("WorkflowRunRateLimitExceeded"),
    }

    def path(self, token: str) -> str:
        """The path of the workflow with that id; the signature is in the query."""
        return f"/powerautomate/automations/direct/workflows/{token}/triggers/manual/paths/invoke"

    def has_image(self, payload: object) -> bool:
        """Whether the card has a picture."""
        return '"type": "Image"' in json.dumps(payload, default=str)

    def is_rich(self, payload: object) -> bool:
        """Whether the card is more than one text."""
        return '"published"' in json.dumps(payload, default=str)

    def answer(self, call: Call, ledger: Ledger) -> Answer:
        """Accept the message, or refuse it with the reason."""
        found = list(problems(call.payload))
        if call.method != "POST" or found:
            return refused(json_answer(400, self.ANSWERS[400]), found)
        assert isinstance(call.payload, dict)
        card = call.payload["attachments"][0]["content"]
        pings = [entity["text"] for entity in card.get("msteams", {}).get("entities", ())]
        return self.show(call, ledger, Answer(status=202), pings)
