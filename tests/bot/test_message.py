"""The content of a post about an article, and its text."""

from __future__ import annotations

import copy
import json
import pickle
import sys
import unicodedata
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.article import Article, Image, Provider
from bot.services.message import (
    LINK_LENGTH,
    SUMMARY_LENGTH,
    Coverage,
    Mention,
    MentionKind,
    Message,
    compose,
    read_mention,
)
from bot.services.secret import Secret
from bot.services.text import ELLIPSIS, MAX_MARKS, clean, fit, units, web_url

patient = settings(deadline=None)
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
ARTICLE = Article(
    id="2026/models & more",
    path="2026/models.md",
    title="Small models",
    published_at=NOON,
    updated_at=NOON,
    link="https://example.com/small",
    summary="They fit.",
    topics=("AI",),
    quality=71,
    provider=Provider(name="Example", icon="https://example.com/icon.png"),
    images=(Image(url="https://example.com/a.png"),),
)
MESSAGE = compose(ARTICLE, site="Newswire", site_url="https://news.example")
CHANGED: dict[str, object] = {
    "title": "Larger models",
    "link": "https://example.com/large",
    "published_at": NOON + timedelta(days=1),
    "site": "Other",
    "summary": "They do not fit.",
    "provider": "Else",
    "provider_icon": None,
    "topics": ("AI", "Go"),
    "quality": None,
    "image": None,
    "retracted": True,
    "items": (MESSAGE,),
    "group": "AI",
    "mention": Mention(kind=MentionKind.ROLE, id="1"),
    "comment": "Our pick",
    "coverage": (Coverage(name="Courier", link="https://courier.example/1"),),
}


def of(article: Article, *, retracted: bool = False) -> Message:
    return compose(article, site="Newswire", site_url="https://news.example/", retracted=retracted)


def test_a_message_says_what_the_article_says() -> None:
    """Every visible part of the article is in the message."""
    assert (
        Message(
            title="Small models",
            link="https://example.com/small",
            published_at=NOON,
            site="Newswire",
            summary="They fit.",
            provider="Example",
            provider_icon="https://example.com/icon.png",
            topics=("AI",),
            quality=71,
            image="https://example.com/a.png",
            article_id=ARTICLE.id,
            updated_at=NOON,
            labels=("AI",),
        )
        == MESSAGE
    )


@pytest.mark.parametrize("link", [None, "", "javascript:alert(1)", "https://e.example/" + "x" * LINK_LENGTH])
def test_an_article_without_a_usable_link_is_found_at_its_page(link: str | None) -> None:
    """Without a usable web address, the link leads to the article's page on this site."""
    assert of(replace(ARTICLE, link=link)).link == "https://news.example/articles/2026/models%20%26%20more"


def test_the_first_usable_image_is_shown() -> None:
    """An image that no service could fetch is skipped."""
    images = (
        Image(url="/a.png"),
        Image(url="data:image/png;base64,AA"),
        Image(url="http://example.com/b.png"),
    )
    assert of(replace(ARTICLE, images=images)).image == "http://example.com/b.png"


def test_a_title_of_nothing_visible_falls_back_to_the_id() -> None:
    """A post always has a visible title."""
    assert of(replace(ARTICLE, title="\u200b \x00")).title == "2026/models & more"


UNSEEN = {"article_id", "updated_at", "labels", "picture", "text", "language"}


@pytest.mark.parametrize("name", [field.name for field in fields(Message) if field.name not in UNSEEN])
def test_the_fingerprint_changes_with_every_visible_part(name: str) -> None:
    """Each visible difference gives another fingerprint."""
    assert replace(MESSAGE, **{name: CHANGED[name]}).fingerprint() != MESSAGE.fingerprint()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"updated_at": NOON + timedelta(days=9)},
        {"body": "re-encrypted"},
        {"authors": ("Bob",)},
        {"category": "new"},
        {"path": "moved.md"},
        {"title": " Small \u200b models\n"},
        {"published_at": NOON.astimezone(timezone(timedelta(hours=9)))},
        {"published_at": NOON + timedelta(milliseconds=3)},
        {"topics": ("AI", "AI")},
    ],
)
def test_the_fingerprint_ignores_what_nobody_sees(change: dict[str, object]) -> None:
    """A rewrite of the file without a visible change corrects no post."""
    assert of(replace(ARTICLE, **change)).fingerprint() == MESSAGE.fingerprint()  # type: ignore[arg-type]


def test_the_fingerprint_is_the_same_in_every_process_and_release() -> None:
    """Fingerprints are stored for long, so a change of the function would correct every post."""
    assert MESSAGE.fingerprint() == "d87bb303b2025dfa7ff70bc0dbd5ccfe"
    assert len(MESSAGE.fingerprint()) == 32


