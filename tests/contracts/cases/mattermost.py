"""Mattermost's incoming webhooks."""

from __future__ import annotations

import re

from bot.services import SERVICES, Outcome
from tests.contracts.case import TOKEN, Answers, Case, answered
from tests.fakechat.attachments import markdown_of
from tests.fakechat.mattermost import error, problems

_ANSWERS: Answers = [
    (answered(200, b"ok"), Outcome.SENT),
    (answered(200, b"ok\n"), Outcome.SENT),
    (answered(200, {"ok": True}), Outcome.UNKNOWN),
    (answered(400, error("web.incoming_webhook.invalid.app_error", 400)), Outcome.DISABLED),
    (answered(501, error("web.incoming_webhook.disabled.app_error", 501)), Outcome.DISABLED),
    (answered(404, error("web.incoming_webhook.channel.app_error", 404)), Outcome.DISABLED),
    (answered(500, error("web.incoming_webhook.channel.app_error", 500)), Outcome.UNKNOWN),
    (answered(403, error("web.incoming_webhook.channel_locked.app_error", 403)), Outcome.DISABLED),
    (answered(403, error("web.incoming_webhook.permissions.app_error", 403)), Outcome.DISABLED),
    (answered(403, error("web.incoming_webhook.user.app_error", 403)), Outcome.DISABLED),
    (answered(400, error("api.post.create_post.can_not_post_to_deleted.error", 400)), Outcome.DISABLED),
    (answered(403, error("api.post.create_post.town_square_read_only", 403)), Outcome.DISABLED),
    (answered(400, error("web.incoming_webhook.text.app_error", 400)), Outcome.REJECTED),
    (answered(400, error("web.incoming_webhook.parse.app_error", 400)), Outcome.REJECTED),
    (answered(400, {"id": TOKEN}), Outcome.REJECTED),
    (answered(404, error("api.context.404.app_error", 404)), Outcome.DENIED),
]

CASE = Case(
    service=SERVICES["mattermost"],
    address=f"https://chat.example/hooks/{TOKEN}",
    violations=problems,
    live=re.compile(r"@\w"),
    time="2026-03-04 12:00 UTC",
    texts=markdown_of,
    answers=_ANSWERS,
)
