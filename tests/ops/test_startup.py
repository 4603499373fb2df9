"""What is checked before a web server starts its workers."""

from __future__ import annotations

import pytest

from ops.errors import SettingError
from tests.site import ArticleSite
from wiring.startup import check_environment


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"WEB_CONCURRENCY": "many"}, "WEB_CONCURRENCY: 'many' is not a number from 1 to 256"),
        ({"WEB_THREADS": "0"}, "WEB_THREADS: '0' is not a number from 1 to 64"),
        ({"TRUSTED_PROXIES": "11"}, "TRUSTED_PROXIES: '11' is not a number from 0 to 10"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL: 'LOUD' is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT: 'xml' must be text or json"),
        ({"SENTRY_DSN": "here"}, "SENTRY_DSN is not the address of a Sentry project"),
        ({"ADMIN_TOKEN": " "}, "ADMIN_TOKEN is blank: give it a value, or unset the variable"),
        ({"ADMIN_TOKEN": "short"}, "ADMIN_TOKEN must have at least 16 characters"),
        (
            {"METRICS_TOKEN_FILE": "/nowhere"},
            "the file that METRICS_TOKEN_FILE names cannot be read: No such",
        ),
        ({"GIT_HOOK_SECRET": ""}, "GIT_HOOK_SECRET is blank: give it a value, or unset the variable"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_an_invalid_variable_is_named(site: ArticleSite, environ: dict[str, str], reason: str) -> None:
    """The server ends with this line; else each worker would, and be started again and again."""
    with pytest.raises(SettingError) as caught:
        check_environment(site.config(), environ)
    assert str(caught.value).startswith(reason)


def test_the_defaults_are_valid(site: ArticleSite) -> None:
    """Nothing has to be set."""
    check_environment(site.config(), {})
