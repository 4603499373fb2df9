"""config.yaml: its settings, and the line and column of each error."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from articles.topics import Topics
from bot.services import SERVICES
from config import Config, ConfigError, load
from wiring.channels import channel_rules

CLAIM = "4:13: feeds.topics[2].name: 'a' and 'A' both claim 'a'"
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a content folder in it."""
    (tmp_path / "content").mkdir()
    return tmp_path


def read(folder: Path, text: str, **environ: str) -> Config:
    """Return the settings of a text."""
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return load(folder / "config.yaml", environ)


def errors(folder: Path, text: str, **environ: str) -> list[str]:
    """Return the errors of a text, a line each, without the file's path."""
    with pytest.raises(ConfigError) as caught:
        read(folder, text, **environ)
    start = f"{folder / 'config.yaml'}:"
    lines = str(caught.value).splitlines()
    assert all(line.startswith(start) for line in lines)
    return [line.removeprefix(start) for line in lines]


def test_an_empty_file_works(folder: Path) -> None:
    """Every key has a default; paths are relative to the file."""
    for text in ("", "# nothing\n", "{}"):
        config = read(folder, text)
        assert config.articles.path == folder / "content"
        assert config.state == folder / "var"
        assert config.feeds.size == 50
        assert config.site.url == "http://localhost:8000"


def test_a_site_without_an_address_is_where_its_server_is(folder: Path) -> None:
    """SITE_URL precedes the file's address, which precedes the server's own."""
    (folder / "config.yaml").write_text("site:\n  title: T\n")
    own = "http://localhost:9000"
    assert load(folder / "config.yaml", {}, own_address=own).site.url == own
    environ = {"SITE_URL": "https://a.example"}
    assert load(folder / "config.yaml", environ, own_address=own).site.url == "https://a.example"
    (folder / "config.yaml").write_text("site:\n  url: https://b.example\n")
    assert load(folder / "config.yaml", {}, own_address=own).site.url == "https://b.example"


def test_the_shipped_file_works() -> None:
    """The shipped file works unchanged, and its comments are correct."""
    config = load(ROOT / "config.yaml", {})
    assert config.articles.path.is_dir()
    assert config.feeds.catalog_topics().of("ML").slug == "ml"


def test_every_key(folder: Path) -> None:
    """All settings of the publisher are read from one file."""
    config = read(
        folder,
        """
site: {title: T, description: D, url: "https://news.example.org/base/", language: pt-BR,
       icon: "https://news.example.org/icon.png", author: A, id: x}
articles: {path: content, include: ["**/*.md", "*.markdown"], exclude: drafts/**}
feeds:
  size: 20
  content: excerpt
  related: 0
  ttl: 90
  topics:
    - {name: AI, slug: artificial, title: T, description: D, aliases: [A.I., ML]}
    - {name: Robots, parent: AI}
  gone: [old]
state: /var/lib/newswire
""",
    )
    assert config.site.url == "https://news.example.org/base"
    assert config.articles.exclude == ("drafts/**",)
    topics = config.feeds.catalog_topics()
    assert [topic.slug for topic in topics.lineage(topics.of("robots"))] == ["robots", "artificial"]
    assert topics.gone == {"old"}
    assert config.state == Path("/var/lib/newswire")


def test_the_environment_comes_first(folder: Path) -> None:
    """SITE_URL and STATE_DIR override the file, also without such a section, unless they are empty."""
    assert read(folder, "", SITE_URL="https://a.example/").site.url == "https://a.example"
    text = "site:\n  url: https://b.example\n  title: T\n"
    assert read(folder, text, SITE_URL="https://a.example").site.title == "T"
    assert read(folder, text, SITE_URL="").site.url == "https://b.example"
    assert read(folder, "state: x\n", STATE_DIR="y").state == folder / "y"
    assert read(folder, "", STATE_DIR="/y").state == Path("/y")
    assert errors(folder, text, SITE_URL="b.example") == [
        "2:8: SITE_URL in the environment: site.url: write a whole address such as https://news.example.org"
    ]


