"""Makes the README's pictures from the sample content: `make screenshots`, or with a folder to write them to.

The clock stands still, so that pictures differ only when the pages do. Needs Chromium, or Playwright's own
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

from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

import config as configuration
from app import create_app
from bot.outbox import schema
from bot.outbox.database import connect
from config import BotConfig

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
ARTICLE = "2026/11/2026-11-20-what-a-fuzzer-found"
TOKEN = "only for making pictures"  # noqa: S105 - of a site that nobody else can reach
WIDTH = 1280


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing of requests."""


def main() -> int:
    """Write the pictures and return the exit status."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs"
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as state, _served(_sample(Path(state))) as url, sync_playwright() as playwright:
        installed = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(
            executable_path=installed, args=["--no-sandbox", "--disable-gpu"]
        )
        page = _page(browser)
        page.goto(url)
        page.screenshot(path=folder / "home.png")
        page.goto(f"{url}/admin/login")
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Log in").click()
        page.set_viewport_size({"width": WIDTH, "height": 1230})
        page.goto(f"{url}/admin/preview?article={ARTICLE}")
        page.screenshot(path=folder / "preview.png")
        browser.close()
    return 0


def _sample(state: Path) -> Flask:
    """Return the sample site with one channel, over an outbox in the folder `state`."""
    settings = configuration.load(ROOT / "config.yaml", {"STATE_DIR": str(state)})
    team = {"name": "ai-team", "kind": "slack", "webhook_env": "SLACK_AI", "topics": ["AI", "Security"]}
    settings = settings.model_copy(update={"bot": BotConfig.model_validate({"channels": [team]})})
    app = create_app(settings, clock=lambda: NOW, environ={"ADMIN_TOKEN": TOKEN})
    app.extensions["newswire"].indexer.refresh()
    database = connect(f"sqlite:///{state / 'outbox.sqlite'}")
    schema.upgrade(database)
    database.close()
    return app


@contextmanager
def _served(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def _page(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": WIDTH, "height": 860}, color_scheme="light")


if __name__ == "__main__":
    sys.exit(main())
