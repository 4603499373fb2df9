"""Front matter text → plain Python values, without paying for the parts nobody reads.

`related` runs up to 150 KB and `secured` is ciphertext; YAML spends milliseconds on them. A scan over the
lines at column 0 cuts such blocks out first. A cut is made only where nothing in the block can reach past its
end; anything else takes the full parse, which is always right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from itertools import pairwise
from typing import Any, NamedTuple

import yaml

from text.yaml import plain as plainyaml

try:
    from yaml import CSafeLoader
except ImportError as error:  # pragma: no cover - needs a PyYAML built without libyaml
    raise ImportError(
        "PyYAML lacks libyaml (yaml.CSafeLoader), without which reading articles is ten times slower: "
        "install a PyYAML wheel, or libyaml-dev before building it"
    ) from error

MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_DIGITS = 1000

# What PyYAML's constructors raise at a value that its tag or its looks do not fit.
_UNREADABLE = (ValueError, ArithmeticError, LookupError, AttributeError, TypeError, RecursionError)

# A line break comes first, not `^`: the search for a literal is many times faster.
_TOP_KEY = re.compile(r"\n(?:([A-Za-z_][\w-]*):(?=[ \n])|[^\s#-]|-(?![ \n]))")
# Lines that end where they seem to: an indent, dashes, a key, and a scalar that is closed on its own line.
# The first alternative is the second without any escapes or quotes inside; it is tried first because it is
# nearly always the one, and written to run over the text without looking at each character.
_CLOSED_LINES = re.compile(
    r"""(?:
        [ ]*+ (?:-[ ]++)*+ (?:[\w-]++:(?=[ \n]))?+ [ ]*+
        (?: "(?=[^"]*+"[ ]*+\n) [^\n]++ (?<=[^\\]")
          | "(?:[^"\\\n]|\\[^\n])*+"
          | '(?:[^'\n]|'')*+'
          | (?:[^\s"'\[\]{}|>&*!%@`\#,?:-]|-(?=\S)) [^:\n]*+ (?: :(?=[^ \t\n]) [^:\n]*+ )*+
        )?+ [ ]*+ \n
    )*+""",
    re.VERBOSE,
)
# A character before which no scalar and no flow collection can begin (YAML 1.1 §7.4 asks for white space or
# an indicator), and which escapes nothing.
_INSIDE = re.compile(r"[\w.?!)/%=+…”’]")
_SHORT = 2000
_LINE_BREAKS = ("\x85", "\u2028", "\u2029")  # to libyaml (YAML 1.1 §4.2), but not to the patterns above
_ANCHOR = re.compile(r"&(?<![^\s\[{,:-]&)[^\s&]")
_DASHES = re.compile(r"(?:[-?:][ \t]++){16}")
_DEEP_INDENT = "\n" + " " * MAX_DEPTH


class YamlError(Exception):
    """The text is not usable YAML; the reason quotes none of it. `line` and `column` count from 0."""

    def __init__(self, line: int, reason: str, column: int = 0) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason
        self.column = column


class Loader(CSafeLoader):
    """PyYAML's safe loader, which refuses what nobody means: numbers of more than MAX_DIGITS digits."""

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Return an integer; one with many digits or base-60 places takes time that grows with the square."""
        if len(node.value) > MAX_DIGITS:
            raise yaml.constructor.ConstructorError(None, None, "the number is too long", node.start_mark)
        return super().construct_yaml_int(node)


Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)


class Block(NamedTuple):
    """One top-level key of a mapping and the text that belongs to it, its own line included."""

    key: str
    start: int
    end: int


class Cut(NamedTuple):
    """A text without some of its top-level keys, the keys that are left, and the blocks cut out by key."""

    text: str
    keys: list[str]
    removed: dict[str, str]


def load(text: str) -> Any:
    """Return the value of a YAML document. Raises YamlError, also for bombs: too deep, too many aliases."""
    plain = plainyaml.load(text)
    if plain is not None:
        return plain
    _check_depth(text)
    try:
        if _ANCHOR.search(text):
            _check_aliases(text)
        return yaml.load(text, Loader)  # noqa: S506 - it is a safe loader
    except yaml.MarkedYAMLError as error:
        raise _explain(error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position)
        raise YamlError(line, error.reason) from None
    except _UNREADABLE as error:
        line, column = _place_of_unreadable(text)
        raise YamlError(line, f"a value cannot be read{_said(error)}", column) from None


def load_without(text: str, unwanted: Set[str]) -> tuple[Mapping[str, Any], dict[str, str]] | None:
    """Return the values of a mapping without the unwanted top-level keys, and the blocks of those by key.

    None when that is not provably what the whole text says: it must then be parsed whole. `text` ends with a
    newline. Raises YamlError as `load` does.
    """
    reduced = cut(text, unwanted)
    if reduced is None:
        return None
    values = load(reduced.text)
    # A quoted scalar or a flow collection of a block that was kept can reach into the next one. If one did,
    # then the key that starts the block it reached into is missing here.
    if not isinstance(values, dict) or list(values) != reduced.keys:
        return None
    return values, reduced.removed


def blocks(text: str) -> tuple[Block, ...] | None:
    """Return the top-level blocks of a front matter; None when a line at column 0 is not a plain `key:`."""
    if any(line_break in text for line_break in _LINE_BREAKS):
        return None
    starts: list[tuple[str, int]] = []
    for match in _TOP_KEY.finditer("\n" + text):
        if match[1] is None:
            return None
        starts.append((match[1], match.start()))
    if len({key for key, _ in starts}) != len(starts):
        return None
    bounds = pairwise([*starts, ("", len(text))])
    return tuple(Block(key, start, end) for (key, start), (_, end) in bounds)


def is_closed(text: str) -> bool:
    """Whether no scalar and no flow collection in this block can reach past its end.

    Then cutting it out changes nothing else, as long as it has no alias: that would mean nothing without the
    rest. A quoted scalar still open at the end has no quote after the one that opens it, save escaped ones.
    So none is open when the last quote of its kind neither opens one nor is escaped, which the character
    before it tells. Each line of a short block is looked at all the same: that finds most errors in it.
    """
    if len(text) < _SHORT:
        return has_closed_lines(text)
    may_open = ["*" in text, *(_begins(text, bracket) for bracket in "[{")]
    may_open += [(last := text.rfind(quote)) >= 0 and not _is_inside(text, last) for quote in "\"'"]
    return not any(may_open) or has_closed_lines(text)


def has_closed_lines(text: str) -> bool:
    """Whether every line of this block is a value, or the start of one, that does not reach into the next."""
    return _CLOSED_LINES.fullmatch(text) is not None


def _begins(text: str, bracket: str) -> bool:
    at = text.find(bracket)
    while at >= 0:
        if not _is_inside(text, at):
            return True
        at = text.find(bracket, at + 1)
    return False


def _is_inside(text: str, at: int) -> bool:
    return at > 0 and _INSIDE.match(text, at - 1) is not None


def cut(text: str, unwanted: Set[str]) -> Cut | None:
    """Return the text without the unwanted top-level keys; None when they are not surely closed blocks."""
    found = blocks(text)
    if not found:
        return None
    kept = [text[: found[0].start]]
    keys: list[str] = []
    removed: dict[str, str] = {}
    for block in found:
        part = text[block.start : block.end]
        if block.key not in unwanted:
            kept.append(part)
            keys.append(block.key)
        elif is_closed(part):
            removed[block.key] = part
        else:
            return None
    return Cut("".join(kept), keys, removed)


def first_items(block: str, count: int) -> str | None:
    """Return a `key:` block cut after the first `count` items of the list that it holds.

    None where a line of that is not closed: then it may be cut at the wrong place, and hold keys that are
    not seen as such.
    """
    head, _, rest = block.partition("\n")
    indent = re.match(r"\n*( *)- ", rest)
    few = block
    if indent is not None:
        dash = f"\n{indent[1]}- "
        end = indent.end()
        for _ in range(count):
            end = rest.find(dash, end) + 1
            if not end:
                break
        else:
            few = f"{head}\n{rest[:end]}"
    return few if has_closed_lines(few) else None


def _check_depth(text: str) -> None:
    """Raise when the text is deeper than MAX_DEPTH: PyYAML's composer recurses and overflows the C stack."""
    brackets = text.count("[") + text.count("{")
    if brackets < MAX_DEPTH and _DEEP_INDENT not in text and not _DASHES.search(text):
        return
    depth = 0
    try:
        for event in _events(text):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise _at(event, f"nested more than {MAX_DEPTH} levels deep")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError:
        return  # the parse proper meets the same error and says where it is


