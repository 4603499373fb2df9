"""Takes pictures of the sample site's pages: `make screenshots`.

Those of the README go to docs/. All pages, on a desktop and on a phone, light and dark, go to the folder that
is named, or else to screenshots/: a person looks at them before a change of the pages lands. The clock stands
still, in the browser too, so that pictures differ only when the pages do. Needs Chromium, or Playwright's own
browser.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from flask import Flask
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

import config as configuration
from app import create_app
from bot.outbox import upgrading
from bot.outbox.database import connect
from config import BotConfig

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
ARTICLE = "2026/11/2026-11-20-what-a-fuzzer-found"
WITH_TEXT = "2026/11/2026-11-17-building-an-index-while-people-work"
TOKEN = "only for making pictures"  # noqa: S105 - of a site that nobody else can reach
PREVIEW = f"/admin/preview?article={ARTICLE}"
PAGES = {
    "home": "/",
    "topic": "/topics/ai",
    "topics": "/topics",
    "search": "/search?q=model",
    "build": "/build?topic=ai&topic=security&min_quality=65",
    "article": f"/articles/{WITH_TEXT}",
    "admin": "/admin",
}
DESKTOP: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}
MODES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing of requests."""


def main() -> int:
    """Write the pictures and return the exit status."""
    everything = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "screenshots"
    everything.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as state, _served(_sample(Path(state))) as url, sync_playwright() as playwright:
        installed = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(
            executable_path=installed, args=["--no-sandbox", "--disable-gpu"]
        )
        page = _page(browser, url)
        for name, path in PAGES.items():
            page.goto(url + path)
            for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
                page.set_viewport_size(size)
                for mode in MODES:
                    page.emulate_media(color_scheme=mode)
                    page.screenshot(path=everything / f"{name}-{device}-{mode}.png")
                    page.screenshot(path=everything / f"{name}-{device}-{mode}-whole.png", full_page=True)
        _for_readme(page, url, ROOT / "docs")
        browser.close()
    return 0


def _for_readme(page: Page, url: str, folder: Path) -> None:
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESKTOP)
    page.goto(url)
    page.screenshot(path=folder / "home.png")
    page.set_viewport_size({"width": DESKTOP["width"], "height": 1230})
    page.goto(url + PREVIEW)
    page.screenshot(path=folder / "preview.png")


def _sample(state: Path) -> Flask:
    """Return the sample site with one channel, over an outbox in the folder `state`."""
    settings = configuration.load(ROOT / "config.yaml", {"STATE_DIR": str(state)})
    team = {"name": "ai-team", "kind": "slack", "webhook_env": "SLACK_AI", "topics": ["AI", "Security"]}
    settings = settings.model_copy(update={"bot": BotConfig.model_validate({"channels": [team]})})
    app = create_app(settings, clock=lambda: NOW, environ={"ADMIN_TOKEN": TOKEN})
    app.extensions["newswire"].indexer.refresh()
    database = connect(f"sqlite:///{state / 'outbox.sqlite'}")
    upgrading.upgrade(database)
    database.close()
    return app


@contextmanager
def _served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def _page(browser: Browser, url: str) -> Page:
    """Return a page whose clock shows NOW, and which the operator has logged in with."""
    page = browser.new_page(viewport=DESKTOP, color_scheme="light")
    page.clock.set_fixed_time(NOW)
    page.goto(f"{url}/admin/login")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    return page


if __name__ == "__main__":
    sys.exit(main())
