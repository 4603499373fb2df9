"""A deploy as platforms do it: the new version starts beside the old one, which ends some seconds later."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.outbox.database import Database, connect
from bot.outbox.states import State
from bot.outbox.tallies import deliveries_by_state
from tests.articles.gitserver import Origin
from tests.fakechat import FakeChat, slow
from tests.soak.cluster import Running, Witness, hosted, postgres, wait_for
from tests.soak.replay import posted
from tests.waiting import IN_TIME

OVERLAP = 10.0
"""Seconds for which both versions run."""

CONFIG = """\
site: {{title: Deployed, url: 'https://news.example.org', id: deployed}}
articles: {{git: '{url}', every: 1 second}}
bot:
  every: {every}
  channels:
    - name: news
      kind: slack
      webhook_env: NEWS
      min_quality: {min_quality}
      max_age: off
      max_per_tick: 100
"""


@dataclass
class Editor:
    """Writes articles and pushes them two at a time: a good one, and one that only the new rules admit."""

    origin: Origin
    good: list[str] = field(default_factory=list)
    fair: list[str] = field(default_factory=list)

    def push(self) -> None:
        """Push the next two articles."""
        number = len(self.good)
        for kind, quality, links in (("good", 90, self.good), ("fair", 75, self.fair)):
            link = f"https://example.org/{kind}-{number}"
            links.append(link)
            extra = f"quality: {quality}\nwebUrl: {link}\n"
            self.origin.write(f"{kind}-{number}.md", f"The {kind} one, number {number}", extra=extra)
        self.origin.commit()

    def push_until(self, enough: Callable[[], bool], web: Running) -> None:
        """Push again whenever the web shows the last push, until the condition holds."""
        while not enough():
            self.push()
            wait_for(lambda: self.good[-1] in web.get("/feeds/all.rss").text, "the push is shown")


@pytest.mark.soak
def test_old_and_new_overlap(tmp_path: Path) -> None:
    """Two versions overlap for ten seconds, with different rules and disks, while articles keep coming.

    Nothing is posted twice, nothing is lost, and readers see no error and the same documents from both.
    """
    origin = Origin(tmp_path / "origin")
    editor = Editor(origin)
    editor.push()
    old_config, new_config = (tmp_path / name for name in ("old.yaml", "new.yaml"))
    old_config.write_text(CONFIG.format(url=origin.url, every="3 seconds", min_quality=80), encoding="utf-8")
    new_config.write_text(CONFIG.format(url=origin.url, every="4 seconds", min_quality=70), encoding="utf-8")
    with postgres() as server, FakeChat() as chat:
        environ = {"DATABASE_URL": server.url, "NEWS": chat.slack_url("news"), "WEB_CONCURRENCY": "1"}
        with hosted(tmp_path, **environ) as host:
            database = connect(server.url)
            old, new = {"NEWSWIRE_CONFIG": str(old_config)}, {"NEWSWIRE_CONFIG": str(new_config)}
            host.release(**old)
            web, bot = host.web("old-web", **old), host.bot("old-bot", **old)
            web.wait_until_ready()
            wait_for(lambda: _count(database, State.BASELINED) == 1, "the channel has its baseline")
            editor.push_until(lambda: len(editor.good) == 4, web)
            wait_for(lambda: _count(database, State.SENT) == 3, "the first articles are posted")
            before_deploy = list(editor.fair)

            host.release(**new)
            next_web, next_bot = host.web("new-web", **new), host.bot("new-bot", **new)
            next_web.wait_until_ready()
            with Witness([web, next_web], ["/feeds/all.rss", "/feeds/ai.json", "/"]) as witness:
                begun = time.monotonic()
                editor.push_until(lambda: time.monotonic() - begun > OVERLAP, web)
                wait_for(lambda: _same_documents(web, next_web), "both serve the same documents")
            assert set(witness.statuses()) == {200}
            _end_while_posting(bot, chat, editor)
            assert web.end() < IN_TIME and web.process.returncode == 0

            wait_for(lambda: "has the lease now" in next_bot.output(), "the new bot has the lease")
            wait_for(lambda: _all(chat) >= set(editor.good[1:]), "all good ones are posted")
            after_deploy = len(editor.fair)
            editor.push()
            expected = {editor.good[-1], *editor.fair[after_deploy:]}
            wait_for(lambda: expected <= _all(chat), "the new rules hold")
            assert next_web.end() < IN_TIME and next_bot.end() < IN_TIME
            database.close()
        times = posted(chat, "news")
        assert set(times.values()) == {1}
        assert not times.keys() & {editor.good[0], *before_deploy}
        for running in host.running:
            assert "Traceback" not in running.output(), running.output()


def _end_while_posting(bot: Running, chat: FakeChat, editor: Editor) -> None:
    """Send the old bot a signal to end while the service delays its answer."""
    known = len(chat.requests)
    chat.fail("news", slow(2.0))
    editor.push()
    chat.wait_for(known + 1)
    assert bot.end() < IN_TIME
    assert bot.process.returncode == 0


def _all(chat: FakeChat) -> set[str]:
    return set(posted(chat, "news"))


def _count(database: Database, state: State) -> int:
    return deliveries_by_state(database).get(("news", state), 0)


def _same_documents(*webs: Running) -> bool:
    paths = ("/feeds/all.rss", "/feeds/all.atom", "/feeds/ai.json", "/feeds.opml")
    for path in paths:
        answers = [web.get(path) for web in webs]
        if len({(answer.headers["ETag"], answer.content) for answer in answers}) > 1:
            return False
    return True
