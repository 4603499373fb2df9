"""The vendors' limits in the fake: each applies at its edge, and no input makes it crash."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.services.discord_embeds import escape as discord_escape
from bot.services.message import Mention, MentionKind
from bot.services.slack_blocks import escape as slack_escape
from tests.contracts.kinds import CASES
from tests.contracts.samples import MESSAGE
from tests.fakechat import discord_violations, page, slack_violations, utf16_length
from tests.fakechat.ledger import Message

Json = dict[str, object]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
URL = "https://example.org/"


def text(length: int, kind: str = "mrkdwn") -> Json:
    return {"type": kind, "text": "x" * length}


def section(**parts: object) -> Json:
    return {"type": "section", "text": text(1), **parts}


def button(**parts: object) -> Json:
    return {"type": "button", "text": text(5, "plain_text"), **parts}


def image(url: int = 30, alt: int = 1) -> Json:
    return {"type": "image", "image_url": URL + "a" * (url - len(URL)), "alt_text": "a" * alt}


@pytest.mark.parametrize(
    ("fits", "breaks", "pointer"),
    [
        ([section()] * 50, [section()] * 51, "/blocks"),
        ([section(text=text(3000))], [section(text=text(3001))], "/blocks/0/text/text"),
        ([section(text=text(1))], [section(text=text(0))], "/blocks/0/text/text"),
        ([section(fields=[text(2000)] * 10)], [section(fields=[text(2001)])], "/blocks/0/fields/0/text"),
        ([section(fields=[text(1)] * 10)], [section(fields=[text(1)] * 11)], "/blocks/0/fields"),
        ([section()], [{"type": "section"}], "/blocks/0"),
        (
            [section(accessory=image())],
            [section(accessory={**image(), "alt_text": ""})],
            "/blocks/0/accessory/alt_text",
        ),
        ([section(accessory=image(3000))], [section(accessory=image(3001))], "/blocks/0/accessory/image_url"),
        (
            [section(accessory=image(alt=2000))],
            [section(accessory=image(alt=2001))],
            "/blocks/0/accessory/alt_text",
        ),
        ([section(accessory=button())], [section(accessory={"type": "video"})], "/blocks/0/accessory/type"),
        ([section(block_id="a" * 255)], [section(block_id="a" * 256)], "/blocks/0/block_id"),
        ([section(block_id="a")], [section(block_id="a")] * 2, "/blocks/1/block_id"),
        ([section()], [section(colour="red")], "/blocks/0/colour"),
        (
            [{"type": "header", "text": text(150, "plain_text")}],
            [{"type": "header", "text": text(151, "plain_text")}],
            "/blocks/0/text/text",
        ),
        (
            [{"type": "header", "text": text(1, "plain_text")}],
            [{"type": "header", "text": text(1)}],
            "/blocks/0/text/type",
        ),
        (
            [{"type": "context", "elements": [text(1), image()] * 5}],
            [{"type": "context", "elements": [text(1)] * 11}],
            "/blocks/0/elements",
        ),
        (
            [
                {
                    "type": "actions",
                    "elements": [button(text=text(75, "plain_text"), url=URL, action_id="a" * 255)],
                }
            ],
            [{"type": "actions", "elements": [button(text=text(76, "plain_text"))]}],
            "/blocks/0/elements/0/text/text",
        ),
        (
            [{"type": "actions", "elements": [button()] * 25}],
            [{"type": "actions", "elements": [button(url="javascript:alert(1)")]}],
            "/blocks/0/elements/0/url",
        ),
        (
            [{**image(), "title": text(2000, "plain_text")}],
            [{"type": "image", "alt_text": "a"}],
            "/blocks/0/image_url",
        ),
        ([{"type": "divider"}], [{"type": "dividend"}], "/blocks/0/type"),
    ],
)
def test_slack_limits(fits: list[Json], breaks: list[Json], pointer: str) -> None:
    """The largest valid payload passes; one step more is one violation, at the right place."""
    assert slack_violations({"text": "x", "blocks": fits}) == []
    [violation] = slack_violations({"text": "x", "blocks": breaks})
    assert violation.startswith(pointer + ": ")


def embed(**parts: object) -> Json:
    return {"embeds": [{"title": "t", **parts}]}


def field(name: int = 1, value: int = 1) -> Json:
    return {"name": "n" * name, "value": "v" * value}


@pytest.mark.parametrize(
    ("fits", "breaks", "pointer"),
    [
        ({"content": "x" * 2000}, {"content": "x" * 2001}, "/content"),
        ({"content": "😀" * 1000}, {"content": "😀" * 1001}, "/content"),
        (embed(title="x" * 256), embed(title="x" * 257), "/embeds/0/title"),
        (embed(description="x" * 4096), embed(description="x" * 4097), "/embeds/0/description"),
        (embed(fields=[field()] * 25), embed(fields=[field()] * 26), "/embeds/0/fields"),
        (embed(fields=[field(name=256)]), embed(fields=[field(name=257)]), "/embeds/0/fields/0/name"),
        (embed(fields=[field(value=1024)]), embed(fields=[field(value=1025)]), "/embeds/0/fields/0/value"),
        (embed(fields=[field()]), embed(fields=[{"name": "n", "value": " "}]), "/embeds/0/fields/0/value"),
        (embed(footer={"text": "x" * 2048}), embed(footer={"text": "x" * 2049}), "/embeds/0/footer/text"),
        (embed(author={"name": "x" * 256}), embed(author={"name": "x" * 257}), "/embeds/0/author/name"),
        (embed(color=0xFFFFFF), embed(color=0x1000000), "/embeds/0/color"),
        (
            embed(timestamp="2026-08-01T10:00:00Z"),
            embed(timestamp="2026-08-01T10:00:00"),
            "/embeds/0/timestamp",
        ),
        (embed(timestamp="2026-08-01T10:00:00+09:00"), embed(timestamp="yesterday"), "/embeds/0/timestamp"),
        (embed(url=URL), embed(url="/relative"), "/embeds/0/url"),
        (embed(url=URL), embed(url="http://localhost:5000/a"), "/embeds/0/url"),
        (
            embed(thumbnail={"url": URL}),
            embed(thumbnail={"url": "data:image/png,x"}),
            "/embeds/0/thumbnail/url",
        ),
        (embed(image={"url": URL}), embed(image={"url": "https://a b.org/"}), "/embeds/0/image/url"),
        ({"embeds": [{"title": "t"}] * 10}, {"embeds": [{"title": "t"}] * 11}, "/embeds"),
        (
            {"embeds": [{"description": "x" * 3000}] * 2},
            {"embeds": [{"description": "x" * 3000}, {"description": "x" * 3000, "title": "t"}]},
            "/embeds",
        ),
        ({"content": "x", "username": "x" * 80}, {"content": "x", "username": "x" * 81}, "/username"),
        ({"content": "x", "username": "News"}, {"content": "x", "username": "My Discord"}, "/username"),
        ({"content": "x", "username": "News"}, {"content": "x", "username": "CLYDE"}, "/username"),
        (
            {"content": "x", "allowed_mentions": {"parse": ["users"], "users": []}},
            {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
            "/allowed_mentions/users",
        ),
        (
            {"content": "x", "allowed_mentions": {"parse": []}},
            {"content": "x", "allowed_mentions": {"parse": ["all"]}},
            "/allowed_mentions/parse/0",
        ),
        ({"content": "x"}, {"content": " ", "embeds": [{"color": 1}]}, "/"),
        ({"content": "x"}, {"content": "\ud800"}, "/content"),
    ],
)
def test_discord_limits(fits: Json, breaks: Json, pointer: str) -> None:
    """The largest valid payload passes; one step more is one violation, at the right place."""
    assert discord_violations(fits) == []
    [violation] = discord_violations(breaks)
    assert violation.startswith(pointer + ": ")


def test_an_empty_slack_message_has_no_text() -> None:
    """A message without text, blocks and attachments is one violation, at the root."""
    assert slack_violations({"text": " ", "blocks": []}) == ["/: no text, no blocks and no attachments"]


@given(JSON)
def test_any_json_is_judged(value: object) -> None:
    """Any JSON gets a result without a crash, and only objects can pass."""
    for judge in (slack_violations, discord_violations):
        for payload in (
            value,
            {"blocks": value, "embeds": value, "allowed_mentions": value, "username": value},
        ):
            found = judge(payload)
            assert found or isinstance(payload, dict)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_utf16_length_is_never_less_than_the_number_of_characters(value: str) -> None:
    """The length is that of the encoding, and an upper bound of the code points."""
    assert utf16_length(value) * 2 == len(value.encode("utf-16-le"))
    assert utf16_length(value) >= len(value)


class Tags(HTMLParser):
    """The tags and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]


