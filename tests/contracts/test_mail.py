"""Tests of mail only: headers, the Message-ID, and a real server that accepts, refuses, or disconnects."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import traceback
from collections.abc import Iterator
from dataclasses import replace
from email.utils import parseaddr
from pathlib import Path

import pytest
import requests
import trustme

from bot.sending.errors import AnswerLostError, RequestNotSentError, TransportError
from bot.sending.mail import MailTransport
from bot.sending.transport import Transport, fault_of
from bot.services import SERVICES, Detail, Outcome, Request
from bot.services.mail import EmailOptions
from bot.services.secret import Secret
from tests.contracts.case import payload_of
from tests.contracts.cases.mail import CASE
from tests.contracts.samples import CONTEXT, MESSAGE
from tests.fakechat.mail import PASSWORD, MailServer, Reply

SERVICE = SERVICES["email"]


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


@pytest.fixture
def transport() -> Iterator[Transport]:
    with requests.Session() as session:
        yield Transport(session, user_agent="Newswire tests", timeouts=(60.0, 60.0))


def mail_to(server: MailServer, password: str = PASSWORD) -> Request:
    return SERVICE.post(CASE.at(server.url(password)), MESSAGE, context=CONTEXT)


def test_a_mail_arrives_as_it_was_composed(server: MailServer, transport: Transport) -> None:
    """Sender and recipient are those of the settings; the mail has text and HTML with inline styles."""
    verdict = SERVICE.classify(transport.send(mail_to(server)))
    assert verdict.outcome is Outcome.ACCEPTED
    ((envelope, mail),) = server.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == ("news@example.org", ["team@lists.example.org"])
    assert mail["From"] == "Newswire <news@example.org>"
    assert (mail["To"], mail["Subject"]) == ("team@lists.example.org", "Small models")
    assert mail["Auto-Submitted"] == "auto-generated"
    text, page = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None and "https://example.com/small?a=1&b=2" in text.get_content()
    assert (
        page is not None and '<a href="https://example.com/small?a=1&amp;b=2" style="' in page.get_content()
    )
    assert "<style" not in page.get_content() and " class=" not in page.get_content()


def test_every_attempt_has_the_same_message_id() -> None:
    """A mailbox recognises a repetition by the id; another post has another id."""
    later = replace(CONTEXT, at=None)
    ids = [
        SERVICE.post(CASE.hook, MESSAGE, context=context).message_id
        for context in (CONTEXT, later, replace(CONTEXT, key="post-8"))
    ]
    assert ids[0] == ids[1] != ids[2]
    assert str(ids[0]).endswith("@example.org>")


def test_a_lists_headers_come_from_the_settings() -> None:
    """The headers follow RFC 2919 and RFC 2369, and are absent without the settings."""
    options = {**CASE.hook.options, "list_id": "news.example.org", "unsubscribe": "https://example.org/leave"}
    raw = payload_of(SERVICE.post(replace(CASE.hook, options=options), MESSAGE, context=CONTEXT))["raw"]
    assert "List-Id: <news.example.org>\r\n" in raw
    assert "List-Unsubscribe: <https://example.org/leave>\r\n" in raw
    assert "List-" not in payload_of(SERVICE.post(CASE.hook, MESSAGE))["raw"]


@pytest.mark.parametrize("word", ["=?utf-8?q?a=0d=0aBcc:=20b@example.org?=", "=?utf-8?b?DQpCY2M6IGI=?="])
def test_a_title_brings_no_header(word: str) -> None:
    """An encoded word in a title or a site's name is shown as written, and not decoded."""
    options = {**CASE.hook.options, "sender": "news@example.org"}
    message = replace(MESSAGE, title=f"A {word}", site=f"Café {word}")
    sent = payload_of(SERVICE.post(replace(CASE.hook, options=options), message, context=CONTEXT))
    assert list(CASE.violations(sent)) == []
    assert sent["subject"].replace("\u200b", "") == f"A {word}"
    assert word in sent["from"].replace("\u200b", "")
    assert "\nBcc" not in sent["raw"] and "\rBcc" not in sent["raw"]


