"""Every request received and every message that people see, in memory and in a log file. Thread-safe.

The ledger knows nothing of HTTP. The server writes it; tests and other processes read it.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TextIO

Service = str
"""The kind of a service, as the registry names it."""
Condition = int | Callable[[Sequence["Received"]], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request to a webhook.

    `status` is None while it hangs, or when its connection was reset. `in_flight` counts the requests to the
    same webhook that were under way when it came, including itself. `beside` is when the last of the others
    came, by the monotonic clock, or None without others. `pings` are the mentions that would notify somebody.
    `violations` is why it was refused.
    """

    number: int = 0
    at: datetime
    monotonic: float
    service: Service
    webhook: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    payload: object = None
    in_flight: int = 1
    beside: float | None = None
    fault: str | None = None
    status: int | None = None
    posted: bool = False
    message_id: str | None = None
    pings: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The request as JSON values: the time in ISO 8601, the body as text, or base64 if not UTF-8."""
        names = (name for name in self.__slots__ if name != "body")
        values: dict[str, object] = {name: getattr(self, name) for name in names}
        return values | {"at": self.at.isoformat(), "headers": dict(self.headers)} | _body_as_json(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as people see it now, with its edits applied. `pings` are all that it ever notified.

    `thread` is the key of its thread, where the sender has named one and the service has accepted that.
    """

    id: str
    service: Service
    webhook: str
    at: datetime
    payload: Mapping[str, object]
    edited_at: datetime | None = None
    pings: tuple[str, ...] = field(default=())
    thread: str | None = None

    def as_json(self) -> dict[str, object]:
        """The message as JSON values, times in ISO 8601."""
        edited = self.edited_at.isoformat() if self.edited_at else None
        values: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        return values | {"at": self.at.isoformat(), "edited_at": edited}


class Ledger:
    """The requests in the order in which they were read, and the messages in the order of their posting."""

    def __init__(self, log: Path | None = None) -> None:
        self._changed = threading.Condition()
        self._requests: dict[int, Received] = {}
        self._count = 0
        self._messages: dict[str, Message] = {}
        self._under_way: defaultdict[str, list[float]] = defaultdict(list)
        self._last_id = 0
        self._log: TextIO | None = log.open("a", encoding="utf-8") if log else None

    def close(self) -> None:
        """Close the log file."""
        with self._changed:
            if self._log:
                self._log.close()
                self._log = None

    def arrive(self, webhook: str, monotonic: float) -> list[float]:
        """Record that a request is under way. Return when the others came that are now at this webhook."""
        with self._changed:
            others = list(self._under_way[webhook])
            self._under_way[webhook].append(monotonic)
            return others

    def depart(self, webhook: str, monotonic: float) -> None:
        """Record that the request with this arrival time is over."""
        with self._changed:
            self._under_way[webhook].remove(monotonic)
            self._changed.notify_all()

    def record(self, received: Received) -> Received:
        """Store `received` and return it with its number. A request with a number replaces its earlier state.

        In the log file the newer state is a further line with the same number.
        """
        with self._changed:
            if not received.number:
                self._count += 1
                received = replace(received, number=self._count)
                self._requests[received.number] = received
            elif received.number in self._requests:
                self._requests[received.number] = received
            if self._log:
                self._log.write(json.dumps(received.as_json()) + "\n")
                self._log.flush()
            self._changed.notify_all()
            return received

    def post(self, message: Message) -> None:
        """Show `message`, or replace the message of the same id."""
        with self._changed:
            self._messages[message.id] = message
            self._changed.notify_all()

    def new_id(self, at: datetime) -> str:
        """A snowflake: greater than every one before it, made of the time and a counter.

        https://docs.discord.com/developers/reference#snowflakes
        """
        with self._changed:
            earliest = int(at.timestamp() * 1000 - 1_420_070_400_000) << 22
            self._last_id = max(earliest, self._last_id + 1)
            return str(self._last_id)

    def message(self, webhook: str, message_id: str) -> Message | None:
        """Return the message of that webhook with that id, or None if it is not shown."""
        with self._changed:
            found = self._messages.get(message_id)
            return found if found and found.webhook == webhook else None

    def delete(self, message_id: str) -> None:
        """Stop showing a message."""
        with self._changed:
            self._messages.pop(message_id, None)
            self._changed.notify_all()

    def requests(self, webhook: str | None = None) -> list[Received]:
        """The requests so far, oldest first; of one webhook, or of all."""
        with self._changed:
            return self._select(webhook)

    def messages(self, webhook: str | None = None) -> list[Message]:
        """The messages that people see now, oldest first, at one webhook or at all."""
        with self._changed:
            return [m for m in self._messages.values() if webhook in (None, m.webhook)]

    def forget(self) -> None:
        """Forget every request and message. The numbering continues, and the log file keeps its lines."""
        with self._changed:
            self._requests.clear()
            self._messages.clear()
            self._changed.notify_all()

    def wait_for(self, condition: Condition, timeout: float, webhook: str | None = None) -> list[Received]:
        """Wait for `condition`, a number of requests or a predicate over them, and return the requests.

        Raises TimeoutError after `timeout` seconds, with the requests that did come.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: _holds(condition, self._select(webhook)), timeout):
                came = [f"{r.method} {r.path} → {r.status}" for r in self._select(webhook)]
                raise TimeoutError(f"not within {timeout} s; {len(came)} requests came: {came[-20:]}")
            return self._select(webhook)

    def wait_for_quiet(self, timeout: float) -> None:
        """Wait until no request is under way. Raises TimeoutError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: not any(self._under_way.values()), timeout):
                raise TimeoutError(f"requests still under way after {timeout} s: {dict(self._under_way)}")

    def _select(self, webhook: str | None) -> list[Received]:
        return [r for r in self._requests.values() if webhook in (None, r.webhook)]


def _holds(condition: Condition, requests: Sequence[Received]) -> bool:
    return len(requests) >= condition if isinstance(condition, int) else bool(condition(requests))


def _body_as_json(body: bytes) -> dict[str, object]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
