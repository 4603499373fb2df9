"""Loads the settings, or ends a process that cannot use them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import config as configuration
from config import Config, ConfigError
from ops.errors import SettingError
from ops.hosting import own_address
from storage.permissions import private_folder
from text.printable import print_line


def config_path(environ: Mapping[str, str]) -> Path:
    """Return the path in NEWSWIRE_CONFIG, or that of config.yaml in the program's folder."""
    return Path(environ.get("NEWSWIRE_CONFIG") or Path(__file__).resolve().parents[1] / "config.yaml")


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Return the settings in a file and the environment. Raises ConfigError if they cannot be used."""
    own = own_address(environ)
    if own is None:
        return configuration.load(path, environ)
    return configuration.load(path, environ, own_address=own.value, own_address_origin=own.origin)


def load_or_exit(environ: Mapping[str, str], path: Path | None = None) -> Config:
    """Return the settings in `path`, or the file NEWSWIRE_CONFIG names, or config.yaml beside this file.

    Exits with status 2 and every error on standard error if they cannot be used.
    """
    try:
        return load(path or config_path(environ), environ)
    except ConfigError as error:
        raise exit_with(error) from None


def load_rules_or_exit(path: Path, own: Config) -> Config:
    """Return `own` settings with the rules of another config file: see `config.load_rules`.

    Exits with status 2 and every error on standard error if they cannot be used.
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
    """Print the error on standard error, and return the exception that ends the process with status 2."""
    lines = error.lines if isinstance(error, ConfigError) else [str(error)]
    for line in lines:
        print_line(line, stream=sys.stderr)
    return SystemExit(2)
