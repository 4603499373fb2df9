"""The contents of a channel's messages: parts, pictures and templates."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import config as configuration
from app import create_app
from bot.services import SERVICES
from bot.services.layout import BadTemplateError, Layout, MessagePart, laid_out, message_for
from bot.services.markdown import escape, formatted
from bot.services.message import Picture
from bot.services.rich import Line, Run, words_of
from bot.services.templates import MAX_OUTPUT, MAX_TEMPLATE, template
from bot.services.text import clean
from tests.bot.world import World, article
from tests.contracts.samples import AWKWARD, MESSAGE
from wiring.channels import channel_of

LOOP = "{% for topic in topics %}"
SAMPLES = sorted((Path(__file__).parents[2] / "templates").glob("*.j2"))
WHOLE = replace(MESSAGE, labels=("AI", "C++"))


def test_quality_is_shown_only_when_asked_for() -> None:
    """Everything but the quality is shown by default; a part that is left out is absent in digests too."""
    usual = laid_out(WHOLE, Layout())
    assert usual == replace(WHOLE, quality=None)
    bare = laid_out(
        replace(WHOLE, items=(WHOLE,)), Layout(picture=None, parts=frozenset({MessagePart.QUALITY}))
    )
    for message in (bare, bare.items[0]):
        assert (message.provider, message.provider_icon, message.topics, message.summary) == (
            None,
            None,
            (),
            "",
        )
        assert (message.image, message.quality, message.labels) == (None, 71, ("AI", "C++"))
    assert laid_out(WHOLE, Layout(picture=Picture.LARGE)).picture is Picture.LARGE


def test_a_program_is_sent_everything() -> None:
    """A layout does not apply to services whose reader is a program."""
    assert message_for(WHOLE, Layout(parts=frozenset()), SERVICES["webhook"]) is WHOLE
    assert message_for(WHOLE, Layout(), SERVICES["slack"]).quality is None


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("mean", AWKWARD.values(), ids=AWKWARD)
def test_the_sample_templates_show_every_article_as_it_is(path: Path, mean: str) -> None:
    """An article's texts never add markup, links or mentions."""
    tried = template(path.read_text(encoding="utf-8"), path.name)
    hostile = replace(WHOLE, title=mean, summary=mean, provider=mean, topics=(mean,))
    text = tried.render(hostile)
    assert {run.link for line in text for run in line.runs} <= {"", WHOLE.link}
    assert {run.bold for line in text for run in line.runs if run.link} == {True}
    assert words_of(text).startswith(" ".join(mean.replace("\x0b", " ").split())[:1])
    bare = replace(hostile, summary="", provider=None, topics=(), quality=None)
    assert "*" not in words_of(tried.render(replace(bare, title="x")))


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=80) | st.text(alphabet="*_~`[]()!<>\\&#-+.1 :@|", max_size=40))
def test_a_value_is_never_markup(text: str) -> None:
    """An escaped value between any two words reads back unchanged, on one line."""
    line = clean(text)
    (tried,) = formatted(f"a {escape(line)} b")
    assert "".join(run.text for run in tried.runs).split() == f"a {line} b".split()
    assert all(run == Run(text=run.text) for run in tried.runs)


