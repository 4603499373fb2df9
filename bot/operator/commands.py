"""`flask bot …` and `flask db …`: run the bot, ask it why, and give it orders.

Everything that is shown comes from `reports`; everything that is changed goes through `orders`.
"""

from __future__ import annotations

import functools
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO, TypeVar

import click
from flask.cli import AppGroup
from sqlalchemy.exc import SQLAlchemyError

from articles.article import Article
from articles.errors import ArticlesError
from articles.identity import identity
from articles.topics import ALL
from bot.errors import BotError
from bot.operator import orders, queries, reports
from bot.operator.parts import BotParts, ProposedChange
from bot.operator.testing import send_test
from bot.outbox import channelstate, lease, schema
from bot.outbox.database import Database, connect, first_line, is_away
from bot.outbox.states import WAITING, State
from bot.outbox.tallies import deliveries_standing
from bot.planning import threshold as thresholds
from bot.planning.admission import stories_of
from bot.planning.plan import Plan
from bot.planning.planner import Planner
from bot.planning.rules import NOTHING, Channel, decide, explain
from bot.run import stop_on_signals
from bot.services import NOWHERE, SERVICES
from bot.services.message import compose
from text.printable import print_json, print_line
from text.terminal import CommandError, no_link
from web.numbers import MAX_ID

_F = TypeVar("_F", bound=Callable[..., Any])


_DELIVERY = click.IntRange(1, MAX_ID)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


Parts = Callable[[TextIO], BotParts]
"""Gives the parts of the bot, and starts the logs on a stream: not on the one that carries an answer."""


Proposed = Callable[[Path | None, Path | None], AbstractContextManager[ProposedChange]]
"""Gives, for a while, what another config file or another article folder would change."""


def bot_commands(parts: Parts, proposed: Proposed) -> AppGroup:
    """Return the `bot` group."""
    group = AppGroup("bot", help="Post new articles to chat, and ask or tell the bot something.")
    _add_running(group, parts)
    _add_plan(group, parts, proposed)
    _add_questions(group, parts)
    _add_orders(group, parts)
    _add_forgetting(group, parts)
    _add_messages(group, parts)
    return group


def database_commands(parts: Parts) -> AppGroup:
    """Return the `db` group."""
    group = AppGroup("db", help="Look after the bot's database.")

    @group.command()
    @_clear_errors
    def upgrade() -> None:
        """Bring the database's tables up to date; safe to run at every deploy, by several at once."""
        schema.upgrade(parts(sys.stderr).database)
        print_line("the outbox's tables are up to date")

    return group


def _add_running(group: AppGroup, parts: Parts) -> None:
    @group.command()
    @_clear_errors
    def run() -> None:
        """Post new articles until told to stop, by Ctrl-C or SIGTERM."""
        ours = parts(sys.stdout)
        try:
            _ready(ours)
        except SQLAlchemyError as error:  # an outage is waited for; tables of another version are not
            if not is_away(error):
                raise
        bot = ours.bot()
        stop = threading.Event()
        stop_on_signals(stop)
        with ours.watch(bot.wake):
            bot.run(stop)

    @group.command()
    @_clear_errors
    def once() -> None:
        """Look once, post what is due, and end: for cron, and for hosts that sleep."""
        ours = _ready(parts(sys.stdout))
        before = queries.totals(ours.database)
        stop = threading.Event()
        stop_on_signals(stop)
        plan = ours.bot().once(stop)
        if plan is None:
            print_line("another bot is at work")
            return
        after = queries.totals(ours.database)
        waiting = sum(after[state] for state in WAITING)
        sent = sum(after[state] - before[state] for state in (State.SENT, State.ACCEPTED))
        print_line(f"{len(plan.posts)} planned, {sent} sent, {waiting} waiting")


