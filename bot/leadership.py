"""Whether this process may act: the database answers, has this program's tables, and the lease is held.

This module does not know what the process does then.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from bot.outbox import channelstate, upgrading, wording
from bot.outbox.database import Database, first_line, is_away
from bot.outbox.lease import Lease
from bot.planning.rules import Channel

log = logging.getLogger("bot.run")


class Leadership:
    """Whether one process may act on the outbox, or what prevents it; logs each change once.

    `leads` is the result of the last `beat`: None before the first, and while the database does not answer.
    """

    def __init__(self, database: Database, lease: Lease, channels: Iterable[Channel]) -> None:
        self.leads: bool | None = None
        self._database = database
        self._lease = lease
        self._channels = tuple(channels)
        self._reachable = True
        self._is_over = False
        self._introduced = False
        self._refusal = ""

    def check(self) -> None:
        """Raise SchemaError on tables of another version, RenameError if a renamed channel has two histories.

        The first call logs warnings about channels that are disabled, or no longer in the settings.
        """
        upgrading.check(self._database)  # each time, as a deploy upgrades the tables under a bot that runs
        if not self._introduced:
            renamed = {channel.name: channel.was for channel in self._channels if channel.was}
            channelstate.refuse_both(self._database, renamed)
            self._introduced = True
            self._warn({channel.name for channel in self._channels}, set(renamed.values()))

    def check_or_wait(self) -> None:
        """Do the same as `check`, but do not raise if the database is away: it may come back."""
        try:
            self.check()
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            self._away(error)

    def beat(self) -> bool:
        """Renew the lease, or take it when it is free; return whether this process may act now.

        Raises what `check` and the database raise.
        """
        self.check()
        has_lease = not self._is_over and self._lease.hold()
        if has_lease and self._is_over:  # `end` was called meanwhile: the lease must not be taken again
            self._lease.release()
            has_lease = False
        if not self._reachable:
            log.info("the database is back")
            self._reachable = True
        if has_lease is not self.leads:
            log.info("this bot has the lease now" if has_lease else "another bot has the lease: standing by")
        self.leads = has_lease
        return has_lease

    def end(self) -> None:
        """Keep every later `beat` from taking the lease."""
        self._is_over = True

    def release(self, seconds: float) -> None:
        """Release the lease; give up after `seconds`, as a database may never answer."""
        if not self._reachable:
            return

        def release() -> None:
            with self.tolerating():
                self._lease.release()

        thread = threading.Thread(target=release, name="release", daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            log.warning("the database does not answer: the lease is not released, and will expire")

    @contextmanager
    def tolerating(self) -> Iterator[None]:
        """Catch and log the errors of a database that is away, or was upgraded by a newer program."""
        try:
            yield
        except SQLAlchemyError as error:
            if is_away(error):
                self._away(error)
            else:
                log.exception("the database refused a statement")
        except (upgrading.SchemaError, channelstate.RenameError) as error:
            if str(error) != self._refusal:
                log.warning("this bot posts nothing: %s", error)
            self._refusal, self.leads = str(error), None

    def _away(self, error: Exception) -> None:
        """Log once that the database is away; `beat` logs when it is back."""
        if self._reachable:
            log.warning("the database cannot be reached, trying again: %s", first_line(error))
        self._reachable, self.leads = False, None

    def _warn(self, names: set[str], earlier: set[str]) -> None:
        for name, reason, waiting_count in channelstate.disabled(self._database):
            if name in names:
                log.warning("channel=%s %s", name, wording.disabled(name, reason, waiting_count))
        for name, waiting in channelstate.orphaned(self._database, names | earlier).items():
            log.warning("channel=%s %s", name, wording.orphaned(name, waiting))
