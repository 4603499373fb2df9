"""The results of a simulation, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.outbox.records import Delivery
from bot.planning.simulation import SimulatedDay, Simulation
from text.numbers import counted
from text.tables import Column, Line, table

_COLUMNS = (
    Column(title="day"),
    *(
        Column(title=title, right=True)
        for title in ("admitted", "posts", "with articles", "digests", "urgent", "too old")
    ),
)


def simulation_lines(simulation: Simulation) -> Iterator[str | Line]:
    """Yield what a channel would have posted on each day, and in total."""
    yield f"{simulation.channel.name}:"
    yield from table(_COLUMNS, [_row(day) for day in simulation.days])
    totals = totals_of(simulation)
    yield (
        f"{counted(totals['posts'], 'post')} with {counted(totals['articles'], 'article')} of"
        f" {totals['admitted']} admitted; {totals['expired']} became too old,"
        f" {simulation.waiting} still waited, {simulation.same_story} covered a story that was already posted"
    )


def simulation_values(simulation: Simulation) -> dict[str, Any]:
    """Return a simulation as JSON values."""
    return {
        "channel": simulation.channel.name,
        "days": [_day_values(day) for day in simulation.days],
        "posts": [
            {
                "at": post.due_at.isoformat(),
                "kind": str(post.kind),
                "articles": [_article_values(delivery) for delivery in post.deliveries],
            }
            for post in simulation.posts
        ],
        "totals": totals_of(simulation),
        "waiting": simulation.waiting,
        "same_story": simulation.same_story,
    }


def _row(day: SimulatedDay) -> list[str]:
    counts = (day.came, day.posts, day.posted, day.digests, day.urgent, day.expired)
    return [f"{day.day:%a} {day.day}", *(str(count) if count else "" for count in counts)]


def _day_values(day: SimulatedDay) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "admitted": day.came,
        "posts": day.posts,
        "articles": day.posted,
        "digests": day.digests,
        "urgent": day.urgent,
        "expired": day.expired,
    }


def _article_values(delivery: Delivery) -> dict[str, Any]:
    return {"article": delivery.article_id, "title": delivery.title, "quality": delivery.quality}


def totals_of(simulation: Simulation) -> Mapping[str, int]:
    """Return the sums over all days: `admitted`, `posts`, their `articles`, and `expired`."""
    return {
        "admitted": sum(day.came for day in simulation.days),
        "posts": sum(day.posts for day in simulation.days),
        "articles": sum(day.posted for day in simulation.days),
        "expired": sum(day.expired for day in simulation.days),
    }
