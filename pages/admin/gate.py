"""Who may see the operator's pages: whoever knows the token, for as long as a session lasts.

Sessions and form tokens are signed with a key derived from the operator's token, so that every process knows
them and none has to remember them. Knows nothing of HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta

SESSION = timedelta(hours=12)
SHORTEST = 16
"""How many characters an operator's token has at least: it opens everything, and can be guessed at."""

_FAILURES = 5
_SPAN = timedelta(minutes=5)
_MOST_ADDRESSES = 1000


class Gate:
    """Checks tokens, sessions and forms against one operator's token."""

    def __init__(self, token: str, clock: Callable[[], datetime]) -> None:
        self._digest = hashlib.sha256(token.encode()).digest()
        self._key = hmac.digest(token.encode(), b"newswire operator's session", "sha256")
        self._clock = clock

    def admits(self, offered: str) -> bool:
        """Return whether this is the token; in a time that does not depend on where it differs."""
        digest = hashlib.sha256(offered.encode("utf-8", "replace")).digest()
        return hmac.compare_digest(digest, self._digest)

    def open_session(self) -> str:
        """Return what a cookie holds to be recognised until the session ends; it is not the token."""
        ends = int((self._clock() + SESSION).timestamp())
        return self.signed("session", f"{ends}.{secrets.token_urlsafe(12)}")

    def is_session(self, cookie: str) -> bool:
        """Return whether a cookie holds a session of this gate that has not ended."""
        text = self.unsigned("session", cookie)
        return text is not None and int(text.partition(".")[0]) > self._clock().timestamp()

    def form_token(self, session: str) -> str:
        """Return what a form of this session carries, so that no other site can send it."""
        return self._signature("form", session)

    def is_form_token(self, offered: str, session: str) -> bool:
        """Return whether a form came from a page of this session."""
        return hmac.compare_digest(offered.encode("utf-8", "replace"), self.form_token(session).encode())

    def signed(self, purpose: str, text: str) -> str:
        """Return `text` with a signature that holds for this purpose only."""
        return f"{text}~{self._signature(purpose, text)}"

    def unsigned(self, purpose: str, signed: str) -> str | None:
        """Return the text in what `signed` made for this purpose, or None for anything else."""
        text, _, signature = signed.rpartition("~")
        expected = self._signature(purpose, text).encode()
        return text if hmac.compare_digest(signature.encode("utf-8", "replace"), expected) else None

    def _signature(self, purpose: str, text: str) -> str:
        message = f"{purpose}:{text}".encode("utf-8", "replace")
        return hmac.new(self._key, message, "sha256").hexdigest()


class Patience:
    """Counts failed attempts by address; `_FAILURES` in `_SPAN` are enough."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()

    def wait_for(self, address: str) -> timedelta:
        """Return how long an address has to wait before its next attempt; nothing, if it may try now."""
        now = self._clock()
        failures = self._failures.get(address, deque())
        while failures and failures[0] <= now - _SPAN:
            failures.popleft()
        return failures[0] + _SPAN - now if len(failures) >= _FAILURES else timedelta(0)

    def failed(self, address: str) -> None:
        """Note a failed attempt."""
        self._failures.setdefault(address, deque(maxlen=_FAILURES)).append(self._clock())
        self._failures.move_to_end(address)
        while len(self._failures) > _MOST_ADDRESSES:
            self._failures.popitem(last=False)
