"""Two bots, whatever happens around them, in any order: nothing is lost, and nothing is repeated quietly."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.outbox import channelstate
from bot.run import Bot
from tests.bot.world import World, article
from tests.fakechat import bad_image, rate_limited, reset_after_body, reset_before_body, server_error

STEPS = 60
FAULTS = (
    server_error(503),
    server_error(500, posts=True),
    reset_before_body(),
    reset_after_body(),
    rate_limited(seconds=2),
    bad_image(),
)
SETTINGS = [timedelta(days=365), timedelta(days=-30), timedelta(days=1), timedelta(minutes=-30)]


class Walk:
    """One sequence of events, which `seed` determines. Each story has a number, which its title shows."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self._random = random.Random(seed)
        self._set_by = timedelta(0)
        self._articles: list[str] = []
        self._stories = 0
        channel = world.discord(max_age=timedelta(days=7))
        # A bot that prunes would delete the attempts by which repeats are explained.
        self.bots = [world.bot(channel, keep=timedelta(days=9999)) for _ in range(2)]
        world.tick(self.bots[0])

    def run(self) -> None:
        """Let events happen, and then only time, by the right clock."""
        events = [self.write, self.move, self.fail, self.set_clock, self.wait, self.pause, self.resume]
        events += [self.rotate, self.rebuild, self.change_leader, self.wait]
        for _ in range(STEPS):
            self._random.choice(events)()
            self.world.tick(self._random.choice(self.bots))
        self.world.clock.now -= self._set_by
        self.resume()
        for _ in range(80):
            self.world.clock.advance(minutes=30)
            for bot in self.bots:
                self.world.tick(bot)

    def write(self) -> None:
        """Write up to four articles, some of them without a link."""
        for _ in range(self._random.randint(1, 4)):
            self._stories += 1
            link = f"https://example.com/{self._stories}" if self._stories % 2 else None
            title = f"Story {self._stories}"
            self._articles.append(f"a{self._stories}")
            self.world.catalog.put(article(self._articles[-1], title=title, link=link))

    def move(self) -> None:
        """Move a file."""
        if self._articles:
            old = self._articles.pop(self._random.randrange(len(self._articles)))
            self._articles.append(f"{old}-")
            moved = replace(self.world.catalog.get_many([old])[old], id=f"{old}-", path=f"{old}-.md")
            self.world.catalog.delete(old)
            self.world.catalog.put(moved)

    def rotate(self) -> None:
        """Move two or three files without a link, each to the place of the next, or the last to a new one."""
        known = self.world.catalog.get_many(self._articles)
        old = [name for name, each in known.items() if each.link is None][-self._random.randint(2, 3) :]
        if len(old) < 2:
            return
        new = [*old[1:], self._random.choice([old[0], f"{old[-1]}-"])]
        self._articles = [name for name in self._articles if name not in old] + new
        if old[0] not in new:
            self.world.catalog.delete(old[0])
        self.world.catalog.put(
            *(
                replace(known[before], id=name, path=f"{name}.md")
                for before, name in zip(old, new, strict=True)
            )
        )

    def fail(self) -> None:
        """Let up to three of the next requests fail."""
        self.world.chat.fail("readers", *self._random.choices(FAULTS, k=self._random.randint(1, 3)))

    def set_clock(self) -> None:
        """Set the clock wrong, or right again."""
        wrong = timedelta(0) if self._set_by else self._random.choice(SETTINGS)
        self.world.clock.now += wrong - self._set_by
        self._set_by = wrong

    def wait(self) -> None:
        """Let time pass."""
        self.world.clock.advance(seconds=self._random.choice([1, 5, 30, 300]))

    def pause(self) -> None:
        """Pause the channel."""
        channelstate.pause(self.world.database, "readers", self.world.clock())

    def resume(self) -> None:
        """Resume the channel."""
        channelstate.resume(self.world.database, "readers", self.world.clock())

    def rebuild(self) -> None:
        """Start a new catalog, as a deploy does."""
        self.world.catalog.rebuild()

    def change_leader(self) -> None:
        """Let another bot have the lease."""
        leader: Bot = self._random.choice(self.bots)
        leader.lease.release()

    def posted(self) -> Counter[str]:
        """Return how often people see each story."""
        return Counter(story_in(str(message.payload)) for message in self.world.chat.messages())

    def lost_answers(self) -> Counter[str]:
        """Return how often the answer to a request for each story was lost."""
        found = Counter[str]()
        for delivery in self.world.deliveries():
            found[story_in(delivery.title)] += self.world.outcomes(delivery).count("unknown")
        return found

    def stories(self) -> set[str]:
        """Return all stories."""
        return {str(number + 1) for number in range(self._stories)}


def story_in(text: str) -> str:
    found = re.search(r"Story (\d+)", text)
    assert found, text
    return found[1]


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_or_repeated_quietly(world: World, seed: int) -> None:
    """Every story is posted; more than once only if an answer was lost, which the attempts show."""
    walk = Walk(world, seed)
    walk.run()
    posted, lost_answers = walk.posted(), walk.lost_answers()
    given_up = {story for story in walk.stories() if lost_answers[story] > 6}  # the schedule may have ended
    assert posted.keys() | given_up >= walk.stories()
    assert {story: count for story, count in posted.items() if count > 1 + lost_answers[story]} == {}
