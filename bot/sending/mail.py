"""Sends one mail to a mail server over SMTP (RFC 5321); returns its last reply, or what may have happened.

This module knows no service and decides nothing. If something fails before the message itself is sent,
certainly nothing was sent; after a later failure the mail may have been sent.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from bot.sending.connections import MaySend
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

_BREAKDOWNS = (smtplib.SMTPException, OSError, ValueError)


class MailTransport:
    """Sends mails; `timeouts` are the seconds to connect and for each reply, `whole` those for the exchange.

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
        client: smtplib.SMTP = smtplib.SMTP(timeout=seconds, local_hostname=domain)
        if parts.scheme == "smtps":
            client = smtplib.SMTP_SSL(timeout=seconds, local_hostname=domain, context=self._context)
        watchdog = threading.Timer(self._whole, _cut, (client,))
        watchdog.daemon = True
        watchdog.start()
        try:
            refusal = self._prepare(client, parts, envelope)
            if refusal is not None:
                return refusal
            if may_send and (reason := may_send()):
                return RequestNotSentError(reason)
            return _hand_over(client, request.content())
        finally:
            watchdog.cancel()
            with suppress(*_BREAKDOWNS):
                client.close()

    def _prepare(
        self, client: smtplib.SMTP, parts: SplitResult, envelope: Envelope
    ) -> Response | RequestNotSentError | None:
        """Connect, log in and give sender and recipient; return why the mail cannot be sent, or None."""
        try:
            return self._refusal(client, parts, envelope)
        except smtplib.SMTPResponseException as error:
            return _reply(error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError:
            return RequestNotSentError("the mail server offers no encryption, or no login")
        except TimeoutError:
            return RequestNotSentError("no connection in time")
        except ssl.SSLError as error:
            return RequestNotSentError(f"TLS failed ({error.reason or type(error).__name__})")
        except _BREAKDOWNS as error:
            return RequestNotSentError(f"no connection ({type(error).__name__})")

    def _refusal(self, client: smtplib.SMTP, parts: SplitResult, envelope: Envelope) -> Response | None:
        host = parts.hostname or ""
        # smtplib checks a certificate for the host that it stores in its constructor.
        client._host = host  # type: ignore[attr-defined]
        code, reply = client.connect(
            host, parts.port or (SMTPS_PORT if parts.scheme == "smtps" else SMTP_PORT)
        )
        if code != 220:
            return _reply(code, reply)
        if client.sock:
            client.sock.settimeout(self._timeouts[1])
        client.ehlo_or_helo_if_needed()
        if parts.scheme == "smtp" and (client.has_extn("starttls") or not is_loopback(host)):
            client.starttls(context=self._context)
            client.ehlo_or_helo_if_needed()
        if parts.username:
            client.login(unquote(parts.username), unquote(parts.password or ""))
        code, reply = client.mail(envelope.sender)
        if code == 250:
            code, reply = client.rcpt(envelope.recipient)
        return None if code in (250, 251) else _reply(code, reply)


def _hand_over(client: smtplib.SMTP, content: bytes) -> Response | AnswerLostError:
    """Send the message, and return the reply, or what may have happened."""
    try:
        code, reply = client.data(content)
    except smtplib.SMTPDataError as error:
        return _reply(error.smtp_code, error.smtp_error)
    except TimeoutError:
        return AnswerLostError("no complete answer in time")
    except _BREAKDOWNS as error:
        return AnswerLostError(f"the connection broke ({type(error).__name__})")
    if client.sock:
        client.sock.settimeout(1.0)
    with suppress(*_BREAKDOWNS):
        client.quit()
    return _reply(code, reply)


def _reply(code: int, reply: bytes | str) -> Response:
    body = reply if isinstance(reply, bytes) else reply.encode()
    return Response(status=code, body=body[:MAX_REPLY])


def _cut(client: smtplib.SMTP) -> None:
    sock = client.sock
    with suppress(OSError):
        if sock:
            sock.shutdown(socket.SHUT_RDWR)
