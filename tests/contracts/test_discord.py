"""Tests of Discord only."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.sending.transport import Transport
from bot.services import SERVICES, Destination, Outcome, Pace
from bot.services.discord_embeds import escape
from bot.services.secret import Secret
from tests.bot.world import to
from tests.contracts.case import TOKEN, answered, strings
from tests.contracts.cases.discord import CASE
from tests.contracts.samples import CONTEXT, MESSAGE, requests_for
from tests.fakechat import FakeChat, discord_violations

patient = settings(deadline=None, max_examples=60)


@patient
@given(st.text(alphabet="*_[]()~`|<>@#&:\\+-.1ae veryonh", max_size=60))
def test_discord_reads_back_what_was_written(text: str) -> None:
    """Without backslashes and zero-width spaces the text reads back, and all markup is escaped."""
    escaped = escape(text)
    assert re.sub(r"\\(.)", r"\1", escaped).replace("\u200b", "") == text
    assert not set("*_~`|<>[]():") & set(re.sub(r"\\.", "", escaped))


def test_discord_shows_one_embed_and_the_site_as_its_author() -> None:
    """A message is one embed without content beside it, under the site's name."""
    sent = SERVICES["discord"].post(CASE.hook, MESSAGE).json
    assert isinstance(sent["embeds"], list)
    assert len(sent["embeds"]) == 1
    assert "content" not in sent
    assert sent["username"] == "Newswire"


def test_discord_is_spared_addresses_that_it_refuses() -> None:
    """A host without a dot, as on a developer's machine, is left out, as it would be a 400."""
    local = "http://localhost:8000/a"
    message = replace(MESSAGE, link=local, image=local, provider_icon=local)
    sent = SERVICES["discord"].post(CASE.hook, message).json
    assert local not in set(strings(sent))
    assert discord_violations(sent) == []


@pytest.mark.parametrize("site", ["My Discord News", "CLYDE", "@news", "here", "", "a```b", "x:y"])
def test_discord_keeps_its_own_name_where_the_sites_is_not_allowed(site: str) -> None:
    """A forbidden username, which would give 400 for every post, is left out."""
    assert "username" not in SERVICES["discord"].post(CASE.hook, replace(MESSAGE, site=site)).json


def test_a_retracted_article_is_struck_through_in_discord() -> None:
    """The title is struck through, with its tildes escaped; link, picture and fields are removed."""
    retracted = replace(MESSAGE, title="~~a~~ " * 100, retracted=True)
    for request in requests_for(CASE.service, CASE.hook, retracted):
        assert discord_violations(request.json) == []
    correction = SERVICES["discord"].correct(CASE.hook, "99", retracted)
    assert correction
    embeds = correction.json["embeds"]
    assert isinstance(embeds, list)
    embed = embeds[0]
    assert embed["title"].startswith(r"~~\~\~a\~\~")
    assert embed["title"].endswith("…~~")
    assert not {"url", "thumbnail", "fields"} & embed.keys()


@pytest.mark.parametrize(
    ("path", "posted", "patched"),
    [
        ("/api/webhooks/1/t", "/api/v10/webhooks/1/t?wait=true", "/api/v10/webhooks/1/t/messages/99"),
        ("/api/v8/webhooks/1/t/", "/api/v10/webhooks/1/t?wait=true", "/api/v10/webhooks/1/t/messages/99"),
        (
            "/api/webhooks/1/t?thread_id=7&wait=false",
            "/api/v10/webhooks/1/t?thread_id=7&wait=true",
            "/api/v10/webhooks/1/t/messages/99?thread_id=7",
        ),
        ("/compatible/1", "/compatible/1?wait=true", "/compatible/1/messages/99"),
    ],
)
def test_discord_is_asked_to_wait_at_one_version(path: str, posted: str, patched: str) -> None:
    """`wait=true` returns the id, the version fixes the units of answers, and a thread is kept."""
    hook = to(f"https://discord.com{path}")
    correction = SERVICES["discord"].correct(hook, "99", MESSAGE)
    assert correction
    assert correction.method == "PATCH"
    assert correction.url.reveal() == f"https://discord.com{patched}"
    assert SERVICES["discord"].post(hook, MESSAGE).url.reveal() == f"https://discord.com{posted}"


