"""The readers' pages in the language of the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from flask.testing import FlaskClient
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from app import create_app
from config import SiteConfig
from pages import language, routes, subscribe
from pages.language import Language, language_of
from tests.site import URL, ArticleSite

TEMPLATES = Path(routes.__file__).parent / "templates"
MOMENT = datetime(2026, 11, 20, 13, 15, tzinfo=UTC)
every_language = pytest.mark.parametrize("tag", [tag for tag in language.available() if tag != "en"])


def texts() -> set[str]:
    """Return every text that is translated: of the templates, and of the pages for errors."""
    environment = Environment(
        extensions=["jinja2.ext.i18n"], autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    found = {subscribe.ON_THIS_DEVICE}
    for file in TEMPLATES.glob("*.html"):
        source = file.read_text("utf-8")
        for *_, text in extract_from_ast(environment.parse(source), ["_", "gettext"]):
            found.add(text if isinstance(text, str) else str((text or ("",))[0]))
        found |= {f"%(num)s {noun}" for noun in re.findall(r'\| (?:counted|noun)\("(\w+)"', source)}
    code = Path(routes.__file__).read_text("utf-8")
    found |= set(re.findall(r'NotFound\("([^"]*)"\)', code)) | set(routes._TITLES.values())
    for title, text in re.findall(r'page\(\d+, "([^"]*)"(?:, "([^"]*)")?', code):
        found |= {title, text} - {""}
    return found


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
    """No text is missing, none is left over, and none is marked as uncertain."""
    found = {message.id[0] if isinstance(message.id, tuple) else message.id for message in messages(tag)}
    assert found == texts()
    assert not [message.id for message in messages(tag) if message.fuzzy or not message.string]


def test_templates_have_no_text_that_is_not_translated() -> None:
    """Every word of a page, and of what screen readers and scripts say, goes through the translations."""
    blocks = re.compile(
        r"{% trans.*?endtrans %}|{% block place %}\w*{% endblock %}|{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL
    )
    spoken = re.compile(
        r'(?:aria-label|placeholder|title|alt|data-(?:other|open|done|copied|selected))="([^"]*)"'
    )
    for file in TEMPLATES.glob("*.html"):
        rest = blocks.sub("", file.read_text("utf-8"))
        shown = re.sub(r"<script.*?</script>|<[^>]*>", " ", rest, flags=re.DOTALL)
        words = [
            shown.replace('dir="auto" lang=""', "").replace('dir="ltr" lang=""', ""),
            *spoken.findall(rest),
        ]
        assert not [text for text in words if re.search("[A-Za-z]{2}", text)], file.name


@every_language
def test_a_translation_keeps_what_is_filled_in(tag: str) -> None:
    """The same placeholders and the same tags, and no quote that would end an attribute."""
    for message in messages(tag):
        original = message.id if isinstance(message.id, str) else message.id[-1]
        for text in [message.string] if isinstance(message.string, str) else message.string or ():
            for pattern in (r"%\(\w+\)s", r"%%s", r"</?\w+[^>]*>", r'"'):
                assert sorted(re.findall(pattern, str(text))) == sorted(re.findall(pattern, original)), text


def test_german_pages(site: ArticleSite) -> None:
    """Words, plurals, dates and the language of the document; an English article says that it is English."""
    site.write("a.md", title="Eins", topics=["KI"], publishedDateTime="2026-05-01T09:00:00Z")
    site.write("b.md", title="One", topics=["KI"], language="en", publishedDateTime="2026-05-02")
    pages = client(site, "de")
    home = pages.get("/").text
    assert '<html lang="de">' in home and "Alles abonnieren" in home and "Aktive Themen" in home
    assert 'lang="en"' in home and "Subscribe" not in home
    topic = pages.get("/topics/ki").text
    assert "2 Einträge" in topic and "KI abonnieren" in topic and "Samstag, 2. Mai 2026" in topic
    assert "01.05.2026, 09:00 UTC" in topic
    assert "Keine Ergebnisse für „fehlt“." in pages.get("/search?q=fehlt").text
    assert "Feed zusammenstellen" in pages.get("/build").text
    missing = pages.get("/topics/nothing-like-it")
    assert missing.status_code == 404 and "Thema nicht gefunden" in missing.text


def test_values_are_escaped_in_translated_texts(site: ArticleSite) -> None:
    """What is filled in stays text, in every language."""
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
    """The texts are those of the templates, and dates are in English on every machine."""
    english = Language()
    assert english.gettext("Topics") == "Topics"
    assert english.long_date(date(2026, 11, 20)) == "Friday, 20 November 2026"
