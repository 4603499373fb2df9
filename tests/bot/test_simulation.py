"""What a channel would have posted in the past: invented articles by the day, and a recorded stream."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from types import ModuleType

import config as configuration
from bot.operator.simulations import simulation_lines, simulation_values
from bot.planning.budget import Budget
from bot.planning.digest import DigestSchedule
from bot.planning.policy import Policy, UrgentRule
from bot.planning.rules import Channel
from bot.planning.simulation import Simulation, simulate
from tests.bot.world import any_channel, article
from tests.commands import run_here
from tests.site import ArticleSite
from text.zones import zone

UTC_ZONE = zone("UTC")
MINUTE = timedelta(minutes=1)
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
CHANNEL = any_channel("team", max_per_tick=1000, max_age=timedelta(days=2))


def played(policy: Policy, days: int = 3, channel: Channel = CHANNEL) -> Simulation:
    """Return a channel's posts for an article every two hours, of quality 60 to 71."""
    articles = [
        article(f"a{n}", published_at=FIRST + n * timedelta(hours=2), quality=60 + n % 12)
        for n in range(-6, 12 * days + 3)
    ]
    return simulate(replace(channel, policy=policy), articles, FIRST, FIRST + timedelta(days=days), MINUTE)


def test_without_a_policy_each_is_posted_on_its_day() -> None:
    """Articles published before are the baseline, and later ones are not there yet."""
    found = played(Policy())
    assert [(day.came, day.posts, day.posted) for day in found.days] == [(12, 12, 12)] * 3
    assert [str(day.day) for day in found.days] == ["2026-03-02", "2026-03-03", "2026-03-04"]


def test_a_day_has_its_budget_and_its_digest() -> None:
    """The table shows what was posted, became too old and waits; urgent articles are posted at once."""
    found = played(Policy(budget=Budget(zone=UTC_ZONE, per="day", at_most=2)), days=4)
    assert [day.posts for day in found.days] == [2] * 4
    assert sum(day.expired for day in found.days) + found.waiting == 12 * 4 - 8
    digest = DigestSchedule(zone=UTC_ZONE, at=(time(9),), at_most=5)
    found = played(Policy(digest=digest, capacity=10, urgent=UrgentRule(min_quality=71)))
    assert [(day.digests, day.urgent, day.posted) for day in found.days] == [(1, 1, 6)] * 3
    lines = list(simulation_lines(found))
    assert lines[0] == "team:"
    assert str(lines[-1]).startswith("6 posts with 18 articles of 36 admitted; ")
    assert json.loads(json.dumps(simulation_values(found)))["totals"]["posts"] == 6


def test_a_story_is_posted_once() -> None:
    """A story posted before the span is not posted again."""
    link = "https://example.com/story"
    articles = [
        article("before", link=link, published_at=FIRST - timedelta(days=9)),
        article("again", link=link, published_at=FIRST),
        article("new", published_at=FIRST),
    ]
    found = simulate(CHANNEL, articles, FIRST, FIRST + timedelta(days=1), MINUTE)
    assert [each.article_id for post in found.posts for each in post.deliveries] == ["new"]
    assert found.same_story == 1


def test_similar_stories_are_left_out_as_the_bot_does() -> None:
    """The best of the waiting articles is posted, and one replaces it if it expires."""
    titles = ("Tram line approved by the council", "Council approved the tram line", "Rain on Sunday")
    articles = [
        article("weak", title=titles[0], quality=60, published_at=FIRST),
        article("best", title=titles[1], quality=90, published_at=FIRST + timedelta(hours=1)),
        article("other", title=titles[2], quality=70, published_at=FIRST + timedelta(hours=1)),
        article("late", title=titles[0], quality=99, published_at=FIRST + timedelta(hours=30)),
    ]
    policy = Policy(similar=0.85, digest=DigestSchedule(zone=UTC_ZONE, at=(time(9),), at_most=5), capacity=10)
    end = FIRST + timedelta(days=2)
    found = simulate(replace(CHANNEL, policy=policy), articles, FIRST, end, MINUTE)
    assert [each.article_id for post in found.posts for each in post.deliveries] == ["best", "other"]
    assert (found.same_story, found.waiting) == (2, 0)
    articles[1] = replace(articles[1], expires_at=FIRST + timedelta(hours=2))
    found = simulate(replace(CHANNEL, policy=policy), articles[:3], FIRST, end, MINUTE)
    assert [each.article_id for post in found.posts for each in post.deliveries] == ["other", "weak"]
    assert (found.same_story, sum(day.expired for day in found.days)) == (0, 1)


CONFIG = """
site: { url: "https://news.example.org" }
state: state
bot:
  channels:
    - name: team
      kind: discord
      webhook_env: HOOK
      min_quality: 60
      quiet: { from: "19:00", to: "08:00", weekends: true, timezone: Europe/Paris }
      budget: { per: day, at_most: 3, timezone: Europe/Paris }
"""


def test_the_recorded_stream_is_played_in_seconds(corpus: ModuleType, site: ArticleSite) -> None:
    """`flask bot simulate` over two months of a real site respects quiet hours and budget every day."""
    for commit in corpus.commits():
        corpus.apply(commit, site.root)
    file = site.home / "config.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    environ = {"NEWSWIRE_CONFIG": str(file)}
    config = configuration.load(file, environ)
    simulating = ("bot", "simulate", "--from", "2022-01-01", "--to")
    done = run_here(config, environ, *simulating, "2022-03-01", "--json")
    assert done.exit_code == 0, done.stderr
    (found,) = json.loads(done.stdout)
    assert len(found["days"]) == 59
    totals = found["totals"]
    assert totals["admitted"] >= totals["posts"] > 0
    assert totals["posts"] + totals["expired"] + found["waiting"] == totals["admitted"]
    assert max(day["posts"] for day in found["days"]) <= 3
    for post in found["posts"]:
        at = datetime.fromisoformat(post["at"]).astimezone(zone("Europe/Paris"))
        assert time(8) <= at.time() < time(19) and at.weekday() < 5
    table = run_here(config, environ, *simulating, "2022-03-01", "--channel", "team")
    assert len(table.stdout.splitlines()) == 1 + 1 + 59 + 1
    assert run_here(config, environ, *simulating, "2021-01-01").exit_code == 2
