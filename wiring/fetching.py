"""Fetches one file from the web, for an operator's command."""

from __future__ import annotations

import time

import requests
import urllib3.exceptions

from feeds.errors import UnreadableFeedError

TIMEOUT = 10.0
"""Seconds to connect, and between two parts of the answer."""
MAX_SECONDS = 60.0
"""Seconds for the whole answer."""
MAX_REDIRECTS = 5
_CHUNK = 65_536


def fetch(url: str, *, max_bytes: int, max_seconds: float = MAX_SECONDS) -> bytes:
    """Return the content at an http(s) address, decompressed. Raises UnreadableFeedError."""
    deadline = time.monotonic() + max_seconds
    with requests.Session() as session:
        session.max_redirects = MAX_REDIRECTS
        try:
            with session.get(
                url,
                headers={"User-Agent": "Newswire", "Accept": "*/*"},
                timeout=TIMEOUT,
                stream=True,  # so that a long answer is cut off while it is received
            ) as answer:
                if answer.status_code != requests.codes.ok:
                    raise UnreadableFeedError(f"the server answered {answer.status_code}")
                body = bytearray()
                # `read1` returns the bytes received so far; `read` would wait for a whole chunk.
                while part := answer.raw.read1(_CHUNK, decode_content=True):
                    body += part
                    if len(body) > max_bytes:
                        raise UnreadableFeedError(f"it has more than {max_bytes:,} bytes")
                    if time.monotonic() > deadline:
                        raise UnreadableFeedError(f"it took longer than {max_seconds:g} seconds")
                return bytes(body)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise UnreadableFeedError(f"it cannot be fetched: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "the server does not answer"
    if isinstance(error, requests.ConnectionError):
        # Imported here, as a successful fetch does not need it.
        from bot.sending.connections import no_connection

        return no_connection(error)
    if isinstance(error, requests.TooManyRedirects):
        return f"it is redirected more than {MAX_REDIRECTS} times"
    return type(error).__name__
