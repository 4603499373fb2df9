"""The settings for quiet hours, budgets, digests, urgent articles and mentions, and their errors."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from articles.topics import Topics
from bot.planning.policy import Policy
from bot.services.message import MentionKind
from config import ConfigError, SiteConfig, load
from wiring.channels import channel_rules
from wiring.policy_checks import policy_warnings

START = """
articles: { path: . }
bot:
  channels:
    - name: team
      kind: slack
      webhook_env: HOOK
"""


def policy(folder: Path, text: str) -> Policy:
    """Return the policy of a channel with these settings, on a site in Berlin."""
    file = folder / "config.yaml"
    file.write_text(f"{START}      {text}\n", encoding="utf-8")
    (channel,) = load(file, {}).bot.channels
    return channel_rules(channel, Topics(()), SiteConfig(timezone="Europe/Berlin")).policy


def test_the_settings_become_a_policy(tmp_path: Path) -> None:
    """Times need no quotes, though YAML then reads numbers; the site's time zone is the default."""
    quiet = policy(tmp_path, 'quiet: { from: 19:00, to: "08:00", weekends: true }').quiet
    assert quiet is not None
    assert (quiet.start, quiet.end, quiet.weekends, quiet.zone.key) == (
        time(19), time(8), True, "Europe/Berlin",
    )  # fmt: skip
    digest = policy(tmp_path, "digest: { at: [17:30, 9:00], days: weekdays, timezone: Asia/Tokyo }").digest
    assert digest is not None
    assert (digest.at, digest.days, digest.zone.key) == (
        (time(9), time(17, 30)), frozenset(range(5)), "Asia/Tokyo",
    )  # fmt: skip
    budget = policy(tmp_path, "budget: { per: day, at_most: 8 }").budget
    assert budget is not None
    assert (budget.per, budget.at_most, budget.keep) == ("day", 8, "best")
    urgent = policy(tmp_path, "urgent: { min_quality: 95, mention: here }").urgent
    assert urgent is not None and urgent.mention is not None
    assert urgent.mention.kind is MentionKind.HERE
    (rule,) = policy(tmp_path, 'mentions: [{ mention: "group:S12", when: { topics: [C++] } }]').mentions
    assert (rule.mention.id, rule.topics) == ("S12", frozenset({"c-plus-plus"}))


def test_what_is_off_is_absent(tmp_path: Path) -> None:
    """Without settings, or with `off`, a channel posts at once."""
    assert policy(tmp_path, "quiet: off").is_plain
    assert policy(tmp_path, "review: false").is_plain


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("quiet: { from: 9 }", "8:22: bot.channels[1].quiet.from: write a time of day in quotes"),
        ('quiet: { from: "24:00", to: "8:00" }', "8:22: bot.channels[1].quiet.from: write a time of day"),
        ('quiet: { from: "19:00" }', "8:7: bot.channels[1].quiet: needs `from` and `to`, or neither"),
        ("quiet: { weekends: false }", "8:7: bot.channels[1].quiet: needs `from` and `to`, or `weekends"),
        ('quiet: { from: "8:00", to: "08:00" }', "8:7: bot.channels[1].quiet: `from` and `to` are the same"),
        ("quiet: { timezone: Mars }", "8:26: bot.channels[1].quiet.timezone: write a time zone"),
        ("budget: { per: month, at_most: 1 }", "8:22: bot.channels[1].budget.per: must be 'hour', 'day' or"),
        ("budget: { per: day, at_most: 0 }", "8:36: bot.channels[1].budget.at_most: must be greater"),
        ("digest: { at: [] }", "8:17: bot.channels[1].digest.at: write a time of day, or a list"),
        (
            'digest: { at: "9:00", days: [monday] }',
            "8:29: bot.channels[1].digest.days: write every, weekdays",
        ),
        (
            'digest: { at: "9:00", at_least: 3, at_most: 2 }',
            "8:51: bot.channels[1].digest.at_most: at_most is 2",
        ),
        (
            'digest: { at: "9:00", at_least: 30 }',
            "8:7: bot.channels[1].digest: at_most is 20, and at_least is 30: it cannot be less",
        ),
        ("similar: yes", "8:16: bot.channels[1].similar: must be a number"),
        ("min_quality: on", "8:20: bot.channels[1].min_quality: must be a number"),
        ("budget: { per: day, at_most: true }", "8:36: bot.channels[1].budget.at_most: must be a number"),
        (f"keywords: [{'x' * 501}]", "8:7: bot.channels[1].keywords: must have at most 500 characters"),
        ("digest: { days: every }", "8:7: bot.channels[1].digest.at: is missing"),
        ("urgent: { min_quality: 95, mention: all }", "8:43: bot.channels[1].urgent.mention: write here"),
        (
            "mentions: [{ mention: here, whom: 1 }]",
            "8:35: bot.channels[1].mentions[1].whom: is not a known key",
        ),
    ],
)
def test_errors_name_line_column_and_key(tmp_path: Path, text: str, says: str) -> None:
    """Each error says what is wrong and what would be right."""
    with pytest.raises(ConfigError) as caught:
        policy(tmp_path, text)
    assert f"config.yaml:{says}" in str(caught.value)


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        (
            "kind: slack, webhook_env: A, mentions: [{mention: here}, {mention: 'role:1'}]",
            "mentions[2].mention: Slack cannot notify `role`; write here, user:ID, group:ID",
        ),
        (
            "kind: discord, webhook_env: A, urgent: {min_quality: 95, mention: 'role:@everyone'}",
            "urgent.mention: @everyone is not the id of a role in Discord",
        ),
        (
            "kind: teams, webhook_env: A, mentions: [{mention: here}]",
            "mentions[1].mention: Microsoft Teams cannot notify `here`; write user:ID",
        ),
        (
            "kind: email, smtp_env: A, from: a@b.example, to: c@d.example, mentions: [{mention: here}]",
            "mentions[1].mention: E-mail cannot notify anybody by a message of the bot",
        ),
    ],
)
def test_a_mention_that_the_service_cannot_make_has_its_place(
    tmp_path: Path, channel: str, expected: str
) -> None:
    """The error comes at the start, not when an urgent article notifies nobody."""
    (tmp_path / "content").mkdir()
    file = tmp_path / "config.yaml"
    file.write_text(f"bot:\n  channels:\n    - {{name: a, {channel}}}\n")
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert f"bot.channels[1].{expected}" in str(caught.value)
    assert str(caught.value).startswith(f"{file}:3:")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            'quiet: { weekends: true }\n      digest: { at: "09:00" }',
            "the channel is quiet on Saturday at 09:00: that digest is posted on Monday at 00:00",
        ),
        ('quiet: { weekends: true }\n      digest: { at: "09:00", days: weekdays }', ""),
        ("min_quality: 80\n      urgent: { min_quality: 80 }", "every article would be urgent"),
        ("min_quality: 80\n      urgent: { min_quality: 81 }", ""),
    ],
)
def test_what_is_probably_not_meant_is_said(tmp_path: Path, text: str, says: str) -> None:
    """A digest within quiet hours and a policy without effect on urgent articles are warned of."""
    policy(tmp_path, text)
    (channel,) = load(tmp_path / "config.yaml", {}).bot.channels
    now = datetime(2026, 9, 1, tzinfo=UTC)
    site = SiteConfig(timezone="Europe/Berlin")
    found = [warning for _, warning in policy_warnings(channel, ("bot",), Topics(()), site, now)]
    assert len(found) == bool(says)
    assert says in "".join(found)