def test_discord_names_the_message_and_the_pace() -> None:
    """The verdict has the id and the remaining requests, whatever the headers' case."""
    response = answered(200, {"id": "1401"}, x_ratelimit_remaining="3", X_RateLimit_Reset_After="1.470")
    verdict = SERVICES["discord"].classify(response)
    assert verdict.message_id == "1401"
    assert verdict.pace == Pace(remaining=3, reset_after=timedelta(seconds=1.47))
    refused = replace(response, status=400, body=b"")
    assert SERVICES["discord"].classify(refused).pace == verdict.pace
    assert SERVICES["slack"].classify(answered(200, b"ok", X_RateLimit_Remaining="3")).pace is None


def test_discord_says_which_field_it_refused() -> None:
    """The reason shows an operator that the picture was refused."""
    errors = {"embeds": {"0": {"thumbnail": {"url": {"_errors": [{"code": "URL_TYPE_INVALID_URL"}]}}}}}
    body = {"message": "Invalid Form Body", "code": 50035, "errors": errors}
    reason = SERVICES["discord"].classify(answered(400, body)).reason
    assert reason == (
        "HTTP 400: Invalid Form Body (Discord's error 50035); embeds.0.thumbnail.url: URL_TYPE_INVALID_URL"
    )


def test_a_message_deleted_in_discord_needs_no_plainer_correction() -> None:
    """The correction ends, and the channel stays enabled."""
    assert SERVICES["discord"].classify(answered(404, {"code": 10008})).degradable is False
    assert SERVICES["discord"].classify(answered(400, {"code": 50035})).degradable is True


TAGS = {"AI": "11", "c++": "12", "Go": "13", **{f"t{number}": str(20 + number) for number in range(9)}}


def forum(address: str) -> Destination:
    return Destination(address=Secret(address), options={"forum": True, "forum_tags": TAGS})


def test_a_post_in_a_forum_begins_a_thread() -> None:
    """The thread has the title within 100 characters, and at most five tags of the topics."""
    message = replace(MESSAGE, title="*a* " * 100, labels=("Go", "C++", "Unknown"), topics=())
    sent = SERVICES["discord"].post(forum(f"https://discord.com/api/webhooks/1/{TOKEN}"), message).json
    assert discord_violations(sent) == []
    assert str(sent["thread_name"]).startswith("*a* *a*") and len(str(sent["thread_name"])) <= 100
    assert sent["applied_tags"] == ["13", "12"]
    many = replace(MESSAGE, labels=tuple(f"t{number}" for number in range(9)))
    tagged = SERVICES["discord"].post(forum("https://discord.com/api/webhooks/1/t"), many).json
    assert tagged["applied_tags"] == ["20", "21", "22", "23", "24"]
    untagged = SERVICES["discord"].post(forum("https://discord.com/api/webhooks/1/t"), MESSAGE).json
    assert "applied_tags" not in untagged
    assert "thread_name" not in SERVICES["discord"].post(CASE.hook, message).json


def test_a_forum_takes_posts_replies_and_corrections(chat: FakeChat, transport: Transport) -> None:
    """Each goes into its thread; a forum without its setting, or without a required tag, is not disabled."""
    service, to_forum = SERVICES["discord"], forum(chat.hook_url("discord", "forum-1"))
    begun = service.classify(transport.send(service.post(to_forum, MESSAGE, context=CONTEXT)))
    assert begun.message_id is not None
    in_thread = replace(CONTEXT, parent=begun.message_id)
    reply = service.classify(transport.send(service.post(to_forum, MESSAGE, context=in_thread)))
    assert reply.outcome is Outcome.SENT and reply.message_id is not None
    changed = replace(MESSAGE, title="Another")
    for context, number in ((CONTEXT, begun.message_id), (in_thread, reply.message_id)):
        correction = service.correct(to_forum, number, changed, context=context)
        assert correction is not None
        assert f"thread_id={begun.message_id}" in correction.url.reveal()
        assert service.classify(transport.send(correction)).outcome is Outcome.SENT
    wrong = [
        (Destination(address=to_forum.address), "set `forum: true`"),
        (forum(chat.hook_url("discord", "plain")), "remove `forum`"),
        (forum(chat.hook_url("discord", "forum-tag")), "forum_tags"),
    ]
    for hook, advice in wrong:
        verdict = service.classify(transport.send(service.post(hook, replace(MESSAGE, labels=()))))
        assert verdict.outcome is Outcome.DENIED
        assert advice in verdict.reason
