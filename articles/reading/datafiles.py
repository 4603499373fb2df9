"""Data files beside articles: YAML, TOML, JSON, front matter, and Python settings, which are never run."""

from __future__ import annotations

import ast
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from articles.errors import HeadError

MAX_BYTES = 256_000
"""Bytes of such a file; a larger one is not read."""


def read_text(path: Path) -> str | None:
    """Return the text of a regular file that is not too large, or None; links are not followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        data = os.read(descriptor, MAX_BYTES + 1)
        return data.decode("utf-8-sig") if len(data) <= MAX_BYTES else None
    except (OSError, UnicodeDecodeError):
        return None
    finally:
        os.close(descriptor)


def load(path: Path) -> Any:
    """Return the content of a data file, by its extension, or None if it cannot be read."""
    text = read_text(path)
    return None if text is None else parse(text, path.suffix)


def parse(text: str, suffix: str) -> Any:
    """Return the content of a text, by its file's suffix (`.yml`, `.toml`, `.json`, `.py`), or None."""
    from text.yaml import safe as safeyaml  # late: many folders have no such file

    try:
        if suffix in (".yml", ".yaml"):
            return safeyaml.load(text if text.endswith("\n") else f"{text}\n")
        if suffix == ".toml":
            from articles.reading.other_heads import toml_values

            return toml_values(text, 1)
        return json.loads(text) if suffix == ".json" else _assignments(text) if suffix == ".py" else None
    except (safeyaml.YamlError, HeadError, ValueError, RecursionError):
        return None


def front_matter(path: Path) -> Mapping[str, Any] | None:
    """Return the values of a file's front matter, or None where there is none that can be read."""
    text = read_text(path)
    if not text:
        return None
    from articles.reading.split_file import split  # late, as above

    try:
        head = split(text.replace("\r\n", "\n"))
    except HeadError:
        return None
    return head.values if head else None


def _assignments(text: str) -> dict[str, Any]:
    """Return the names to which Python settings assign a literal, at the top level."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    values: dict[str, Any] = {}
    for statement in module.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], _literal(statement.value)
            if isinstance(target, ast.Name):
                values[target.id] = value
            elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
                inner = values.get(target.value.id)
                if isinstance(inner, dict) and isinstance(key := _literal(target.slice), str):
                    inner[key] = value
    return values


def _literal(node: ast.expr) -> Any:
    """Return the value of a literal, or of `dict(a=1)`; None for anything that would have to be run."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        return {keyword.arg: _literal(keyword.value) for keyword in node.keywords if keyword.arg}
    if isinstance(node, ast.IfExp):  # such as SITEURL, which is empty while the site is developed
        return _literal(node.body) or _literal(node.orelse)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
