"""The commands, as an operator starts them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import config as configuration
from app import create_app
from ops.version import version
from tests.commands import Command, Done, run_here, run_process
from tests.site import ArticleSite, front_matter, put


@pytest.fixture
def environ(site: ArticleSite) -> dict[str, str]:
    """The environment in which commands find the site, which has a config file."""
    config = site.home / "config.yaml"
    config.write_text("site: {url: https://news.example.org}\nstate: state\n")
    return {"NEWSWIRE_CONFIG": str(config)}


@pytest.fixture
def flask(environ: dict[str, str]) -> Command:
    """Runs `flask` with these arguments over the site."""

    def run(*arguments: str) -> Done:
        config = configuration.load(Path(environ["NEWSWIRE_CONFIG"]), environ)
        return run_here(config, environ, *arguments)

    return run


def test_check_lists_every_bad_file_and_counts_the_others(flask: Command, site: ArticleSite) -> None:
    """`flask articles check` prints path:line: reason and counts by topic and quality, and ends with 1."""
    site.write("a.md", topics=["Go"], quality=85)
    site.write("b.md", topics=["Go", "C"], quality=10)
    site.write("c.md", published=False)
    site.write("sub/bad.md", title=None)
    site.write("same.md", id="a")
    done = flask("articles", "check")
    assert done.exit_code == 1, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "same.md:1: its id 'a' belongs to a.md",
        "sub/bad.md:1: title: is missing",
        "3 good articles, 2 of them published",
        "       1  not published: published: is false",
        "by topic:",
        "       1  C",
        "       2  Go",
        "by quality:",
        "       1  80 and more",
        "       0  60 to 79",
        "       0  40 to 59",
        "       1  below 40",
        "       0  none",
    ]


def test_check_reads_another_folder_with_the_same_settings(flask: Command, site: ArticleSite) -> None:
    """--content checks a branch's articles without its settings, and leaves the catalog and folder alone."""
    site.write("here.md")
    branch = site.home / "branch"
    put(branch / "good.md", front_matter(topics=["Go"]))
    put(branch / "bad.md", front_matter(title=None))
    done = flask("articles", "check", "--content", str(branch))
    assert done.exit_code == 1
    assert done.stdout.startswith("bad.md:1: title: is missing\n1 ")
    assert "here" not in done.stdout
    assert not list((site.home / "state").glob("catalog-*"))
    (branch / "bad.md").unlink()
    assert flask("articles", "check", "--content", str(branch)).exit_code == 0
    (site.home / "link").symlink_to(branch)
    assert flask("articles", "check", "--content", str(site.home / "link")).exit_code == 2


def test_check_is_quiet_about_good_files(flask: Command, site: ArticleSite) -> None:
    """The status is 0, and only `--strict` checks related coverage."""
    site.write("a.md", related=[{"title": 5}])
    assert flask("articles", "check").exit_code == 0
    strict = flask("articles", "check", "--strict")
    assert strict.exit_code == 1
    assert strict.stdout.startswith(
        "a.md:5: related[1].title: must be text, not a number: put it in quotes\n0 good articles, 0 of them"
    )


def test_a_strict_check_names_each_fault_once(flask: Command, site: ArticleSite) -> None:
    """What `--strict` refuses is no warning as well, and the article does not count as good."""
    site.write("a.md")
    site.write("b.md", quality="high")
    fault = "b.md:4: warning: quality: must be a whole number, not text"
    assert fault in flask("articles", "check").stdout.splitlines()
    lines = flask("articles", "check", "--strict").stdout.splitlines()
    assert lines[:2] == [fault.replace("warning: ", ""), "1 good article, 1 of them published"]
    assert fault not in lines


def test_check_says_what_is_not_read_and_where_articles_lead(flask: Command, site: ArticleSite) -> None:
    """The check shows unread extensions, the generator, addresses, warnings and unknown templates."""
    (site.home / "_config.yml").write_text("title: Blog\n")
    for number in range(4):
        site.raw(f"_posts/2026-01-0{number + 1}-name.md", "---\nimage: 'javascript:x'\n---\n{% odd %}\n")
    site.raw("notes.adoc", "= Notes")
    site.raw("a.rst", "x")
    site.raw("b.rst", "x")
    site.raw("logo.png", "x")
    lines = flask("articles", "check").stdout.splitlines()
    assert "this looks like Jekyll: set articles.generator: jekyll" in lines
    config = site.home / "config.yaml"
    config.write_text("articles: {generator: jekyll, base_url: 'https://blog.example'}\nstate: state\n")
    done = flask("articles", "check")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[:12] == [
        *(
            f"_posts/2026-01-0{number}-name.md:2: warning: image.url: must be a whole http:// or https://"
            " address"
            for number in range(1, 5)
        ),
        "4 good articles, 4 of them published",
        "2 .rst files are not read: reStructuredText is not supported",
        "1 .adoc file is not read",
        "unknown template odd in 4 files: left out, with the text in it shown",
        "first addresses:",
        "  https://blog.example/2026/01/04/name.html  _posts/2026-01-04-name.md",
        "  https://blog.example/2026/01/03/name.html  _posts/2026-01-03-name.md",
        "  https://blog.example/2026/01/02/name.html  _posts/2026-01-02-name.md",
    ]
    assert flask("articles", "check", "--strict").exit_code == 1


def test_a_folder_without_articles_is_a_fault_if_it_has_files(flask: Command, site: ArticleSite) -> None:
    """A check without articles ends with 1 where there are files, and with 0 in an empty folder."""
    assert flask("articles", "check").exit_code == 0
    site.raw("a.adoc", "= A")
    done = flask("articles", "check")
    assert done.exit_code == 1
    assert "no article was found among 1 file" in done.stdout.splitlines()
    site.delete("a.adoc")
    site.raw("a.md", "Text")
    assert flask("articles", "check").exit_code == 1


