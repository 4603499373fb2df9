"""The meaning of Slack's answers: those of incoming webhooks, and those of the Web API.

A webhook answers with one word, the Web API with a JSON object with the word in `error`.
"""

from __future__ import annotations

import re

from bot.services.answers import Outcome, Response, Verdict, judge, rate_limited, retry_after

DEAD = frozenset(
    {
        "action_prohibited",
        "channel_is_archived",
        "channel_not_found",
        "invalid_token",
        "no_active_hooks",
        "no_service",
        "no_service_id",
        "no_team",
        "posting_to_general_channel_denied",
        "team_disabled",
    }
)
"""Bodies that mean that the webhook no longer works, whatever the status.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

API_DEAD = {
    "access_denied": "the app may not post there",
    "account_inactive": "the app's token belongs to a user or workspace that was deleted",
    "channel_not_found": "there is no such channel, or it is private and the app was not invited",
    "ekm_access_denied": "an administrator has suspended the posting of messages",
    "enterprise_is_restricted": "the app may not be used in this organisation",
    "invalid_auth": "the token is wrong",
    "is_archived": "the channel is archived",
    "messages_tab_disabled": "the app accepts no messages",
    "missing_scope": "the app lacks the scope chat:write",
    "no_permission": "the app may not post there",
    "not_allowed_token_type": "the token is of the wrong type: use the bot token, which begins with xoxb-",
    "not_authed": "the token is empty",
    "not_in_channel": "the app is not in the channel: invite it, or give it the scope chat:write.public",
    "org_login_required": "the workspace is being moved to an organisation",
    "restricted_action": "an administrator does not allow the app to post there",
    "restricted_action_non_threadable_channel": "the channel accepts no messages outside threads",
    "restricted_action_read_only_channel": "the channel is read-only",
    "restricted_action_thread_locked": "the thread is locked",
    "restricted_action_thread_only_channel": "the channel accepts messages in threads only",
    "team_access_not_granted": "the app has no access to this workspace",
    "team_not_found": "there is no such workspace",
    "token_expired": "the token has expired",
    "token_revoked": "the token was revoked",
    "two_factor_setup_required": "the app's user has to set up two-factor authentication",
}
"""Errors of the Web API that are final: https://docs.slack.dev/reference/methods/chat.postMessage#errors"""

MAYBE_POSTED = frozenset({"fatal_error", "internal_error", "rollup_error"})
"""Bodies that mean that the message may have been posted, whatever the status.

"It's possible some aspect of the operation succeeded before the error was raised."
https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

NOT_NOW = frozenset({"request_timeout", "service_unavailable", "team_added_to_org"})
"""Errors of the Web API after which nothing was posted, and a retry may succeed."""

TOO_MANY = frozenset({"message_limit_exceeded", "rate_limited", "ratelimited"})

GONE = frozenset({"cant_update_message", "edit_window_closed", "message_not_found"})
"""Errors of an update that a plainer form would not avoid.

https://docs.slack.dev/reference/methods/chat.update#errors
"""

_WORD = re.compile(r"[a-z_]{2,60}")
_STAMP = re.compile(r"\d{1,12}\.\d{1,12}")


def classify(response: Response) -> Verdict:
    """Return what an answer means, of a webhook or of the Web API."""
    answer = response.json_object()
    if isinstance(answer.get("ok"), bool) and (answer["ok"] is False or "ts" in answer):
        return _of_api(response, answer)
    return _of_webhook(response)


def _of_webhook(response: Response) -> Verdict:
    """Return the verdict on a webhook's answer: only 200 with the body `ok` is a success."""
    body = response.body[:200].decode("utf-8", "replace").strip()
    if response.status == 429:
        return rate_limited(retry_after(response))
    if body in DEAD:
        return Verdict(outcome=Outcome.DISABLED, reason=f"HTTP {response.status}: {body}")
    if body in MAYBE_POSTED:
        reason = f"HTTP {response.status}: {body}: it may have been posted"
        return Verdict(outcome=Outcome.UNKNOWN, reason=reason)
    if response.status == 200 and body == "ok":
        return Verdict(outcome=Outcome.SENT, reason="posted")
    return judge(response, body if _WORD.fullmatch(body) else "")


def _of_api(response: Response, answer: dict[str, object]) -> Verdict:
    """Return the verdict on the Web API's answer: `{"ok": true, "ts": …}` is a success, but not 200 alone."""
    stamp, word = str(answer.get("ts", "")), str(answer.get("error", ""))
    if response.status == 429:
        return rate_limited(retry_after(response))
    if response.status == 200 and answer["ok"] is True and _STAMP.fullmatch(stamp):
        return Verdict(outcome=Outcome.SENT, reason="posted", message_id=stamp)
    if answer["ok"] is True or response.status >= 500:
        return judge(response)
    is_word = _WORD.fullmatch(word) is not None
    status = f"HTTP {response.status}" + (f": {word}" if is_word else "")
    if word in TOO_MANY:
        return rate_limited(retry_after(response))
    if word in API_DEAD:
        return Verdict(outcome=Outcome.DISABLED, reason=f"{status}: {API_DEAD[word]}")
    if word in MAYBE_POSTED:
        return Verdict(outcome=Outcome.UNKNOWN, reason=f"{status}: it may have been posted")
    if word in NOT_NOW:
        return Verdict(outcome=Outcome.UNSENT, reason=f"{status}: not now")
    return Verdict(outcome=Outcome.REJECTED, reason=status, degradable=word not in GONE)
