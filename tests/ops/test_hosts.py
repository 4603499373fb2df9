"""The warning that SITE_URL is not set, by what readers ask for."""

from __future__ import annotations

import pytest
from flask import Flask

from ops.hosts import public_name, warn_of_public_hosts


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("news.example.org", "news.example.org"),
        ("News.example.org:8000", "News.example.org"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("localhost:8000", None),
        ("127.0.0.1:8000", None),
        ("10.0.0.5", None),
        ("[2001:db8::1]:80", None),
        ("web:8000", None),
        ("web.railway.internal", None),
        ("printer.local", None),
        ("", None),
        ("a\nb.example", None),
        (f"{'a.' * 500}org", None),
    ],
)
def test_public_hosts(host: str, name: str | None) -> None:
    """Probes use addresses and private names; readers use public ones."""
    assert public_name(host) == name


@pytest.mark.parametrize(("site", "count"), [("http://localhost:8000", 1), ("https://news.example.org", 0)])
def test_the_warning_comes_once(site: str, count: int, caplog: pytest.LogCaptureFixture) -> None:
    """It names both addresses and what to set; with an address that is set there is none."""
    app = Flask("hosts")
    app.add_url_rule("/", view_func=lambda: "")
    warn_of_public_hosts(app, site)
    for base in ("http://127.0.0.1:8000", "https://example.com", "https://example.com"):
        assert app.test_client().get("/", base_url=base).status_code == 200
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == count
    assert all("for example.com" in each and f"lead to {site}: set SITE_URL" in each for each in warnings)
