"""Slack's Web API, as an app with a token uses it."""

from __future__ import annotations

from bot.services import SERVICES, Outcome
from tests.contracts.case import TOKEN, Answers, Case, answered
from tests.contracts.cases import slack
from tests.fakechat import slack_violations
from tests.fakechat.slack_app import error

POSTED = {"ok": True, "channel": "C0123456789", "ts": "1503435956.000247"}
_ANSWERS: Answers = [
    (answered(200, POSTED), Outcome.SENT),
    (answered(200, {"ok": True}), Outcome.UNKNOWN),
    (answered(200, {**POSTED, "ts": TOKEN}), Outcome.UNKNOWN),
    *(
        (answered(200, error(word)), Outcome.DISABLED)
        for word in (
            *("not_in_channel", "channel_not_found", "is_archived", "invalid_auth", "not_authed"),
            *("account_inactive", "token_revoked", "token_expired", "missing_scope", "restricted_action"),
        )
    ),
    *(
        (answered(200, error(word)), Outcome.REJECTED)
        for word in (
            *("msg_too_long", "msg_blocks_too_long", "invalid_blocks", "no_text", "too_many_attachments"),
            *("message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"),
        )
    ),
    *((answered(200, error(word)), Outcome.UNKNOWN) for word in ("fatal_error", "internal_error")),
    *((answered(200, error(word)), Outcome.UNSENT) for word in ("service_unavailable", "request_timeout")),
    (answered(503, error("service_unavailable")), Outcome.UNKNOWN),
    (answered(200, error("rate_limited")), Outcome.RATE_LIMITED),
    (answered(200, error("message_limit_exceeded")), Outcome.RATE_LIMITED),
    (answered(429, error("ratelimited"), Retry_After="30"), Outcome.RATE_LIMITED),
    (answered(200, error(f"{TOKEN}!")), Outcome.REJECTED),
]


CASE = Case(
    service=SERVICES["slack"],
    address="https://slack.com/api",
    violations=lambda payload: slack_violations({k: v for k, v in payload.items() if k != "channel"}),
    live=slack.CASE.live,
    time=slack.CASE.time,
    texts=slack.texts,
    answers=_ANSWERS,
    secrets=lambda address: {"token": f"xoxb-1234567890-{TOKEN}"},
    options={"channel": "C0123456789"},
    address_in="api",
)
