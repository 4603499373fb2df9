"""Mails to one address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.services import SERVICES, Outcome
from bot.services.mail import LINE
from tests.contracts.case import TOKEN, Answers, Case, answered

_ANSWERS: Answers = [
    (answered(250, b"2.0.0 OK: queued as 12345"), Outcome.ACCEPTED),
    (answered(251, b"User not local; will forward"), Outcome.ACCEPTED),
    (answered(421, b"Service not available"), Outcome.UNSENT),
    (answered(450, b"4.2.1 Greylisted, try again later"), Outcome.UNSENT),
    (answered(451, b"4.7.1 " + TOKEN.encode()), Outcome.UNSENT),
    (answered(452, b"4.3.1 Insufficient system storage"), Outcome.UNSENT),
    (answered(454, b"4.7.0 Temporary authentication failure"), Outcome.UNSENT),
    (answered(530, b"5.7.0 Authentication required"), Outcome.DISABLED),
    (answered(535, b"5.7.8 Authentication credentials invalid"), Outcome.DISABLED),
    (answered(550, b"5.1.1 No such user here"), Outcome.DISABLED),
    (answered(550, b"5.7.1 Blocked for spam"), Outcome.REJECTED),
    (answered(552, b"5.3.4 Message too big"), Outcome.REJECTED),
    (answered(554, b"Transaction failed"), Outcome.REJECTED),
    (answered(-1), Outcome.UNKNOWN),
    (answered(354), Outcome.UNKNOWN),
]


def _violations(payload: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a mail as it is sent (RFC 5322 §2.1, §3.6)."""
    raw: bytes = payload["raw"].encode()
    lines = raw.split(b"\r\n")
    if any(len(line) > LINE for line in lines) or b"\n" in raw.replace(b"\r\n", b""):
        yield "a line is too long, or ends wrongly"
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    names = re.findall(r"^([\w-]+):", head, re.MULTILINE)
    known = {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Id", "List-Unsubscribe"),
        *("In-Reply-To", "References"),
        *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
    }
    if len(names) != len(set(names)) or not set(names) <= known:
        yield f"unexpected headers: {names}"


def _texts(payload: dict[str, Any]) -> Iterator[str]:
    """Yield the HTML part, in which an article must add no element."""
    yield str(payload.get("html", ""))


CASE = Case(
    service=SERVICES["email"],
    address=f"smtps://newswire:{TOKEN}@mail.example",
    violations=_violations,
    live=re.compile(r"<(?!/?(?:a|h1|p|div|img|body|html|head|meta|!DOCTYPE)\b)", re.IGNORECASE),
    time="2026-03-04 12:00 UTC",
    texts=_texts,
    answers=_ANSWERS,
    is_alike=False,
    is_http=False,
    secrets=lambda address: {"smtp": address},
    options={"from": "Newswire <news@example.org>", "to": "team@lists.example.org"},
)
