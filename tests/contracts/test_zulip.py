"""Tests of Zulip only: the login in the address, topics, and references instead of markup."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services import SERVICES
from bot.services.secret import Secret
from bot.services.zulip_text import escape
from tests.contracts.case import TOKEN, payload_of
from tests.contracts.cases.zulip import CASE
from tests.contracts.samples import MESSAGE

SERVICE = SERVICES["zulip"]


@pytest.mark.parametrize("email", ["bot%40news.example", "bot@news.example"])
def test_the_login_goes_into_a_header(email: str) -> None:
    """The login is removed from the address, however the e-mail's @ is written."""
    hook = SERVICE.destination(
        {"webhook": Secret(f"https://{email}:{TOKEN}@chat.example/")}, {"stream": "news"}
    )
    assert SERVICE.refusal(hook) is None
    correction = SERVICE.correct(hook, "42", MESSAGE)
    assert correction is not None
    for request, path in ((SERVICE.post(hook, MESSAGE), ""), (correction, "/42")):
        assert request.url.reveal() == f"https://chat.example/api/v1/messages{path}"
        login = base64.b64decode(request.headers["Authorization"].removeprefix("Basic "))
        assert login.decode() == f"bot@news.example:{TOKEN}"


@pytest.mark.parametrize("address", ["https://chat.example", "https://bot%40news.example@chat.example"])
def test_an_address_without_a_login_is_refused(address: str) -> None:
    """The error shows the right form."""
    refusal = SERVICE.refusal(SERVICE.destination({"webhook": Secret(address)}, {"stream": "news"}))
    assert refusal is not None and "BOT-EMAIL:API-KEY@" in refusal


def test_the_articles_topic_is_zulips() -> None:
    """A message's topic is the article's first, or else the site's name."""
    for topics, site, shown in ((("AI", "C"), "News", "AI"), ((), "News", "News"), ((), "", "News")):
        sent = payload_of(SERVICE.post(CASE.hook, replace(MESSAGE, topics=topics, site=site)))
        assert sent["topic"] == shown
    assert "link" not in payload_of(SERVICE.post(CASE.hook, replace(MESSAGE, link="https://e.example/(a)")))
    content = payload_of(SERVICE.post(CASE.hook, replace(MESSAGE, link="https://e.example/(a)")))["content"]
    assert "(https://e.example/%28a%29)" in content


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="*_[]()~`|<>@#&:\\+-.1!$ae veryonh", max_size=60))
def test_zulip_reads_back_what_was_written(text: str) -> None:
    """References replace markup characters, and decoding them gives the text."""
    escaped = escape(text)
    assert html.unescape(escaped) == text
    assert not set("*~`|<>[]:!@$\\") & set(escaped)
    assert not re.search(r"&(?!#\d+;)|#(?!\d+;)", escaped)
    assert not re.match(r"[+-]|\d+[.)]", escaped)