def _add_plan(group: AppGroup, parts: Parts, proposed: Proposed) -> None:
    @group.command()
    @click.option(
        "--config",
        "other",
        type=_FILE,
        help="Use the channels, topics and article patterns of this config file, and nothing else of it.",
    )
    @click.option("--content", type=_FOLDER, callback=no_link, help="Use the articles in this folder.")
    @click.option("--json", "as_json", is_flag=True, help="Say it in JSON.")
    @click.option(
        "--at-most",
        type=click.IntRange(min=0),
        metavar="N",
        help="End with status 3 when more than N would be posted.",
    )
    @_clear_errors
    def plan(other: Path | None, content: Path | None, as_json: bool, at_most: int | None) -> None:
        """Say what the next look would post, and to whom; change nothing.

        With --config or --content it says what that change would do. Where there is no outbox yet, as in a
        check of a pull request, the articles that are here now count as already there.
        """
        ours = parts(sys.stderr)
        if other or content:
            with proposed(other, content) as change:
                found = _compare(ours, change)
        else:
            ours.refresh()
            found = _preview(_ready(ours).database, ours, ours.clock())
            names = {each for channel in ours.channels for each in (channel.name, channel.was) if each}
            for problem in reports.orphan_lines(channelstate.orphaned(ours.database, names)):
                print_line(problem, stream=sys.stderr)
        if as_json:
            print_json(reports.plan_values(found))
        else:
            _print_lines(reports.plan_lines(found))
        sys.exit(3 if at_most is not None and len(found.posts) > at_most else 0)


def _add_questions(group: AppGroup, parts: Parts) -> None:
    @group.command(name="explain")
    @click.argument("article")
    @_clear_errors
    def explain_(article: str) -> None:
        """Say for every channel why ARTICLE (an id or a file) is posted or not, and every attempt so far."""
        ours = _ready(parts(sys.stderr))
        found = _article(ours, article)
        print_line(f"{found.title}  ({found.id})")
        _print_lines(_explanation(ours, found))

    @group.command()
    @click.option("--state", "states", type=click.Choice([str(state) for state in State]), multiple=True)
    @click.option("--channel", help="Only this channel's.")
    @click.option(
        "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="How many at most."
    )
    @click.option("--json", "as_json", is_flag=True, help="Say it in JSON, one delivery a line.")
    @_clear_errors
    def deliveries(states: tuple[str, ...], channel: str | None, limit: int, as_json: bool) -> None:
        """List deliveries, the newest first; those only baselined when asked for by --state."""
        ours = _ready(parts(sys.stderr))
        if channel is not None and channel not in channelstate.states(ours.database):
            _channel(ours, channel)
        wanted = [State(state) for state in states] or [s for s in State if s is not State.BASELINED]
        found = queries.listed(ours.database, states=wanted, channel=channel, limit=limit)
        if as_json:
            for delivery in found:
                print_json(reports.delivery_values(delivery))
        else:
            _print_lines(reports.delivery_lines(found) if found else ["none"])

    @group.command()
    @_clear_errors
    def channels() -> None:
        """Say which bot posts, and of each channel its state, what waits, and its last error."""
        ours = _ready(parts(sys.stderr))
        now, database = ours.clock(), ours.database
        _print_lines([reports.lease_line(lease.holder(database), now)])
        states, counts = channelstate.states(database), deliveries_standing(database)
        for channel in ours.channels:
            rates = SERVICES[channel.kind].RATE
            _print_lines(reports.channel_lines(channel, states.get(channel.name), counts, rates, now))
        _print_lines(reports.forgotten_lines(ours.channels, counts))
        _print_lines(ours.faults.values())

    @group.command()
    @click.argument("channel")
    @click.option("--min-quality", type=int, help="Instead of the channel's own.")
    @_clear_errors
    def threshold(channel: str, min_quality: int | None) -> None:
        """Say how many articles a week CHANNEL would have got in the last weeks with this threshold."""
        ours = parts(sys.stderr)
        ours.refresh()
        chosen, now = _channel(ours, channel), ours.clock()
        found = thresholds.candidates(chosen, ours.catalog.shown(ALL, now), now)
        wanted = chosen.min_quality if min_quality is None else min_quality
        _print_lines(reports.threshold_lines(found, thresholds.threshold(found, wanted, now)))


