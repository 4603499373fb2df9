"""The interface in the language of the site: pages, errors, and what feeds say themselves."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from babel import Locale
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from flask.testing import FlaskClient

from app import create_app
from bot.operator import orders, reports
from bot.outbox.causes import Cause, describe
from bot.outbox.states import State
from bot.outbox.wording import time_text
from config import SiteConfig
from feeds.filters import FeedFilter
from tests.pages.messages import TEMPLATES, modules, of_code, texts
from tests.site import URL, ArticleSite
from text import language
from text.language import Language, language_of
from text.language_names import ENGLISH_NAMES
from text.phrases import counted_phrase, explained, joined, phrase

MOMENT = datetime(2026, 11, 20, 13, 15, tzinfo=UTC)
every_language = pytest.mark.parametrize("tag", [tag for tag in language.available() if tag != "en"])


def messages(tag: str) -> Iterator[Message]:
    """Yield the messages of a language's file."""
    with (language.FOLDER / f"{tag}.po").open("rb") as file:
        yield from (message for message in read_po(file) if message.id)


def client(site: ArticleSite, tag: str) -> FlaskClient:
    """Return a client of a site in a language."""
    settings = SiteConfig(title="News", url=URL, id="test", language=tag)
    app = create_app(site.config().model_copy(update={"site": settings}), clock=site.clock, environ={})
    app.extensions["newswire"].indexer.refresh()
    return app.test_client()


@every_language
def test_a_language_has_every_text(tag: str) -> None:
    """No text is missing or superfluous, and none is marked as fuzzy."""
    found = {message.id[0] if isinstance(message.id, tuple) else message.id for message in messages(tag)}
    assert found == texts()
    assert not [message.id for message in messages(tag) if message.fuzzy or not message.string]


def test_templates_have_no_text_that_is_not_translated() -> None:
    """Every word of a page, also for screen readers and scripts, is translated."""
    blocks = re.compile(
        r"{% trans.*?endtrans %}|{% block place %}\w*{% endblock %}|{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL
    )
    spoken = re.compile(
        r'(?:aria-label|placeholder|title|alt|data-(?:other|open|done|copied|selected))="([^"]*)"'
    )
    for file in TEMPLATES.rglob("*.html"):
        rest = blocks.sub("", file.read_text("utf-8"))
        shown = re.sub(r"<script.*?</script>|<[^>]*>", " ", rest, flags=re.DOTALL)
        for same_everywhere in ('dir="auto" lang=""', 'dir="ltr" lang=""', "CSV", "JSON"):
            shown = shown.replace(same_everywhere, "")
        words = [
            shown,
            *spoken.findall(rest),
        ]
        assert not [text for text in words if re.search("[A-Za-z]{2}", text)], file.name


@every_language
def test_a_translation_keeps_what_is_filled_in(tag: str) -> None:
    """A translation has the same placeholders and tags, and no quote that would end an attribute."""
    for message in messages(tag):
        original = message.id if isinstance(message.id, str) else message.id[-1]
        for text in [message.string] if isinstance(message.string, str) else message.string or ():
            for pattern in (r"%\(\w+\)s", r"%%s", r"</?\w+[^>]*>", r'"'):
                assert sorted(re.findall(pattern, str(text))) == sorted(re.findall(pattern, original)), text


def test_german_pages(site: ArticleSite) -> None:
    """Words, plurals, dates and the document's language are German; English articles are marked."""
    site.write("a.md", title="Eins", topics=["KI"], publishedDateTime="2026-05-01T09:00:00Z")
    site.write("b.md", title="One", topics=["KI"], language="en", publishedDateTime="2026-05-02")
    pages = client(site, "de")
    home = pages.get("/").text
    assert '<html lang="de">' in home and "Alles abonnieren" in home and "Aktive Themen" in home
    assert 'lang="en"' in home and "Subscribe" not in home
    topic = pages.get("/topics/ki").text
    assert "2 Einträge" in topic and "KI abonnieren" in topic and "Sa., 2. Mai 2026" in topic
    assert "01.05.2026, 09:00 UTC" in topic
    assert "Keine Ergebnisse für „fehlt“." in pages.get("/search?q=fehlt").text
    assert "Feed erstellen" in pages.get("/build").text
    missing = pages.get("/topics/nothing-like-it")
    assert missing.status_code == 404 and "Thema nicht gefunden" in missing.text


