"""Where the settings are read from, and how a process ends that cannot use them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import config as configuration
from config import Config, ConfigError
from ops.errors import SettingError
from ops.hosting import own_address
from storage.private import private_folder
from text.printable import print_line


def config_path(environ: Mapping[str, str]) -> Path:
    """Return the config file that the environment names, or config.yaml beside this program."""
    return Path(environ.get("NEWSWIRE_CONFIG") or Path(__file__).resolve().parents[1] / "config.yaml")


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Return the settings in a file and the environment. Raises ConfigError when they cannot be used."""
    own = own_address(environ)
    if own is None:
        return configuration.load(path, environ)
    return configuration.load(path, environ, own_address=own.value, own_address_origin=own.origin)


def load_or_exit(environ: Mapping[str, str], path: Path | None = None) -> Config:
    """Return the settings in `path`, or the file NEWSWIRE_CONFIG names, or config.yaml beside this file.

    Ends the process with status 2 and every problem on standard error when they cannot be used.
    """
    try:
        return load(path or config_path(environ), environ)
    except ConfigError as error:
        raise exit_with(error) from None


def usable_or_exit(environ: Mapping[str, str]) -> None:
    """End the process with status 2, as `load_or_exit` does, also where there can be no state folder."""
    try:
        make_state_folder(load_or_exit(environ))
    except SettingError as error:
        raise exit_with(error) from None


def load_rules_or_exit(path: Path, own: Config) -> Config:
    """Return `own` settings with the rules of another config file: see `config.load_rules`.

    Ends the process with status 2 and every problem on standard error when they cannot be used.
    """
    try:
        return configuration.load_rules(path, own)
    except ConfigError as error:
        raise exit_with(error) from None


def make_state_folder(config: Config) -> None:
    """Create the state folder. Raises SettingError where that, or writing to it, is impossible."""
    try:
        private_folder(config.state)
    except OSError as error:
        raise SettingError(f"the state folder {config.state} cannot be created: {error.strerror}") from None
    if not os.access(config.state, os.W_OK | os.X_OK):
        raise SettingError(
            f"the state folder {config.state} cannot be written to: "
            "give this user the right to, or name another folder with STATE_DIR"
        )


def exit_with(error: Exception) -> SystemExit:
    """Print the reason on standard error, and return what ends the process with status 2."""
    lines = error.lines if isinstance(error, ConfigError) else [str(error)]
    for line in lines:
        print_line(line, stream=sys.stderr)
    return SystemExit(2)
