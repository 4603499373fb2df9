"""Microsoft Teams: an Adaptive Card through the webhook of a workflow.

Everything an article brings is in TextRuns, which know no Markdown, so that a title reads exactly as it was
written; only the date is a TextBlock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from bot.services.answers import Outcome, Response, Verdict, judge, rate_limited, retry_after
from bot.services.drawing import Drawing, Times
from bot.services.message import Message, test_text, title_of
from bot.services.service import (
    NO_CONTEXT,
    Context,
    Destination,
    Detail,
    Rate,
    Request,
    SecretShape,
    Service,
)
from bot.services.text import clean, fit, web_url

CARD = 28_000
"""Bytes of a card, "about 28 KB": a workflow answers 202 to a larger one and fails afterwards, unseen.

https://learn.microsoft.com/en-us/connectors/teams/#known-issues-and-limitations-with-actions
"""

VERSION = "1.5"
"""https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-reference"""

# Limits of our own, in characters, that keep every card under CARD even in UTF-16.
TITLE = 300
NAME = 100
SUMMARY = 1500
TOPICS = 300
URL = 2000

ENDED = (
    ".logic.azure.com",
    ".webhook.office.com",
    ".webhook.office365.com",
    "outlook.office.com",
    "outlook.office365.com",
)
"""Hosts of addresses that Microsoft has ended: the first workflows', and those of Office 365 connectors.

https://devblogs.microsoft.com/microsoft365dev/retirement-of-office-365-connectors-within-microsoft-teams/
"""

DEAD = {
    "WorkflowNotFound": "the workflow was deleted",
    "WorkflowTriggerNotFound": "the workflow no longer begins with a webhook",
    "WorkflowTriggerIsNotEnabled": "the workflow is turned off",
    "DirectApiAuthorizationRequired": "the workflow no longer takes requests from anyone",
    "DirectApiInvalidAuthorizationScheme": "the workflow no longer takes requests from anyone",
    "InvalidSignature": "the address's signature is wrong",
}
"""Errors that are final, by the `code` of the answer's JSON.

https://learn.microsoft.com/en-us/troubleshoot/power-platform/power-automate/flow-run-issues/triggers-troubleshoot
"""

_CODE = re.compile(r"[A-Za-z]{1,60}")


class Teams(Service):
    """Posts by the webhook of a workflow, which takes a message and says no more of it."""

    KIND: ClassVar[str] = "teams"
    NAME: ClassVar[str] = "Microsoft Teams"
    HOSTS: ClassVar[frozenset[str]] = frozenset({".api.powerplatform.com"})
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = ((re.compile(r"([?&]sig=)[\w%.~-]+"), r"\1***"),)
    # https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/
    # connectors-using#rate-limiting-for-connectors: four requests a second.
    RATE: ClassVar[tuple[Rate, ...]] = ((4, timedelta(seconds=1)),)

    def refusal(self, to: Destination) -> str | None:
        """Refuse addresses that have ended."""
        host = f".{urlsplit(to.address.reveal()).hostname or ''}"
        if not any(host.endswith(f".{ended.lstrip('.')}") for ended in ENDED):
            return None
        return (
            "addresses on this host have ended; make a new one with the Workflows app in Teams, on a host "
            "below api.powerplatform.com"
        )

    def post(
        self, to: Destination, message: Message, detail: Detail = Detail.FULL, context: Context = NO_CONTEXT
    ) -> Request:
        """Return the request that posts `message`."""
        if detail == Detail.PLAIN:
            return _request(to, [_runs(_run(_everything(message)))], title_of(message))
        body = list(_body(message, with_image=detail < Detail.NO_IMAGE))
        return _request(to, body, title_of(message), web_url(message.link, URL))

    def test(self, to: Destination, site: str, context: Context = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        text = fit(test_text(site), SUMMARY)
        return _request(to, [_runs(_run(text))], text)

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means: 202 says that the workflow has it, and nobody says more.

        https://learn.microsoft.com/en-us/azure/connectors/connectors-native-reqres
        """
        if response.status == 202:
            return Verdict(outcome=Outcome.ACCEPTED, reason="the workflow has taken it")
        if response.status == 429:
            return rate_limited(retry_after(response))
        error = response.said().get("error")
        code = str(error.get("code", "")) if isinstance(error, dict) else ""
        if code in DEAD:
            return Verdict(outcome=Outcome.DISABLED, reason=f"HTTP {response.status}: {DEAD[code]} ({code})")
        return judge(response, code if _CODE.fullmatch(code) else "")

    def draw(self, request: Request, times: Times) -> Drawing:
        """Return what Teams shows of a card."""
        sent: Any = request.json["attachments"]
        card: dict[str, Any] = sent[0]["content"]
        parts: dict[str, Any] = {each["id"]: each for each in card["body"] if "id" in each}
        action: dict[str, Any] = next(iter(card.get("actions", ())), {})
        at = parts.get("published", {}).get("text", "")
        found = re.search(r"DATE\(([^,]+),", at)
        shown = times.exact(datetime.fromisoformat(found[1])) if found else ""
        return Drawing(
            sender="Workflows",
            above=_text_of(parts.get("provider")),
            title=_text_of(parts.get("title")),
            text=_text_of(parts.get("summary")),
            picture=urlsplit(parts.get("picture", {}).get("url", "")).hostname or "",
            below=tuple(filter(None, (_text_of(parts.get("topics")), shown))),
            button=action.get("title", ""),
            link=action.get("url", ""),
            is_card=True,
        )


