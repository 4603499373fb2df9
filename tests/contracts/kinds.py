"""Every service that the contract suite tests. A new one is a module of `cases`, and a line here.

Slack is listed twice, because its two ways of posting have different answers. The toy is a service that only
the tests have: with everything that the port allows, it shows that only the registry must know a service.
"""

from __future__ import annotations

from tests.contracts.case import Case
from tests.contracts.cases import (
    discord,
    google_chat,
    mail,
    mattermost,
    rocketchat,
    slack,
    slack_app,
    teams,
    telegram,
    toy,
    webhook,
    zulip,
)

_MODULES = (slack, discord, mattermost, rocketchat, google_chat, teams, telegram, zulip, mail, webhook, toy)
CASES: dict[str, Case] = {
    **{module.CASE.service.KIND: module.CASE for module in _MODULES},
    "slack_app": slack_app.CASE,
}