def test_values_are_escaped_in_translated_texts(site: ArticleSite) -> None:
    """Values are escaped in every language."""
    for tag in ("en", "fr"):
        assert "<b>x" not in client(site, tag).get("/search?q=<b>x</b>").text


@pytest.mark.parametrize(
    ("tag", "counts", "written", "number"),
    [
        ("en", ["0 entries", "1 entry", "2 entries"], "20 Nov 2026", "1,200"),
        ("de", ["0 Einträge", "1 Eintrag", "2 Einträge"], "20.11.2026", "1.200"),
        ("fr", ["0 entrée", "1 entrée", "2 entrées"], "20 nov. 2026", "1\u202f200"),
        ("es", ["0 entradas", "1 entrada", "2 entradas"], "20 nov 2026", "1.200"),
        ("ja", ["0 件", "1 件", "2 件"], "2026/11/20", "1,200"),
    ],
)
def test_plurals_dates_and_numbers(tag: str, counts: list[str], written: str, number: str) -> None:
    """Each language has its own forms."""
    found = language_of(tag)
    assert [found.counted(each, "entry", "entries") for each in range(3)] == counts
    assert found.short_date(MOMENT.date()) == written
    assert found.number(1200) == number
    assert "13:15 UTC" in found.exact(MOMENT)


@pytest.mark.parametrize(
    ("tag", "found"),
    [("de-AT", "de-AT"), ("de-QQ", "de"), ("DE", "DE"), ("pt-BR", "en"), ("en-GB", "en"), ("x", "en")],
)
def test_which_language_a_tag_means(tag: str, found: str) -> None:
    """A region has the texts of its language; a language without translations has English pages."""
    assert language_of(tag).tag == found


def test_english_needs_no_babel() -> None:
    """English texts are those of the templates, and dates are in English on every machine."""
    english = Language()
    assert english.gettext("Topics") == "Topics"
    assert english.day_date(date(2026, 11, 20)) == "Fri, 20 Nov 2026"


def test_the_names_of_languages() -> None:
    """In English a table names common languages as CLDR does; an unknown tag stays unchanged."""
    cldr = Locale("en").languages
    assert {tag: cldr[tag] for tag in ENGLISH_NAMES} == ENGLISH_NAMES
    for tag, english, german in (
        ("ja", "Japanese", "Japanisch"),
        ("en-GB", "English (GB)", "Englisch (Vereinigtes Königreich)"),
        ("zh-Hans", "Chinese (Simplified)", "Chinesisch (Vereinfacht)"),
        ("qqq", "qqq", "qqq"),
        ("../x", "../x", "../x"),
    ):
        assert language_of("en").language_name(tag) == english
        assert language_of("de").language_name(tag) == german


def test_code_has_no_text_that_is_not_translated() -> None:
    """An error for readers is a phrase with a literal pattern, which this test finds."""
    errors = {"BadFilterError", "BadRequest", "Forbidden", "NotFound"}
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            first, where = node.args[0], f"{path}:{node.lineno}"
            if node.func.id in errors:
                assert not isinstance(first, ast.Constant | ast.JoinedStr), where
            if node.func.id in ("phrase", "counted_phrase") and path.name != "phrases.py":
                assert not isinstance(first, ast.JoinedStr | ast.BinOp | ast.IfExp), where


def test_texts_are_found_where_they_are_written() -> None:
    """Texts are found in every form that code may use."""
    source = 'phrase("a %(b)s", b=1); x.gettext("c"); joined(phrase("d"), []); countable("e", "f"); g("h")'
    assert sorted(of_code(ast.parse(source))) == ["a %(b)s", "c", "d", "e"]


def test_a_phrase_is_its_english_text_and_more() -> None:
    """A phrase may contain numbers, other phrases, states and lists."""
    waits = counted_phrase("%(num)s delivery waits", "%(num)s deliveries wait", 1200)
    text = joined("; ", [explained(State.HELD, phrase("no quality")), waits])
    assert text == "held: no quality; 1,200 deliveries wait"
    assert Language().translate(text) == text
    assert language_of("de").translate(text) == "zurückgestellt: ohne Qualität; 1.200 Zustellungen warten"
    assert (
        language_of("fr").translate(text) == "retenu\u00a0: sans qualité\u202f; 1\u202f200 envois attendent"
    )
    assert language_of("ja").translate(text) == "保留：品質なし；1,200 件の配信が待っています"
    due = phrase("due %(time)s", time=time_text(MOMENT))
    assert due == "due 2026-11-20 13:15:00Z"
    assert language_of("de").translate(due) == "fällig 20.11.2026, 13:15 UTC"
    assert language_of("de").sentence(orders.WILL_BE_POSTED.text).startswith("Wird im nächsten Lauf")


