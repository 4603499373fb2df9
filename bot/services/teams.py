"""Microsoft Teams: posts an Adaptive Card by the webhook of a workflow."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import urlsplit

from bot.services.answers import Outcome, Response, Verdict, judge, rate_limited, retry_after
from bot.services.drawing import Drawing, TimeFormatter
from bot.services.mention import Ids
from bot.services.message import MentionKind, Message, test_text, title_of
from bot.services.service import (
    NO_CONTEXT,
    Destination,
    Detail,
    Rate,
    Request,
    RequestContext,
    SecretShape,
    Service,
)
from bot.services.teams_card import SUMMARY, URL, above, body_of, paragraph, plain_body, request, text_of
from bot.services.text import fit, web_url
from bot.services.words import button_of

RETIRED = (
    ".logic.azure.com",
    ".webhook.office.com",
    ".webhook.office365.com",
    "outlook.office.com",
    "outlook.office365.com",
)
"""Hosts that Microsoft has retired: those of the first workflows, and of Office 365 connectors.

https://devblogs.microsoft.com/microsoft365dev/retirement-of-office-365-connectors-within-microsoft-teams/
"""

DEAD = {
    "WorkflowNotFound": "the workflow was deleted",
    "WorkflowTriggerNotFound": "the workflow no longer starts with a webhook",
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
    """Posts by the webhook of a workflow, which only accepts a message: later failures are not reported."""

    KIND: ClassVar[str] = "teams"
    NAME: ClassVar[str] = "Microsoft Teams"
    HOSTS: ClassVar[frozenset[str]] = frozenset({".api.powerplatform.com"})
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = ((re.compile(r"([?&]sig=)[\w%.~-]+"), r"\1***"),)
    # https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/
    # connectors-using#rate-limiting-for-connectors: four requests a second.
    RATE: ClassVar[tuple[Rate, ...]] = ((4, timedelta(seconds=1)),)
    ITEMS: ClassVar[int] = 15
    # The id of Microsoft Entra, or the user's principal name, which looks like a mail address:
    # https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-format
    MENTIONS: ClassVar[Ids] = MappingProxyType(
        {
            MentionKind.USER: re.compile(
                r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
                re.ASCII | re.IGNORECASE,
            )
        }
    )

    def refusal(self, to: Destination) -> str | None:
        """Return why an address on a retired host is refused, or None."""
        host = f".{urlsplit(to.address.reveal()).hostname or ''}"
        if not any(host.endswith(f".{retired.lstrip('.')}") for retired in RETIRED):
            return None
        return (
            "addresses on this host are retired; create a new one with the Workflows app in Teams, on a host "
            "below api.powerplatform.com"
        )

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        """Return the request that posts `message`."""
        if detail == Detail.PLAIN:
            body = [*above(message), *plain_body(message)]
            return request(to, body, title_of(message), mention=message.mention)
        body = [*above(message), *body_of(message, with_image=detail < Detail.NO_IMAGE)]
        link = None if message.items or message.text else web_url(message.link, URL)
        return request(to, body, title_of(message), link, button_of(message), mention=message.mention)

    def test(self, to: Destination, site: str, context: RequestContext = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        text = fit(test_text(site), SUMMARY)
        return request(to, [paragraph(text)], text)

    def classify(self, response: Response) -> Verdict:
        """Return what `response` means: 202 means only that the workflow has accepted the message.

        https://learn.microsoft.com/en-us/azure/connectors/connectors-native-reqres
        """
        if response.status == 202:
            return Verdict(outcome=Outcome.ACCEPTED, reason="the workflow has accepted it")
        if response.status == 429:
            return rate_limited(retry_after(response))
        error = response.json_object().get("error")
        code = str(error.get("code", "")) if isinstance(error, dict) else ""
        if code in DEAD:
            return Verdict(outcome=Outcome.DISABLED, reason=f"HTTP {response.status}: {DEAD[code]} ({code})")
        return judge(response, code if _CODE.fullmatch(code) else "")

    def draw(self, request: Request, times: TimeFormatter) -> Drawing:
        """Return the drawing of a card."""
        attachments: Any = request.json["attachments"]
        card: dict[str, Any] = attachments[0]["content"]
        parts: dict[str, Any] = {part["id"]: part for part in card["body"] if "id" in part}
        action: dict[str, Any] = next(iter(card.get("actions", ())), {})
        at = parts.get("published", {}).get("text", "")
        lines = [part for part in card["body"] if re.match("line|summary|covered", str(part.get("id", "")))]
        match = re.search(r"DATE\(([^,]+),", at)
        time_text = times.exact(datetime.fromisoformat(match[1])) if match else ""
        return Drawing(
            sender="Workflows",
            mention=re.sub(r"</?at>", "", parts.get("mention", {}).get("text", "")),
            comment=text_of(parts.get("comment")),
            above=text_of(parts.get("provider")),
            title=text_of(parts.get("title")),
            text="\n".join(filter(None, map(text_of, lines))),
            picture=urlsplit(parts.get("picture", {}).get("url", "")).hostname or "",
            below=tuple(filter(None, (text_of(parts.get("topics")), time_text))),
            button=action.get("title", ""),
            link=action.get("url", ""),
            is_card=True,
        )