def _add_orders(group: AppGroup, parts: Parts) -> None:
    @group.command()
    @click.argument("ids", type=_DELIVERY, nargs=-1, required=True)
    @_clear_errors
    def replay(ids: tuple[int, ...]) -> None:
        """Post these deliveries again, or at last, whatever the rules say."""
        ours = _ready(parts(sys.stderr))
        refused = False
        for number in sorted(set(ids)):
            answer = orders.replay(ours.database, number, ours.clock())
            if answer.done:
                print_line(f"delivery {number} will be posted")
            else:
                print_line(f"delivery {number} cannot be posted: {answer.says}", stream=sys.stderr)
                refused = True
        sys.exit(1 if refused else 0)

    @group.command()
    @click.argument("id", type=_DELIVERY)
    @click.option("--posted/--not-posted", default=None, help="What you see in the channel.")
    @_clear_errors
    def resolve(id: int, posted: bool | None) -> None:
        """Say of a delivery whose answer was lost whether it was posted; if not, it is posted now."""
        if posted is None:
            raise click.UsageError("look into the channel, and say --posted or --not-posted")
        ours = _ready(parts(sys.stderr))
        answer = orders.resolve(ours.database, id, posted=posted, now=ours.clock())
        if not answer.done:
            raise CommandError(f"delivery {id} does not wait for an answer: {answer.says}")
        print_line(f"delivery {id}: {'sent' if posted else 'will be posted'}")

    @group.command()
    @click.argument("id", type=_DELIVERY)
    @_clear_errors
    def skip(id: int) -> None:
        """Never post this delivery, as if its article had been there before the channel."""
        ours = _ready(parts(sys.stderr))
        answer = orders.skip(ours.database, id, ours.clock())
        if not answer.done:
            raise CommandError(f"delivery {id} does not wait to be posted: {answer.says}")
        print_line(f"delivery {id} is skipped")

    @group.command()
    @click.argument("channel")
    @_clear_errors
    def pause(channel: str) -> None:
        """Post nothing to CHANNEL until it is resumed; what is due waits."""
        ours = _ready(parts(sys.stderr))
        if not channelstate.pause(ours.database, _channel(ours, channel).name, ours.clock()):
            raise CommandError(f"{channel} has not started yet")
        print_line(f"{channel} is paused")

    @group.command()
    @click.argument("channel")
    @_clear_errors
    def resume(channel: str) -> None:
        """Post to CHANNEL again, after a pause or once its webhook is corrected."""
        ours = _ready(parts(sys.stderr))
        if not channelstate.resume(ours.database, _channel(ours, channel).name, ours.clock()):
            raise CommandError(f"{channel} has not started yet")
        print_line(f"{channel} is resumed")


def _add_forgetting(group: AppGroup, parts: Parts) -> None:
    @group.command()
    @click.argument("channel")
    @_clear_errors
    def forget(channel: str) -> None:
        """End what waits for CHANNEL, which is no longer in the settings; what was posted stays on record."""
        ours = _ready(parts(sys.stderr))
        if channel in {each.name for each in ours.channels}:
            raise CommandError(f"{channel} is in the settings: take it out first")
        dropped = orders.forget(ours.database, channel, ours.clock())
        if dropped is None:
            raise CommandError(f"there is no channel {channel}")
        print_line(f"{channel} is forgotten; {dropped} deliveries waited for it")


