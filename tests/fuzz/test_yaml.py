"""YAML of any content, from front matter and from a branch's config file."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example
from hypothesis import strategies as st

import config as configuration
from config import Config, ConfigError
from tests.fuzz.budget import fuzz
from tests.fuzz.seeds import KEYS, SCALARS, mutated, unicode_texts, values
from tests.hostile import assert_safe
from text.yaml import plain, safe

ROOT = Path(__file__).parents[2]
CONFIG_FILES = (
    (ROOT / "config.yaml").read_bytes(),
    b"site: {title: News, url: 'https://n.example.org'}\narticles: {path: x, include: ['**/*.md']}\n",
    b"articles:\n  git: https://git.example.org/a.git\n  token_env: TOKEN\n  every: 5 minutes\n",
    b"feeds:\n  size: 50\n  topics:\n    - name: AI\n      slug: ai\n      aliases: [ml]\n  gone: [old]\n",
    b"bot:\n  channels:\n    - {name: a, kind: slack, webhook_env: HOOK, topics: all, types: [x]}\n",
    b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n",
    b"a: {b: {c: {d: [[[[[[[[[[1]]]]]]]]]]}}}\n",
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Return YAML that was dumped, written line by line, or is free text."""
    kind = draw(st.sampled_from(["dumped", "lines", "free"]))
    if kind == "dumped":
        value = draw(st.dictionaries(st.sampled_from(KEYS), values, max_size=5))
        return yaml.safe_dump(
            value, allow_unicode=draw(st.booleans()), default_flow_style=draw(st.booleans())
        )
    if kind == "free":
        return draw(unicode_texts(8))
    pairs = st.tuples(
        st.sampled_from(KEYS), st.sampled_from(["", " ", "  ", "- ", "    "]), st.sampled_from(SCALARS)
    )
    return "".join(f"{indent}{key}: {value}\n" for key, indent, value in draw(st.lists(pairs, max_size=8)))


@fuzz(text=documents(), examples=100)
@example(text="a: 2026-13-45\n")
@example(text="a: 0x\n")
@example(text="? [a]\n: b\n")
@example(text="<<: [1]\n")
def test_yaml_is_values_or_a_yaml_error(text: str) -> None:
    """The loader gives plain data, or a YAML error with an existing line."""
    value, error = loaded(text)
    if error:
        assert 0 <= error.line <= text.count("\n") + text.count("\r") + text.count("\x85") + 3
        assert error.reason and "\n" not in error.reason
    else:
        assert_plain_data(value, 0)


@fuzz(text=documents(), examples=100)
def test_the_plain_reader_agrees_with_yaml(text: str) -> None:
    """The plain reader reads what it accepts as YAML does."""
    value = plain.load(text)
    if value is not None:
        assert same(value, loaded(text)[0])


@fuzz(data=mutated(CONFIG_FILES), examples=60)
@example(data=b"\xff\xfe")
@example(data=b"bot: {channels: [{name: a, kind: slack, webhook_env: A, max_age: 1e400 days}]}")
@example(data=b"bot: {every: 99999999999999999999 weeks}")
@example(data=b"articles: {git: 'https://[::1', branch: ..}")
def test_a_config_file_is_settings_or_a_config_error(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every mistake is a problem with its place, on one safe line; nothing else is changed."""
    file = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    file.write_bytes(data)
    own = Config()
    rules: Config | None = None
    try:
        rules = configuration.load_rules(file, own)
    except ConfigError as error:
        problems, lines = error.problems, str(error)
    else:
        problems, lines = (), ""
    if rules is None:
        assert problems
        assert_safe(lines, lines=len(problems))
    else:
        assert rules.site.url == own.site.url
        assert rules.articles.git is None
        assert rules.state == own.state


@fuzz(
    unit=st.sampled_from(
        [*SCALARS, "[", "{", "- ", "? ", "a: ", "&a ", "*a ", "'", '"', "!!x ", "| ", ",", "\t"]
    )
)
def test_a_repeated_piece_costs_no_recursion(unit: str) -> None:
    """Deep or endless structures are refused by a limit, not by Python's own."""
    limit = sys.getrecursionlimit()
    loaded(f"a: {unit * 5000}\n")
    loaded("".join(f"{' ' * depth}{unit}\n" for depth in range(300)))
    assert sys.getrecursionlimit() == limit


def loaded(text: str) -> tuple[Any, safe.YamlError | None]:
    try:
        return safe.load(text), None
    except safe.YamlError as error:
        return None, error


def same(one: Any, other: Any) -> bool:
    """Return whether two values and their types are equal, where NaN equals itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other)))


def assert_plain_data(value: Any, depth: int) -> None:
    """Fail for an object that only a YAML tag could create, and for nesting too deep to walk."""
    assert depth < 200
    assert value is None or type(value).__module__ in ("builtins", "datetime"), type(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            assert_plain_data(key, depth + 1)
            assert_plain_data(inner, depth + 1)
    elif isinstance(value, (list, set, tuple)):
        for inner in value:
            assert_plain_data(inner, depth + 1)