NASTY = st.text(alphabet=st.sampled_from("<>&\"'|*~[]()\\/:!@#^ abt1x\n")) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "<javascript:alert(1)|x>",
        '[a](http://b.c/"onx=)',
    ]
)


@given(NASTY, NASTY)
def test_the_page_is_safe_whatever_was_posted(one: str, other: str) -> None:
    """No text becomes a tag or a link to anything but http(s), and nothing is loaded."""
    now = datetime(2026, 8, 1, tzinfo=UTC)
    slack: Json = {
        "text": one,
        "blocks": [section(text={"type": "mrkdwn", "text": other}, accessory=button(url=one))],
    }
    discord: Json = {"content": one, **embed(description=other, url=one, thumbnail={"url": other})}
    messages = [
        Message(id="1", service="slack", webhook="/services/T/B/<i>", at=now, payload=slack),
        Message(id="2", service="slack", webhook="/services/T/B/x", at=now, payload={"text": one}),
        Message(id="3", service="discord", webhook="/api/webhooks/1/x", at=now, payload=discord),
    ]
    seen = Tags()
    seen.feed(page.render(messages))
    assert not seen.tags & {"script", "img", "iframe", "i", "link"}
    assert all(link.startswith(("http://", "https://")) for link in seen.links)


def test_the_page_reads_like_chat() -> None:
    """Links, dates, bold and struck text are formatted, newest first, and edits are marked."""
    now = datetime(2026, 8, 1, tzinfo=UTC)
    old: Json = {
        "blocks": [
            section(text={"type": "mrkdwn", "text": "*A &amp; B* <https://e.org|read> <!date^1^{date}|1970>"})
        ]
    }
    new: Json = embed(title="~~gone~~", description=r"1 \* 2 <t:0:D>")
    shown = page.render(
        [
            Message(id="1", service="slack", webhook="/services/T/B/ai", at=now, payload=old),
            Message(
                id="2", service="discord", webhook="/api/webhooks/1/n", at=now, payload=new, edited_at=now
            ),
        ]
    )
    assert '<strong>A &amp; B</strong> <a href="https://e.org" rel="noreferrer">read</a> 1970' in shown
    assert "<s>gone</s>" in shown
    assert '1 * 2 <time datetime="1970-01-01T00:00:00+00:00">1970-01-01 00:00 UTC</time>' in shown
    assert shown.index("gone") < shown.index("A &amp; B")
    assert "(edited)" in shown


