"""Operators' orders and new settings at any moment, also during requests: nothing is lost or repeated."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import time, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from bot.operator import orders, reviewing
from bot.operator.orders import OrderResult, SeenState
from bot.outbox import channelstate
from bot.outbox.channelstate import ChannelStatus
from bot.outbox.records import Delivery
from bot.outbox.states import State
from bot.planning.digest import DigestSchedule
from bot.planning.policy import Policy
from bot.run import Bot
from bot.sending.connections import MaySend
from bot.services import Request, Response
from tests.bot.test_random_walk import FAULTS, story_in
from tests.bot.world import World, any_channel, article, to
from text.zones import zone

STEPS = 60
PLACES = ("one", "two", "slack")
DIGEST = Policy(
    digest=DigestSchedule(zone=zone("UTC"), at=tuple(time(hour) for hour in range(24))), capacity=10
)

ORDERS: dict[str, Callable[..., OrderResult]] = {
    "approve": reviewing.approve,
    "comment": partial(reviewing.comment, text="Look"),
    "drop": reviewing.drop,
    "not posted": partial(orders.resolve, posted=False),
    "posted": partial(orders.resolve, posted=True),
    "replay": orders.replay,
    "skip": orders.skip,
}
SETTINGS: list[dict[str, Any]] = [
    {},
    {"review": True},
    {"policy": DIGEST},
    {"on_unknown": "hold"},
    {"thread": "topic"},
]


class Walk:
    """One sequence of events, which `seed` determines; some of them happen while a request is in flight."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self._random = random.Random(seed)
        self._stories = 0
        self._during = False
        self.ordered = Counter[str]()
        self.withdrawn: dict[str, int] = {}  # how often people saw the story by then
        self._addresses = {
            name: world.chat.slack_url(name) if name == "slack" else world.chat.discord_url(name)
            for name in PLACES
        }
        self.bots = [self._bot(), self._bot()]
        world.tick(self.bots[0])

    def run(self) -> None:
        """Let events happen, and then only time, while an operator approves everything."""
        events = [self.write, self.write, self.fail, self.wait, self.wait, self.order, self.order, self.order]
        events += [self.edit, self.deploy, self.change_leader, self.pause, self.resume]
        for _ in range(STEPS):
            self._random.choice(events)()
            self.world.tick(self._random.choice(self.bots))
        self._during = True
        self.resume()
        for _ in range(40):
            self.world.clock.advance(minutes=60)
            for each in self.world.deliveries(State.HELD):
                if not reviewing.approve(self.world.database, each.id, self.world.clock()).done:
                    self.ordered[story_in(each.title)] += 1
                    orders.resolve(self.world.database, each.id, posted=False, now=self.world.clock())
            for bot in self.bots:
                self.world.tick(bot)

    def _bot(self) -> Bot:
        world = self.world
        settings = self._random.choice(SETTINGS)
        at = self._random.choice(PLACES)
        kind = "slack" if at == "slack" else "discord"
        channel = any_channel("team", kind, destination=to(self._addresses[at]), **settings)
        return world.bot(channel, keep=timedelta(days=9999), transport=SimpleNamespace(send=self._send))

    def _send(self, request: Request, may_send: MaySend | None = None) -> Response:
        if not self._during and self._random.random() < 0.3:
            self._during = True
            self._random.choice([self.order, self.change_leader, self.pause, self.resume])()
            self._during = False
        return self.world.transport.send(request, may_send)

    def write(self) -> None:
        """Write up to four articles."""
        for _ in range(self._random.randint(1, 4)):
            self._stories += 1
            self.world.catalog.put(article(f"a{self._stories}", title=f"Story {self._stories}"))

    def edit(self) -> None:
        """Change an article."""
        if self._stories:
            number = self._random.randint(max(1, self._stories - 6), self._stories)
            title = f"Story {number} {'again ' * self._random.randint(0, 3)}"
            self.world.catalog.put(article(f"a{number}", title=title))

    def fail(self) -> None:
        """Let up to three of the next requests fail."""
        self.world.chat.fail(
            self._random.choice(PLACES), *self._random.choices(FAULTS, k=self._random.randint(1, 3))
        )

    def wait(self) -> None:
        """Let time pass."""
        self.world.clock.advance(seconds=self._random.choice([1, 5, 30, 300, 4000]))

    def pause(self) -> None:
        """Pause the channel."""
        channelstate.pause(self.world.database, "team", self.world.clock())

    def resume(self) -> None:
        """Resume the channel."""
        channelstate.resume(self.world.database, "team", self.world.clock())

    def change_leader(self) -> None:
        """Let another bot have the lease."""
        self._random.choice(self.bots).lease.release()

    def deploy(self) -> None:
        """Replace a bot by one with other settings, beside the other one with the earlier settings."""
        old = self.bots.pop(0)
        old.stop()
        self.bots.append(self._bot())

    def order(self) -> None:
        """Give an order about one of the last deliveries, as an operator sees it now."""
        deliveries = self.world.deliveries()[-8:]
        if not deliveries:
            return
        each = self._random.choice(deliveries)
        name = self._random.choice(sorted(ORDERS))
        together = self._together(each) if name != "skip" else [each]
        self.world.clock.advance(seconds=0.001)
        result = ORDERS[name](self.world.database, each.id, now=self.world.clock(), seen=SeenState.of(each))
        if not result.done:
            return
        for story in (story_in(other.title) for other in together):
            if name in ("replay", "not posted"):
                self.ordered[story] += 1
                self.withdrawn.pop(story, None)
            elif name in ("skip", "drop", "posted"):
                self.withdrawn[story] = self.posted()[story]

    def _together(self, each: Delivery) -> list[Delivery]:
        if each.post_id is None:
            return [each]
        return [other for other in self.world.deliveries() if other.post_id == each.post_id]

    def posted(self) -> Counter[str]:
        """Return how often people see each story."""
        found = Counter[str]()
        for message in self.world.chat.messages():
            found.update(set(re.findall(r"Story (\d+)", str(message.payload))))
        return found

    def lost_answers(self) -> Counter[str]:
        """Return how often the answer to a request for each story was lost."""
        found = Counter[str]()
        for each in self.world.deliveries():
            found[story_in(each.title)] += self.world.outcomes(each).count("unknown")
        return found

    def stories(self) -> set[str]:
        """Return all stories that no operator has withdrawn."""
        return {str(number + 1) for number in range(self._stories)} - self.withdrawn.keys()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_orders_lose_and_repeat_nothing(world: World, seed: int) -> None:
    """Every story is posted unless an operator withdraws it, and none after that.

    It is posted more than once only if an answer was lost, or an operator has ordered that.
    """
    walk = Walk(world, seed)
    walk.run()
    posted, lost_answers = walk.posted(), walk.lost_answers()
    given_up = {story for story in walk.stories() if lost_answers[story] > 6}  # the schedule may have ended
    assert posted.keys() | given_up >= walk.stories()
    allowed = Counter(posted.keys()) + lost_answers + walk.ordered
    assert {story: count for story, count in posted.items() if count > allowed[story]} == {}
    assert {story: posted[story] for story in walk.withdrawn} == walk.withdrawn
    assert world.state_of("team").state is ChannelStatus.ENABLED