def test_the_list_of_feeds(flask: Command, site: ArticleSite) -> None:
    """`flask feeds list` prints a header and a line each: count, newest date, name and addresses."""
    site.write("a.md", topics=["C++"], publishedDateTime="2026-01-02")
    site.write("bad.md", title=None)
    done = flask("feeds", "list")
    assert done.exit_code == 0
    assert done.stderr == "left out bad.md:1: title: is missing\n"
    assert done.stdout == (
        "articles  newest      topic  feeds\n"
        "       1  2026-01-02  C++    https://news.example.org/feeds/c-plus-plus.{rss,atom,json}\n"
    )


def test_the_export(flask: Command, environ: dict[str, str], site: ArticleSite) -> None:
    """`flask feeds export DIR` writes every feed, and only what changed the next time."""
    site.write("a.md", topics=["C++"])
    folder = site.home / "out"
    assert (
        run_process(environ, "feeds", "export", str(folder)).stdout == "7 written, 0 unchanged, 0 removed\n"
    )
    assert flask("feeds", "export", str(folder)).stdout == "0 written, 7 unchanged, 0 removed\n"
    assert (folder / "feeds" / "c-plus-plus.atom").exists()
    as_json = flask("feeds", "export", str(folder), "--json").stdout
    assert json.loads(as_json) == {"written": 0, "unchanged": 7, "removed": 0}
    refused = flask("feeds", "export", str(site.home / "config.yaml"))
    assert refused.exit_code != 0


@pytest.mark.parametrize("group", ["feeds", "site"])
def test_no_export_goes_into_the_folder_of_articles(flask: Command, site: ArticleSite, group: str) -> None:
    """Nothing is written to the folder of articles, where only people write."""
    before = sorted(site.root.rglob("*"))
    refused = flask(group, "export", f"{site.root}/")
    assert refused.exit_code == 1
    assert refused.stderr == f"Error: {site.root} is the folder of the articles: export into another one\n"
    assert sorted(site.root.rglob("*")) == before


@pytest.mark.parametrize("arguments", [("articles", "check"), ("feeds", "list"), ("feeds", "export", "x")])
def test_a_bad_config_ends_every_command(
    environ: dict[str, str], site: ArticleSite, arguments: tuple[str, ...]
) -> None:
    """Each process ends with status 2 and prints only a line for each problem."""
    config = site.home / "config.yaml"
    config.write_text("feeds:\n  size: 0\nstat: x\n")
    done = run_process(environ, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        f"{config}:2:9: feeds.size: must be greater than or equal to 1\n"
        f"{config}:3:1: stat: is not a known key; did you mean state?\n"
    )


def test_a_state_folder_that_cannot_be_created(environ: dict[str, str], site: ArticleSite) -> None:
    """The status is 2, with one line instead of a traceback."""
    (site.home / "state").write_text("a file")
    done = run_process(environ, "articles", "check")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"the state folder {site.home / 'state'} cannot be created: File exists\n"


@pytest.mark.parametrize("group", ["articles", "bot", "config", "db", "feeds"])
def test_the_list_of_commands_fits_a_terminal(flask: Command, group: str) -> None:
    """The line of each command has its whole description within 80 columns."""
    listed = flask(group, "--help").stdout.partition("Commands:\n")[2].splitlines()
    assert listed
    assert [line for line in listed if line.endswith("...") or len(line) > 80] == []


def test_the_version(flask: Command) -> None:
    """`flask version` shows the versions of Newswire, Python and the libraries."""
    lines = flask("version").stdout.splitlines()
    assert lines[0] == f"Newswire {version()}"
    assert lines[1].startswith("python 3.")
    assert json.loads(flask("version", "--json").stdout)["newswire"] == version()


def test_a_missing_content_folder_ends_every_command(environ: dict[str, str], site: ArticleSite) -> None:
    """Each process ends with status 2 and says where the folder is named, or would be."""
    site.root.rmdir()
    config = site.home / "config.yaml"
    done = run_process(environ, "articles", "check")
    assert (done.exit_code, done.stdout) == (2, "")
    advice = "create it, or write the path of another"
    assert done.stderr == f"{config}:1:1: articles.path: there is no folder {site.root}: {advice}\n"
    config.write_text("articles:\n  path: content\n")
    assert run_process(environ, "feeds", "list").stderr.startswith(
        f"{config}:2:9: articles.path: there is no folder"
    )


@pytest.mark.parametrize(
    "arguments",
    [["articles", "check"], ["feeds", "list"], ["config", "check"], ["site", "export", "out"]],
    ids=" ".join,
)
def test_a_catalog_that_cannot_be_opened_is_one_line(
    flask: Command, site: ArticleSite, arguments: list[str]
) -> None:
    """A full disk, a missing right or any other fault of a file in the state folder gives no traceback."""
    flask("articles", "check")
    (catalog,) = (site.home / "state").glob("catalog-*.sqlite")
    catalog.unlink()
    catalog.mkdir()
    done = flask(*arguments)
    assert (done.exit_code, done.stderr) == (1, "Error: the catalog: unable to open database file\n")


def test_flasks_own_server_shows_the_articles(
    environ: dict[str, str], site: ArticleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`flask run` reads the articles when it starts, and keeps reading them."""
    site.write("a.md", title="Shown")
    monkeypatch.setattr(sys, "argv", ["/venv/bin/flask", "run", "--port", "8001"])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # which is restored afterwards
    app = create_app(environ=environ)
    watcher = app.extensions["newswire"].watcher
    try:
        assert "Shown" in app.test_client().get("/feeds/all.rss").text
        assert watcher._thread.is_alive()
    finally:
        watcher.stop()
