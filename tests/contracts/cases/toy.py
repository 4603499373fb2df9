"""A service that exists in the tests only."""

from __future__ import annotations

import re

from bot.services import Outcome
from tests.contracts.case import TOKEN, Answers, Case, answered
from tests.contracts.toy import KEY, TOY, FakeToy, toy_violations

_ANSWERS: Answers = [
    (answered(200, {"shown": "7"}), Outcome.SENT),
    (answered(202), Outcome.ACCEPTED),
    (answered(200, {"shown": 7}), Outcome.UNKNOWN),
    (answered(410, {"gone": True}), Outcome.DISABLED),
    (answered(410), Outcome.DENIED),
]
CASE = Case(
    service=TOY,
    address=f"https://toy.example/toy/{TOKEN}",
    violations=toy_violations,
    live=re.compile(r"@\w"),
    time="2026-03-04T12:00:00+00:00",
    answers=_ANSWERS,
    fake=FakeToy(),
    secrets=lambda address: {"webhook": address, "key": KEY},
    options={"room": "hall"},
)
