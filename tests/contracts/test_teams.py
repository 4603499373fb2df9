"""Tests of Teams only: retired addresses, and unclear answers."""

from __future__ import annotations

import pytest

from bot.services import SERVICES
from tests.bot.world import to
from tests.contracts.cases.teams import CASE
from tests.contracts.samples import MESSAGE

SERVICE = SERVICES["teams"]


@pytest.mark.parametrize(
    "address",
    [
        "https://prod-23.westeurope.logic.azure.com:443/workflows/0/triggers/manual/paths/invoke?sig=s3cr3t",
        "https://contoso.webhook.office.com/webhookb2/s3cr3t",
        "https://outlook.office.com/webhook/s3cr3t",
    ],
)
def test_a_retired_address_is_refused(address: str) -> None:
    """The error says that the address is retired, without repeating it."""
    refusal = SERVICE.refusal(to(address))
    assert refusal is not None and "are retired" in refusal and "Workflows" in refusal
    assert "s3cr3t" not in refusal


def test_a_workflows_host_is_known_by_its_end() -> None:
    """Each environment has a host of its own below api.powerplatform.com."""
    assert SERVICE.is_own_address(CASE.hook.address)
    assert not SERVICE.is_own_address(to("https://api.powerplatform.com.evil.example/").address)


def test_the_title_is_in_no_markdown() -> None:
    """Texts of articles are in runs of text, which Teams shows unchanged."""
    title = "[a](https://evil.example) **b** <at>c</at>"
    sent = SERVICE.post(CASE.hook, MESSAGE).json
    marked = SERVICE.post(
        CASE.hook,
        MESSAGE.__class__(title=title, link=MESSAGE.link, site="", published_at=MESSAGE.published_at),
    ).json
    blocks = marked["attachments"][0]["content"]["body"]  # type: ignore[index]
    assert [each["type"] for each in blocks] == ["RichTextBlock", "TextBlock"]
    assert blocks[0]["inlines"][0]["text"] == title
    assert sent["type"] == "message"
