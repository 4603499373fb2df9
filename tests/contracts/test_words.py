"""What the bot itself says in a message is in the language of the channel, in every service for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.services import Detail, Request
from bot.services.message import Coverage, Message, compose_post, in_language
from tests.bot.world import article
from tests.contracts.case import Case, payload_of, strings
from tests.contracts.kinds import CASES
from tests.contracts.samples import CONTEXT, LONGEST, MESSAGE, SampleTimes
from tests.contracts.test_posts import FOR_PEOPLE, received
from tests.fakechat import registry
from text.language import available
from text.phrases import counted_phrase

OTHERS = tuple(Coverage(name=f"Paper {one}", link=f"https://paper.example/{one}") for one in range(7))
COVERED = replace(MESSAGE, coverage=OTHERS)
ENGLISH = re.compile(
    r"Read article|Topics|Quality|Published|no longer|Also covered|\bmore\b|Digest|Other|Picture|Untitled"
)
GERMAN = {
    "Read article": "Artikel lesen",
    "Topics": "Themen",
    "Quality": "Qualität",
    "Quality 71": "Qualität 71",
    "Published": "Veröffentlicht",
    "Also covered by": "Auch bei",
    "and 2 more": "und 2 weiteren Quellen",
    "[Picture](": "[Bild](",
    "This article is no longer published": "Dieser Artikel ist nicht mehr veröffentlicht",
    "Digest: 2 articles": "Übersicht: 2 Artikel",
    "Other": "Sonstiges",
    "2026-03-04 12:00 UTC": "04.03.2026, 12:00 UTC",
}


def digest(language: str) -> Message:
    """Return a digest of a channel in that language, of articles with a topic and without one."""
    heading = counted_phrase("Digest: %(num)s article", "Digest: %(num)s articles", 2)
    articles = [article("a"), article("b", topics=(), slugs=())]
    found = compose_post(articles, site="News", site_url="https://news.example", heading=heading)
    return in_language(found, language)


def requests(case: Case, language: str) -> Iterator[Request]:
    """Yield the requests in a language: an article and a digest in every detail, and a withdrawn article."""
    gone = replace(COVERED, retracted=True)
    for message in (in_language(COVERED, language), in_language(gone, language), digest(language)):
        for detail in Detail:
            yield case.service.post(case.hook, message, detail, CONTEXT)


def texts(request: Request) -> list[str]:
    """Return the texts of a request, without a mail's headers and without times that clients format."""
    payload = payload_of(request)
    payload.pop("raw", None)
    return [re.sub("<!date[^>]*>", "", text) for text in strings(payload)]


@pytest.mark.parametrize("kind", FOR_PEOPLE)
def test_the_words_of_the_bot_are_in_the_language_of_the_channel(kind: str) -> None:
    """In other languages no word of the bot is in English, and services accept all of them."""
    case = CASES[kind]
    for language in available():
        for request in requests(case, language):
            if kind in registry.SERVICES:
                assert received(kind, request).outcome == "posted"
            found = [text for text in texts(request) if ENGLISH.search(text)]
            assert language == "en" or not found


@pytest.mark.parametrize("kind", FOR_PEOPLE)
def test_each_word_has_its_translation(kind: str) -> None:
    """Every English text of the bot has a German one, and German has no other."""
    case = CASES[kind]
    for one, other in zip(requests(case, "en"), requests(case, "de"), strict=True):
        english, german = ("\n".join(texts(request)) for request in (one, other))
        for word, translated in GERMAN.items():
            assert (word in english) <= (translated in german), (word, german)


@pytest.mark.parametrize("kind", FOR_PEOPLE)
def test_the_longest_message_is_within_the_limits_in_every_language(kind: str) -> None:
    """The limits apply to the sent text, in every language."""
    case = CASES[kind]
    for language in available():
        message = in_language(replace(LONGEST, coverage=OTHERS), language)
        for detail in Detail:
            request = case.service.post(case.hook, message, detail, CONTEXT)
            assert list(case.violations(payload_of(request))) == []


def test_a_preview_in_another_language_shows_the_same_parts() -> None:
    """The preview finds the picture by the text of its link in any language."""
    case = CASES["zulip"]
    for language in available():
        request = case.service.post(case.hook, in_language(MESSAGE, language), context=CONTEXT)
        drawing = case.service.draw(request, SampleTimes())
        assert (drawing.picture, drawing.text) == ("example.com", MESSAGE.summary)


def test_a_change_of_language_is_no_change_of_the_message() -> None:
    """A change of language corrects no earlier message, digests and their groups included."""
    assert len({in_language(COVERED, tag).fingerprint() for tag in available()}) == 1
    assert len({digest(tag).fingerprint() for tag in available()}) == 1