@settings(max_examples=60)
@given(
    st.text(alphabet=st.sampled_from("<>&\"'|*~[]()\\/:!#^_-+`@ abt1.x"))
    | st.just("https://e.org/a_b_c?d=*e*")
)
def test_the_page_shows_texts_as_the_services_do(text: str) -> None:
    """Entities are undone for Slack and backslashes for Discord, so texts look as written."""
    text = " ".join(text.split())
    now = datetime(2026, 8, 1, tzinfo=UTC)
    slack: Json = {"blocks": [section(text={"type": "plain_text", "text": slack_escape(text)})]}
    discord: Json = embed(title="", description=discord_escape(text))
    for service, payload in (("slack", slack), ("discord", discord)):
        message = Message(id="1", service=service, webhook="/x/y", at=now, payload=payload)
        shown = page.render([message]).partition("</header>")[2].partition("</article>")[0]
        seen = Tags()
        seen.feed(shown)
        assert "".join(seen.texts).replace("\u200b", "").strip() == text


@pytest.mark.parametrize("kind", ["slack", "discord"])
def test_the_page_shows_digests_and_mentions(kind: str) -> None:
    """Lists, links and mentions look as people see them, and no article's text is markup."""
    title = "*a* <b> [x](https://evil.example)"
    item = replace(MESSAGE, title=title)
    mention = Mention(kind=MentionKind.HERE)
    digest = replace(MESSAGE, items=(item, replace(item, retracted=True)), mention=mention, image=None)
    payload = CASES[kind].service.post(CASES[kind].hook, digest).json
    at = datetime(2026, 8, 1, tzinfo=UTC)
    shown = page.render([Message(id="1", service=kind, webhook="/x/y", at=at, payload=payload)])
    seen = Tags()
    seen.feed(shown)
    assert f"{title} · Example & Sons" in "".join(seen.texts)
    assert set(seen.links) == {MESSAGE.link}
    assert f"<s>{escape(title)}</s>" in shown
    assert re.search(r'class="ping">[^<]*here', shown)
