"""What is reported while the config file differs from the settings in force."""

from __future__ import annotations

import logging
import os
import threading
from functools import partial
from pathlib import Path

import pytest

from config import load
from tests.soak.cluster import wait_for
from wiring.settings import SettingsFile, SettingsWatcher


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A config file."""
    (tmp_path / "content").mkdir()
    (tmp_path / "config.yaml").write_text("site: {title: One}\n")
    return tmp_path / "config.yaml"


def settings_file(path: Path) -> SettingsFile:
    return SettingsFile(path, load(path, {}), partial(load, path, {}))


def write(path: Path, text: str) -> None:
    """Replace the file, as editors do, so that it differs even within a tick of the clock."""
    other = path.with_name("other")
    other.write_text(text)
    other.replace(path)


def test_a_change_is_said_until_it_is_undone(path: Path) -> None:
    """A change is reported, which a restart applies; comments and the order of keys are no change."""
    file = settings_file(path)
    assert file.check() is None
    write(path, "site: {title: Two}\n")
    assert file.check() == f"{path} has changed: a restart will apply it"
    write(path, "# a comment\nsite:\n  title: One\n")
    assert file.check() is None
    write(path, "site: {title: Two}\n")
    assert file.check() is not None
    write(path, "site: {title: One}\n")
    assert file.check() is None


def test_a_mistake_is_named(path: Path) -> None:
    """A mistake has the line and column that a start would name; a missing file is a mistake too."""
    file = settings_file(path)
    write(path, "site: {title: Two}\nfeeds: {size: 0}\nstat: x\n")
    says = file.check()
    assert says is not None
    assert says.startswith(f"{path} has changed and cannot be used, so that a restart would fail: ")
    assert f"{path}:2:15: feeds.size: must be greater than or equal to 1; {path}:3:1: stat" in says
    path.unlink()
    assert "cannot be read: No such file" in (file.check() or "")


def test_the_file_is_read_only_when_it_has_changed(path: Path) -> None:
    """A check costs one call to the file system."""
    loads: list[int] = []
    file = SettingsFile(path, load(path, {}), lambda: loads.append(1) or load(path, {}))  # type: ignore[func-returns-value]
    for _ in range(3):
        file.check()
    os.utime(path)
    file.check()
    assert loads == []
    write(path, "site: {title: Two}\n")
    for _ in range(3):
        file.check()
    assert loads == [1]


def test_one_process_logs_each_change_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The watching process logs a change once, and another that takes over logs it again."""
    file, leads = settings_file(path), threading.Event()
    watcher = SettingsWatcher(file, leads.is_set, every=0.01)
    with caplog.at_level(logging.INFO, logger="wiring.settings"):
        watcher.start()
        write(path, "site: {title: Two}\n")
        wait_for(file.check, "the change is noticed")
        assert caplog.records == []
        leads.set()
        wait_for(lambda: caplog.records, "the change is logged")
        write(path, "site: {title: One}\n")
        wait_for(lambda: len(caplog.records) > 1, "its end is logged")
        watcher.stop()
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("WARNING", f"{path} has changed: a restart will apply it"),
        ("INFO", "the config file matches the settings in force again"),
    ]
