"""Real bots with random policies, articles and clocks: people see what `release` guarantees."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.outbox.database import connect
from bot.outbox.records import PostKind
from bot.outbox.states import State
from bot.planning.policy import Policy
from tests.bot.test_release import policies
from tests.bot.world import Clock, World, article
from tests.fakechat import FakeChat, reset_before_body, server_error

pytestmark = pytest.mark.soak

MONDAY = datetime(2026, 3, 23, 0, tzinfo=UTC)
"""Begins the week in which clocks are set forward in Europe."""

_STEP = timedelta(hours=1)
_STEPS = 6 * 24

arrivals = st.lists(
    st.tuples(
        st.integers(0, 3 * 24), st.none() | st.integers(60, 100), st.sampled_from(["", "fail", "reset"])
    ),
    max_size=12,
)


@contextmanager
def fresh(template: Path, folder: Path, chat: FakeChat) -> Iterator[World]:
    """Return a new world at the beginning of the week."""
    chat.reset()
    path = folder / "outbox.db"
    for old in folder.glob("outbox.db*"):
        old.unlink()
    shutil.copy(template, path)
    opened = []

    def another() -> object:
        opened.append(connect(f"sqlite:///{path}"))
        return opened[-1]

    world = World(open_database=another, chat=chat, clock=Clock(MONDAY))  # type: ignore[arg-type]
    yield world
    world.close()
    for database in opened:
        database.close()


@given(policy=policies, found=arrivals, restart=st.integers(0, 9))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_what_people_see_keeps_to_the_policy(
    policy: Policy,
    found: list[tuple[int, int | None, str]],
    restart: int,
    sqlite_template: Path,
    tmp_path: Path,
    chat: FakeChat,
) -> None:
    """Six days, hour by hour, with failing requests and occasional new bots, respect the policy.

    Each article is posted once, or expires. Quiet hours and budgets hold, except for urgent posts. At the end
    nothing waits.
    """
    with fresh(sqlite_template, tmp_path, chat) as world:
        channel = world.discord(policy=policy, max_age=timedelta(days=2), max_per_tick=50)
        bot = world.started(channel)
        seen: list[tuple[datetime, int]] = []
        for step in range(_STEPS):
            world.clock.now = MONDAY + step * _STEP
            for number, (at, quality, trouble) in enumerate(found):
                if at == step:
                    name = f"a{number}"
                    world.catalog.put(article(name, quality=quality, published_at=world.clock.now))
                    if trouble:
                        fault = server_error(503) if trouble == "fail" else reset_before_body()
                        chat.fail("readers", fault)
            if step % 10 == restart:
                bot.stop()
                bot = world.bot(channel)
            before = {each.post_id for each in world.deliveries(State.SENT)} if found else set()
            now = world.clock.now
            world.tick(bot)
            seen += (
                (now, each.post_id or 0)
                for each in world.deliveries(State.SENT)
                if each.post_id not in before
            )
        posts = {each.post_id: each.post for each in world.deliveries() if each.post}
        states = Counter(each.state for each in world.deliveries())
        assert set(states) <= {State.SENT, State.EXPIRED}
        assert states.total() == len(found)
        assert len(chat.messages("readers")) == len({number for _, number in seen})
        held = {number: at for at, number in seen if posts[number].kind is not PostKind.URGENT}
        assert not any(policy.quiet and policy.quiet.covers(at) for at in held.values())
        if policy.budget:
            counted = Counter(policy.budget.period(at) for at in held.values())
            assert all(count <= policy.budget.at_most for count in counted.values())
