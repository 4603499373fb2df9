"""Print the changelog's section of a version, which has to be the one in pyproject.toml: what a release says.

python -m scripts.release_notes 1.2.3
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class NotesError(Exception):
    """There are no notes for this version; the text says why."""


def notes(version: str, changelog: str, project: str) -> str:
    """Return the text below the heading `## [version]`; raises NotesError if there is none, or another."""
    ours = tomllib.loads(project)["project"]["version"]
    if version != ours:
        raise NotesError(f"the tag says {version}, and pyproject.toml {ours}")
    found = re.search(
        rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    if found is None or not found[1].strip():
        raise NotesError(f"CHANGELOG.md has nothing under the heading [{version}]")
    return f"{found[1].strip()}\n"


def main(arguments: list[str]) -> None:
    """Print the notes, or end with status 1 and the reason."""
    try:
        found = notes(
            arguments[0],
            (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
            (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
        )
    except NotesError as error:
        sys.exit(str(error))
    sys.stdout.write(found)


if __name__ == "__main__":
    main(sys.argv[1:])
