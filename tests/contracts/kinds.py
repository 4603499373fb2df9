"""Every service that the contract suite tests: a new one is a module of `cases`, and a line here.

The toy is a service of the tests alone: with all that the port allows, it shows that nothing but the registry
has to know a service.
"""

from __future__ import annotations

from tests.contracts.case import Case
from tests.contracts.cases import discord, mattermost, rocketchat, slack, toy, webhook

CASES: dict[str, Case] = {
    case.CASE.service.KIND: case.CASE for case in (slack, discord, mattermost, rocketchat, webhook, toy)
}
