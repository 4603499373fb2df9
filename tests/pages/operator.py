"""A site with a bot, a fake chat and an operator, for the tests of the operator's pages."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import requests
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from bot.operator import queries
from bot.operator.parts import BotParts
from bot.outbox import upgrading
from bot.outbox.records import Delivery
from bot.outbox.states import State
from config import BotConfig, SiteConfig
from tests.fakechat import FakeChat
from tests.site import URL, ArticleSite, Clock
from wiring.bot import bot_parts
from wiring.site import Newswire

TOKEN = "the operator's own token"


class Desk:
    """A site with two channels: `team` in Slack, from quality 50 on, and `readers` in Discord.

    `policy` are further settings of the channel `readers`.
    """

    def __init__(
        self,
        site: ArticleSite,
        chat: FakeChat,
        clock: Clock,
        *,
        url: str = URL,
        language: str = "en",
        policy: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.site = site
        self.chat = chat
        self.clock = clock
        self.session = requests.Session()
        environ = {
            "ADMIN_TOKEN": TOKEN,
            "TEAM": chat.slack_url("team"),
            "READERS": chat.discord_url("readers"),
        }
        channels = (
            {"name": "team", "kind": "slack", "webhook_env": "TEAM", "min_quality": 50, "on_unknown": "hold"},
            {"name": "readers", "kind": "discord", "webhook_env": "READERS", **policy},
            {"name": "later", "kind": "slack", "webhook_env": "LATER"},
        )
        config = site.config().model_copy(
            update={
                "bot": BotConfig.model_validate({"channels": channels}),
                "site": SiteConfig(title="News", url=url, id="test", language=language),
            }
        )
        self.app: Flask = create_app(config, clock=clock, environ=environ, session=self.session)
        self.newswire: Newswire = self.app.extensions["newswire"]
        self.parts: BotParts = bot_parts(self.newswire, environ, self.session)
        upgrading.upgrade(self.parts.database)

    def check(self) -> None:
        """Run the bot once, and send what is due."""
        self.newswire.indexer.refresh()
        self.parts.bot().once(threading.Event())

    def delivery(self, state: State) -> Delivery:
        """Return the one delivery in this state."""
        (found,) = queries.deliveries_matching(self.parts.database, states=[state])
        return found

    def client(self) -> FlaskClient:
        """Return a browser that has logged in."""
        client = self.app.test_client()
        assert client.post("/admin/login", data={"token": TOKEN}).status_code == 303
        return client

    def close(self) -> None:
        """Release everything that is open."""
        self.session.close()
        self.parts.database.close()
        self.newswire.catalog.close()


def form_token(client: FlaskClient) -> str:
    """Return the token that a form of this session must carry."""
    found = re.search(r'name="form_token" value="([\w-]+)"', client.get("/admin").text)
    assert found
    return found[1]


def order(client: FlaskClient, address: str, **changes: Any) -> Any:
    """Return the answer to an order, sent as a form of the operator's pages sends it."""
    data = {"form_token": form_token(client)} | changes
    return client.post(address, data=data, follow_redirects=True)