@pytest.mark.parametrize(
    ("feeds", "problem"),
    [
        ("topics: [{name: AI}]\n  gone: [old, ai]", "3:15: feeds.gone[2]: 'AI' is listed under feeds.topics"),
        ("topics: [{name: AI}]\n  gone: ai", "3:9: feeds.gone: 'AI' is listed under feeds.topics"),
        ("gone:\n    - a\n    - ml\n  topics: [{name: AI, aliases: [ML]}]",
         "4:7: feeds.gone[2]: 'ml' is another name of 'ai'"),
        ("gone: [old]\n  topics:\n    - {name: AI, slug: old}", "2:10: feeds.gone[1]: 'AI' is listed"),
        ("gone: [C++]", "2:10: feeds.gone[1]: 'C++' is not the slug of a topic"),
        ("gone: [all]", "2:10: feeds.gone[1]: 'all' is not the slug of a topic"),
    ],
)  # fmt: skip
def test_a_topic_is_listed_or_gone(folder: Path, feeds: str, problem: str) -> None:
    """`gone` has slugs that no listed topic has; each mistake is named at its own line."""
    (found,) = errors(folder, f"feeds:\n  {feeds}\n")
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("sites:\n  title: x\n", ["1:1: sites: is not a known key; did you mean site?"]),
        ("site:\n  titel: x\n", ["2:3: site.titel: is not a known key; did you mean title?"]),
        (
            "articles:\n  folder: x\n",
            ["2:3: articles.folder: is not a known key; known here: base_url, branch, every, exclude,"
             " files, generator, git, guid, include, path, permalink, subdir, token_env, topics_from"],
        ),
        (
            "site:\n  email: Ann <ann@example.org>\n",
            ["2:10: site.email: write only an e-mail address, such as podcast@example.org"],
        ),
        (
            f"articles:\n  files: ['*.csv', {'a' * 501}]\n",
            ["2:20: articles.files[2]: is longer than 500 characters"],
        ),
        ("site:\n  title: ''\n", ["2:10: site.title: must not be empty"]),
        ("site:\n  title: [a]\n", ["2:3: site.title: must be text: put it in quotes"]),
        ("site: x\n", ["1:7: site: must be `key: value` lines, indented below it"]),
        ("site:\n", ["1:6: site: must be `key: value` lines, indented below it"]),
        (
            "site:\n  url: news.example.org\n",
            ["2:8: site.url: write a whole address such as https://news.example.org"],
        ),
        (
            "site:\n  url: https://a.example/?x\n",
            ["2:8: site.url: write a whole address such as https://news.example.org"],
        ),
        ("site:\n  language: german\n", ["2:13: site.language: write a language tag such as en or pt-BR"]),
        ("site:\n  language: English, please\n",
         ["2:13: site.language: write a language tag such as en or pt-BR"]),
        ("feeds:\n  size: many\n",
         ["2:9: feeds.size: must be a whole number"]),
        ("feeds:\n  size: 0\n", ["2:9: feeds.size: must be greater than or equal to 1"]),
        ("feeds:\n  size: 1001\n", ["2:9: feeds.size: must be less than or equal to 1000"]),
        ("feeds:\n  content: most\n", ["2:12: feeds.content: must be 'full' or 'excerpt'"]),
        ("feeds:\n  topics:\n    - slug: x\n", ["3:7: feeds.topics[1].name: is missing"]),
        (
            "feeds:\n  topics:\n    - name: A\n    - name: B\n      slug: B b\n",
            ["5:13: feeds.topics[2].slug: 'B b' cannot be an address: 'b-b' could"],
        ),
        ("feeds:\n  topics:\n    - name: All\n      slug: all\n",
         ["4:13: feeds.topics[1].slug: 'all' cannot be an address: 'all-"]),
        ("feeds:\n  topics:\n    - name: A\n    - name: a\n", [CLAIM]),
        (
            "feeds:\n  topics:\n    - name: A\n      parent: B\n",
            ["4:15: feeds.topics[1].parent: the parent 'B' of 'A' is not a listed topic"],
        ),
        (
            "feeds:\n  topics:\n    - name: A\n    - name: A\n",
            ["4:13: feeds.topics[2].name: 'A' is listed twice: remove one"],
        ),
        (
            "site:\n  timezone: Paris\n",
            [
                "2:13: site.timezone: write a time zone such as Europe/Paris or UTC; "
                "did you mean Europe/Paris?"
            ],
        ),
        ("site:\n  title:X\n  id: x\n", ["2:9: put a space after `title:`"]),
        ("site\n  title: x\n", ["1:5: put a colon after `site`"]),
        (
            "articles:\n  path: config.yaml\n",
            ["2:9: articles.path: FOLDER/config.yaml is not a folder: write the path of another"],
        ),
        ("feeds:\n  topics: x\n", ["2:11: feeds.topics: must be a list: [a, b], or lines with a hyphen"]),
        ("bot:\n  every: soon\n", ["2:10: bot.every: write a time such as 60 seconds, 5 minutes or 7 days"]),
        ("bot:\n  every: 0 s\n", ["2:10: bot.every: write a time such as 60 seconds, 5 minutes or 7 days"]),
        (
            f"bot:\n  every: {'9' * 400} days\n",
            ["2:10: bot.every: is too long: write a time such as 7 days"],
        ),
        ("a: 1\na: 2\n", ["2:1: a: is set twice: remove one"]),
        ("site:\n  title: x\n  title: y\n", ["3:3: site.title: is set twice: remove one"]),
        ("site:\n  title: [x\n", ["3:1: did not find expected ',' or ']'"]),
        ("site:\n  title: a: b\n", ["2:11: put the title in quotes, because a colon and a space are in it"]),
        ("site:\n  title:a\n", ["2:3: site: put a space after `title:`"]),
        ("state: 4\n", ["1:8: state: must be a path: put it in quotes"]),
        ("site:\n\ttitle: a\n", ["2:1: use spaces instead of the tab"]),
        ("site:\n  title: a\n\turl: b\n", ["3:1: use spaces instead of the tab"]),
        (
            "site:\n  title: a\n   url: b\n",
            ["3:7: indent this line as those around it, or put the value above it in quotes"],
        ),
        (
            "articles:\n  include: **/*.md\n",
            ["2:13: put the value in quotes, because of its first character"],
        ),
        ("- a\n", ["1:1: must be `key: value` lines, such as `site:`"]),
        ("text\n", ["1:1: must be `key: value` lines, such as `site:`"]),
        ("? [a]\n: b\n", ["1:3: "]),
        ("site: &a [*a]\n", ["1:11: an alias is inside the value that it names"]),
        ("site: !!timestamp soon\n", ["1:7: a value cannot be read"]),
        ("site: *nobody\n", ["1:7: put the value in quotes, because of its first character"]),
        ("x: " + "[" * 5000 + "\n", ["1:67: nested more than 64 levels deep"]),
        (
            "articles:\n  path: /.\n",
            [
                "2:9: articles.path: all files of this machine would be read: "
                "write the folder of the articles"
            ],
        ),
        (
            "articles:\n  path: nowhere\n",
            [
                "2:9: articles.path: there is no folder FOLDER/nowhere: "
                "create it, or write the path of another"
            ],
        ),
    ],
)  # fmt: skip
def test_every_error_says_where_it_is(folder: Path, text: str, lines: list[str]) -> None:
    """An error has line, column, key, what is wrong and what would be right."""
    found = errors(folder, text)
    assert len(found) == len(lines)
    for line, start in zip(found, lines, strict=True):
        assert line.startswith(start.replace("FOLDER", str(folder)))


