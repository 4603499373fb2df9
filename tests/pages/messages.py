"""The texts of the interface, found where they are written: in templates, and as phrases in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

from jinja2 import Environment
from jinja2.ext import extract_from_ast

from bot.outbox.channelstate import ChannelStatus
from bot.outbox.records import RequestKind
from bot.outbox.states import State
from bot.planning.reasons import Reason
from bot.services import Outcome

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "pages" / "templates"
PACKAGES = ("articles", "bot", "config", "feeds", "ops", "pages", "text", "wiring")
SHOWN_ENUMS: tuple[type[StrEnum], ...] = (State, ChannelStatus, Outcome, RequestKind, Reason)
"""Enums whose members are shown by their names."""

_COUNTED = re.compile(r'\| (?:counted|noun)\(("[^"]+"(?:, "[^"]+")?)\)')


@cache
def texts() -> frozenset[str]:
    """Return every text that is translated."""
    found = {str(member) for each in SHOWN_ENUMS for member in each}
    for file in TEMPLATES.rglob("*.html"):
        found |= set(_of_template(file.read_text("utf-8")))
    for tree in modules().values():
        found |= set(of_code(tree))
    return frozenset(found)


@cache
def modules() -> Mapping[Path, ast.Module]:
    """Return the program's modules."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {path: ast.parse(path.read_text("utf-8")) for path in files}


def _of_template(source: str) -> Iterator[str]:
    environment = Environment(
        extensions=["jinja2.ext.i18n"], autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    for *_, text in extract_from_ast(environment.parse(source), ["_", "gettext"]):
        yield text if isinstance(text, str) else str((text or ("",))[0])
    for nouns in _COUNTED.findall(source):
        yield f"%(num)s {nouns.split(chr(34))[1]}"


def of_code(tree: ast.Module) -> Iterator[str]:
    """Yield the patterns of the phrases in a module, and the texts that it translates directly."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("phrase", "counted_phrase", "countable", "gettext", "joined"):
            yield from _constants(node.args[0])
        if name == "explained":
            yield "%(what)s: %(why)s"


def _constants(node: ast.expr) -> Iterator[str]:
    choices = (node.body, node.orelse) if isinstance(node, ast.IfExp) else (node,)
    yield from (
        each.value for each in choices if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )
