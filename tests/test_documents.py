"""The documents for those who work on the project agree with the code."""

from __future__ import annotations

import importlib
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from bot.services import SERVICES
from config import Config
from config.channels import ChannelConfig
from feeds.formats import FORMATS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")])
_CODE = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def rows(file: str) -> list[list[str]]:
    """Return the cells of every table row of a document, without the header rows."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [cells for cells in found if not set("".join(cells)) <= set("-: ")]


def test_every_direct_dependency_has_its_reason_and_a_date() -> None:
    """docs/decisions/dependencies.md lists exactly the packages of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    required = [*project["project"]["dependencies"], *groups["pictures"], *groups["dev"]]
    required = [each for each in required if isinstance(each, str)]  # a group may include another
    names = [re.split(r"[\[<>=!~; ]", requirement)[0].lower() for requirement in required]
    listed = [cells for cells in rows("docs/decisions/dependencies.md") if cells[0] != "package"]
    assert [cells[0] for cells in listed] != []
    assert sorted(cells[0] for cells in listed) == sorted(names), (
        "add the package, its reason and today's date"
    )
    for _, reason, looked_at in listed:
        assert reason
        date.fromisoformat(looked_at)


def test_every_kind_of_channel_and_every_format_is_in_the_tables() -> None:
    """The tables of channels and feeds that people choose from are complete."""
    for document in ("README.md", "docs/bot.md"):
        listed = {kind for cells in rows(document) for kind in re.findall(r"`(\w+)`", cells[0])}
        assert set(SERVICES) - listed == set(), document
    (feeds,) = (cells[0] for cells in rows("README.md") if cells[0].startswith("`/feeds/<topic>."))
    assert set(FORMATS) == set(re.findall(r"\.(\w+)`", feeds))


def test_every_setting_is_in_the_documents() -> None:
    """docs/configuration.md has every setting by its full name, and docs/bot.md those of a channel."""
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    for section, setting in Config.model_fields.items():
        parts = getattr(setting.annotation, "model_fields", {})
        names = [f"{section}.{part.alias or name}" for name, part in parts.items()] or [section]
        assert [name for name in names if f"`{name}`" not in text] == []
    text += (ROOT / "docs/bot.md").read_text(encoding="utf-8")
    names = [setting.alias or name for name, setting in ChannelConfig.model_fields.items()]
    assert [name for name in names if f"`{name}`" not in text and f"`{name}:" not in text] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    """A relative link names an existing file, and its fragment a heading of that file."""
    for link in _LINK.findall(_CODE.sub("", document.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), f"{link} leads nowhere"
        if fragment and target.suffix == ".md":
            assert fragment in anchors(target), f"{link}: there is no such heading"


def anchors(document: Path) -> set[str]:
    """Return the fragments of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_limits_in_the_security_document_are_those_of_the_code() -> None:
    """Each row that names a constant gives its value, and a test."""
    limits = [cells for cells in rows("docs/security.md") if len(cells) == 4 and cells[2].startswith("`")]
    assert len(limits) > 20
    for _, stated, constant, tests in limits:
        module, _, name = constant.strip("`").rpartition(".")
        value = getattr(importlib.import_module(module), name)
        number = float(stated.split()[0].replace(",", ""))
        assert number == value, f"{constant} is {value}"
        assert "`tests/" in tests, f"{constant} needs a test"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_tests_that_a_document_names_are_there(document: Path) -> None:
    """Every test that a document names exists in that file."""
    named = re.findall(r"`(tests/[a-z0-9_/]+\.py)(?:::(\w+))?`", document.read_text(encoding="utf-8"))
    for file, function in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not function or re.search(rf"^def {function}\(", text, re.MULTILINE), (
            f"{file} has no {function}"
        )


def test_every_package_and_file_of_the_architecture_exists() -> None:
    """Paths in the tables exist, and every package of the program has its row."""
    first = {
        cell.strip("`")
        for cells in rows("docs/architecture.md")
        for cell in cells[:2]
        if cell.startswith("`")
    }
    paths = {cell for cell in first if re.fullmatch(r"[\w/]+(?:/|\.py)", cell)}
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    for cells in rows("docs/architecture.md"):
        if len(cells) == 3 and cells[1].endswith(".py`"):
            text = (ROOT / cells[1].strip("`")).read_text(encoding="utf-8")
            for name in re.findall(r"`(\w+)`", cells[0]):
                assert re.search(rf"^class {name}\b", text, re.MULTILINE), f"{cells[1]} has no {name}"
    packages = {file.parent for file in ROOT.glob("*/__init__.py")} - {ROOT / "tests", ROOT / "benchmarks"}
    assert {package.name for package in packages} - {"scripts"} <= {path.split("/")[0] for path in paths}


def test_the_glossary_is_in_order_and_says_each_word_once() -> None:
    """The words are in alphabetical order, each once."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("## Glossary")[2]
    words = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")][2:]
    assert len(words) >= 40
    assert words == sorted(set(words), key=str.lower), "put the word in its place in the alphabet"
