"""A real mail server (aiosmtpd) on loopback, which fails on demand and records the mails it accepted."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.ports import free_port

USER, PASSWORD = "newswire", "s3cr3t-T0ken_x"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply for one stage of the dialogue.

    With `cut` the connection breaks; with `posts` the mail is accepted.
    """

    stage: str
    line: str = ""
    posts: bool = False
    cut: bool = False


@dataclass
class MailServer:
    """A running server.

    `mails` are those it has accepted. Each of `replies` is given once, in order. `choose_reply` adds further
    faults, stage by stage.
    """

    tls: ssl.SSLContext | None = None
    implicit: bool = False
    mails: list[tuple[Envelope, EmailMessage]] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    tries: int = 0
    choose_reply: Callable[[str], Reply | None] = lambda stage: None

    def __enter__(self) -> MailServer:
        self.port = free_port()
        options: dict[str, Any] = {"authenticator": self._login, "auth_require_tls": self.tls is not None}
        if self.tls and not self.implicit:
            options |= {"tls_context": self.tls, "require_starttls": True}
        if self.implicit:
            options |= {"ssl_context": self.tls, "auth_require_tls": False}
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, **options)
        self._controller.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._controller.stop()

    def url(self, password: str = PASSWORD) -> str:
        """The server's address, with a login."""
        scheme = "smtps" if self.implicit else "smtp"
        return f"{scheme}://{USER}:{password}@127.0.0.1:{self.port}"

    def _login(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
        return AuthResult(success=right, handled=False)

    def _taken(self, stage: str) -> Reply | None:
        found = next((reply for reply in self.replies if reply.stage == stage), None)
        if found:
            self.replies.remove(found)
        return found or self.choose_reply(stage)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer MAIL FROM."""
        self.tries += 1
        reply = self._taken("MAIL")
        envelope.mail_from = address
        return reply.line if reply else "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer RCPT TO."""
        reply = self._taken("RCPT")
        if reply and reply.cut:
            assert server.transport is not None
            server.transport.close()
        envelope.rcpt_tos.append(address)
        return reply.line if reply else "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Accept the message."""
        reply = self._taken("DATA")
        if reply is None or reply.posts:
            assert isinstance(envelope.content, bytes)
            mail = BytesParser(policy=policy.default).parsebytes(envelope.content)
            assert isinstance(mail, EmailMessage)
            self.mails.append((envelope, mail))
        if reply and reply.cut:
            assert server.transport is not None
            server.transport.close()
        return reply.line if reply and reply.line else "250 OK"
