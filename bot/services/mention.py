"""Checks whom a message may notify in each service: ids come from the settings, in the service's form."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.services.message import Mention, MentionKind

Ids = Mapping[MentionKind, re.Pattern[str]]
"""The kinds of mention that a service has, each with the pattern of its ids."""

NO_ID = re.compile("")


def refusal(mention: Mention, ids: Ids, name: str) -> str | None:
    """Return why the service called `name` cannot notify whom `mention` names, or None."""
    if not ids:
        return f"{name} cannot notify anybody by a message of the bot"
    if mention.kind not in ids:
        allowed = ", ".join(kind if kind is MentionKind.HERE else f"{kind}:ID" for kind in ids)
        return f"{name} cannot notify `{mention.kind}`; write {allowed}"
    if not ids[mention.kind].fullmatch(mention.id):
        return f"{mention.id} is not the id of a {mention.kind} in {name}"
    return None