def test_the_markdown_of_templates() -> None:
    """Bold, italic, struck text, links, lists and paragraphs are Markdown;

    HTML, pictures and headings are text.
    """
    text = formatted("**a *b*** ~~c~~ [d](https://x.example/e_f)\nnext\n\n- one\n- two\n\n# <b>![x](y)</b>")
    assert text == (
        Line(
            runs=(
                Run(text="a ", bold=True),
                Run(text="b", bold=True, italic=True),
                Run(text=" "),
                Run(text="c", struck=True),
                Run(text=" "),
                Run(text="d", link="https://x.example/e_f"),
            )
        ),
        Line(runs=(Run(text="next"),)),
        Line(runs=(Run(text=" "),)),
        Line(runs=(Run(text="one"),), bullet=True),
        Line(runs=(Run(text="two"),), bullet=True),
        Line(runs=(Run(text=" "),)),
        Line(runs=(Run(text="# <b>!"), Run(text="x"), Run(text="</b>"))),
    )
    assert formatted("[a](javascript:alert) [b](ftp://x.example/)")[0].runs[0].link == ""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ titel }}", "t.j2:1: there is no field titel; there are link, provider"),
        ("\n{{ title.upper() }}", "t.j2:2: a template may not use call"),
        ("{{ title.__class__ }}", "t.j2:1: a template may not use getattr"),
        ("{{ ''['__class__'] }}", "t.j2:1: a template may not use getitem"),
        ("{{ 'a' * 999999999 }}", "t.j2:1: a template may not use mul"),
        ("{% include 'config.yaml' %}", "t.j2:1: a template may not use include"),
        ("{% for x in [1, 2] %}{% endfor %}", "t.j2:1: a loop must be over a field"),
        (
            f"{LOOP}{LOOP}\n{LOOP}" + "{% endfor %}" * 3,
            "t.j2:2: a loop must be over a field, and at most 2",
        ),
        ("{{ title | replace('a', 'b') }}", "t.j2:1: there is no filter replace"),
        ("{{ range(9) }}", "t.j2:1: a template may not use call"),
        ("{{ cycler }}", "t.j2:1: there is no field cycler"),
        ("{% if %}", "t.j2:1: Expected an expression"),
        ("a" * (MAX_TEMPLATE + 1), f"t.j2:1: is longer than {MAX_TEMPLATE} characters"),
    ],
)
def test_a_template_reaches_nothing_but_its_fields(source: str, expected: str) -> None:
    """Anything else is refused, with its line."""
    with pytest.raises(BadTemplateError) as caught:
        template(source, "t.j2")
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("\n\n{% if quality > 3 %}x{% endif %}", "t.j2:3: '>' not supported"),
        ("{% for topic in topics %}" + "x" * 9000 + "{% endfor %}", f"t.j2:1: writes more than {MAX_OUTPUT}"),
        ("{{ published_at | date('" + "%Y" * 40 + "') }}", "t.j2:1: date is a filter for published_at"),
        ("a\n{{ topics | first | length }}", None),
    ],
)
def test_a_template_that_fails_loses_no_message(
    source: str, expected: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The message is posted in its usual form, and the log has the reason."""
    tried = template(source, "t.j2")
    message = replace(WHOLE, quality=None, topics=("a", "b", "c"))
    shown = laid_out(message, Layout(template=tried))
    assert shown.title == message.title
    if expected is None:
        assert words_of(shown.text) == "a\n1"
    else:
        assert shown.text == ()
        assert expected in caplog.text


def test_what_a_template_is_not_for_is_shown_as_usual() -> None:
    """Digests, withdrawn articles, alerts and empty results have the usual form."""
    tried = template("**{{ title }}**, {{ published_at | date('%d.%m.') }}", "t.j2")
    assert words_of(laid_out(WHOLE, Layout(template=tried)).text) == "Small models, 04.03."
    for other in (
        replace(WHOLE, items=(WHOLE,)),
        replace(WHOLE, retracted=True),
        replace(WHOLE, article_id=""),
    ):
        assert laid_out(other, Layout(template=tried)).text == ()
    blank = template("{% if summary == 'never' %}x{% endif %} ", "t.j2")
    assert laid_out(WHOLE, Layout(template=blank)).text == ()


def test_a_layout_changes_no_fingerprint(world: World) -> None:
    """Only a change of the article corrects a message, not a change of the layout."""
    assert laid_out(WHOLE, Layout(template=template("x", "t"))).fingerprint() != WHOLE.fingerprint()
    channel = world.discord()
    bot = world.started(channel)
    world.catalog.put(article("a", quality=90))
    world.tick(bot)
    shown = json.dumps(world.chat.messages()[-1].payload)
    assert "Quality" not in shown
    post = world.post()
    assert post.fingerprint and world.chat.requests[-1].method == "POST"
    again = world.started(replace(channel, layout=Layout(parts=frozenset({MessagePart.QUALITY}))))
    world.clock.advance(minutes=10)
    world.tick(again)
    assert [request.method for request in world.chat.requests] == ["POST"]


def settings_in(folder: Path, layout: str, source: str = "", articles: int = 2) -> configuration.Config:
    """Return the settings of a channel with this layout, beside its template and some articles."""
    (folder / "content").mkdir()
    for number in range(articles):
        (folder / "content" / f"a{number}.md").write_text(
            f"---\ntitle: A{number}\nquality: {'' if number else 80}\n"
            "publishedDateTime: 2026-01-01T00:00:00Z\n---\n"
        )
    (folder / "t.j2").write_text(source)
    file = folder / "config.yaml"
    channel = f"{{name: a, kind: slack, webhook_env: A, layout: {layout}}}"
    file.write_text(f"bot:\n  channels:\n    - {channel}\n    - {channel.replace('name: a', 'name: b')}\n")
    return configuration.load(file, {})


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("{image: huge}", "layout.image: must be 'none', 'thumbnail' or 'large'"),
        ("{show: [titel]}", "layout.show[1]: must be 'provider', 'topics', 'summary' or 'quality'"),
        ("{template: ../t.j2}", "layout.template: write the path of a file beside config.yaml"),
        ("{template: /etc/passwd}", "layout.template: write the path of a file beside config.yaml"),
        ("{shwo: []}", "layout.shwo: is not a known key; did you mean show?"),
    ],
)
def test_a_wrong_layout_has_its_line(tmp_path: Path, layout: str, expected: str) -> None:
    """The error is reported with its line before anything is posted."""
    with pytest.raises(configuration.ConfigError) as caught:
        settings_in(tmp_path, layout)
    assert f"{tmp_path}/config.yaml:3:" in str(caught.value)
    assert expected in str(caught.value)


def test_the_settings_become_a_layout(tmp_path: Path) -> None:
    """The template is read from beside the settings; a bad one stops the channel, with the reason."""
    config = settings_in(tmp_path, "{image: none, show: [quality], template: t.j2}", "*{{ title }}*")
    topics = config.feeds.catalog_topics()
    environ = {"A": "https://hooks.slack.com/services/T0/B0/x"}
    channel, fault = channel_of(config.bot.channels[0], topics, environ, config.site)
    assert fault == ""
    assert channel.layout.picture is None and channel.layout.parts == frozenset({MessagePart.QUALITY})
    assert channel.layout.template is not None
    assert channel.layout.template.render(WHOLE) == (Line(runs=(Run(text="Small models", italic=True),)),)
    (tmp_path / "t.j2").write_text("\n{{ title")
    channel, fault = channel_of(config.bot.channels[0], topics, environ, config.site)
    assert channel.destination is None
    assert f"channel a posts nothing: {tmp_path}/t.j2:2: unexpected end of template" in fault
    assert channel_of(config.bot.channels[0], topics, {}, config.site)[1].startswith(
        f"channel a posts nothing: A is not set in the environment; {tmp_path}/t.j2:2: "
    )
    (tmp_path / "t.j2").unlink()
    assert "there is no such file" in channel_of(config.bot.channels[0], topics, environ, config.site)[1]


def test_config_check_tries_each_template(tmp_path: Path) -> None:
    """Each template is rendered with the newest articles, and errors name template, line and article."""
    config = settings_in(tmp_path, "{template: t.j2}", "{{ title }}\n{% if quality > 70 %}!{% endif %}")
    app = create_app(config, environ={"A": "https://hooks.slack.com/services/T0/B0/x"})
    output = app.test_cli_runner().invoke(args=["config", "check"]).output
    app.extensions["newswire"].catalog.close()
    assert output.count("t.j2:2: '>' not supported") == 1
    assert "for the article a1" in output
    assert "config.yaml:3:" in output
