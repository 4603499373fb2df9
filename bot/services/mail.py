"""E-mail: sends each post as one mail, as text and HTML, to one address, such as that of a mailing list.

This module opens no connection: the transport speaks SMTP with the server in the address.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from email.utils import parseaddr
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from bot.services.answers import Outcome, Response, Verdict
from bot.services.drawing import Drawing, TimeFormatter
from bot.services.mail_text import COMMENT_STYLE, NAME, SUBJECT, SUMMARY, html_of, text_of
from bot.services.message import Message, test_text, title_of
from bot.services.options import ServiceOptions, VariableName
from bot.services.secret import Secret
from bot.services.service import (
    NO_CONTEXT,
    Destination,
    Detail,
    Envelope,
    Rate,
    Request,
    RequestContext,
    SecretShape,
    Service,
)
from bot.services.text import clean, fit

LINE = 998
"""Characters of a line, without its end (RFC 5322 §2.1.1), which the encoding of the parts ensures."""

DEAD = {
    "5.1.1": "there is no such mailbox",
    "5.1.2": "there is no such domain",
    "5.1.3": "the recipient's address is wrong",
    "5.1.6": "the mailbox has moved",
    "5.1.8": "the sender's address is wrong",
    "5.1.10": "the domain accepts no mail",
    "5.2.1": "the mailbox is disabled",
    "5.7.8": "the server refuses the user or the password",
}
"""Enhanced status codes that will not change by themselves: RFC 3463 §3, RFC 7505, RFC 4954 §6."""

_LOGIN = frozenset({530, 534, 535, 538})
"""Replies about the login: RFC 4954 §6."""

_MESSAGE_ID = re.compile(r"<[0-9a-f]{32}@[\w.-]{1,255}>", re.ASCII)
_ENHANCED = re.compile(rb"\b([245]\.\d{1,3}\.\d{1,3})\b")


def _address(value: str) -> str:
    from email import policy  # here and below: most processes write no mail, and the import takes 4 ms

    header: Any = policy.default.header_factory("To", value)
    addresses = header.addresses
    plain = value.isascii() and value.isprintable()
    if not plain or len(addresses) != 1 or header.defects or not addresses[0].domain:
        raise ValueError("write an e-mail address, such as news@example.org")
    return value


def _way_out(value: str) -> str:
    if not re.fullmatch(r"(?:https://|mailto:)[!-;=?-~]{1,500}", value):
        raise ValueError("write an address that begins with https:// or mailto:")
    return value


def _list_id(value: str) -> str:
    if not re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", value, re.ASCII):
        raise ValueError("write an id such as news.example.org")
    return value


class EmailOptions(ServiceOptions):
    """The mail server, the sender and the recipient; `list_id` and `unsubscribe` are the headers of a list.

    RFC 2919 (List-Id) and RFC 2369 §3.2 (List-Unsubscribe).
    """

    smtp_env: VariableName
    sender: Annotated[str, AfterValidator(_address), Field(alias="from")]
    to: Annotated[str, AfterValidator(_address)]
    list_id: Annotated[str, AfterValidator(_list_id)] | None = None
    unsubscribe: Annotated[str, AfterValidator(_way_out)] | None = None


class Email(Service):
    """Hands each message to a mail server, which delivers it later; it cannot be corrected.

    The Message-ID is the same in every attempt. Some mailboxes recognise a repeat by it, but others show
    both, so a repeat does not count as harmless.
    """

    KIND: ClassVar[str] = "email"
    NAME: ClassVar[str] = "E-mail"
    SCHEMES: ClassVar[frozenset[str]] = frozenset({"smtp", "smtps"})
    OPTIONS: ClassVar[type[ServiceOptions]] = EmailOptions
    SECRET_SHAPES: ClassVar[tuple[SecretShape, ...]] = (
        (re.compile(r"(smtps?://[^\s/\"']*:)[^\s/\"']+@"), r"\1***@"),
    )
    RATE: ClassVar[tuple[Rate, ...]] = ((1, timedelta(seconds=1)),)
    ITEMS: ClassVar[int] = 50

    def destination(self, secrets: Mapping[str, Secret], options: Mapping[str, object]) -> Destination:
        """Return the destination of a channel with these settings: its mail server."""
        return Destination(address=secrets["smtp"], options=options)

    def example(self) -> Destination:
        """Return a destination to render a preview with."""
        options = {"sender": "news@webhook.invalid", "to": "team@webhook.invalid"}
        return Destination(address=Secret("smtps://webhook.invalid"), options=options)

    def has_threads(self, settings: Collection[str]) -> bool:
        """Return True: mailboxes show replies in threads (RFC 5322 §3.6.4)."""
        return True

    def post(
        self,
        to: Destination,
        message: Message,
        detail: Detail = Detail.FULL,
        context: RequestContext = NO_CONTEXT,
    ) -> Request:
        """Return the request that sends `message`."""
        mail = _mail(to, fit(title_of(message), SUBJECT), message.site, context)
        mail.set_content(text_of(message))
        if detail < Detail.PLAIN:
            mail.add_alternative(html_of(message, with_image=detail < Detail.NO_IMAGE), subtype="html")
            mail.set_boundary(f"=_{str(mail['Message-ID'])[1:33]}")  # the same in every attempt
        return _request(to, mail)

    def test(self, to: Destination, site: str, context: RequestContext = NO_CONTEXT) -> Request:
        """Return a request for one message that is clearly a test."""
        mail = _mail(to, fit(clean(f"Test from {site}"), SUBJECT), site, context)
        mail.set_content(f"{fit(test_text(site), SUMMARY)}\n")
        return _request(to, mail)

    def classify(self, response: Response) -> Verdict:
        """Return what the server's last reply means: RFC 5321 §4.2.1."""
        status = response.status
        match = _ENHANCED.search(response.body)
        code = match[1].decode() if match else ""
        status_text = f"SMTP {status}" + (f" ({code})" if code else "")
        if status in (250, 251, 252):
            return Verdict(outcome=Outcome.ACCEPTED, reason="the mail server has accepted it")
        if status in _LOGIN or (500 <= status < 600 and code in DEAD):
            reason = DEAD.get(code, "the server refuses the user or the password")
            return Verdict(outcome=Outcome.DISABLED, reason=f"{status_text}: {reason}")
        if 400 <= status < 500:
            return Verdict(outcome=Outcome.UNSENT, reason=f"{status_text}: not now")
        if 500 <= status < 600:
            return Verdict(outcome=Outcome.REJECTED, reason=f"{status_text}: refused", degradable=False)
        return Verdict(
            outcome=Outcome.UNKNOWN, reason=f"{status_text} is not a valid reply: it may have been sent"
        )

    def draw(self, request: Request, times: TimeFormatter) -> Drawing:
        """Return the drawing of a mail."""
        from email import policy

        mail: Any = BytesParser(policy=policy.default).parsebytes(request.content())
        text: str = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
        paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
        page = mail.get_body(("html",))
        page_html = page.get_content() if page else ""
        picture = re.search(r'<img src="([^"]*)"', page_html)
        comment = re.search(rf'<p style="{re.escape(COMMENT_STYLE)}">(.*?)</p>', page_html)
        if comment:
            paragraphs.pop(0)
        link = re.search(r'<a href="([^"]*)"', page_html)
        return Drawing(
            sender=_decoded(request.content(), "From"),
            badge="",
            above=f"To {mail['To']}",
            comment=html.unescape(comment[1]) if comment else "",
            title=_decoded(request.content(), "Subject"),
            text="\n".join(paragraphs[1:-2]),
            picture=urlsplit(html.unescape(picture[1])).hostname or "" if picture else "",
            below=(paragraphs[-1],),
            link=html.unescape(link[1]) if link else "",
        )


