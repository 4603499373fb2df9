"""Newswire as it is measured: a configuration of its own, an own state folder, its own commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.corpus import ROOT, VAR
from benchmarks.measure import BenchmarkError

_CONFIG = """\
site:
  title: Benchmark
  url: http://127.0.0.1:8000
  id: benchmark
articles:
  path: {articles}
feeds:
{feeds}"""
_FEEDS = "  size: 50\n"


@dataclass(frozen=True, slots=True)
class MeasuredSite:
    """A configuration over a folder of articles, with its state and its exported files below `home`."""

    home: Path

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.home / "config.yaml"

    @property
    def state(self) -> Path:
        """Where the catalog and the outbox are."""
        return self.home / "state"

    @property
    def public(self) -> Path:
        """Where `flask feeds export` writes."""
        return self.home / "public"

    @property
    def env(self) -> dict[str, str]:
        """The environment of every process of this site, with nothing of the operator's own settings."""
        inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LC_ALL") if key in os.environ}
        return inherited | {"NEWSWIRE_CONFIG": str(self.config), "STATE_DIR": str(self.state)}

    def flask(self, *arguments: str) -> list[str | Path]:
        """Return the command line of a `flask` command."""
        return [Path(sys.executable).with_name("flask"), *arguments]

    def export(self) -> list[str | Path]:
        """Return the command line that refreshes and writes every feed as a file, for builds."""
        return [sys.executable, "-m", "wiring.export", str(self.public)]

    def flask_export(self) -> list[str | Path]:
        """Return the command line that does the same, as operators know it."""
        return self.flask("feeds", "export", str(self.public))

    def forget(self) -> None:
        """Make the state and the exported files empty, as on a first start."""
        for folder in (self.state, self.public):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()


def site(name: str, articles: Path, more: str = "", feeds: str = _FEEDS) -> MeasuredSite:
    """Return a fresh site over these articles; `feeds` and `more` belong to its configuration."""
    measured = MeasuredSite(VAR / "site" / name)
    measured.home.mkdir(parents=True, exist_ok=True)
    measured.config.write_text(_CONFIG.format(articles=articles, feeds=feeds) + more)
    measured.forget()
    return measured


CWD = ROOT
"""Where the product's commands are run."""


def child_command(*arguments: str, module: str = "child") -> list[str | Path]:
    """Return the command line that runs a module of the benchmarks."""
    return [sys.executable, "-m", f"benchmarks.{module}", *arguments]


def child(site: MeasuredSite, *arguments: str, module: str = "child") -> Any:
    """Run a function of that module in a process of its own and return what it returned."""
    done = subprocess.run(
        child_command(*arguments, module=module),
        cwd=CWD,
        env=site.env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(f"{' '.join(arguments[:1])} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
