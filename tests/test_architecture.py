"""The layers: which part may import which."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("storage", "text", "web", "articles", "feeds", "bot", "pages", "ops")
TOP = {"app", "wiring"}
_POSSESSIVE_GROUP = re.compile(r"(?<![\\(])\)(?:[*+?]|\{[0-9,]*\})\+")


def imports(file: Path) -> Iterator[str]:
    """Yield the first part of the name of every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            yield (node.module or "").partition(".")[0]


FILES = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def test_redirects_come_from_one_place() -> None:
    """Only one module chooses redirect targets: the site's own addresses, or once an article's."""
    found = {
        str(file.relative_to(ROOT))
        for file in (*FILES, ROOT / "app.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and "redirect" in {alias.name for alias in node.names}
    }
    assert found == {"web/redirects.py", "pages/admin/area.py", "pages/routes.py"}
    assert (ROOT / "pages/routes.py").read_text(encoding="utf-8").count(" redirect(") == 1


def test_the_packages_keep_to_their_layers() -> None:
    """import-linter's contracts in pyproject.toml hold."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_part_imports_the_application_or_the_configuration(file: Path) -> None:
    """A part receives values, and imports neither the application nor the configuration."""
    assert not set(imports(file)) & (TOP | {"config", "tests"})


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_patterns_work_with_the_first_python_that_is_supported(file: Path) -> None:
    """No group is repeated possessively: up to 3.11.4, Python then loses its place at the end of a text.

    `(?>(?:…)*)` matches the same (https://github.com/python/cpython/issues/106052).
    """
    assert not _POSSESSIVE_GROUP.findall(file.read_text(encoding="utf-8"))


def test_only_the_application_reads_the_config() -> None:
    """At the top, only app.py imports `config`, which itself imports neither it nor `wiring`."""
    knowing = {file.stem for file in ROOT.glob("*.py") if "config" in set(imports(file))}
    assert knowing <= TOP
    for file in (ROOT / "config").glob("*.py"):
        assert not set(imports(file)) & TOP


def test_an_export_loads_no_more_than_it_needs() -> None:
    """A site without channels or bodies loads no chat services, no Flask and nothing for bodies."""
    found = _loaded("wiring.export, articles.reading.frontmatter")
    assert not found & {"flask", "jinja2", "click", "sqlalchemy", "requests", "markdown_it", "tomllib"}
    assert not found & {"watchfiles", "multiprocessing"}
    assert not {name for name in found if name.startswith(("bot.", "pages.", "text.templates.l"))}


def test_a_web_server_loads_no_commands() -> None:
    """Modules of commands would delay the start of a web server."""
    assert not _loaded("app") & {"wiring.command_line", "articles.commands", "feeds.commands", "feeds.export"}


def test_a_process_that_reads_articles_loads_no_more_than_it_needs() -> None:
    """Several such processes are started for many files, and each must be ready at once."""
    found = _loaded("articles.reading.worker, articles.reading.frontmatter")
    assert not found & {"yaml", "tomllib", "nh3", "lxml", "sqlite3", "pydantic", "flask", "markdown_it"}
    assert not found & {"logging", "subprocess", "multiprocessing", "zoneinfo"}


def test_a_bot_loads_no_more_than_it_needs() -> None:
    """Templates, title comparison and PostgreSQL's client are loaded only where they are used."""
    found = _loaded("app, wiring.bot, bot.operator.commands")
    assert not found & {"jinja2.sandbox", "markdown_it", "rapidfuzz", "segno", "PIL", "psycopg"}


def _loaded(modules: str) -> set[str]:
    """Return the names of all modules that importing these modules loads."""
    command = [sys.executable, "-c", f"import sys, {modules}; print(*sys.modules)"]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
