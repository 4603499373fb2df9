"""Messages, ordinary and unusual ones, that the contract suite renders for every service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from hypothesis import strategies as st

from bot.services import Destination, Detail, Request, RequestContext, Service
from bot.services.message import Message
from text.language import available

CONTEXT = RequestContext(key="post-7", at=datetime(2026, 3, 4, 12, 5, tzinfo=UTC))
MESSAGE = Message(
    title="Small models",
    link="https://example.com/small?a=1&b=2",
    published_at=datetime(2026, 3, 4, 12, 0, tzinfo=UTC),
    site="Newswire",
    summary="They fit on a phone.",
    provider="Example & Sons",
    provider_icon="https://example.com/icon.png",
    topics=("AI", "C++"),
    quality=71,
    image="https://example.com/a.png",
    article_id="2026/small-models",
    updated_at=datetime(2026, 3, 5, 9, 30, tzinfo=UTC),
)
AWKWARD = {
    "markdown": "*bold* _it_ ~no~ `code` ||spoiler|| **all** __of__ ~~it~~",
    "links": "[text](https://evil.example) <https://evil.example|text> https://bare.example/a_b_c",
    "mentions": "@everyone @here <!channel> <!here|x> <@U123> <@&1> <@!2> <#C1> <!subteam^S1> @Everyone",
    "lines": "# heading > quote - item 1. one",
    "ordered": "12. twelve",
    "entities": "A & B <i>x</i> vector<T> &amp; &lt; 5 > 4 \\o/ \\",
    "emoji": ":smile: <:custom:123> <t:1:R> 👩‍💻 🇩🇪 e\u0301",
    "unseen": "a\x0b\ufffe\ud800b \u202egnp.exe\u200b",
}

TEXTS = (
    st.text(max_size=40) | st.text(alphabet="*_[]()~`|<>@#&:\\👍 ae", max_size=400) | st.just("👍&" * 1500)
)
WEB = st.builds("https://{}.example/{}".format, st.sampled_from("ab"), TEXTS) | TEXTS
MESSAGES = st.builds(
    Message,
    title=TEXTS,
    link=WEB,
    published_at=st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)),
    site=TEXTS | st.sampled_from(["Discord", "here", "CLYDE's", "everyone"]),
    summary=TEXTS,
    provider=st.none() | TEXTS,
    provider_icon=st.none() | WEB,
    topics=st.lists(TEXTS, max_size=30).map(tuple),
    quality=st.none() | st.integers(0, 100),
    image=st.none() | WEB,
    retracted=st.booleans(),
    article_id=TEXTS,
    updated_at=st.none() | st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)),
    language=st.sampled_from(available()),
)
LONG = "👍&*_<" * 1000
LONGEST = Message(
    title=LONG,
    link=f"https://example.com/{'a' * 1900}",
    published_at=MESSAGE.published_at,
    site=LONG,
    summary=LONG,
    provider=LONG,
    provider_icon=f"https://example.com/{'i' * 1900}",
    topics=tuple(f"{number}{LONG[:300]}" for number in range(60)),
    quality=100,
    image=f"https://example.com/{'p' * 1900}",
    article_id=LONG,
    updated_at=MESSAGE.published_at,
)


class SampleTimes:
    """Times in a drawing, without a zone of the tests' machine."""

    def exact(self, moment: datetime, /) -> str:
        """The time in ISO 8601."""
        return moment.isoformat()

    def ago(self, moment: datetime, /) -> str:
        """Always return the same text."""
        return "ago"


def requests_for(service: Service, hook: Destination, message: Message) -> Iterator[Request]:
    """Yield every request that can be made for a message: in each detail, corrections and the test."""
    for detail in Detail:
        yield service.post(hook, message, detail, CONTEXT)
        correction = service.correct(hook, "99", message, detail, CONTEXT)
        if correction:
            yield correction
    yield service.test(hook, message.site, CONTEXT)
