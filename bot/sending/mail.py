"""Sends one mail to a mail server over SMTP (RFC 5321); returns its last reply, or what may have happened.

This module knows no service and decides nothing. If something fails before the message itself is sent,
certainly nothing was sent, whatever the server replied; after a later failure the mail may have been sent.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from io import BufferedReader
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from bot.sending.connections import MaySend, tls_failure
from bot.sending.errors import AnswerLostError, RequestNotSentError, TransportError
from bot.services import Request, Response
from bot.services.service import Envelope
from text.hosts import is_loopback

SMTP_PORT, SMTPS_PORT = 587, 465
"""The ports of submission, unless the address has one: RFC 6409 §3.1, RFC 8314 §3.3."""

MAX_SECONDS = 60.0
"""Seconds for the whole exchange, as a server could send lines forever."""

MAX_REPLY = 4096
"""Bytes of a reply that are stored."""

MAX_LINES = 1_000
"""Lines of a reply that are read; servers send a dozen."""

_BREAKDOWNS = (smtplib.SMTPException, OSError, ValueError)


class _BoundedReplies(smtplib.SMTP):
    """Ends the connection when a reply is too long, which smtplib would store without a limit."""

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock:
            self.file = _Lines(self.sock.makefile("rb"))
        if isinstance(self.file, _Lines):
            self.file.left = MAX_LINES
        return super().getreply()


class _Client(_BoundedReplies):
    pass


class _SecureClient(_BoundedReplies, smtplib.SMTP_SSL):
    pass


class _Lines:
    """Reads at most `left` more lines of a file."""

    def __init__(self, file: BufferedReader) -> None:
        self.left = MAX_LINES
        self._file = file

    def readline(self, size: int) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError("the reply has too many lines")
        return self._file.readline(size)

    def close(self) -> None:
        self._file.close()


class MailTransport:
    """Sends mails; `timeouts` are the seconds to connect and for each reply, `whole` those for the exchange.

    Once the claim is checked, the rest of the exchange takes no longer than one reply may, as claims end.
    Certificates in `ca_file` are trusted besides the usual authorities.
    """

    def __init__(
        self, *, timeouts: tuple[float, float], ca_file: Path | None, whole: float = MAX_SECONDS
    ) -> None:
        self._timeouts = timeouts
        self._ca_file = ca_file
        self._whole = whole

    @cached_property
    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._ca_file:
            context.load_verify_locations(self._ca_file)
        return context

    def exchange(
        self, request: Request, envelope: Envelope, may_send: MaySend | None
    ) -> Response | TransportError:
        """Return the decisive reply, with its code as the status, or what may have happened.

        `may_send` is called before the message itself is sent: it returns why it must not be, or None.
        """
        parts = urlsplit(request.url.reveal())
        domain = envelope.sender.rpartition("@")[2]
        seconds = self._timeouts[0]
        client: smtplib.SMTP = _Client(timeout=seconds, local_hostname=domain)
        if parts.scheme == "smtps":
            client = _SecureClient(timeout=seconds, local_hostname=domain, context=self._context)
        try:
            with _cut_after(self._whole, client):
                refusal = self._prepare(client, parts, envelope)
            if refusal is not None:
                return refusal
            if may_send and (reason := may_send()):
                return RequestNotSentError(reason)
            with _cut_after(self._timeouts[1], client):
                return _hand_over(client, request.content())
        finally:
            with suppress(*_BREAKDOWNS):
                client.close()

    def _prepare(
        self, client: smtplib.SMTP, parts: SplitResult, envelope: Envelope
    ) -> Response | RequestNotSentError | None:
        """Connect, log in and give sender and recipient; return why the mail cannot be sent, or None."""
        try:
            return self._introduce(client, parts, envelope)
        except smtplib.SMTPResponseException as error:
            return _refusal(error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError:
            return RequestNotSentError("the mail server offers no encryption, or no login")
        except TimeoutError:
            return RequestNotSentError("no connection in time")
        except ssl.SSLError as error:
            return RequestNotSentError(tls_failure(error))
        except _BREAKDOWNS as error:
            return RequestNotSentError(f"no connection ({type(error).__name__})")

    def _introduce(
        self, client: smtplib.SMTP, parts: SplitResult, envelope: Envelope
    ) -> Response | RequestNotSentError | None:
        host = parts.hostname or ""
        # smtplib checks a certificate for the host that it stores in its constructor.
        client._host = host  # type: ignore[attr-defined]
        code, reply = client.connect(
            host, parts.port or (SMTPS_PORT if parts.scheme == "smtps" else SMTP_PORT)
        )
        if code != 220:
            return _refusal(code, reply)
        if client.sock:
            client.sock.settimeout(self._timeouts[1])
        client.ehlo_or_helo_if_needed()
        if parts.scheme == "smtp" and (client.has_extn("starttls") or not is_loopback(host)):
            client.starttls(context=self._context)
            client.ehlo_or_helo_if_needed()
        if parts.username:
            client.login(unquote(parts.username), unquote(parts.password or ""))
        code, reply = client.mail(envelope.sender)
        if _is_positive(code):
            code, reply = client.rcpt(envelope.recipient)
        return None if _is_positive(code) else _refusal(code, reply)


def _hand_over(client: smtplib.SMTP, content: bytes) -> Response | TransportError:
    """Send the message, and return the reply, or what may have happened."""
    try:
        code, reply = client.data(content)
    except smtplib.SMTPDataError as error:  # the reply to DATA, before the message
        return _refusal(error.smtp_code, error.smtp_error)
    except TimeoutError:
        return AnswerLostError("no complete answer in time")
    except _BREAKDOWNS as error:
        return AnswerLostError(f"the connection broke ({type(error).__name__})")
    if client.sock:
        client.sock.settimeout(1.0)
    with suppress(*_BREAKDOWNS):
        client.quit()
    return _reply(code, reply)


def _is_positive(code: int) -> bool:
    """Return whether a reply is positive, which its first digit says: RFC 5321 §4.2.1."""
    return 200 <= code < 300


def _refusal(code: int, reply: bytes | str) -> Response | RequestNotSentError:
    """Return the refusal of a command before the message, or that the reply to it is not valid."""
    if 400 <= code < 600:
        return _reply(code, reply)
    return RequestNotSentError(f"the mail server's reply is not valid (SMTP {code})")


def _reply(code: int, reply: bytes | str) -> Response:
    body = reply if isinstance(reply, bytes) else reply.encode()
    return Response(status=code, body=body[:MAX_REPLY])


@contextmanager
def _cut_after(seconds: float, client: smtplib.SMTP) -> Iterator[None]:
    """Break the connection after `seconds`, as each of a server's lines may come just in time."""
    watchdog = threading.Timer(seconds, _cut, (client,))
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


def _cut(client: smtplib.SMTP) -> None:
    sock = client.sock
    with suppress(OSError):
        if sock:
            sock.shutdown(socket.SHUT_RDWR)
