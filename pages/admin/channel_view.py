"""The values by which the operator's overview shows a channel."""

from __future__ import annotations

from dataclasses import dataclass

from bot.outbox.channelstate import ChannelState, ChannelStatus
from bot.outbox.states import State
from bot.planning.rules import Channel
from bot.planning.timeline import ComingPost, WaitingArticle
from pages.admin.charts import ChartColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The next 24 hours of a channel: a column for each hour, and the texts of posts and waiting articles.

    `top` is the number at the top of the columns' axis. `more` is the number of waiting articles that are
    left out.
    """

    columns: list[ChartColumn]
    top: int
    posts: tuple[tuple[ComingPost, str], ...]
    waits: tuple[tuple[WaitingArticle, str], ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """A channel as the operator sees it: status, counts, rate limits, and errors in its settings.

    `outlook` is None for a channel without a policy, and while nothing comes.
    """

    channel: Channel
    status: str
    state: ChannelState | None
    counts: tuple[tuple[State, int], ...]
    pace: str
    fault: str
    outlook: Outlook | None = None

    @property
    def is_started(self) -> bool:
        """Whether the bot has run for this channel before; until then it cannot be paused or resumed."""
        return self.state is not None

    @property
    def is_enabled(self) -> bool:
        """Whether it can be paused; if not, it can be resumed."""
        return self.state is not None and self.state.state is ChannelStatus.ENABLED