def _body(message: Message, *, with_image: bool) -> Iterator[dict[str, object]]:
    provider = fit(clean(message.provider or ""), NAME)
    if provider:
        yield {**_runs(_run(provider, isSubtle=True, size="Small")), "id": "provider"}
    yield {**_runs(_run(fit(title_of(message), TITLE), weight="Bolder", size="Medium")), "id": "title"}
    summary = fit(clean(message.summary), SUMMARY)
    if summary:
        yield {**_runs(_run(summary)), "id": "summary"}
    image = web_url(message.image or "", URL) if with_image else None
    if image:
        alt = fit(title_of(message), TITLE)
        yield {"type": "Image", "url": image, "altText": alt, "size": "Stretch", "id": "picture"}
    topics = fit(", ".join(filter(None, map(clean, message.topics))), TOPICS)
    quality = "" if message.quality is None else f"Quality {message.quality}"
    small = " · ".join(filter(None, (topics, quality)))
    if small:
        yield {**_runs(_run(small, isSubtle=True, size="Small")), "id": "topics"}
    yield {"type": "TextBlock", "id": "published", "isSubtle": True, "size": "Small", "text": _time(message)}


def _time(message: Message) -> str:
    """Return a date that each reader's client shows in its own zone.

    https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features#datetime-formatting-and-localization
    """
    moment = message.published_at.astimezone(UTC)
    # The functions take seconds without a fraction, and years of four digits.
    stamp = f"{moment.year:04d}{moment:-%m-%dT%H:%M:%SZ}"
    return f"{{{{DATE({stamp},SHORT)}}}} {{{{TIME({stamp})}}}}"


def _run(text: str, **style: object) -> dict[str, object]:
    return {"type": "TextRun", "text": text, **style}


def _runs(*runs: dict[str, object]) -> dict[str, object]:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _text_of(block: dict[str, Any] | None) -> str:
    return "".join(run["text"] for run in (block or {}).get("inlines", ()))


def _everything(message: Message) -> str:
    """Return the whole message as text: for a workflow that refused its card."""
    parts = (
        fit(title_of(message), TITLE),
        fit(clean(message.summary), SUMMARY),
        web_url(message.link, URL) or "",
    )
    return "\n\n".join(filter(None, parts))


def _request(
    to: Destination, body: list[dict[str, object]], summary: str, link: str | None = None
) -> Request:
    """Return the request for a card in the envelope that a workflow's template unpacks.

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
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Read article", "url": link}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return Request(method="POST", url=to.address, json={"type": "message", "attachments": [attachment]})
