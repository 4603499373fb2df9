"""A registered service is known to the settings, the redaction, the preview and the bot."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from pathlib import Path

import pytest
import requests

import config as configuration
from app import create_app
from bot.outbox import upgrading
from bot.services import SERVICES, RequestContext
from config import BotConfig, ConfigError, SiteConfig
from ops.redact import Redactor
from tests.contracts.kinds import CASES
from tests.contracts.samples import MESSAGE
from tests.contracts.toy import KEY, TOY, FakeToy, toy_destination
from tests.fakechat import FakeChat
from tests.fakechat.registry import speaking
from tests.pages.operator import TOKEN
from tests.pages.parsed import parse, texts
from tests.site import ArticleSite, Clock
from wiring.bot import bot_parts
from wiring.channels import channel_of

CHANNEL = "{name: attic, kind: toy, webhook_env: HOOK, key_env: KEY, room: hall}"


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the toy to the services."""
    monkeypatch.setitem(SERVICES, TOY.KIND, TOY)


def read(folder: Path, channel: str) -> configuration.Config:
    (folder / "content").mkdir(exist_ok=True)
    file = folder / "config.yaml"
    file.write_text(f"bot:\n  channels:\n    - {channel}\n")
    return configuration.load(file, {})


@pytest.mark.usefixtures("registered")
def test_its_settings_are_known(tmp_path: Path) -> None:
    """Its own settings are read, with secrets apart; missing and unknown ones have their line."""
    (channel,) = read(tmp_path, CHANNEL).bot.channels
    assert channel.secret_variables() == {"webhook": "HOOK", "key": "KEY"}
    assert channel.options() == {"room": "hall"}
    for wrong, expected in (
        (CHANNEL.replace(", room: hall", ""), "3:7: bot.channels[1].room: is missing"),
        (
            CHANNEL.replace("room", "rooom"),
            "3:65: bot.channels[1].rooom: is not a known key; did you mean room?",
        ),
        (CHANNEL.replace("toy", "slack"), "bot.channels[1].key_env: is not a known key"),
        (
            CHANNEL.replace("kind: toy", "kind: toys"),
            "bot.channels[1].kind: is not a known kind of service; did",
        ),
    ):
        with pytest.raises(ConfigError) as caught:
            read(tmp_path, wrong)
        assert expected in str(caught.value)


def test_without_the_registry_it_is_unknown(tmp_path: Path) -> None:
    """No other part names a kind."""
    with pytest.raises(ConfigError, match="is not a known kind of service"):
        read(tmp_path, CHANNEL)


@pytest.mark.usefixtures("registered")
def test_its_secrets_are_all_needed(site: ArticleSite, tmp_path: Path) -> None:
    """A channel posts nothing while a secret is missing, or when the service refuses the destination."""
    (channel,) = read(tmp_path, CHANNEL).bot.channels
    topics = configuration.Config().feeds.catalog_topics()
    environ = {"HOOK": "https://toy.example/toy/t0ken", "KEY": "k3y"}
    destination = channel_of(channel, topics, environ, SiteConfig())[0].destination
    assert destination is not None
    assert destination.address.reveal() == environ["HOOK"]
    assert destination.secrets["key"].reveal() == "k3y"
    missing, fault = channel_of(channel, topics, {"HOOK": environ["HOOK"]}, SiteConfig())
    assert missing.destination is None
    assert fault == "channel attic posts nothing: KEY is not set in the environment"
    (refused,) = read(tmp_path, CHANNEL.replace("hall", "attic")).bot.channels
    assert "there is no such room" in channel_of(refused, topics, environ, SiteConfig())[1]


@pytest.mark.usefixtures("registered")
def test_its_secrets_are_redacted() -> None:
    """Texts in the form of its secrets are redacted, even if the value was not registered."""
    failure = "POST https://toy.example/toy/s3cr3t failed"
    assert Redactor()(failure) == "POST https://toy.example/toy/*** failed"
    destination = toy_destination("https://toy.example/toy/s3cr3t")
    request = TOY.post(destination, MESSAGE, context=RequestContext(key="p1"))
    for shown in (repr(destination), repr(request)):
        assert "s3cr3t" not in shown and KEY not in shown and "Toy-Signature" not in shown


@pytest.mark.usefixtures("registered")
def test_it_is_drawn_as_itself_and_posted_to(site: ArticleSite, clock: Clock) -> None:
    """The preview draws its messages in the neutral form, and the bot posts by the registration alone."""
    site.write("old.md", title="Old")
    with speaking("toy", FakeToy()), FakeChat() as chat, requests.Session() as session:
        environ = {"ADMIN_TOKEN": TOKEN, "HOOK": chat.hook_url("toy", "t0ken"), "KEY": KEY}
        channel = {"name": "toys", "kind": "toy", "webhook_env": "HOOK", "key_env": "KEY", "room": "hall"}
        config = site.config().model_copy(
            update={
                "bot": BotConfig.model_validate({"channels": [channel]}),
                "site": SiteConfig(title="News", url="https://news.example", id="test"),
            }
        )
        app = create_app(config, clock=clock, environ=environ, session=session)
        newswire = app.extensions["newswire"]
        parts = bot_parts(newswire, environ, session)
        upgrading.upgrade(parts.database)
        newswire.indexer.refresh()
        parts.bot().once()
        clock.advance(minutes=5)
        site.write("new.md", title="A *new* @title", publishedDateTime=clock.now.isoformat())
        newswire.indexer.refresh()
        parts.bot().once()
        (request,) = chat.requests_to("t0ken")
        client = app.test_client()
        client.post("/admin/login", data={"token": TOKEN})
        page = parse(client.get("/admin/preview?article=new").text)
        assert texts(page, "//div[@class='chat toy']//p[@class='title']") == ["A *new* (at)title"]
        assert texts(page, "//h2[@id='toy-title']") == ["Toy Telegraph"]
        assert b"A *new* (at)title" in request.body
        assert request.headers["content-type"] == "text/toy"
        newswire.catalog.close()
        parts.database.close()


def test_a_request_carries_what_a_signed_webhook_needs() -> None:
    """It has a raw body, headers over it, an id shared by all attempts, and the message to reply to."""
    destination = toy_destination("https://toy.example/toy/t0ken")
    heading = replace(MESSAGE, title="Two articles", items=(MESSAGE, replace(MESSAGE, title="Another")))
    request = TOY.post(destination, heading, context=RequestContext(key="post-7", parent="m1"))
    expected = hmac.new(KEY.encode(), b"post-7.." + request.content(), hashlib.sha256).hexdigest()
    assert request.headers["Toy-Signature"] == expected
    assert request.headers["Toy-Id"] == "post-7"
    assert b'"reply_to": "m1"' in request.content()
    assert b"Another" in request.content()


def test_what_is_sent_is_shown_as_people_read_it() -> None:
    """Forms are shown a field a line, and JSON over several lines, however they are sent."""
    form, event = (SERVICES[kind].test(CASES[kind].hook, "News") for kind in ("zulip", "webhook"))
    assert form.text().splitlines()[:3] == ["type: stream", "to: news", "topic: Test"]
    assert event.text().startswith('{\n  "type": "channel.test",')