def test_all_errors_are_reported_in_one_run(folder: Path) -> None:
    """All errors are reported in the order of the file."""
    text = "feeds:\n  size: x\n  ttl: 0\nsite:\n  titel: x\n  url: x\nstat: x\n"
    assert [line.partition(": ")[0] for line in errors(folder, text)] == ["2:9", "3:8", "5:3", "6:8", "7:1"]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a folder, or text that is not UTF-8 gives one line."""
    cases = {
        "missing.yaml": "1:1: cannot be read: No such file or directory",
        "folder": "1:1: cannot be read: Is a directory",
        "latin.yaml": "2:1: is not UTF-8: save the file in that encoding",
    }
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.yaml").write_bytes(b"site:\n  title: caf\xe9\n")
    for name, reason in cases.items():
        with pytest.raises(ConfigError) as caught:
            load(tmp_path / name, {})
        assert str(caught.value) == f"{tmp_path / name}:{reason}"


def test_times_are_written_as_people_do(folder: Path) -> None:
    """A unit may be a letter or a word; a number without a unit is in seconds."""
    for text, seconds in {
        "90": 90,
        "90s": 90,
        "1.5 minutes": 90,
        "2h": 7200,
        "1 day": 86400,
        "2 weeks": 1209600,
    }.items():
        assert read(folder, f"bot:\n  every: {text}\n").bot.every == timedelta(seconds=seconds)


KINDS = ", ".join(sorted(SERVICES))
CHANNEL = "bot:\n  channels:\n    - {name: a, kind: slack, webhook_env: A}\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("    - {name: b, kind: slak, webhook_env: B}\n",
         "4:23: bot.channels[2].kind: is not a known kind of service; did you mean slack?"),
        ("    - {name: b, kind: fax, webhook_env: B}\n",
         f"4:23: bot.channels[2].kind: is not a known kind of service; known here: {KINDS}"),
        ("    - {name: b, webhook_env: B}\n", f"4:7: bot.channels[2].kind: is missing; known here: {KINDS}"),
        ("    - {name: a, kind: slack, webhook_env: B}\n",
         "4:14: bot.channels[2].name: another channel is called a too: give each its own name"),
        ("    - {name: b, kind: slack}\n",
         "4:7: bot.channels[2]: write webhook_env, or token_env with channel: one of the two"),
        ("    - {name: b, kind: slack, webhook_env: a b}\n",
         "4:43: bot.channels[2].webhook_env: write the name of an environment variable, such as SLACK_AI"),
        ("    - {name: b, kind: slack, webhook_env: B, max_aeg: 3 days}\n",
         "4:46: bot.channels[2].max_aeg: is not a known key; did you mean max_age?"),
        ("    - {name: b, kind: slack, webhok_env: B}\n",
         "4:30: bot.channels[2].webhok_env: is not a known key; did you mean webhook_env?"),
        ("    - {name: b, kind: slack, webhook_env: B, types: {exclud: x}}\n",
         "4:54: bot.channels[2].types.exclud: is not a known key; did you mean exclude?"),
        ("    - {name: b, was: a, kind: slack, webhook_env: B}\n",
         "4:22: bot.channels[2].was: a is still the name of a channel, so no other channel can have had it"),
        ("  alerts: aa\n", "4:11: bot.alerts: there is no channel aa; did you mean a?"),
        ("  alerts: xyz\n", "4:11: bot.alerts: there is no channel xyz; there are: a"),
        ("  keep: 1 day\n", "4:9: bot.keep: write at least 7 days: messages are corrected for that long"),
        ("  proxy: proxy.example\n",
         "4:10: bot.proxy: write an address such as http://proxy.example.org:3128, or off"),
        ("  proxy: http://me:s3cret@proxy.example\n",
         "4:10: bot.proxy: has a password: set HTTPS_PROXY in the environment instead"),
    ],
)  # fmt: skip
def test_every_error_of_the_bots_says_where_it_is(folder: Path, text: str, line: str) -> None:
    """A channel's settings are those of its service, and the bot's refer to existing things."""
    found = errors(folder, CHANNEL + text)
    assert line in found
    assert "s3cret" not in "".join(found)


def test_the_bots_settings(folder: Path) -> None:
    """The defaults and their alternatives are read; paths are relative to the file."""
    bot = read(folder, CHANNEL).bot
    assert (bot.proxy, bot.ca_file, bot.alerts, bot.keep) == (None, None, None, timedelta(days=180))
    text = "  proxy: off\n  ca_file: ca.pem\n  alerts: a\n  keep: 30 days\n"
    bot = read(folder, CHANNEL.replace("name: a,", "name: a, was: b,") + text).bot
    assert (bot.proxy, bot.ca_file, bot.alerts, bot.keep) == ("", folder / "ca.pem", "a", timedelta(days=30))
    (channel,) = bot.channels
    assert (channel.was, channel.secret_variables(), channel.options()) == ("b", {"webhook": "A"}, {})
    assert read(folder, "bot:\n  proxy: http://proxy.example:3128\n").bot.proxy == "http://proxy.example:3128"


_known = st.sampled_from(
    ["site", "articles", "feeds", "bot", "state", "title", "url", "language", "icon", "author", "id", "path",
     "include", "exclude", "git", "branch", "subdir", "every", "size", "content", "related", "ttl", "topics",
     "gone", "name", "slug", "aliases", "parent", "channels", "kind", "webhook_env", "min_quality", "types",
     "max_age", "on_unknown"]
)  # fmt: skip
_scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates()
    | st.sampled_from(["AI", "off", "all", "7 days", "https://a.example/", "slack", "**/*.md", "content"])
)  # fmt: skip
_trees = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_known | _scalars, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_known, _trees, max_size=4), st.sampled_from(["", "https://a.example", "x", "\0"]))
@settings(max_examples=300, deadline=None)
def test_any_settings_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, tree: Any, url: str
) -> None:
    """Any settings are read, or give problems with a line and a column of the file."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "content").mkdir(exist_ok=True)
    _check(folder, yaml.safe_dump(tree, allow_unicode=True), url)