@pytest.mark.parametrize("site", ["Café 日本 — News", 'A, "B" <C>', "x" * 300, "", "👩‍💻 News"])
def test_the_sites_name_is_the_senders(site: str) -> None:
    """The sender has the site's name with any characters, unless the settings give another."""
    hook = replace(CASE.hook, options={**CASE.hook.options, "sender": "news@example.org"})
    sent = payload_of(SERVICE.post(hook, replace(MESSAGE, site=site), context=CONTEXT))
    name, spec = parseaddr(sent["from"])
    assert spec == "news@example.org"
    assert name.rstrip("…") == site[: len(name.rstrip("…"))]
    assert bool(name) is bool(site)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"from": "nobody"}, "e-mail address"),
        ({"to": "a@example.org\nBcc: b@example.org"}, "e-mail address"),
        ({"to": "a@example.org, b@example.org"}, "e-mail address"),
        ({"unsubscribe": "javascript:alert(1)"}, "https:// or mailto:"),
        ({"unsubscribe": "https://e.example/>\r\nX: y"}, "https:// or mailto:"),
        ({"list_id": "news"}, "an id such as"),
    ],
)
def test_settings_that_would_break_a_header_are_refused(wrong: dict[str, str], expected: str) -> None:
    """The error has its line, as for all settings."""
    right = {"smtp_env": "SMTP", "from": "news@example.org", "to": "team@example.org"}
    EmailOptions.model_validate(right)
    with pytest.raises(ValueError, match=expected):
        EmailOptions.model_validate(right | wrong)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply("MAIL", "451 4.3.0 Try again later"), Outcome.UNSENT),
        (Reply("RCPT", "450 4.2.1 Greylisted"), Outcome.UNSENT),
        (Reply("RCPT", "550 5.1.1 No such user"), Outcome.DISABLED),
        (Reply("DATA", "452 4.3.1 Insufficient storage"), Outcome.UNSENT),
        (Reply("DATA", "554 5.7.1 Spam"), Outcome.REJECTED),
    ],
)
def test_what_a_server_replies_is_understood(
    server: MailServer, transport: Transport, reply: Reply, outcome: Outcome
) -> None:
    """After a refusal at any stage nothing was accepted, and the next attempt succeeds."""
    server.replies.append(reply)
    assert SERVICE.classify(transport.send(mail_to(server))).outcome is outcome
    assert server.mails == []
    assert SERVICE.classify(transport.send(mail_to(server))).outcome is Outcome.ACCEPTED


def test_a_connection_that_breaks_says_what_may_have_happened(
    server: MailServer, transport: Transport
) -> None:
    """Before the message nothing was sent; after it the outcome is unknown. Neither is retried by itself."""
    server.replies += [Reply("RCPT", cut=True)]
    with pytest.raises(RequestNotSentError):
        transport.send(mail_to(server))
    server.replies += [Reply("DATA", cut=True, posts=True)]
    with pytest.raises(AnswerLostError):
        transport.send(mail_to(server))
    assert (len(server.mails), server.tries) == (1, 2)


def test_a_claim_that_was_lost_sends_nothing(server: MailServer, transport: Transport) -> None:
    """The last check of the claim is made when the server is ready."""
    with pytest.raises(RequestNotSentError, match="another bot"):
        transport.send(mail_to(server), lambda: "another bot has it")
    assert (len(server.mails), server.tries) == (0, 1)


