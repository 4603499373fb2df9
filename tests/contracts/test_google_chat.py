"""Tests of Google Chat only: ids that the sender chooses, and threads."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services import SERVICES, Request
from bot.services.google_chat_card import escape, escape_text
from tests.contracts.case import TOKEN
from tests.contracts.cases.google_chat import CASE
from tests.contracts.samples import CONTEXT, MESSAGE

SERVICE = SERVICES["google_chat"]
patient = settings(deadline=None, max_examples=60)


def query(request: Request) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.url.reveal()).query)


def test_a_post_has_one_id_in_all_attempts() -> None:
    """The id is valid for Google, and differs between posts and between sites."""
    contexts = (CONTEXT, replace(CONTEXT, at=None), replace(CONTEXT, key="post-8"))
    first, again, other = (query(SERVICE.post(CASE.hook, MESSAGE, context=each)) for each in contexts)
    elsewhere = query(SERVICE.post(CASE.hook, replace(MESSAGE, site="Another"), context=CONTEXT))
    assert first == again
    assert len({each["messageId"][0] for each in (first, other, elsewhere)}) == 3
    assert re.fullmatch(r"client-[a-z0-9-]{1,56}", first["messageId"][0])
    assert first["key"] == first["token"] == [TOKEN]
    assert first["requestId"]


def test_a_thread_is_named_in_the_body() -> None:
    """The option that begins a new thread where this one is missing is set."""
    request = SERVICE.post(CASE.hook, MESSAGE, context=replace(CONTEXT, parent="story-1"))
    assert request.json["thread"] == {"threadKey": "story-1"}
    assert query(request)["messageReplyOption"] == ["REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"]
    assert "thread" not in SERVICE.post(CASE.hook, MESSAGE, context=CONTEXT).json


def test_a_message_that_begins_a_thread_has_its_own_id_as_the_key() -> None:
    """The key is the id under which the outbox has the message, so that a reply can name it."""
    context = replace(CONTEXT, may_begin_thread=True)
    request = SERVICE.post(CASE.hook, MESSAGE, context=context)
    assert request.json["thread"] == {"threadKey": request.message_id}
    assert query(request)["messageId"] == [request.message_id]
    assert query(request)["messageReplyOption"] == ["REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"]
    reply = SERVICE.post(
        CASE.hook, MESSAGE, context=replace(context, key="post-8", parent=request.message_id)
    )
    assert reply.json["thread"] == request.json["thread"]
    assert reply.message_id != request.message_id


def test_the_key_of_a_thread_is_within_the_limit() -> None:
    """Any stored id of the first message gives a key within the limit."""
    request = SERVICE.post(CASE.hook, MESSAGE, context=replace(CONTEXT, parent="x" * 5000))
    assert request.json["thread"] == {"threadKey": "x" * 4000}


@patient
@given(st.text())
def test_a_card_reads_back_what_was_written(text: str) -> None:
    """Only & < > are replaced, and decoding them gives the text."""
    escaped = escape(text)
    assert not set("<>") & set(escaped)
    assert escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@patient
@given(st.text(alphabet="*_~`|<>@ users/all", max_size=40))
def test_a_text_has_no_markup(text: str) -> None:
    """A message without a card has no mention, link or emphasis."""
    assert not re.search(r"[*~`|]|<[^\u200b]", escape_text(text))
