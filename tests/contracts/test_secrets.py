"""No secret of any service is shown anywhere."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Iterator

import pytest
import requests

from app import create_app
from bot.outbox import upgrading
from bot.services import SERVICES, Detail
from config import BotConfig, SiteConfig
from ops import logs, sentry
from ops.redact import Redactor
from tests.contracts.case import TOKEN
from tests.contracts.kinds import CASES
from tests.contracts.samples import CONTEXT, MESSAGE
from tests.fakechat import FakeChat, dead, html_429, reset_after_body, server_error
from tests.fakechat.mail import PASSWORD, MailServer, Reply
from tests.pages.operator import TOKEN as OPERATOR
from tests.site import ArticleSite, Clock
from wiring.bot import bot_parts

PAGES = ("", "/channels", "/deliveries", "/preview?article=new", "/problems")


@pytest.mark.parametrize("kind", [*SERVICES, "slack_app"])
def test_what_looks_like_a_secret_is_removed(kind: str) -> None:
    """Log lines, tracebacks and Sentry's data lose it, even if the value was not registered.

    An address on any host has no recognisable form, so it must be registered, as at the start.
    """
    case = CASES[kind]
    values = case.secrets(case.address)
    redact = Redactor(values[name] for name in case.shapeless)
    formatter = logs.LineFormatter(redact=redact)
    hidden = {TOKEN, *(value for value in values.values() if value != case.address)}
    for value in values.values():
        failure = f"POST {value} failed ({value!r})"
        error = ValueError(failure)
        record = logging.LogRecord("x", logging.DEBUG, __file__, 1, failure, None, (type(error), error, None))
        shown = [formatter.format(record), redact("".join(traceback.format_exception(error)))]
        shown.append(str(sentry._scrub({"message": failure, "extra": [failure]}, redact)))
        for text in shown:
            assert not any(secret in text for secret in hidden), text


@pytest.mark.parametrize("kind", [*SERVICES, "slack_app"])
def test_no_repr_shows_a_secret(kind: str) -> None:
    """The repr of a destination and of every request hides the secrets."""
    case = CASES[kind]
    hook = case.hook
    shown = [repr(hook), repr(case.service.test(hook, "News", CONTEXT))]
    shown += [repr(case.service.post(hook, MESSAGE, detail, CONTEXT)) for detail in Detail]
    shown.append(repr(case.service.correct(hook, "99", MESSAGE, context=CONTEXT)))
    for secret in (TOKEN, *case.secrets(case.address).values()):
        assert secret not in "".join(shown)


def test_a_bot_that_fails_everywhere_shows_none(
    site: ArticleSite, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """With a failing channel of each kind, neither the DEBUG log nor the operator's pages show a secret."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, logger="mail.log")  # the secret of the fake server
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter({}))
    logging.getLogger().addHandler(handler)
    site.write("old.md", title="Old")
    with FakeChat() as chat, MailServer() as mails, requests.Session() as session:
        mails.choose_reply = lambda stage: Reply("RCPT", f"451 4.7.1 {PASSWORD}") if stage == "RCPT" else None
        environ = {"ADMIN_TOKEN": OPERATOR} | CASES["email"].environ("email", mails.url())
        channels = [CASES["email"].settings("email")]
        secrets = {TOKEN, PASSWORD}
        for kind, case in CASES.items():
            if kind in SERVICES and case.is_http:
                address = chat.hook_url(kind, f"{TOKEN}-{kind}")
                environ |= case.environ(kind, address)
                secrets |= set(case.secrets(address).values()) - {address}
                channels.append(case.settings(kind))
                chat.fail(address, reset_after_body(), html_429(), server_error(), dead())

        def tries() -> Iterator[int]:
            yield mails.tries
            yield from (len(chat.requests_to(f"{TOKEN}-{each['kind']}")) for each in channels[1:])

        config = site.config().model_copy(
            update={
                "bot": BotConfig.model_validate({"channels": channels}),
                "site": SiteConfig(title="News", url="https://news.example", id="test"),
            }
        )
        app = create_app(config, clock=clock, environ=environ, session=session)
        newswire = app.extensions["newswire"]
        parts = bot_parts(newswire, environ, session)
        upgrading.upgrade(parts.database)
        newswire.indexer.refresh()
        parts.bot().once()
        clock.advance(minutes=5)
        site.write("new.md", title="New", publishedDateTime=clock.now.isoformat())
        newswire.indexer.refresh()
        for _ in range(20):  # all channels share a host here, so a pause of one may delay another
            parts.bot().once()
            clock.advance(hours=3)
            if min(tries()) >= 3:
                break
        assert min(tries()) >= 3
        client = app.test_client()
        client.post("/admin/login", data={"token": OPERATOR})
        shown = [stream.getvalue(), caplog.text]
        shown += [client.get(f"/admin{page}").text for page in PAGES]
        newswire.catalog.close()
        parts.database.close()
    logging.getLogger().removeHandler(handler)
    assert [text for text in shown if any(secret in text for secret in secrets)] == []