def _mail(to: Destination, subject: str, site: str, context: RequestContext) -> EmailMessage:
    """Return a mail without content, with headers that prevent automatic answers (RFC 3834 §5)."""
    from email import policy
    from email.headerregistry import Address

    sender, recipient = str(to.options["sender"]), str(to.options["to"])
    name, spec = parseaddr(sender)
    mail = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit", max_line_length=78))
    mail["From"] = Address(display_name=_literal(name or fit(clean(site), NAME)), addr_spec=spec)
    mail["To"] = recipient
    mail["Subject"] = _literal(subject)
    if context.at:
        mail["Date"] = context.at
    own = json.dumps([context.key, site, subject if not context.key else ""])
    digest = hashlib.blake2b(own.encode(), digest_size=16).hexdigest()
    mail["Message-ID"] = f"<{digest}@{spec.rpartition('@')[2]}>"
    if context.parent and _MESSAGE_ID.fullmatch(context.parent):
        mail["In-Reply-To"] = mail["References"] = context.parent
    mail["Auto-Submitted"] = "auto-generated"
    if list_id := to.options.get("list_id"):
        mail["List-Id"] = f"<{list_id}>"
    if unsubscribe := to.options.get("unsubscribe"):
        mail["List-Unsubscribe"] = f"<{unsubscribe}>"
    return mail


def _decoded(content: bytes, name: str) -> str:
    """Return a header decoded; not by the newer parser, which keeps spaces between encoded words."""
    header = str(BytesHeaderParser().parsebytes(content)[name]).replace("\r\n", "")
    return str(make_header(decode_header(header))).replace("\u200b", "")


def _literal(text: str) -> str:
    """Return a header's text so that nothing in it is decoded: encoded words (RFC 2047) may end lines."""
    return text.replace("=?", "=\u200b?")


def _request(to: Destination, mail: EmailMessage) -> Request:
    sender, recipient = (parseaddr(str(to.options[name]))[1] for name in ("sender", "to"))
    return Request(
        method="POST",
        url=to.address,
        body=mail.as_bytes(),
        envelope=Envelope(sender=sender, recipient=recipient),
        message_id=str(mail["Message-ID"]),
    )