def test_a_long_summary_is_an_invitation_not_the_article() -> None:
    """A long summary ends at a word, with an ellipsis."""
    summary = of(replace(ARTICLE, summary="word " * 500)).summary
    assert summary.endswith("word…")
    assert SUMMARY_LENGTH - 10 < len(summary) <= SUMMARY_LENGTH


@patient
@given(st.text())
def test_clean_text_is_one_visible_line(text: str) -> None:
    """The text has no controls, surrogates or double spaces, can be encoded, and stays when cleaned again."""
    cleaned = clean(text)
    assert clean(cleaned) == clean(f"{text}  ") == cleaned
    assert not {unicodedata.category(character) for character in cleaned} & {"Cc", "Cs", "Zl", "Zp"}
    assert "  " not in cleaned
    cleaned.encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  b", "a b"),
        (" a ", "a"),
        ("a\u00a0b", "a b"),
        ("a\tb\n", "a b"),
        ("a\u200bb", "ab"),
        ("é “b”", "é “b”"),
    ],
)
def test_white_space_becomes_single_blanks(text: str, expected: str) -> None:
    """Any white space becomes one blank, or nothing at the ends; clean text is unchanged."""
    assert clean(text) == expected


@pytest.mark.parametrize(("text", "length"), [("abc", 3), ("äöü", 3), ("日本", 2), ("👍", 2), ("\ud800", 1)])
def test_lengths_are_counted_in_utf_16(text: str, length: int) -> None:
    """Only characters beyond the basic plane count twice."""
    assert units(text) == length


def test_what_passes_the_quick_check_is_clean() -> None:
    """Of all characters, clean() removes none that it would pass as printable."""
    everything = map(chr, range(sys.maxunicode + 1))
    # A letter after each, as marks in a row are limited.
    passed = "".join(f"{each}a" for each in filter(str.isprintable, everything) if each != " ")
    assert len(passed) > 100_000
    assert clean(f"a{passed}b") == clean(f"a  {passed}b").replace(" ", "", 1) == f"a{passed}b"


@pytest.mark.parametrize(
    "text",
    ["\u00ad", "\u2060\u2060", "\u200e \u200f", "\u3164", "\u2800\u2800", "\ufe0f", "\u0301\u0301",
     "\U000e0041", "\u061c", "\u115f\u1160", " \u00a0 ", "\u034f", "\ue000"],
)  # fmt: skip
def test_a_text_that_nobody_can_see_is_empty(text: str) -> None:
    """A title of only invisible characters, fillers or marks is replaced by the id."""
    assert clean(text) == ""
    assert of(replace(ARTICLE, title=text)).title == "2026/models & more"


def test_marks_are_counted_whatever_their_block() -> None:
    """The quick check for marks misses no mark of Unicode."""
    marks = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == "M"]
    assert [mark for mark in marks if clean("e" + mark * 20) != "e" + mark * MAX_MARKS] == []


