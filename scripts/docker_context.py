"""What `docker build` would see: copies the files that .dockerignore lets through, or prints the CMD.

docker_context.py SOURCE TARGET | docker_context.py --command DOCKERFILE
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path


def ignored(path: str, patterns: Iterable[str]) -> bool:
    """Whether .dockerignore leaves this path out: a pattern fits the path itself or a folder above it."""
    parts = path.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return any(_fits(candidate, pattern) for candidate in above for pattern in patterns)


def context(source: Path) -> Iterator[str]:
    """Yield the files of the build context: those that git knows or would take, less the ignored ones."""
    patterns = (source / ".dockerignore").read_text(encoding="utf-8").split()
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607
        cwd=source, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for path in filter(None, listed.stdout.split("\0")):
        if (source / path).is_file() and not ignored(path, patterns):
            yield path


def command(dockerfile: Path) -> str:
    """Return what the last CMD runs, as a shell command."""
    found = re.findall(r"^CMD (\[.*\])$", dockerfile.read_text(encoding="utf-8"), re.MULTILINE)
    return shlex.join(json.loads(found[-1]))


def _fits(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatchcase(path.rpartition("/")[2], pattern[3:])
    return path.count("/") == pattern.count("/") and fnmatchcase(path, pattern)


def main(arguments: list[str]) -> None:
    """Do what the arguments say."""
    if arguments[0] == "--command":
        sys.stdout.write(command(Path(arguments[1])) + "\n")
        return
    source, target = map(Path, arguments)
    for path in context(source):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target / path)


if __name__ == "__main__":
    main(sys.argv[1:])