@pytest.mark.parametrize("implicit", [False, True])
def test_the_password_goes_over_tls_only(tmp_path: Path, implicit: bool) -> None:
    """TLS is by STARTTLS or from the start.

    A wrong password disables the channel, and nothing is sent under an unknown certificate.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with MailServer(tls=tls, implicit=implicit) as server:
        trusting = MailTransport(timeouts=(60.0, 60.0), ca_file=tmp_path / "ca.pem")
        for password, outcome in ((PASSWORD, Outcome.ACCEPTED), ("wrong", Outcome.DISABLED)):
            request = mail_to(server, password)
            assert request.envelope is not None
            answer = trusting.exchange(request, request.envelope, None)
            assert not isinstance(answer, TransportError), answer
            assert SERVICE.classify(answer).outcome is outcome
        assert request.envelope is not None
        answer = MailTransport(timeouts=(60.0, 60.0), ca_file=None).exchange(request, request.envelope, None)
        assert isinstance(answer, RequestNotSentError) and "TLS failed" in str(answer)
        assert len(server.mails) == 1


def test_a_server_that_goes_on_for_ever_is_cut_off() -> None:
    """A greeting that never ends is cut off at the deadline, and nothing was sent."""
    ended = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            while not ended.wait(0.02):
                connection.sendall(b"220-wait\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        dripping = threading.Thread(target=drip, args=(listener,))
        dripping.start()
        request = SERVICE.post(CASE.at(f"smtp://127.0.0.1:{listener.getsockname()[1]}"), MESSAGE)
        assert request.envelope is not None
        transport = MailTransport(timeouts=(30.0, 30.0), ca_file=None, whole=0.3)
        assert isinstance(transport.exchange(request, request.envelope, None), RequestNotSentError)
        ended.set()
        dripping.join()


@contextlib.contextmanager
def dialogue(*replies: bytes, endless: bytes = b"") -> Iterator[tuple[Request, list[bytes]]]:
    """Give one client these replies, one for each line, and then an endless one; record what it sends."""
    received: list[bytes] = []

    def talk(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            for reply in replies:
                connection.sendall(reply)
                received.append(connection.recv(65536))
            while endless:
                connection.sendall(endless)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        talking = threading.Thread(target=talk, args=(listener,))
        talking.start()
        yield SERVICE.post(CASE.at(f"smtp://127.0.0.1:{listener.getsockname()[1]}"), MESSAGE), received
    talking.join()


HELLO = (b"220 ready\r\n", b"250 hello\r\n")


@pytest.mark.parametrize(
    ("replies", "sends_the_mail"),
    [
        ((b"250 ready\r\n",), False),
        ((*HELLO, b"354 go on\r\n"), False),
        ((*HELLO, b"250 yes\r\n", b"354 go on\r\n"), False),
        ((*HELLO, b"250 yes\r\n", b"250 yes\r\n", b"250 accepted\r\n"), False),
        ((*HELLO, b"250 yes\r\n", b"252 perhaps\r\n", b"354 go on\r\n", b"250 yes\r\n"), True),
    ],
    ids=["greeting", "sender", "recipient", "data", "cannot verify"],
)
def test_no_reply_before_the_mail_counts_as_a_success(
    transport: Transport, replies: tuple[bytes, ...], sends_the_mail: bool
) -> None:
    """A positive reply at the wrong place proves that nothing was sent; any 2xx accepts a recipient."""
    with dialogue(*replies) as (request, received):
        if sends_the_mail:
            assert SERVICE.classify(transport.send(request)).outcome is Outcome.ACCEPTED
        else:
            with pytest.raises(RequestNotSentError, match="not valid"):
                transport.send(request)
    assert any(b"Subject:" in line for line in received) is sends_the_mail


@pytest.mark.parametrize("stage", ["greeting", "answer"])
def test_an_endless_reply_is_not_stored(transport: Transport, stage: str) -> None:
    """After a thousand lines the connection is closed, before the mail or after it."""
    accepts = (*HELLO, b"250 yes\r\n", b"250 yes\r\n", b"354 go on\r\n")
    replies = () if stage == "greeting" else accepts
    error = RequestNotSentError if stage == "greeting" else AnswerLostError
    with dialogue(*replies, endless=b"250-on\r\n" * 100) as (request, _), pytest.raises(error):
        transport.send(request)


def test_the_message_itself_takes_no_longer_than_one_reply_may() -> None:
    """Its claim would end before a server that sends each line just in time."""
    ended = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            for reply in (*HELLO, b"250 yes\r\n", b"250 yes\r\n", b"354 go on\r\n"):
                connection.sendall(reply)
                connection.recv(65536)
            while not ended.wait(0.02):
                connection.sendall(b"250-wait\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        dripping = threading.Thread(target=drip, args=(listener,))
        dripping.start()
        request = SERVICE.post(CASE.at(f"smtp://127.0.0.1:{listener.getsockname()[1]}"), MESSAGE)
        assert request.envelope is not None
        transport = MailTransport(timeouts=(30.0, 0.5), ca_file=None, whole=10.0)
        assert isinstance(transport.exchange(request, request.envelope, None), AnswerLostError)
        ended.set()
        dripping.join()


def test_no_error_holds_the_password(server: MailServer, transport: Transport) -> None:
    """Neither the error's text nor its causes contain the password."""
    server.replies += [Reply("DATA", cut=True)]
    requests = [mail_to(server), SERVICE.post(CASE.at(f"smtp://u:{PASSWORD}@127.0.0.1:1"), MESSAGE)]
    for request in requests:
        with pytest.raises(TransportError) as caught:
            transport.send(request)
        assert PASSWORD not in "".join(traceback.format_exception(caught.value, chain=True))
        assert PASSWORD not in repr(request)


def test_only_a_mail_servers_address_will_do() -> None:
    """The error shows the right form; a chat service refuses a mail server's address."""
    assert fault_of(Secret("smtp://a:b@mail.example"), SERVICE.SCHEMES) is None
    assert "smtp://" in str(fault_of(Secret("https://mail.example"), SERVICE.SCHEMES))
    assert fault_of(Secret("smtp://mail.example")) is not None


def test_plain_mail_has_no_page() -> None:
    """Plain text has no HTML part; the form without images has no picture in its HTML."""
    plain, bare, full = (payload_of(SERVICE.post(CASE.hook, MESSAGE, detail)) for detail in reversed(Detail))
    assert "html" not in plain
    assert "<img" not in bare["html"] and "<img" in full["html"]


def test_a_reply_names_what_it_answers() -> None:
    """A reply names only the id of the earlier mail (RFC 5322 §3.6.4)."""
    first = CASE.service.post(CASE.hook, MESSAGE, context=CONTEXT)
    reply = replace(CONTEXT, key="post-8", parent=first.message_id)
    sent = payload_of(CASE.service.post(CASE.hook, MESSAGE, context=reply))
    assert list(CASE.violations(sent)) == []
    written = sent["raw"].replace("\r\n ", " ")
    assert f"In-Reply-To: {first.message_id}" in written and f"References: {first.message_id}" in written
    other = replace(reply, parent="<x@y>\r\nBcc: z@example.org")
    assert "In-Reply-To" not in payload_of(CASE.service.post(CASE.hook, MESSAGE, context=other))["raw"]
