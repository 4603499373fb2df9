"""Reports errors to Sentry if SENTRY_DSN is set; otherwise nothing is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ops.environment import secret
from ops.errors import SettingError
from ops.redact import Redactor
from ops.variables import SENTRY_ENVIRONMENT

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint


def start(environ: Mapping[str, str], *, secrets: Iterable[str] = ()) -> bool:
    """Start reporting, and return whether SENTRY_DSN is set. Raises SettingError if it cannot be used.

    Nothing that is sent has request bodies, cookies, IP addresses of people (the SDK's default), local
    variables or secrets.
    """
    address = dsn(environ)
    if not address:
        return False
    import sentry_sdk

    redact = Redactor([*secrets, address])

    def scrub(event: Event, hint: Hint) -> Event:
        scrubbed: Event = _scrub(event, redact)
        return scrubbed

    def scrub_crumb(crumb: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any]:
        scrubbed: dict[str, Any] = _scrub(crumb, redact)
        return scrubbed

    sentry_sdk.init(
        address,
        environment=SENTRY_ENVIRONMENT.text(environ) or None,
        propagate_traces=False,  # it would add headers to the requests to chat services
        auto_session_tracking=False,
        max_request_body_size="never",
        include_local_variables=False,
        before_send=scrub,
        before_breadcrumb=scrub_crumb,
    )
    return True


def dsn(environ: Mapping[str, str]) -> str | None:
    """Return the address in SENTRY_DSN, or None. Raises SettingError if it is not one of a Sentry project."""
    address = secret("SENTRY_DSN", environ)
    if not address:
        return None
    from sentry_sdk.utils import BadDsn, Dsn

    try:
        Dsn(address)
    except BadDsn:
        raise SettingError("SENTRY_DSN is not the address of a Sentry project") from None
    return address


def _scrub(value: Any, redact: Redactor) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _scrub(item, redact) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrub(item, redact) for item in value]
    return value
