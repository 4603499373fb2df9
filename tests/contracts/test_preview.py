"""`flask bot preview` for a channel of every kind."""

from __future__ import annotations

from app import create_app
from bot.services import SERVICES
from config import BotConfig
from tests.contracts.case import TOKEN
from tests.contracts.kinds import CASES
from tests.site import ArticleSite, Clock


def test_every_kind_of_channel_can_be_previewed(site: ArticleSite, clock: Clock) -> None:
    """The preview has several lines, with the channel's own settings, and none of its secrets."""
    site.write("a.md", title="Small models")
    channels = [CASES[kind].settings(kind) for kind in SERVICES]
    environ = {
        name: value
        for kind in SERVICES
        for name, value in CASES[kind].environ(kind, CASES[kind].address).items()
    }
    config = site.config().model_copy(update={"bot": BotConfig.model_validate({"channels": channels})})
    app = create_app(config, clock=clock, environ=environ)
    app.extensions["newswire"].indexer.refresh()
    shown = {
        kind: app.test_cli_runner().invoke(args=["bot", "preview", kind, "a"]).output for kind in SERVICES
    }
    app.extensions["newswire"].catalog.close()
    for kind, text in shown.items():
        assert "Small models" in text and len(text.splitlines()) > 3, (kind, text)
        assert TOKEN not in text and "whsec_" not in text, (kind, text)
    for kind, own in (
        ("telegram", '"@news"'),
        ("zulip", "to: news"),
        ("email", "To: team@lists.example.org"),
    ):
        assert own in shown[kind]
