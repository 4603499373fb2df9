"""A real browser and a real server. A page with anything unexpected in its console fails its test."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Dialog, Error, Page, Request, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from config import SiteConfig
from tests.site import ArticleSite, Clock
from tests.waiting import WAIT_SECONDS

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MILLISECONDS = WAIT_SECONDS * 1000
expect.set_options(timeout=MILLISECONDS)
_TOOLS = Path(__file__).parent / "node_modules"
_RULES = Path(__file__).parent / ".htmlvalidate.json"
_INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def absent(what: str) -> NoReturn:
    """Skip the test because something is missing, or fail it where REQUIRE_BROWSER is set."""
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail(f"{what}, and REQUIRE_BROWSER is set", pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The installed Chromium, or else Playwright's own."""
    found = next(filter(None, map(shutil.which, _INSTALLED)), None)
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=found, args=FLAGS, timeout=MILLISECONDS)
        except Error as error:
            absent(f"no browser starts here: {str(error).splitlines()[0]}")
        yield started
        started.close()


class LiveSite:
    """A site behind a real socket. `app` can be set later; until then the site cannot answer."""

    def __init__(self) -> None:
        self.app: Flask | None = None
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, fd=self._listening.fileno(), request_handler=_Quiet
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._listening.close()

    def _answer(self, environ: Any, start_response: Any) -> Any:
        assert self.app is not None
        return self.app(environ, start_response)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def live() -> Iterator[LiveSite]:
    """A server without a site."""
    site = LiveSite()
    yield site
    site.close()


def serve(live: LiveSite, site: ArticleSite, clock: Clock) -> None:
    """Give a live server a site to serve, at the server's address."""
    config = site.config()
    own = SiteConfig(title="News", description="All the news", url=live.url, id="test")
    app = create_app(config.model_copy(update={"site": own}), clock=clock, environ={})
    newswire = app.extensions["newswire"]
    newswire.indexer.refresh()
    newswire.publisher.search.index.update()  # the first search would otherwise wait for it, with a limit
    live.app = app


class Visitor:
    """A page of the site at an address, and everything that went wrong on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        page.on("console", lambda message: self._console(message.type, message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", self._request)
        page.on("dialog", self._dialog)

    def go(self, path: str) -> Page:
        """Open a page of the site and return it."""
        self.page.goto(self.url + path)
        return self.page

    def violations(self, path: str) -> list[tuple[str, list[str]]]:
        """Open a page with all its details, and return what axe-core rates serious or critical in it."""
        script = _TOOLS / "axe-core" / "axe.min.js"
        if not script.exists():
            absent("axe-core is not installed: make browser-tools")
        page = self.go(path)
        page.evaluate("() => document.querySelectorAll('details').forEach(one => (one.open = true))")
        page.evaluate(script.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        grave = [rule for rule in found["violations"] if rule["impact"] in ("serious", "critical")]
        return [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in grave]

    def invalid(self, paths: Iterable[str]) -> list[str]:
        """Return the errors that html-validate finds in the pages as they are served."""
        tool = _TOOLS / ".bin" / "html-validate"
        if not tool.exists() or not shutil.which("node"):
            absent("html-validate is not installed: make browser-tools")
        with TemporaryDirectory() as folder:
            for number, path in enumerate(paths):
                answer = self.page.request.get(self.url + path)
                Path(folder, f"{number}.html").write_bytes(answer.body())
            command = [str(tool), "--config", str(_RULES), "--formatter", "json", folder]
            ran = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
        reports = json.loads(ran.stdout or "[]")
        found = [f"{r['filePath']}:{m['line']}: {m['message']}" for r in reports for m in r["messages"]]
        return found or [ran.stderr][: ran.returncode]

    def _console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.problems.append(text)

    def _dialog(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if not request.url.startswith(f"{self.url}/"):
            self.problems.append(f"a request to {request.url}")


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser profile, 1280 pixels wide, in the light colour scheme."""
    profile = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    profile.grant_permissions(["clipboard-read", "clipboard-write"])
    profile.set_default_timeout(MILLISECONDS)
    yield profile
    profile.close()


@pytest.fixture
def visitor(context: BrowserContext, live: LiveSite) -> Iterator[Visitor]:
    """A visitor. Afterwards the console must be empty, and no other host may have been requested."""
    visitor = Visitor(context.new_page(), live.url)
    yield visitor
    assert visitor.problems == []
