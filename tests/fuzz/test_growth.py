"""The cost of a repeated piece of text grows at most in proportion to its length.

The cost may arise in C code (regular expressions, Unicode tables, the sanitiser), where calls cannot be
counted. So the processor time of this thread is compared between a text and one sixteen times as long: linear
cost is 16 times as much, quadratic cost 256 times. The bound is far from both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example
from hypothesis import strategies as st

from articles.errors import ArticleError
from articles.reading import frontmatter
from bot.services import SERVICES
from bot.services.message import compose
from feeds.formats import FORMATS
from tests.contracts.kinds import CASES
from tests.fuzz.budget import fuzz
from tests.fuzz.seeds import LETTERS, MARKDOWN, MARKUP
from tests.hostile import PIECES
from tests.site import ArticleSite, Clock, Web

SHORT, TIMES = 1_000, 16
BOUND = 64.0
NOTICEABLE = 0.25
"""Seconds of processor time; a ratio of less says nothing."""

FIELDS: dict[str, Callable[[str], dict[str, Any]]] = {
    "title": lambda text: {"title": text},
    "excerpt": lambda text: {"excerpt": text},
    "topic": lambda text: {"topics": [text]},
    "topics": lambda text: {"topics": [f"{text[:3]}{number}" for number in range(len(text) // 8)]},
    "featuredContent": lambda text: {"featuredContent": text},
    "webUrl": lambda text: {"webUrl": f"https://a.example/{text}"},
    "host": lambda text: {"webUrl": f"https://{text}.example/"},
    "provider": lambda text: {"provider": {"name": text, "domain": text}},
    "related": lambda text: {"related": [{"title": text, "webUrl": f"https://a.example/{text}"}] * 3},
    "images": lambda text: {"images": [{"url": "https://a.example/p.png", "title": text}]},
    "author": lambda text: {"author": text},
    "unread": lambda text: {"heat": text},
}
units = st.one_of(
    st.sampled_from([*MARKDOWN, *MARKUP, *LETTERS, *PIECES]),
    st.lists(st.sampled_from([*MARKDOWN, *MARKUP, *LETTERS, "\n", " "]), min_size=1, max_size=3).map("".join),
).map(lambda unit: unit.encode("utf-8", "replace").decode() or "x")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Web:
    """A site that lasts for all examples."""
    return Web(ArticleSite(tmp_path_factory.mktemp("site"), Clock()))


@fuzz(unit=units, field=st.sampled_from(["body", "body", "body", *FIELDS]), examples=4)
@example(unit="<div></p>", field="body")
@example(unit="# x\n", field="body")
@example(unit="\u0301", field="topic")
@example(unit="\u0301", field="excerpt")
@example(unit="\u0301", field="host")
@example(unit="\u0301", field="webUrl")
@example(unit="x", field="topics")
@example(unit="[", field="body")
def test_the_cost_of_a_file_grows_with_its_length(running: Web, unit: str, field: str) -> None:
    """The cost of a file up to feeds, page and messages is linear, for one piece repeated in one place."""
    short = cost(running, field, unit, SHORT)
    long = cost(running, field, unit, SHORT * TIMES)
    if long > NOTICEABLE and long > BOUND * short:  # the machine may have paused
        short = min(short, cost(running, field, unit, SHORT))
        long = min(long, cost(running, field, unit, SHORT * TIMES))
    assert long <= NOTICEABLE or long <= BOUND * short, f"{short:.4f} s and {long:.4f} s"


def cost(web: Web, field: str, unit: str, length: int) -> float:
    """Return the processor seconds for an article with this many characters of `unit` in one place."""
    repeated = unit * (length // len(unit))
    values = {"title": "T", "date": "2026-05-01", "topics": ["AI"]}
    body = "Text"
    if field == "body":
        body = repeated
    else:
        values |= FIELDS[field](repeated)
    file = f"---\n{yaml.safe_dump(values, allow_unicode=True, width=10**9)}---\n{body}"
    root = web.newswire.indexer.folder.root
    (Path(root) / "a.md").write_text(file, encoding="utf-8", newline="")
    started = time.thread_time()
    read_and_render(web, file)
    return time.thread_time() - started


def read_and_render(web: Web, file: str) -> None:
    try:
        parsed = frontmatter.parse(file, "a.md")
    except ArticleError:
        return
    if parsed is None:
        return
    message = compose(parsed.article, site="News", site_url="https://news.example.org")
    for kind, service in SERVICES.items():
        service.post(CASES[kind].hook, message)
    web.refresh()
    slugs = [summary.topic.slug for summary in web.newswire.catalog.summaries(web.newswire.clock())]
    for extension in FORMATS:
        for slug in ["all", *slugs[:1]]:
            web.get(f"/feeds/{slug}.{extension}")
    for address in ("/", "/topics", "/feeds.opml", "/articles/a", "/search?q=x"):
        web.get(address)
