"""`flask init FOLDER`: writes a config.yaml for a folder or a git repository of articles."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from articles.detection import NAMES
from articles.errors import ArticlesError
from articles.files.checkout import Checkout, Repository
from articles.files.git import GitError, checked_address
from articles.project import Project, examine
from text.printable import print_line
from text.terminal import CommandError


def init_command(output: Path, clock: Callable[[], datetime]) -> click.Command:
    """Return the command, which writes to `output` by default."""

    @click.command("init", short_help="Write a config file for a folder or repository of articles.")
    @click.argument("folder", default=".")
    @click.option(
        "--output", "-o", "chosen", type=click.Path(path_type=Path), help=f"Write here. [{output.name}]"
    )
    @click.option("--force", is_flag=True, help="Replace an existing config file.")
    def init(folder: str, chosen: Path | None, force: bool) -> None:
        """Examine FOLDER, or the git repository at this address, and write a config file for it."""
        target = chosen or output
        if target.is_dir():
            raise CommandError(f"{target} is a folder: name a file in it with --output")
        if target.exists() and not force:
            raise CommandError(
                f"{target} exists: replace it with --force, or name another file with --output"
            )
        if "://" in folder or folder.startswith("git@"):
            project, source = _of_repository(folder, clock)
        else:
            root = Path(folder)
            if not root.is_dir():
                raise CommandError(
                    f"{folder} is not a folder" if root.exists() else f"there is no folder {folder}"
                )
            project = _examined(root, clock)
            source = [f"path: {_quoted(_relative(project.articles, target.parent))}"]
        for line in (summary(project), *remarks(project)):
            print_line(line)
        lines = "".join(f"{line}\n" for line in config_lines(project, source))
        try:
            target.write_text(lines, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror}") from None
        prefix = "" if chosen is None else f"NEWSWIRE_CONFIG={shlex.quote(str(target.absolute()))} "
        print_line(f"wrote {target}; check the articles with: {prefix}flask articles check")

    return init


def summary(project: Project) -> str:
    """Return the results in one line, such as "Jekyll, 172 published posts, topics from categories"."""
    name = project.program.name if project.program else NAMES.get(project.generator, "Newswire's own format")
    parts = [name, f"{project.published:,} published {'post' if project.published == 1 else 'posts'}"]
    if project.unpublished:
        parts.append(f"{project.unpublished:,} not published")
    if project.bad:
        parts.append(f"{project.bad:,} that cannot be read")
    if project.dated_by_name:
        parts.append("dates from file names")
    if project.topic_keys:
        parts.append(f"topics from {', '.join(project.topic_keys)}")
    return ", ".join(parts)


def remarks(project: Project) -> Iterator[str]:
    """Yield further remarks about the project, one line each."""
    if project.program:
        yield project.program.note
    if project.generator != "plain" and project.published and not project.base_url:
        yield "the address of the site was not found: set articles.base_url, so that entries link there"
    if not project.published:
        yield "no published article was found: `flask articles check` reports what was not read, and why"


def config_lines(project: Project, source: list[str]) -> Iterator[str]:
    """Yield the lines of a commented config file; `source` has the lines with the articles' location."""
    yield "# Written by `flask init`. Every key has a default; docs/configuration.md lists them all."
    yield ""
    yield "site:"
    yield f"  title: {_quoted(project.title or 'News')}"
    yield "  # The public address of the feeds; SITE_URL in the environment overrides it."
    yield "  # url: https://news.example.org"
    yield f"  language: {_quoted(project.language or 'en')}"
    if project.timezone:
        yield f"  timezone: {_quoted(project.timezone)} # of dates without a time zone"
    yield "  # Part of every entry's identity: choose it once and never change it."
    yield f"  id: {_quoted(project.title or 'newswire')}"
    yield ""
    yield "articles:"
    yield from (f"  {line}" for line in source)
    if project.program and project.program.exclude:
        globs = ", ".join(map(_quoted, project.program.exclude))
        yield f"  exclude: [{globs}] # {project.program.name} does not publish them"
    if project.generator != "plain":
        yield f"  generator: {project.generator} # whose conventions apply"
    if project.base_url:
        yield f"  base_url: {_quoted(project.base_url)} # the site the articles belong to: entries link there"
    else:
        yield "  # base_url: https://blog.example # the site the articles belong to: entries link there"
    if project.generator != "plain":
        yield "  # guid: permalink # if these feeds replace the generator's own: docs/moving.md"
    if project.permalink:
        yield f"  permalink: {_quoted(project.permalink)} # how its addresses are formed"
    else:
        yield "  # permalink: /:year/:month/:day/:slug/ # if `articles check` shows wrong addresses"
    if project.topic_keys[:1] == ("category",):
        yield "  topics_from: [topics, tags, categories, category]"
    else:
        yield "  # topics_from: [topics, tags, categories] # the keys with topics"
    yield ""
    yield "bot:"
    yield "  every: 60 seconds"
    yield "  channels: [] # see docs/bot.md"


def _examined(root: Path, clock: Callable[[], datetime]) -> Project:
    try:
        return examine(root, clock())
    except ArticlesError as error:
        raise CommandError(str(error)) from None


def _of_repository(url: str, clock: Callable[[], datetime]) -> tuple[Project, list[str]]:
    """Check out a repository into a temporary folder and examine it; return the project and its `source`."""
    with TemporaryDirectory(prefix="newswire-") as state:
        try:
            checkout = Checkout(Repository(url=checked_address(url)), Path(state), clock)
            with checkout.pull_lock() as lock:
                if lock:
                    checkout.pull(lock)
        except (GitError, ArticlesError, subprocess.SubprocessError) as error:
            raise CommandError(str(error)) from None
        project = _examined(checkout.files, clock)
        below = project.articles.resolve().relative_to(checkout.files.resolve()).as_posix()
    source = [f"git: {_quoted(url)}"]
    return project, source if below == "." else [*source, f"subdir: {_quoted(below)}"]


def _relative(path: Path, start: Path) -> str:
    return Path(os.path.relpath(path.resolve(), start.resolve())).as_posix()


def _quoted(text: str) -> str:
    """Return a text as a YAML scalar: a JSON string, which is also YAML."""
    return json.dumps(text, ensure_ascii=False)