def _add_messages(group: AppGroup, parts: Parts) -> None:
    @group.command()
    @click.argument("channel")
    @_clear_errors
    def test(channel: str) -> None:
        """Post one message to CHANNEL that says it is a test."""
        ours = _ready(parts(sys.stderr))
        if _channel(ours, channel).destination is None:
            raise CommandError(ours.faults[channel])
        result = send_test(ours, channel)
        print_line(f"{channel}: {result.outcome}{f': {result.reason}' if result.reason else ''}")
        sys.exit(0 if result.is_sent else 1)

    @group.command()
    @click.argument("channel")
    @click.argument("article")
    @_clear_errors
    def preview(channel: str, article: str) -> None:
        """Show the exact JSON that would be posted to CHANNEL for ARTICLE (an id or a file)."""
        ours = parts(sys.stderr)
        kind = _channel(ours, channel).kind
        message = compose(_article(ours, article), site=ours.site.name, site_url=ours.site.url)
        service = SERVICES[kind]
        request = service.post(service.example(), message)
        if request.body is None:
            print_json(request.json, indent=2)
        else:
            print_line(request.text())


def _compare(ours: BotParts, change: ProposedChange) -> Plan:
    """Return what the bot would post after a change."""
    ours.refresh()
    change.refresh()
    try:
        return _preview(_ready(ours).database, change, ours.clock())
    except schema.SchemaError:
        with _outbox_of_today(ours) as database:
            return _preview(database, change, ours.clock())


def _preview(database: Database, of: BotParts | ProposedChange, now: datetime) -> Plan:
    return Planner(database, of.catalog, of.channels, taxonomy=of.taxonomy).preview(now)


@contextmanager
def _outbox_of_today(ours: BotParts) -> Iterator[Database]:
    """Yield a passing outbox in which everything that is eligible now is baselined."""
    channels = [replace(channel, destination=NOWHERE, backfill=0) for channel in ours.channels]
    with TemporaryDirectory() as folder:
        database = connect(f"sqlite:///{folder}/outbox.sqlite")
        schema.upgrade(database)
        Planner(database, ours.catalog, channels, taxonomy=ours.taxonomy).plan(ours.clock())
        yield database
        database.close()


def _explanation(ours: BotParts, article: Article) -> Iterable[str]:
    database = ours.database
    now = ours.clock()
    states = channelstate.states(database)
    past = queries.past_of(database, article.id, stories_of(article))
    found = {d.channel: d for d in queries.listed(database, article_id=article.id)}
    attempts = queries.attempts_of(database, [delivery.id for delivery in found.values()])
    for channel in ours.channels:
        known = past.get(channel.name, NOTHING)
        yield from reports.explanation_lines(
            channel,
            states.get(channel.name),
            decide(article, channel, now, known),
            explain(article, channel, now, known),
            found.get(channel.name),
            (attempt for attempt in attempts if attempt.channel == channel.name),
            now,
        )


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print_line(line)


def _ready(ours: BotParts) -> BotParts:
    schema.check(ours.database)
    return ours


def _channel(ours: BotParts, name: str) -> Channel:
    for channel in ours.channels:
        if channel.name == name:
            return channel
    names = ", ".join(channel.name for channel in ours.channels) or "none"
    raise CommandError(f"there is no channel {name}; there are: {names}")


def _article(ours: BotParts, named: str) -> Article:
    """Return the article with this id, or the one in this file, however the file is named."""
    ours.refresh()
    parts = Path(named).parts
    ends = ("/".join(parts[start:]) for start in range(len(parts)))
    for candidate in (named, *map(identity, ends)):
        article = ours.catalog.get(candidate)
        if article:
            return article
    raise CommandError(f"there is no article {named}: name its id or its file")


def _clear_errors(command: _F) -> _F:
    """Turn the errors that operators can correct into one line."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (BotError, ArticlesError) as error:
            raise CommandError(str(error)) from None
        except SQLAlchemyError as error:
            raise CommandError(f"the database: {first_line(error)}") from None
        except sqlite3.Error as error:
            raise CommandError(f"the catalog: {error}") from None

    return run  # type: ignore[return-value]