def _check_aliases(text: str) -> None:
    """Raise when aliases would expand to more than MAX_NODES values, or hold themselves."""
    sizes: dict[str, int] = {}
    stack: list[tuple[str | None, int]] = [(None, 0)]
    for event in _events(text):
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in stack):
                raise _at(event, "an alias stands inside the value it names")
            grown = sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            stack.append((event.anchor, 1))
            continue
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, grown = stack.pop()
            if anchor is not None:
                sizes[anchor] = grown
        elif isinstance(event, yaml.ScalarEvent):
            grown = 1 + len(event.value) // 100  # an alias to a long text is a bomb too
            if event.anchor:
                sizes[event.anchor] = grown
        else:
            continue
        anchor, size = stack[-1]
        if size + grown > MAX_NODES:
            raise _at(event, f"its aliases expand to more than {MAX_NODES:,} values")
        stack[-1] = (anchor, size + grown)


def _events(text: str) -> Iterator[yaml.Event]:
    events: Iterator[yaml.Event] = yaml.parse(text, Loader)
    return events


def _at(event: yaml.Event, reason: str) -> YamlError:
    mark = event.start_mark
    return YamlError(mark.line, reason, mark.column) if mark else YamlError(0, reason)


def _explain(error: yaml.MarkedYAMLError) -> YamlError:
    """Say what is wrong, without what PyYAML quotes of the file: that may be a value nobody must see."""
    mark, said = error.problem_mark, [error.problem]
    if error.problem == "found unexpected end of stream" and error.context_mark:
        mark, said = error.context_mark, [error.context, error.problem]
    mark = mark or error.context_mark
    reason = ": ".join(" ".join(part.split()) for part in said if part)
    if isinstance(
        error, yaml.constructor.ConstructorError
    ):  # all others come from libyaml, which quotes none
        reason = re.sub(r":?\s*['\"].*", "", reason)
    return YamlError(mark.line, reason, mark.column) if mark else YamlError(0, reason)


def _said(error: Exception) -> str:
    """Return what Python says of a value where it speaks of dates; elsewhere it quotes the value."""
    text = str(error)
    return f": {text}" if re.fullmatch(r"[a-z ]+ (?:must be in|is out of range)[\w. ]*", text) else ""


def _place_of_unreadable(text: str) -> tuple[int, int]:
    """Return the line and column of the first top-level value that YAML can parse but Python cannot hold."""
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        for _, node in root.value if isinstance(root, yaml.MappingNode) else ():
            try:
                loader.construct_object(node, deep=True)
            except _UNREADABLE:
                return node.start_mark.line, node.start_mark.column
    except (yaml.YAMLError, RecursionError):
        pass
    finally:
        loader.dispose()
    return 0, 0
