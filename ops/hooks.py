"""Verifies that a notification of a push comes from the git host."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

MAX_BODY = 1_000_000
"""The most bytes of a body. GitHub sends up to 25 MB, but a push of articles has some kilobytes."""


def is_genuine(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Return whether the sender knows the secret.

    GitHub, Gitea and Forgejo sign the body (https://docs.github.com/webhooks/using-webhooks/
    validating-webhook-deliveries); GitLab sends the secret itself (https://docs.gitlab.com/user/project/
    integrations/webhooks/). Both are compared in constant time.
    """
    signature = headers.get("X-Hub-Signature-256")
    if signature is not None:
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return _equal(signature, expected)
    token = headers.get("X-Gitlab-Token")
    return token is not None and _equal(token, secret)


def _equal(received: str, expected: str) -> bool:
    return hmac.compare_digest(received.encode("utf-8", "surrogateescape"), expected.encode())
