"""FakeChat: the services, the faults, the rate limits and the ledger behind one server.

Other modules decide what a service answers, which fault comes and what is recorded. wire.py has the sockets.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.fakechat import discord
from tests.fakechat.exchange import Answer, Call, Route
from tests.fakechat.faults import DEFAULT_CHAOS, EVERYWHERE, Fault, FaultBook
from tests.fakechat.gate import Gate
from tests.fakechat.ledger import Condition, Ledger, Message, Received
from tests.fakechat.pace import Paces
from tests.fakechat.registry import SERVICES, FakeService, route_of
from tests.fakechat.wire import Server
from tests.waiting import WAIT_SECONDS


def _utc_now() -> datetime:
    return datetime.now(UTC)


class FakeChat:
    """A running fake of every service. Use it as a context manager, or `start()` and `stop()` it.

    `port` 0 takes a free port; `log` is a file that gets a JSON line for every request; `clock` (aware UTC)
    dates messages and drives the rate limits, which are off unless `rate_limits` is true.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Path | None = None,
        rate_limits: bool = False,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.clock = clock
        self.rate_limits = rate_limits
        self.ledger = Ledger(log)
        self.faults = FaultBook()
        self.paces = Paces()
        self.gate = Gate()
        self.stopping = False
        self._names: dict[str, str] = {}
        self._server = Server((host, port), self)
        self._thread = threading.Thread(target=self._server.run, name="fakechat", daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start serving."""
        self._thread.start()

    def stop(self) -> None:
        """Cut every connection, including those that hang, and free the port."""
        self.stopping = True
        self._server.shutdown()
        self.gate.open()
        self._server.cut_connections()
        self._server.server_close()
        self._thread.join()
        self.gate.close()
        self.ledger.close()

    @property
    def port(self) -> int:
        """The port on which the server listens."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """The server's address, without a slash at the end. It shows a page for people."""
        return f"http://{self._server.host}:{self.port}"

    def hook_url(self, kind: str, name: str) -> str:
        """The URL of the webhook of that service whose token is `name`."""
        return self.url + self._named(name, SERVICES[kind].path(name))

    def slack_url(self, name: str) -> str:
        """The URL of a Slack webhook whose token is `name`."""
        return self.hook_url("slack", name)

    def discord_url(self, name: str, version: int | None = None) -> str:
        """The URL of a Discord webhook whose token is `name`.

        Without a version, as Discord's own settings page gives it, it is API v6, where the retry times of a
        429 are milliseconds. With `version=10` they are seconds.
        """
        self._named(name, discord.path(name))
        return self.url + discord.path(name, version)

    @property
    def requests(self) -> list[Received]:
        """Every request to a webhook so far, oldest first."""
        return self.ledger.requests()

    def requests_to(self, webhook: str) -> list[Received]:
        """The requests to one webhook (its name, path or URL) so far, oldest first."""
        return self.ledger.requests(self.resolve(webhook))

    def messages(self, webhook: str | None = None) -> list[Message]:
        """The messages that people see at a webhook (its name, path or URL), or at all, oldest first."""
        return self.ledger.messages(self.resolve(webhook) if webhook else None)

    def fail(self, webhook: str, *faults: Fault) -> None:
        """Queue `faults` for a webhook (its name, path or URL; EVERYWHERE for any), one for each request."""
        self.faults.add(self.resolve(webhook), faults)

    def chaos(self, seed: int, rate: float, faults: Sequence[Fault] = DEFAULT_CHAOS) -> None:
        """From now on let one of `faults` befall a request with probability `rate`; 0 ends it."""
        self.faults.chaos(seed, rate, faults)

    def release(self) -> None:
        """Let the requests that hang continue: each is answered, and posted unless it was posted before."""
        self.gate.open()

    def forget(self) -> None:
        """Forget everything, including the names of webhooks."""
        self._names.clear()
        self.reset()

    def reset(self) -> None:
        """Forget requests, messages, faults and counts, and release the requests that hang."""
        self.faults.clear()
        self.paces.clear()
        self.gate.open()
        self.ledger.forget()

    def wait_for(
        self, condition: Condition, timeout: float = WAIT_SECONDS, webhook: str | None = None
    ) -> list[Received]:
        """Wait for `condition`, a number of requests or a predicate over them, and return the requests.

        Raises TimeoutError after `timeout` seconds.
        """
        return self.ledger.wait_for(condition, timeout, self.resolve(webhook) if webhook else None)

    def resolve(self, webhook: str) -> str:
        """Return the canonical path of a webhook given by name, path or URL.

        Raises KeyError for an unknown one.
        """
        if webhook in self._names or webhook == EVERYWHERE:
            return self._names.get(webhook, EVERYWHERE)
        route = route_of(urlsplit(webhook).path)
        if route is None:
            raise KeyError(
                f"{webhook!r} is no webhook's URL or path, nor a name given to slack_url or discord_url"
            )
        return route.webhook

    def conclude(
        self, seen: Received, call: Call, ticket: socket.socket, client: socket.socket
    ) -> Answer | None:
        """Post, refuse or fail one request and record it.

        Return its answer, or None to reset the connection.
        """
        service = SERVICES[call.route.service]
        headers, refused = self._pace(service, call.route)
        if refused:
            return self._record(seen, refused)
        has_image, is_rich = service.has_image(call.payload), service.is_rich(call.payload)
        fault = self.faults.after_body(call.route.webhook, has_image=has_image, is_rich=is_rich)
        if fault:
            answer = self._inflict(fault, replace(seen, fault=fault.kind), call, ticket, client)
        else:
            answer = self._record(seen, service.answer(call, self.ledger))
        return answer and replace(answer, headers={**headers, **answer.headers})

    def _inflict(
        self, fault: Fault, seen: Received, call: Call, ticket: socket.socket, client: socket.socket
    ) -> Answer | None:
        service = SERVICES[call.route.service]
        effect = service.answer(call, self.ledger) if fault.posts else None
        if fault.kind in ("reset_before_body", "reset_after_body", "hang"):
            seen = self._store(seen, effect, status=None)
        if fault.kind == "hang":
            if not self.gate.wait(ticket, client) or self.stopping:
                return None
            return self._record(seen, effect or service.answer(call, self.ledger))
        if fault.kind == "slow":
            answer = self._record(seen, effect or service.answer(call, self.ledger))
            return answer if self.gate.wait(ticket, client, fault.seconds) else None
        if fault.kind in ("status", "rate_limited"):
            answer = service.fault_answer(fault, call.route)
            self._store(seen, effect, status=answer.status)
            return answer
        return None

    def _pace(self, service: FakeService, route: Route) -> tuple[dict[str, str], Answer | None]:
        if not self.rate_limits:
            return {}, None
        now = self.clock().timestamp()
        pace = service.count(self.paces, route.webhook, now)
        headers = service.pace_headers(pace, route, now)
        refused = service.pace_answer(pace, route, now)
        return headers, refused and replace(refused, headers={**headers, **refused.headers})

    def _record(self, seen: Received, answer: Answer) -> Answer:
        self._store(seen, answer, status=answer.status)
        return answer

    def _store(self, seen: Received, effect: Answer | None, *, status: int | None) -> Received:
        effect = effect or Answer(status=0)
        return self.ledger.record(
            replace(
                seen,
                status=status,
                posted=effect.outcome in ("posted", "edited"),
                message_id=effect.message_id,
                pings=effect.pings,
                violations=effect.violations,
            )
        )

    def _named(self, name: str, path: str) -> str:
        if self._names.setdefault(name, path) != path:
            raise ValueError(f"{name!r} already names a webhook of another service")
        return path
