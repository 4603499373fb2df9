"""Templates of messages: Jinja2 with the documented fields, in a sandbox without access to anything else.

The output of a template is the Markdown subset of `bot.services.markdown`; every inserted value is escaped.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.environment import Template as Compiled
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.services import markdown
from bot.services.layout import BadTemplateError
from bot.services.message import Message, title_of
from bot.services.rich import Text
from bot.services.text import clean

MAX_TEMPLATE = 10_000
"""Characters of a template."""

MAX_OUTPUT = 20_000
"""Characters of a template's output; the services' own limits are lower."""

MAX_LOOPS = 2
"""The deepest nesting of loops."""

FIELDS = ("title", "link", "summary", "provider", "topics", "quality", "published_at", "site")
"""A template's fields: texts, except for the list `topics`, the number `quality`, the time `published_at`.

A field that the article does not have is "", an empty list, or none for `quality`.
"""

FILTERS = ("capitalize", "date", "default", "first", "join", "last", "length", "lower", "truncate", "upper")

_DATE = "%Y-%m-%d %H:%M UTC"
_MAX_FORMAT = 40
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If, nodes.For,
    nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.Test,
    nodes.Concat, nodes.Keyword, nodes.Neg,
)  # fmt: skip
_TESTS = frozenset({"none", "defined"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JinjaTemplate:
    """A checked template; `name` is its name in errors. Templates with the same source are equal."""

    name: str
    source: str
    compiled: Compiled = field(repr=False, compare=False)

    def render(self, message: Message) -> Text:
        """Return the text for one article. Raises BadTemplateError if the template fails."""
        pieces: list[str] = []
        size = 0
        try:
            for part in self.compiled.generate(**_values(message)):
                pieces.append(part)
                size += len(part)
                if size > MAX_OUTPUT:
                    raise BadTemplateError(self.name, 1, f"writes more than {MAX_OUTPUT} characters")
        except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError) as error:
            line = _line_of(error, self.name)
            raise BadTemplateError(self.name, line, clean(str(error)) or type(error).__name__) from error
        return markdown.formatted("".join(pieces))


def template(source: str, name: str) -> JinjaTemplate:
    """Return a template. Raises BadTemplateError if it is too long, invalid, or uses what is not allowed."""
    if len(source) > MAX_TEMPLATE:
        raise BadTemplateError(name, 1, f"is longer than {MAX_TEMPLATE} characters")
    try:
        tree = _ENVIRONMENT.parse(source, name=name, filename=name)
        for line, reason in _problems(tree):
            raise BadTemplateError(name, line, reason)
        code = _ENVIRONMENT.compile(tree, name=name, filename=name)
    except TemplateSyntaxError as error:
        raise BadTemplateError(name, error.lineno, clean(error.message or "cannot be read")) from error
    compiled = Compiled.from_code(_ENVIRONMENT, code, {})
    return JinjaTemplate(name=name, source=source, compiled=compiled)


def _problems(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Yield everything in a template that is not allowed, as line and reason."""
    yield from _unknown(tree, frozenset(FIELDS), loops=0)


def _unknown(node: nodes.Node, names: frozenset[str], loops: int) -> Iterator[tuple[int, str]]:
    if not isinstance(node, _ALLOWED):
        yield (
            node.lineno,
            f"a template may not use {type(node).__name__.lower()}: docs/bot.md lists what is allowed",
        )
        return
    if isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in names:
        yield node.lineno, f"there is no field {node.name}; there are {', '.join(sorted(names))}"
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        yield node.lineno, f"there is no filter {node.name}; there are {', '.join(FILTERS)}"
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        yield node.lineno, f"there is no test {node.name}; there are {', '.join(sorted(_TESTS))}"
    if isinstance(node, nodes.For):
        loops += 1
        if (
            loops > MAX_LOOPS
            or not isinstance(node.iter, nodes.Name)
            or not isinstance(node.target, nodes.Name)
        ):
            yield node.lineno, f"a loop must be over a field, and at most {MAX_LOOPS} loops may be nested"
            return
        names |= {node.target.name, "loop"}
    for child in node.iter_child_nodes():
        yield from _unknown(child, names, loops)


def _values(message: Message) -> dict[str, Any]:
    return {
        "title": title_of(message),
        "link": message.link,
        "summary": clean(message.summary),
        "provider": clean(message.provider or ""),
        "topics": tuple(filter(None, map(clean, message.topics))),
        "quality": message.quality,
        "published_at": message.published_at.astimezone(UTC),
        "site": clean(message.site),
    }


def _date(value: object, pattern: str = _DATE) -> str:
    if not isinstance(value, datetime) or len(pattern) > _MAX_FORMAT:
        raise ValueError("date is a filter for published_at, with a format of at most 40 characters")
    return value.strftime(pattern)


def _escaped(value: object) -> object:
    """Return a value escaped for insertion into a template, whose own text is not escaped."""
    if isinstance(value, datetime):
        value = _date(value)
    if isinstance(value, (tuple, list)):
        value = ", ".join(map(str, value))
    # A StrictUndefined raises here.
    return "" if value is None else markdown.escape(clean(str(value)))


def _line_of(error: Exception, name: str) -> int:
    """Return the line at which a template failed; Jinja2's frames have the lines of the template."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name]
    return next((line for line in reversed(lines) if line), 1)


def _environment() -> ImmutableSandboxedEnvironment:
    sandbox = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, finalize=_escaped, trim_blocks=True, lstrip_blocks=True
    )
    sandbox.globals.clear()
    sandbox.filters = {name: sandbox.filters.get(name, _date) for name in FILTERS}
    sandbox.tests = {name: sandbox.tests[name] for name in _TESTS}
    return sandbox


_ENVIRONMENT = _environment()