def test_what_the_outbox_stores_is_said_in_every_language() -> None:
    """A rule's decision is stored in English and translated when it is shown."""
    german = language_of("de")
    assert german.translate(describe(Cause.BELOW_QUALITY, "below quality 50: 40")) == "Qualität unter 50: 40"
    assert german.translate(describe(Cause.TOPIC, "topic not followed: Go")) == "Thema nicht abonniert: Go"
    assert german.translate(describe(Cause.SAME_STORY, covered_by="x")) == "Meldung bereits gesendet: x"
    assert german.translate(describe(Cause.REFUSED, "invalid_payload")) == "invalid_payload"
    assert german.translate(reports.channel_ordered("team", "pause")) == "team ist angehalten"


def test_the_title_of_a_filter() -> None:
    """Feeds by a filter have titles in the language of the site, and in unchanged English."""
    chosen = FeedFilter(topics=("ai", "go"), min_quality=50, words=("x", "y"), excluded=("old",))
    title = chosen.title({"ai": "AI", "go": "Go", "old": "Old"})
    assert title == "AI or Go, quality 50 or more, with “x” or “y”, without Old"
    assert language_of("de").translate(title) == "AI oder Go, ab Qualität 50, mit „x“ oder „y“, ohne Old"
    assert language_of("ja").translate(title) == "AIまたはGo、品質 50 以上、「x」または「y」を含む、Oldを除く"


def test_feeds_in_the_language_of_the_site(site: ArticleSite) -> None:
    """Headings, titles of filters, and reasons of errors are in the language of the site."""
    provider = {"name": "Le Monde", "domain": "lemonde.fr"}
    site.write("a.md", title="Un", topics=["KI"], provider=provider, publishedDateTime="2026-05-01T09:00:00Z")
    french = client(site, "fr")
    (item,) = json.loads(french.get("/feeds/ki.json").text)["items"]
    assert "<p>Source\u00a0: <a" in item["content_html"]
    filtered = json.loads(french.get("/feeds/all.json?word=un").text)
    assert filtered["title"] == "Tous les sujets, avec «\u00a0un\u00a0» – News"
    refused = french.get("/feeds/ki.rss?min_quality=x")
    assert refused.status_code == 400 and "`min_quality` doit être un nombre entier." in refused.text


@pytest.mark.parametrize(
    ("tag", "past"),
    [
        ("en", ["just now", "59 minutes ago", "1 day ago", "soon"]),
        ("de", ["gerade eben", "vor 59 Minuten", "vor 1 Tag", "bald"]),
        ("ja", ["たった今", "59 分前", "1 日前", "まもなく"]),
    ],
)
def test_how_long_ago(tag: str, past: list[str]) -> None:
    """Ages are in whole units, in each language."""
    spans = (timedelta(seconds=59), timedelta(minutes=59.9), timedelta(hours=47), -timedelta(seconds=1))
    assert [language_of(tag).ago(MOMENT - span, MOMENT) for span in spans] == past


def test_numbers_with_fractions() -> None:
    """Fractions are written as charts and durations need them."""
    german = language_of("de")
    assert [german.decimal(2.5), german.decimal(2.0), german.decimal(0.25, 1)] == ["2,5", "2", "0,2"]
    assert [Language().decimal(2.5), Language().percent(0.75)] == ["2.5", "75 %"]
    assert german.percent(0.75) == "75\u00a0%"


@every_language
def test_typography(tag: str) -> None:
    """Quotation marks and spaces before punctuation follow the language."""
    wrong = {
        "de": r"[”«»]|“[^\s.,;:?!)–]",
        "es": r"[“”„]|« | »| [;:?!]",
        "fr": r"[“”„]| [;:?!»]|« |[^\u202f][;?!]|[^\u00a0]:(?:\s|$)",
        "ja": r"[“”«»„]|[ぁ-んァ-ヶ一-龠][,;:!?]",
    }[tag]
    for message in messages(tag):
        strings = [message.string] if isinstance(message.string, str) else message.string or ()
        for text in strings:
            plain = re.sub(r"`[^`]*`|<[^>]*>", "", str(text))
            assert not re.search(wrong, plain), text
