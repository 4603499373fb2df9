"""The version of Newswire, for reports of problems."""

from __future__ import annotations

import platform
import tomllib
from functools import cache
from importlib.metadata import version as version_of
from pathlib import Path

import click

from text.printable import print_json, print_line


@cache
def version() -> str:
    """Return the version in pyproject.toml, which is part of every installation."""
    project = Path(__file__).resolve().parents[1] / "pyproject.toml"
    number = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    return str(number)


def version_command() -> click.Command:
    """Return the command `flask version`; `flask --version` is Flask's own, and does not load the app."""

    @click.command("version")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def command(as_json: bool) -> None:
        """Show the versions of Newswire, Python and the main libraries."""
        versions = {"newswire": version(), "python": platform.python_version()}
        versions |= {name: version_of(name) for name in ("flask", "granian", "sqlalchemy")}
        if as_json:
            print_json(versions)
        else:
            print_line(f"Newswire {versions.pop('newswire')}")
            print_line(", ".join(f"{name} {number}" for name, number in versions.items()))

    return command