@given(st.text(alphabet=st.sampled_from("sitefdur:-[]{}&*!?|>#'\"\n\t ,0%@`\x85\ufeff"), max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Any text is read, or gives problems with a line and a column of the file."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "content").mkdir(exist_ok=True)
    _check(folder, text, "")


def _check(folder: Path, text: str, url: str) -> None:
    file = folder / f"config-{os.getpid()}.yaml"
    file.write_bytes(text.encode())
    try:
        load(file, {"SITE_URL": url})
    except ConfigError as error:
        lines = text.count("\n") + text.count("\x85") + 2
        found = [
            (1 <= problem.line <= lines, problem.column >= 1, problem.message) for problem in error.problems
        ]
    else:
        found = [(True, True, "fine")]
    assert found
    assert all(line and column and message for line, column, message in found)


@pytest.mark.parametrize(
    ("hub", "reason"),
    [
        ("http://hub.example.org/", "https"),
        ("hub.example.org", "whole address"),
        ("https://h.example/#a", "whole"),
    ],
)
def test_a_hub_has_a_whole_address(tmp_path: Path, hub: str, reason: str) -> None:
    """The address must be https, except on this machine; the error has its line."""
    file = tmp_path / "config.yaml"
    file.write_text(f"feeds:\n  hubs:\n    - https://one.example/\n    - {hub}\n")
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert "config.yaml:4:" in str(caught.value) and reason in str(caught.value)


def test_the_language_of_a_channels_own_words(folder: Path) -> None:
    """It is the site's unless the channel has its own; one without translations is an error."""
    text = "site: {language: de-AT}\nbot:\n  channels:\n    - {name: a, kind: slack, webhook_env: A%s}\n"

    def language(own: str) -> str:
        config = read(folder, text % own)
        return channel_rules(config.bot.channels[0], Topics(()), config.site).language

    assert [language(own) for own in ("", ", language: fr", ", language: en-GB")] == ["de-AT", "fr", "en-GB"]
    (error,) = errors(folder, text % ", language: pt")
    assert error.endswith("language: has no translations; there are de, en, es, fr, ja")
