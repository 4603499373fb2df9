"""Which posts are created when, for all policies, articles and times: nothing lost, doubled, or too much."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.outbox.records import PostKind
from bot.planning.budget import Budget
from bot.planning.digest import DigestSchedule
from bot.planning.forecast import Arrival, Forecast, TickLimit, forecast
from bot.planning.policy import MentionRule, Policy, Spent, UrgentRule
from bot.planning.release import digest_due, release
from bot.planning.windows import QuietHours
from bot.services.message import Mention, MentionKind
from tests.bot.deliveries import candidate
from tests.bot.world import START
from text.zones import zone

HERE = Mention(kind=MentionKind.HERE)
ROLE = Mention(kind=MentionKind.ROLE, id="1")
PACE = TickLimit(per_tick=5, every=timedelta(minutes=1))
MONDAY = datetime(2026, 3, 23, 0, tzinfo=UTC)
"""Begins the week in which clocks are set forward in Europe."""

zones = st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe"]).map(zone)
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))
policies = st.builds(
    Policy,
    quiet=st.none()
    | st.builds(
        QuietHours,
        zone=zones,
        start=times,
        end=times,
        weekends=st.booleans(),
    ).filter(lambda quiet: quiet.start != quiet.end),
    budget=st.none()
    | st.builds(
        Budget,
        zone=zones,
        per=st.sampled_from(["hour", "day", "week"]),
        at_most=st.integers(1, 4),
        keep=st.sampled_from(["best", "newest"]),
    ),
    digest=st.none()
    | st.builds(
        DigestSchedule,
        zone=zones,
        at=st.tuples(times),
        days=st.frozensets(st.integers(0, 6), min_size=2),
        at_least=st.integers(1, 3),
        at_most=st.integers(3, 8),
        order=st.sampled_from(["quality", "newest", "oldest"]),
    ),
    urgent=st.none() | st.just(UrgentRule(min_quality=95, mention=HERE)),
    capacity=st.integers(1, 5),
)
arrivals = st.lists(
    st.tuples(
        st.integers(0, 8 * 24 * 60),
        st.none() | st.integers(60, 100),
        st.sampled_from([1, 3, 40]),
        st.booleans(),
    ),
    max_size=25,
)


def played(policy: Policy, found: list[tuple[int, int | None, int, bool]]) -> tuple[list[Arrival], Forecast]:
    """Return the articles of nine days, and what became of them."""
    coming = [
        Arrival(
            at=MONDAY + timedelta(minutes=minute),
            candidate=candidate(
                number,
                quality,
                at=MONDAY + timedelta(minutes=minute),
                max_age=timedelta(days=days),
                forced=forced and number % 7 == 0,
            ),
        )
        for number, (minute, quality, days, forced) in enumerate(sorted(found, key=lambda each: each[0]))
    ]
    spent = Spent(allowance=5, digest_at=policy.digest.last(MONDAY) if policy.digest else None)
    return coming, forecast(coming, policy, spent, PACE, MONDAY, MONDAY + timedelta(days=9))


@given(policies, arrivals)
@settings(max_examples=120)
def test_nothing_is_lost_doubled_early_or_too_much(
    policy: Policy, found: list[tuple[int, int | None, int, bool]]
) -> None:
    """Each article is posted once, too old or waiting; quiet hours and budgets hold except for urgent."""
    coming, result = played(policy, found)
    by_id = {each.candidate.delivery.id: each for each in coming}
    posted = [delivery.id for post in result.posts for delivery in post.deliveries]
    expired = [each.delivery.id for _, each in result.expired]
    waiting = [each.delivery.id for each in result.waiting]
    assert sorted(posted + expired + waiting) == sorted(by_id)
    held = []
    for post in result.posts:
        assert all(by_id[each.id].at <= post.due_at for each in post.deliveries)
        assert len(post.deliveries) <= (policy.capacity if post.kind is PostKind.DIGEST else 1)
        if post.kind is not PostKind.URGENT and not post.deliveries[0].forced:
            held.append(post)
            assert policy.quiet is None or not policy.quiet.covers(post.due_at)
            assert policy.digest is None or post.kind is PostKind.DIGEST
    if policy.budget:
        counted = Counter(policy.budget.period(post.due_at) for post in held)
        assert all(count <= policy.budget.at_most for count in counted.values())
    for at, each in result.expired:
        assert each.expires_at == at
    if policy.digest:
        for moment, count in Counter(post.due_at for post in held).items():
            assert count <= -(-policy.digest.at_most // policy.capacity), moment


@given(arrivals)
@settings(max_examples=30)
def test_without_a_policy_all_is_posted_at_once(found: list[tuple[int, int | None, int, bool]]) -> None:
    """Each article is a post of its own, the oldest first, as fast as the pace allows."""
    coming, result = played(Policy(), found)
    assert not result.expired and not result.waiting
    ids = [delivery.id for post in result.posts for delivery in post.deliveries]
    assert sorted(ids) == [each.candidate.delivery.id for each in coming]


def test_the_best_are_posted_within_the_budget() -> None:
    """The articles of the highest quality are posted, oldest first; urgent ones count."""
    policy = Policy(
        budget=Budget(zone=zone("UTC"), per="day", at_most=3), urgent=UrgentRule(min_quality=95, mention=HERE)
    )
    found = [
        candidate(number, quality, at=START - timedelta(hours=number))
        for number, quality in enumerate([70, 90, None, 80, 99])
    ]
    planned = release(found, policy, Spent(allowance=10), START)
    assert [(post.kind, post.deliveries[0].id, post.mention) for post in planned] == [
        (PostKind.URGENT, 4, HERE),
        (PostKind.NEWS, 3, None),
        (PostKind.NEWS, 1, None),
    ]
    used = Spent(allowance=10, posted_at=(START - timedelta(hours=1),) * 2, under_way=1)
    assert [post.kind for post in release(found, policy, used, START)] == [PostKind.URGENT]
    yesterday = Spent(allowance=10, posted_at=(START - timedelta(days=1),) * 3)
    assert len(release(found, policy, yesterday, START)) == 3


def test_the_newest_are_posted_where_that_is_asked_for() -> None:
    """The newest articles are posted, whatever their quality."""
    policy = Policy(budget=Budget(zone=zone("UTC"), per="hour", at_most=1, keep="newest"))
    found = [candidate(1, 99, at=START - timedelta(hours=1)), candidate(2, 60, at=START)]
    assert [post.deliveries[0].id for post in release(found, policy, Spent(allowance=5), START)] == [2]


def test_a_digest_is_split_in_its_order() -> None:
    """The best come first; further messages hold the rest; what exceeds `at_most` waits."""
    policy = Policy(digest=DigestSchedule(zone=zone("UTC"), at=(time(9),), at_most=5), capacity=3)
    found = [candidate(number, 60 + number) for number in range(7)]
    spent = Spent(allowance=1, digest_at=START - timedelta(days=1))
    planned = release(found, policy, spent, START)
    assert [[each.id for each in post.deliveries] for post in planned] == [[6, 5, 4], [3, 2]]
    assert {post.kind for post in planned} == {PostKind.DIGEST}


def test_a_spent_tick_holds_back_all_but_a_digest() -> None:
    """The limit also holds after a digest of several messages has exceeded it."""
    policy = Policy(
        digest=DigestSchedule(zone=zone("UTC"), at=(time(9),)), urgent=UrgentRule(min_quality=95), capacity=5
    )
    found = [candidate(1, 99), candidate(2, 98), candidate(3)]
    for left in (0, -2):
        spent = Spent(allowance=left, digest_at=START - timedelta(days=1))
        assert [post.kind for post in release(found, policy, spent, START)] == [PostKind.DIGEST]
        assert release(found, Policy(), Spent(allowance=left), START) == ()


def test_a_small_digest_waits_unless_something_would_be_too_old() -> None:
    """Below `at_least` there is no digest, unless an article would be too old for the next."""
    policy = Policy(digest=DigestSchedule(zone=zone("UTC"), at=(time(9),), at_least=2), capacity=5)
    spent = Spent(allowance=5, digest_at=START - timedelta(days=1))
    fresh, old = candidate(1), candidate(2, at=START - timedelta(days=6, hours=8))
    assert digest_due(policy, spent, START) == START.replace(hour=9)
    assert release([fresh], policy, spent, START) == ()
    assert [len(post.deliveries) for post in release([old], policy, spent, START)] == [1]
    assert [len(post.deliveries) for post in release([fresh, old], policy, spent, START)] == [2]
    assert release([fresh, old], policy, Spent(allowance=5, digest_at=START.replace(hour=9)), START) == ()


def test_the_first_mention_that_fits_counts() -> None:
    """The mention depends on topic and quality, and an urgent post may have its own."""
    rules = (
        MentionRule(mention=ROLE, topics=frozenset({"security"}), min_quality=90),
        MentionRule(mention=HERE, min_quality=98),
    )
    policy = Policy(mentions=rules, urgent=UrgentRule(min_quality=99))
    found = [
        candidate(1, 95, slugs=("security",)),
        candidate(2, 80, slugs=("security",)),
        candidate(3, 95),
        candidate(4, 98),
        candidate(5, None),
        candidate(6, 99),
    ]
    planned = release(found, policy, Spent(allowance=9), START)
    assert {post.deliveries[0].id: post.mention for post in planned} == {
        1: ROLE, 2: None, 3: None, 4: HERE, 5: None, 6: HERE,
    }  # fmt: skip
