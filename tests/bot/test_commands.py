"""`flask bot …` and `flask db …`: what they print, what they change, and how they end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import config as configuration
from bot.outbox import upgrading
from bot.outbox.channelstate import ChannelStatus, states
from bot.outbox.states import State
from tests.bot.program import Program
from tests.bot.world import Clock
from tests.commands import Command, Done, run_here
from tests.fakechat import FakeChat, dead, reset_after_body, server_error
from text import terminal


@pytest.fixture
def program(tmp_path: Path, chat: FakeChat) -> Iterator[Program]:
    """An installation with one Slack channel for good articles, without tables."""
    installed = Program(home=tmp_path, chat=chat)
    installed.slack("team", min_quality=65)
    yield installed
    installed.close()


@pytest.fixture
def flask(program: Program, clock: Clock) -> Command:
    """Runs a command in this process, at the time of `clock`."""

    def invoke(*arguments: str, **environ: str) -> Done:
        environment = {**program.environment(), **environ}
        config = configuration.load(program.home / "config.yaml", environment)
        return run_here(config, environment, *arguments, clock=clock)

    return invoke


@pytest.fixture
def begun(program: Program, flask: Command) -> Program:
    """The installation after its first run, with one old article in the baseline."""
    program.write("old")
    program.upgrade()
    assert flask("bot", "once").exit_code == 0
    return program


def run(program: Program, *arguments: str) -> tuple[int, str, str]:
    done = program.flask(*arguments)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_the_first_day_of_an_operator(program: Program) -> None:
    """Upgrade, a first run, a new article, plan and post work as processes, from an outbox without tables."""
    program.write("old")
    status, out, err = run(program, "bot", "once")
    assert (status, out) == (1, "")
    assert err == "Error: the outbox has no tables yet: run `flask db upgrade`\n"
    assert run(program, "db", "upgrade") == (0, "the outbox's tables are up to date\n", "")
    assert run(program, "bot", "once")[1].endswith("0 planned, 0 sent, 0 waiting\n")
    program.write("new")
    status, out, err = run(program, "bot", "plan", "--json", "--at-most", "0")
    assert (status, err) == (3, "")
    plan = json.loads(out)
    (timeline,) = plan.pop("timelines")
    assert [each["articles"][0]["article"] for each in timeline["posts"]] == ["new"]
    assert plan == {
        "posts": [{"channel": "team", "article": "new", "title": "Title of new"}],
        "baselined": {},
        "same_story": {},
        "corrections": 0,
    }
    assert run(program, "bot", "once")[1].endswith("1 planned, 1 sent, 0 waiting\n")
    assert len(program.chat.requests) == 1
    status, out, err = run(program, "bot", "once", "--json")
    assert json.loads(out) == {"another_bot_runs": False, "planned": 0, "sent": 0, "waiting": 0}


@pytest.mark.parametrize(
    "arguments",
    [
        ("once",),
        ("run",),
        ("explain", "old"),
        ("deliveries",),
        ("channels",),
        ("replay", "1"),
        ("resolve", "1", "--posted"),
        ("pause", "team"),
        ("resume", "team"),
        ("test", "team"),
    ],
)
@pytest.mark.parametrize(
    ("schema", "advice"),
    [
        ("none", "the outbox has no tables yet: run `flask db upgrade`"),
        ("newer", "newer than this program (revision 9999): deploy the version that upgraded them"),
    ],
)
def test_other_tables_are_refused_in_one_line(
    program: Program, flask: Command, arguments: tuple[str, ...], schema: str, advice: str
) -> None:
    """Without tables, or with a newer program's, every command ends with status 1 and says what to do."""
    program.write("old")
    if schema == "newer":
        program.upgrade()
        program.execute("UPDATE alembic_version SET version_num = '9999'")
    result = flask("bot", *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert advice in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert program.chat.requests == []
    assert schema == "newer" or not list((program.home / "state").glob("outbox*"))


def test_plan_shows_the_first_run_without_an_outbox(program: Program, flask: Command) -> None:
    """Before `flask db upgrade` the plan shows a first run, and creates no database file."""
    program.write("old")
    done = flask("bot", "plan")
    assert (done.exit_code, done.stdout) == (
        0,
        "would count 1 article as already there for team\n0 to post\n",
    )
    assert done.stderr == "there is no outbox yet: this is the first run, after `flask db upgrade`\n"
    assert not list((program.home / "state").glob("outbox*"))
    program.upgrade()
    program.execute("UPDATE alembic_version SET version_num = '9999'")
    assert flask("bot", "plan").exit_code == 1


def test_old_tables_are_refused_until_they_are_upgraded(
    program: Program, flask: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On older tables the bot asks for an upgrade; an older program refuses to upgrade."""
    program.upgrade()
    known = upgrading.revisions()
    monkeypatch.setattr(upgrading, "revisions", lambda: [*known, "9000"])
    result = flask("bot", "once")
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"tables are old (revision {known[-1]}): run `flask db upgrade`" in result.stderr
    monkeypatch.undo()
    program.execute("UPDATE alembic_version SET version_num = '9999'")
    result = flask("db", "upgrade")
    assert result.exit_code == 1
    assert "newer than this program" in result.stderr


def test_upgrading_twice_changes_nothing(program: Program, flask: Command) -> None:
    """`flask db upgrade` may run at every deploy."""
    for _ in range(2):
        assert flask("db", "upgrade").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [("pause", "nope"), ("resume", "nope"), ("test", "nope"), ("preview", "nope", "old")],
)
def test_an_unknown_channel_is_named_with_the_known_ones(
    begun: Program, flask: Command, arguments: tuple[str, ...]
) -> None:
    """A mistyped channel gives status 1 and one line with the existing names."""
    result = flask("bot", *arguments)
    assert (result.exit_code, result.stderr) == (1, "Error: there is no channel nope; there are: team\n")


@pytest.mark.parametrize("arguments", [("explain", "nope"), ("preview", "team", "nope")])
def test_an_unknown_article_is_said(begun: Program, flask: Command, arguments: tuple[str, ...]) -> None:
    """A mistyped article gives status 1 and one line that says how to name one."""
    result = flask("bot", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: there is no article nope: name its id or its file\n"


@pytest.mark.parametrize("named", ["what-a-fuzer", "A FUZZER", "what  a fuzzer found!"])
def test_a_mistyped_article_is_suggested(begun: Program, flask: Command, named: str) -> None:
    """The error names the article whose title has the words, or whose id or title is similar."""
    begun.write("what-a-fuzzer", title="What a fuzzer found")
    assert flask("bot", "explain", named).stderr.endswith("or its file; did you mean what-a-fuzzer?\n")


def test_an_unknown_delivery_is_said(begun: Program, flask: Command) -> None:
    """An unknown number is reported with status 1, while the existing deliveries are replayed."""
    result = flask("bot", "replay", "1", "99")
    assert (result.exit_code, result.stdout) == (1, "delivery 1: it will be posted in the bot's next run\n")
    assert result.stderr == "delivery 99: there is no such delivery\n"
    result = flask("bot", "resolve", "99", "--posted")
    assert (result.exit_code, result.stderr) == (1, "delivery 99: there is no such delivery\n")


@pytest.mark.parametrize("command", [("replay",), ("skip",), ("resolve", "--posted")])
@pytest.mark.parametrize("number", ["9" * 23, "9" * 5000, "0", "x"])
def test_a_number_that_no_delivery_can_have(flask: Command, command: tuple[str, ...], number: str) -> None:
    """Such a number is a usage error, reported before the outbox is read."""
    result = flask("bot", *command, number)
    assert result.exit_code == 2
    assert "Invalid value" in result.stderr


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"DATABASE_URL": "mysql://u:p4ss@h/d"}, "must be sqlite:///FILE or postgresql://HOST/NAME"),
        ({"DATABASE_URL": "postgresql://u:p4ss@127.0.0.1:9/d"}, "Error: the database: connection"),
        (
            {"DATABASE_URL": "sqlite:////proc/none/o.sqlite"},
            "outbox's folder /proc/none cannot be created",
        ),
        ({"DATABASE_URL": ""}, "DATABASE_URL is blank: give it a value, or unset the variable"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL: 'LOUD' is not one of"),
    ],
)
def test_an_environment_that_cannot_be_used_is_said(
    program: Program, flask: Command, environ: dict[str, str], expected: str
) -> None:
    """An unreachable or invalid database, or an invalid setting, gives one line without the password."""
    result = flask("bot", "channels", **environ)
    assert result.exit_code in (1, 2)
    assert expected in result.stderr
    assert "p4ss" not in result.output
    assert len(result.stderr.splitlines()) == 1


def test_the_first_run_is_a_baseline(program: Program, flask: Command) -> None:
    """Before the first run `plan` says that the existing articles will be the baseline."""
    program.write("old")
    program.upgrade()
    assert flask("bot", "plan").stdout == "would count 1 article as already there for team\n0 to post\n"


def test_plan_says_without_doing(begun: Program, flask: Command) -> None:
    """`plan` writes nothing and posts nothing, whatever it finds."""
    begun.write("new")
    begun.write("same", webUrl="https://www.example.com/new/?utm_source=x")
    begun.write("weak", quality=10)
    before = dump(begun)
    result = flask("bot", "plan")
    assert result.stdout == (
        "would post to team: Title of new  (new)\n"
        "would leave out 1 article for team: same story already posted\n"
        "1 to post\n"
    )
    assert dump(begun) == before
    assert begun.chat.requests == []


def test_plan_shows_what_was_planned_before(begun: Program, flask: Command) -> None:
    """A post that is tried again is shown too, and not counted as new."""
    begun.write("new")
    begun.chat.fail("team", server_error(503))
    flask("bot", "once")
    lines = flask("bot", "plan").stdout.splitlines()
    assert lines[0] == "in the next 24 hours:"
    assert lines[1].endswith("Z  team: retry: Title of new  (new)")
    assert lines[2:] == ["0 new to post"]


def test_plan_names_channels_that_are_not_set_up(begun: Program, flask: Command) -> None:
    """What they would post is planned; a line beside it says why nothing is posted yet."""
    begun.write("new")
    result = flask("bot", "plan", HOOK_TEAM="")
    assert result.stdout == "would post to team: Title of new  (new)\n1 to post\n"
    assert result.stderr == "channel team posts nothing: HOOK_TEAM is not set in the environment\n"


@pytest.mark.parametrize(("limit", "status"), [("0", 3), ("1", 0)])
def test_plan_fails_a_check_when_it_is_too_much(
    begun: Program, flask: Command, limit: str, status: int
) -> None:
    """With --at-most N the status is 3 exactly when more than N would be posted."""
    begun.write("new")
    assert flask("bot", "plan", "--at-most", limit).exit_code == status
    assert flask("bot", "plan", "--at-most", "-1").exit_code == 2


@pytest.fixture
def pull_request(program: Program) -> list[str]:
    """The options for a change that lowers the threshold and adds two articles."""
    program.write("old")
    program.write("weak", quality=10)
    for name, quality in (("old", 80), ("weak", 10), ("new", 80), ("newweak", 10)):
        program.write(name, folder="theirs", quality=quality)
    (channel,) = program.channels
    program.channels = [channel | {"min_quality": 5}]
    other = program.configure("other.yaml")
    program.channels = [channel]
    program.configure()
    return ["--config", str(other), "--content", str(program.home / "theirs"), "--json"]


def test_plan_checks_a_change_against_the_outbox(
    program: Program, flask: Command, pull_request: list[str]
) -> None:
    """New articles are posts, and articles that only the lower threshold admits are in the baseline."""
    program.upgrade()
    flask("bot", "once")
    before = dump(program)
    result = flask("bot", "plan", *pull_request, "--at-most", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert [post["article"] for post in found["posts"]] == ["new"]
    assert found["baselined"] == {"team": 2}
    assert dump(program) == before


def test_plan_checks_a_change_where_there_is_no_outbox(
    program: Program, flask: Command, pull_request: list[str]
) -> None:
    """Without an outbox or a webhook, as in a pull request's check, the change is compared with this site."""
    result = flask("bot", "plan", *pull_request, "--at-most", "0", HOOK_TEAM="")
    assert (result.exit_code, result.stderr) == (3, "")
    assert [post["article"] for post in json.loads(result.stdout)["posts"]] == ["new"]
    assert flask("bot", "deliveries").exit_code == 1  # there is still no outbox


def test_plan_reports_a_bad_config_as_serving_does(begun: Program, flask: Command) -> None:
    """A mistake in the other config file gives status 2, with its line and column."""
    bad = begun.home / "bad.yaml"
    bad.write_text("bot:\n  chanels: []\n", encoding="utf-8")
    result = flask("bot", "plan", "--config", str(bad))
    assert (result.exit_code, result.stdout) == (2, "")


def test_explain_names_every_rule_and_attempt(begun: Program, flask: Command) -> None:
    """For each channel, explain shows the decision, each rule's verdict and each request."""
    begun.discord("news", topics=["Security"])
    begun.chat.fail("team", server_error(503))
    begun.write("new")
    flask("bot", "once")
    lines = flask("bot", "explain", "new").stdout.splitlines()
    assert lines[0] == "Title of new  (new)"
    assert lines[1].startswith("team (slack): unknown since ")
    assert lines[1].endswith(": HTTP 503: server_error")
    rules = [line.split()[1] for line in lines[2:14]]
    assert rules == ["history", "published", "publication", "topics", "types", "providers", "authors",
                     "languages", "keywords", "quality", "min_quality", "max_age"]  # fmt: skip
    assert "post 1: unknown 503" in lines[14]
    assert "news (discord): is not posted: topic not followed: AI" in lines
    assert "  NO   topics             topic not followed: AI" in lines


def test_explain_knows_that_a_new_channel_begins_with_a_baseline(program: Program, flask: Command) -> None:
    """Before its first run a channel posts no existing article, whatever its rules."""
    program.upgrade()
    program.write("old")
    assert "would count as already there when the channel starts" in flask("bot", "explain", "old").stdout


@pytest.mark.parametrize("name", ["a/b", "a/b.md", "content/a/b.md", "./content/a/b.md"])
def test_an_article_is_found_by_id_and_by_file(begun: Program, flask: Command, name: str) -> None:
    """A file may be named in every form that a shell's completion gives."""
    (begun.home / "content" / "a").mkdir()
    begun.write("b", folder="content/a")
    assert flask("bot", "explain", name).stdout.startswith("Title of b  (a/b)\n")


def test_deliveries_are_listed_and_filtered(begun: Program, flask: Command, clock: Clock) -> None:
    """The list is newest first, without the baseline by default; JSON has an object on each line."""
    assert flask("bot", "deliveries").stdout == "none\n"
    begun.chat.fail("team", server_error(503))
    begun.write("new")
    flask("bot", "once")
    assert flask("bot", "deliveries").stdout == (
        "id  state/attempts  since                 channel  article\n"
        " 2  unknown/1       2026-09-01 12:00:00Z  team     Title of new  (new)\n"
        f"        due {due(begun)}: answer lost: HTTP 503: server_error\n"
    )
    assert "baselined" in flask("bot", "deliveries", "--state", "baselined").stdout
    (line,) = flask("bot", "deliveries", "--json").stdout.splitlines()
    assert (json.loads(line)["state"], json.loads(line)["seen"]) == ("unknown", "unknown/1")
    assert flask("bot", "deliveries", "--channel", "nope").exit_code == 1
    assert flask("bot", "deliveries", "--limit", "0").exit_code == 2


def test_channels_show_what_an_operator_looks_for(begun: Program, flask: Command) -> None:
    """The list has state, pace, counts, last error, missing webhooks, and channels not in the settings."""
    begun.chat.fail("team", dead("no_service"))
    begun.write("new")
    flask("bot", "once")
    lines = flask("bot", "channels").stdout.splitlines()
    assert lines[0] == "no bot is running"
    assert lines[1] == "needs attention: 1 channel is disabled"
    assert lines[2] == "team (slack): disabled since 2026-09-01 12:00:00Z: HTTP 404: no_service"
    assert lines[3] == "  deliveries: 1 held, 1 baselined"
    assert lines[4] == "  pace: at most 1 in 1 s, 5 per tick"
    assert lines[5] == "  last error: 2026-09-01 12:00:00Z  HTTP 404: no_service"
    assert lines[6] == "  to post again: correct its webhook, restart the bot, then `flask bot resume team`"
    begun.channels = [begun.channels[0] | {"name": "other", "webhook_env": "NOT_SET"}]
    begun.configure()
    lines = flask("bot", "channels").stdout.splitlines()
    assert lines[2] == "other (slack): not set up to post"
    assert lines[-2] == "team: no longer in the settings; deliveries: 1 held, 1 baselined"
    assert lines[-1] == "channel other posts nothing: NOT_SET is not set in the environment"


def test_reports_for_programs(begun: Program, flask: Command) -> None:
    """--json of `channels`, `explain` and `threshold` has the shown values."""
    begun.chat.fail("team", dead("no_service"))
    begun.write("new", publishedDateTime="2026-08-31")
    flask("bot", "once")
    found = json.loads(flask("bot", "channels", "--json").stdout)
    assert found["bot"] is None
    assert found["attention"] == {"no_bot": 1, "disabled": 1}
    (team,) = found["channels"]
    assert (team["state"], team["deliveries"]) == ("disabled", {"held": 1, "baselined": 1})
    assert (team["last_error"], team["fault"]) == ("HTTP 404: no_service", None)
    assert found["not_in_settings"] == {}
    found = json.loads(flask("bot", "explain", "new", "--json").stdout)
    (team,) = found["channels"]
    assert (found["article"], team["delivery"]["state"]) == ("new", "held")
    assert team["attempts"][0]["status"] == 404
    assert {"rule": "topics", "passed": True, "says": "passed"} in team["rules"]
    found = json.loads(flask("bot", "threshold", "team", "--json", "--min-quality", "70").stdout)
    assert (found["min_quality"], found["articles"], len(found["weeks"])) == (70, 1, 12)


def test_a_terminal_gets_colours_and_lines_that_fit(
    begun: Program, flask: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal states are coloured and titles cut; NO_COLOR disables colours."""
    begun.write("new", title="A title that is much longer than a narrow terminal has room for")
    flask("bot", "once")
    monkeypatch.setattr(terminal, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "72")
    _, line = flask("bot", "deliveries").stdout.splitlines()
    assert "\x1b[32msent/1\x1b[0m" in line
    assert len(re.sub(r"\x1b\[\d*m", "", line)) == 72 and line.endswith("…")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in flask("bot", "deliveries").stdout


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOOK_TEAM": ""}, "HOOK_TEAM is not set in the environment"),
        ({"HOOK_TEAM": "https://"}, "HOOK_TEAM: the webhook's address is not an http(s) URL"),
        ({"HOOK_TEAM": "http://hooks.example.com/x"}, "HOOK_TEAM: the webhook's address has to begin with"),
        (
            {"HOOK_TEAM": "", "HOOK_TEAM_FILE": "/proc/none"},
            "the file that HOOK_TEAM_FILE names cannot be read: No such file or directory",
        ),
    ],
)
def test_a_channel_without_a_webhook_says_why(
    begun: Program, flask: Command, environ: dict[str, str], expected: str
) -> None:
    """`channels`, `test` and `once` report any problem of a webhook's variable, and `once` continues."""
    begun.write("new")
    assert expected in flask("bot", "channels", **environ).stdout
    tested = flask("bot", "test", "team", **environ)
    assert tested.exit_code == 1 and expected in tested.stderr
    once = flask("bot", "once", **environ)
    assert once.exit_code == 0 and expected in once.stdout
    assert begun.chat.requests == []


def test_a_webhook_may_be_read_from_a_file(begun: Program, flask: Command) -> None:
    """X_FILE names the file with the secret, as container platforms provide it."""
    secret = begun.home / "secret"
    secret.write_text(begun.chat.slack_url("filed") + "\n", encoding="utf-8")
    assert flask("bot", "test", "team", HOOK_TEAM="", HOOK_TEAM_FILE=str(secret)).exit_code == 0
    assert len(begun.chat.requests_to("filed")) == 1


def test_pause_and_resume(begun: Program, flask: Command) -> None:
    """A paused channel plans without posting; once resumed, it posts the waiting deliveries."""
    assert flask("bot", "pause", "team").stdout == "team is paused\n"
    assert states(begun.database)["team"].state is ChannelStatus.PAUSED
    begun.write("new")
    assert flask("bot", "once").stdout.endswith("1 planned, 0 sent, 1 waiting\n")
    assert flask("bot", "resume", "team").stdout == "team is resumed\n"
    assert flask("bot", "once").stdout.endswith("0 planned, 1 sent, 0 waiting\n")


@pytest.mark.parametrize("order", ["pause", "resume"])
def test_a_channel_that_has_not_started_takes_no_orders(program: Program, flask: Command, order: str) -> None:
    """Before the first run pausing a channel is refused with status 1."""
    program.upgrade()
    result = flask("bot", order, "team")
    assert (result.exit_code, result.stderr) == (1, "Error: team has not started yet\n")


@pytest.mark.parametrize(("answer", "posts"), [("--posted", 1), ("--not-posted", 2)])
def test_resolve_needs_an_answer(begun: Program, flask: Command, answer: str, posts: int) -> None:
    """A lost answer is resolved only by the operator's statement of what the channel shows."""
    begun.channels[0]["on_unknown"] = "hold"
    begun.configure()
    begun.chat.fail("team", reset_after_body())
    begun.write("new")
    flask("bot", "once")
    (held,) = begun.deliveries(State.HELD)
    silent = flask("bot", "resolve", str(held.id))
    assert silent.exit_code == 2 and "--posted or --not-posted" in silent.stderr
    assert begun.deliveries(State.HELD) == [held]
    assert flask("bot", "resolve", str(held.id), answer).exit_code == 0
    flask("bot", "once")
    assert len(begun.deliveries(State.SENT)) == 1
    assert len(begun.chat.requests) == posts


def test_an_order_is_given_for_several_deliveries_as_they_were_seen(
    begun: Program, flask: Command, clock: Clock
) -> None:
    """An order changes each delivery that is still as listed, and reports the new state of the others."""
    begun.channels[0]["on_unknown"] = "hold"
    begun.configure()
    begun.chat.fail("team", reset_after_body(times=2))
    for name in ("first", "second", "third"):
        begun.write(name)
        flask("bot", "once")
        clock.advance(minutes=1)
    held = [str(each.id) for each in begun.deliveries(State.HELD)]
    (sent,) = (str(each.id) for each in begun.deliveries(State.SENT))
    assert len(held) == 2
    seen = flask("bot", "deliveries", "--state", "held").stdout
    assert seen.count("held/1") == 2
    stale = flask("bot", "resolve", *held, "--posted", "--seen", "held/2")
    assert stale.exit_code == 1
    assert stale.stderr.splitlines() == [
        f"delivery {each}: nothing was changed: it was held after 2 attempts when you saw it, and is held"
        " after 1 attempt now"
        for each in sorted(held)
    ]
    result = flask("bot", "resolve", *held, sent, "--posted", "--seen", "held/1")
    assert result.exit_code == 1
    assert result.stdout.count("it is marked as posted") == 2
    assert result.stderr.startswith(f"delivery {sent}: nothing was changed: it was held after 1 attempt")
    assert len(begun.deliveries(State.SENT)) == 3


@pytest.mark.parametrize("seen", ["held", "held/", "held/x", "nothing/1", "held/-1", "held/1234567890"])
def test_seen_is_a_state_and_a_number(begun: Program, flask: Command, seen: str) -> None:
    """Anything but a listed state and number is a usage error, and nothing is changed."""
    result = flask("bot", "skip", "1", "--seen", seen)
    assert result.exit_code == 2 and "such as unknown/2" in result.stderr


def test_replay_posts_a_baselined_article(begun: Program, flask: Command) -> None:
    """`replay` posts an article that the rules would not post."""
    assert flask("bot", "replay", "1").exit_code == 0
    assert flask("bot", "once").stdout.endswith("0 planned, 1 sent, 0 waiting\n")


def test_skip_ends_what_waits(begun: Program, flask: Command) -> None:
    """`skip` ends a waiting delivery, now and in later runs."""
    begun.chat.fail("team", server_error(503))
    begun.write("new")
    flask("bot", "once")
    (waiting,) = begun.deliveries(State.UNKNOWN)
    assert flask("bot", "skip", str(waiting.id)).exit_code == 0
    again = flask("bot", "skip", str(waiting.id))
    assert again.stderr == "delivery 2: nothing was changed: it is baselined after 1 attempt\n"
    assert flask("bot", "once").stdout.endswith("0 planned, 0 sent, 0 waiting\n")
    assert "skipped by the operator" in flask("bot", "explain", "new").stdout


def test_threshold_draws_and_counts(begun: Program, flask: Command) -> None:
    """`threshold` shows what a channel would have posted, with its own threshold or another."""
    printed = flask("bot", "threshold", "team", "--min-quality", "1").stdout
    assert "from 1 on: " in printed and "by week, oldest first:" in printed
    assert flask("bot", "threshold", "nobody").exit_code == 1


def test_test_posts_one_marked_message(begun: Program, flask: Command) -> None:
    """`test` posts one message marked as a test; a refusal gives status 1 and its reason."""
    begun.discord("news", webhook_env="NOT_SET")
    result = flask("bot", "test", "team")
    assert (result.exit_code, result.stdout) == (0, "team: sent: posted\n")
    (request,) = begun.chat.requests
    assert "This is a test message from The Site" in str(request.payload)
    begun.chat.fail("team", dead("no_team"))
    result = flask("bot", "test", "team")
    assert (result.exit_code, result.stdout) == (1, "team: disabled: HTTP 404: no_team\n")


def test_preview_is_exactly_what_is_posted(begun: Program, flask: Command) -> None:
    """The JSON that `preview` prints is the payload that the service gets."""
    begun.discord("news")
    flask("bot", "once")
    begun.write("new", title="<@&1> *x* 日本語")
    shown = {name: json.loads(flask("bot", "preview", name, "new").stdout) for name in ("team", "news")}
    flask("bot", "once")
    posted = {
        "team": begun.chat.requests_to("team")[-1].payload,
        "news": begun.chat.requests_to("news")[-1].payload,
    }
    assert shown == posted


def test_once_gives_way_to_a_bot_at_work(begun: Program) -> None:
    """Beside a running bot `once` does nothing and says so, with status 0, so that cron reports nothing."""
    begun.bot()
    status, out, _ = run(begun, "bot", "once")
    assert (status, out) == (0, "another bot is running\n")
    status, out, _ = run(begun, "bot", "channels")
    assert status == 0 and out.startswith("the bot that posts: ")


def due(program: Program) -> str:
    (delivery,) = program.deliveries(State.UNKNOWN)
    assert delivery.due_at
    return f"{delivery.due_at:%Y-%m-%d %H:%M:%S}Z"


def dump(program: Program) -> list[Any]:
    """Return every row of the outbox."""
    tables = ("deliveries", "attempts", "channels", "hosts", "lease")
    with program.database.read() as connection:
        return [connection.execute(text(f"SELECT * FROM {table}")).all() for table in tables]


def test_review_lists_what_waits_as_people_would_see_it(begun: Program, flask: Command) -> None:
    """The list has the message, its channel and its deadline; approving it by number posts it."""
    begun.channels[0]["review"] = True
    begun.configure()
    assert flask("bot", "review").stdout == "none\n"
    begun.write("new", excerpt="What it says.")
    begun.write("other")
    flask("bot", "once")
    assert begun.chat.requests == []
    listed = flask("bot", "review").stdout.splitlines()
    number = listed[0].split()[0]
    assert listed[0] == f"{number:>6}  team: since 2026-09-01 12:00:00Z"
    assert listed[1].startswith("        Title of new  https://")
    assert listed[2] == "        What it says."
    assert flask("bot", "comment", number, "Our pick").exit_code == 0
    assert flask("bot", "review").stdout.splitlines()[1:3] == ["        Comment: Our pick", listed[1]]
    other = str(int(number) + 1)
    assert json.loads(flask("bot", "review", "--json").stdout.splitlines()[0])["reason"] == "waits for review"
    assert flask("bot", "drop", other, "--seen", "held/0").stdout.endswith("will not be posted\n")
    wrong = flask("bot", "approve", number, "--at", "tomorrow")
    assert wrong.exit_code == 2 and "is not a time such as" in wrong.stderr
    assert flask("bot", "approve", number, "--at", "2026-09-01T13:00+02:00").exit_code == 0
    assert flask("bot", "once").stdout.endswith("0 planned, 1 sent, 0 waiting\n")
    assert flask("bot", "approve", number).exit_code == 1
