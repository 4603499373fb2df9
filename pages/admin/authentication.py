"""Access to the operator's pages: the token, sessions, and the tokens of forms.

Sessions are signed with a key derived from the operator's token, so that every process of every machine can
verify them; a new token ends all sessions. This module does not know HTTP.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadData, Signer, TimestampSigner, URLSafeTimedSerializer

from pages.admin.logins import MAX_FAILURES, SPAN, LoginStore

SESSION = timedelta(hours=12)
MIN_TOKEN_LENGTH = 16
"""The fewest characters of an operator's token: a shorter one could be guessed."""
MAX_COOKIE_LENGTH = 2_000
"""The longest cookie that is read, in characters."""

_CLOCK_DIFFERENCE = timedelta(minutes=5)  # by which the clocks of two machines may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An operator's login. `id` is random, and is sent to clients only with a signature."""

    id: str
    opened_at: datetime


class Authenticator:
    """Checks tokens, sessions and forms against one operator's token."""

    def __init__(self, token: str, clock: Callable[[], datetime], store: LoginStore) -> None:
        self._digest = hashlib.sha256(token.encode()).digest()
        self._key = hmac.digest(token.encode(), b"newswire operator's session", "sha256")
        self._clock = clock
        self._store = store

    def admits(self, token: str) -> bool:
        """Return whether this is the token, in constant time."""
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        return hmac.compare_digest(digest, self._digest)

    def open_session(self) -> str:
        """Return the cookie's value for a new session; it does not contain the token."""
        self._store.created_at()  # first, as a session opened before the store exists counts as ended
        return self._serializer("session").dumps(secrets.token_urlsafe(16))

    def session(self, cookie: str) -> Session | None:
        """Return the session of a cookie, or None if it is invalid or the session has ended.

        Raises LoginStoreError if the ended sessions cannot be read.
        """
        loaded = self._loaded("session", cookie)
        if loaded is None or self._store.is_ended(loaded[0]) or loaded[1] < self._store.created_at():
            return None
        return Session(id=loaded[0], opened_at=loaded[1])

    def end_session(self, session: Session) -> None:
        """End a session in all processes of this machine. Raises LoginStoreError if it cannot be recorded."""
        self._store.end(session.id, session.opened_at + SESSION)

    def form_token(self, session: Session) -> str:
        """Return the token in the forms of this session, which forms of other sites do not have."""
        return self._form_signer().get_signature(session.id).decode()

    def is_form_token(self, token: str, session: Session) -> bool:
        """Return whether a form's token is that of this session."""
        return self._form_signer().verify_signature(session.id, token.encode("utf-8", "replace"))

    def signed_notice(self, text: str) -> str:
        """Return the value of a cookie that passes a text to the next page."""
        return self._serializer("notice").dumps(text)

    def notice(self, cookie: str) -> str | None:
        """Return the text in a cookie by `signed_notice`, or None for any other value."""
        loaded = self._loaded("notice", cookie)
        return loaded[0] if loaded else None

    def _loaded(self, purpose: str, cookie: str) -> tuple[str, datetime] | None:
        """Return the text that was signed for this purpose less than `SESSION` ago, and when, or None."""
        if len(cookie) > MAX_COOKIE_LENGTH:
            return None
        try:
            text, signed_at = self._serializer(purpose).loads(cookie, return_timestamp=True)
        except BadData:
            return None
        age = self._clock() - signed_at
        return (text, signed_at) if isinstance(text, str) and -_CLOCK_DIFFERENCE < age < SESSION else None

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self._key,
            salt=f"newswire.{purpose}",
            signer=_Signer,
            signer_kwargs={"digest_method": hashlib.sha256, "clock": self._clock},
        )

    def _form_signer(self) -> Signer:
        return Signer(self._key, salt="newswire.form", digest_method=hashlib.sha256)


class LoginThrottle:
    """Counts the wrong tokens of all clients in all processes of a machine: no client can evade the limit."""

    def __init__(self, store: LoginStore) -> None:
        self._store = store

    def record_failure(self) -> timedelta:
        """Record a wrong token; return the wait before the next one, which is zero below the limit."""
        return self._store.record_failure(SPAN, MAX_FAILURES)


class _Signer(TimestampSigner):
    """A signer that takes the time from a given clock."""

    def __init__(self, *args: object, clock: Callable[[], datetime], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._clock = clock

    def get_timestamp(self) -> int:
        """Return the time in seconds since the epoch."""
        return int(self._clock().timestamp())
