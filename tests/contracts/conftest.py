"""Fixtures that the tests of single services share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from bot.sending.transport import Transport
from tests.fakechat import FakeChat


@pytest.fixture(scope="module")
def chat() -> Iterator[FakeChat]:
    """A fake of every service."""
    with FakeChat() as running:
        yield running


@pytest.fixture
def transport() -> Iterator[Transport]:
    """A transport with short timeouts."""
    with requests.Session() as session:
        yield Transport(session, user_agent="Newswire tests", timeouts=(60.0, 60.0))


@pytest.fixture
def impatient() -> Iterator[Transport]:
    """A transport that soon gives up waiting for an answer."""
    with requests.Session() as session:
        yield Transport(session, user_agent="Newswire tests", timeouts=(60.0, 0.5))