def test_marks_are_not_stacked_without_end() -> None:
    """A letter has as many marks as a language may need; hundreds of them are cut."""
    zalgo = "e" + "\u0301" * 400 + "x" + "\u0335\u0336" * 200
    assert clean(zalgo) == "e" + "\u0301" * MAX_MARKS + "x" + "\u0335\u0336" * (MAX_MARKS // 2)
    for text in ("ế tiếng Việt", "בְּרֵאשִׁ֖ית", "ที่นี้", "हिन्दी में", "བརྒྱུད་"):
        assert clean(text) == text


def test_clean_text_keeps_joined_letters_and_emoji() -> None:
    """Joiners that shape letters and emoji are visible and stay."""
    assert clean("می\u200cخواهم 👩\u200d💻") == "می\u200cخواهم 👩\u200d💻"


@patient
@given(st.text(), st.integers(0, 60))
def test_what_is_fitted_fits(text: str, limit: int) -> None:
    """Any text is cut to the limit, and a shortened one ends with an ellipsis."""
    fitted = fit(text, limit)
    assert units(fitted) <= limit
    assert fitted == text or fitted == "" or (fitted[-1] == ELLIPSIS and text.startswith(fitted[:-1]))


@patient
@given(st.text(alphabet="ab &<👍", max_size=80), st.integers(1, 40))
def test_a_cut_is_never_inside_an_escape(text: str, limit: int) -> None:
    """A text is cut before it is escaped, so that the rest reads as its beginning."""
    fitted = fit(text, limit, lambda part: part.replace("&", "&amp;"))
    assert units(fitted) <= limit
    read = fitted.replace("&amp;", "\0").removesuffix(ELLIPSIS)
    assert "&" not in read
    assert text.startswith(read.replace("\0", "&"))


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("one two three", 13, "one two three"),
        ("one two three", 12, "one two…"),
        ("one two three", 9, "one two…"),
        ("one two, three", 10, "one two,…"),
        ("a verylongwordwithoutanyspaces", 20, "a verylongwordwitho…"),
        ("日本語の長い見出しです", 6, "日本語の長…"),
        ("ab👍👍", 5, "ab👍…"),
        ("ab👍👍", 4, "ab…"),
        ("abe\u0301d", 4, "ab…"),
        ("ab👩\u200d💻cd", 5, "ab…"),
        ("ab👍🏽cd", 6, "ab…"),
        ("a🇩🇪🇫🇷bc", 9, "a🇩🇪…"),
        ("a🇩🇪🇫🇷bc", 6, "a🇩🇪…"),
        ("한국어 말", 3, "한국…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
        ("abc", -5, ""),
    ],
)
def test_where_a_text_is_cut(text: str, limit: int, expected: str) -> None:
    """A cut is between words where that costs little, else between visible characters."""
    assert fit(text, limit) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/a?b=c&d=e#f", "https://example.com/a?b=c&d=e#f"),
        ("HTTPS://Example.COM/A", "https://example.com/A"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://example.com", "https://example.com"),
        ("https://example.com?a=b", "https://example.com?a=b"),
        ("https://example.com/a?", "https://example.com/a"),
        ("https://example.com/a#", "https://example.com/a"),
        ("https://example.com/a?b?c", "https://example.com/a?b?c"),
        ("https://example.com/%41%zz?%41", "https://example.com/%41%25zz?%41"),
        ("https://example.com/a\n", "https://example.com/a"),
        ("https://example..com/", None),
        (f"https://{'a' * 64}.com/", None),
        ('https://example.com/a b|c<d>e\\f"g`h', "https://example.com/a%20b%7Cc%3Cd%3Ee%5Cf%22g%60h"),
        ("https://example.com/100%/x%2Fy", "https://example.com/100%25/x%2Fy"),
        ("https://bücher.example/straße?q=ä", "https://xn--bcher-kva.example/stra%C3%9Fe?q=%C3%A4"),
        ("https://example.com/\ud800a", "https://example.com/a"),
        ("//example.com/a", None),
        ("/a", None),
        ("ftp://example.com/a", None),
        ("javascript:alert(1)", None),
        ("https://user:pass@example.com/", None),
        ("https://exa mple.com/", None),
        ("https://example.com:99999/", None),
        ("https://[::1/", None),
        ("https://", None),
        ("", None),
    ],
)
def test_which_addresses_are_used_and_how(url: str, expected: str | None) -> None:
    """Only plain web addresses are used, percent-encoded so that they contain no markup."""
    assert web_url(url, 100) == expected


_hosts = st.one_of(
    st.text("abcxyz019-.", max_size=12),
    st.text(st.characters(categories=("L", "Nd")), max_size=8),
    st.text(max_size=8),
)


@patient
@given(_hosts, st.text())
def test_an_address_is_plain_and_stable(host: str, rest: str) -> None:
    """Any input gives an address without markup that is its own normal form, or none."""
    url = web_url(f"https://{host}.example/{rest}", 500)
    if url is None:
        return
    assert web_url(url, 500) == url
    assert url.isascii()
    assert not set(url) & set(' <>|"`\\\n')


def test_an_address_is_never_cut() -> None:
    """An address that is too long is left out."""
    assert web_url("https://example.com/" + "x" * 81, 100) is None


def test_a_secret_shows_itself_to_nobody() -> None:
    """Printing, formatting, pickling and JSON do not show a secret; only `reveal` does."""
    secret = Secret("https://hooks.example/T/B/token")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>5}", str([secret]), repr([secret])]
    assert not any("token" in text for text in shown)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret.reveal() == "https://hooks.example/T/B/token"


def test_secrets_compare_by_value() -> None:
    """Two secrets of one value are equal, and a copy is the same object."""
    secret = Secret("a")
    assert secret == Secret("a")
    assert secret != Secret("b")
    assert secret != "a"
    assert {secret: 1}[Secret("a")] == 1
    assert copy.copy(secret) is secret
    assert copy.deepcopy(secret) is secret


@pytest.mark.parametrize("text", ["here", "user:U123", "role:1234567890", "group:S0614TZR7"])
def test_a_mention_is_read_as_it_is_written(text: str) -> None:
    """A mention in the settings reads back from the outbox as the same value."""
    assert str(read_mention(text)) == text
    assert read_mention(str(read_mention(text))) == read_mention(f" {text} ")


@pytest.mark.parametrize("text", ["", "all", "here:1", "user", "user:", "role: ", "channel:C1", "User:U1"])
def test_what_is_no_mention_is_refused(text: str) -> None:
    """A mention that would notify nobody is an error in the settings."""
    with pytest.raises(ValueError, match="write here, user:ID"):
        read_mention(text)
