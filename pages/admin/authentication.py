"""Access to the operator's pages: the token, sessions, and the tokens of forms.

Sessions are signed with a key derived from the operator's token, so that every process of every machine can
verify them; a new token ends all of them. Knows nothing of HTTP.
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
"""The fewest characters of an operator's token, because it can be guessed."""
MAX_COOKIE_LENGTH = 2_000
"""The longest cookie that is read, in characters."""

_CLOCK_DIFFERENCE = timedelta(minutes=5)  # by which the clocks of two machines may differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An operator's login. `id` is random; it leaves the server only signed."""

    id: str
    opened_at: datetime


class Authenticator:
    """Checks tokens, sessions and forms against one operator's token."""

    def __init__(self, token: str, clock: Callable[[], datetime], store: LoginStore) -> None:
        self._digest = hashlib.sha256(token.encode()).digest()
        self._key = hmac.digest(token.encode(), b"newswire operator's session", "sha256")
        self._clock = clock
        self._store = store

    def admits(self, offered: str) -> bool:
        """Return whether this is the token, in a time that does not depend on where it differs."""
        digest = hashlib.sha256(offered.encode("utf-8", "replace")).digest()
        return hmac.compare_digest(digest, self._digest)

    def open_session(self) -> str:
        """Return the value of a cookie for a new session; it does not contain the token."""
        self._store.created_at()  # before the session: one opened before the store counts as ended
        return self._serializer("session").dumps(secrets.token_urlsafe(16))

    def session(self, cookie: str) -> Session | None:
        """Return the session of a cookie, or None when there is none or it has ended.

        Raises LoginStoreError when the ended sessions cannot be read.
        """
        found = self._loaded("session", cookie)
        if found is None or self._store.is_ended(found[0]) or found[1] < self._store.created_at():
            return None
        return Session(id=found[0], opened_at=found[1])

    def end_session(self, session: Session) -> None:
        """End a session in all processes of this machine. Raises LoginStoreError when it cannot be noted."""
        self._store.end(session.id, session.opened_at + SESSION)

    def form_token(self, session: Session) -> str:
        """Return the token that forms of this session contain, so that no other site can send one."""
        return self._form_signer().get_signature(session.id).decode()

    def is_form_token(self, offered: str, session: Session) -> bool:
        """Return whether a form came from a page of this session."""
        return self._form_signer().verify_signature(session.id, offered.encode("utf-8", "replace"))

    def signed_notice(self, text: str) -> str:
        """Return the value of a cookie that carries a text to the next page."""
        return self._serializer("notice").dumps(text)

    def notice(self, cookie: str) -> str | None:
        """Return the text that `signed_notice` put into a cookie, or None for anything else."""
        found = self._loaded("notice", cookie)
        return found[0] if found else None

    def _loaded(self, purpose: str, cookie: str) -> tuple[str, datetime] | None:
        """Return what was signed for this purpose less than `SESSION` ago, and when."""
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
    """Counts wrong tokens of all clients in all processes of a machine: no header or address evades it."""

    def __init__(self, store: LoginStore) -> None:
        self._store = store

    def record_failure(self) -> timedelta:
        """Record a wrong token; return how long to wait before the next one, no time below the limit."""
        return self._store.record_failure(SPAN, MAX_FAILURES)


class _Signer(TimestampSigner):
    """Takes the time from a clock that is passed in."""

    def __init__(self, *args: object, clock: Callable[[], datetime], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._clock = clock

    def get_timestamp(self) -> int:
        """Return the time in seconds."""
        return int(self._clock().timestamp())
