"""Front matter text → plain Python values, without paying for the parts nobody reads.

`related` runs up to 150 KB and `secured` is ciphertext; YAML spends milliseconds on them. A scan over the
lines at column 0 cuts such blocks out first. A cut is made only where every line of the block has a shape
that cannot reach past the block's end; anything else takes the full parse, which is always right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from itertools import pairwise
from typing import Any, NamedTuple

import yaml

from articles import plainyaml

try:
    from yaml import CSafeLoader as Loader
except ImportError as error:  # pragma: no cover - needs a PyYAML built without libyaml
    raise ImportError(
        "PyYAML lacks libyaml (yaml.CSafeLoader), without which reading articles is ten times slower: "
        "install a PyYAML wheel, or libyaml-dev before building it"
    ) from error

MAX_DEPTH = 64
MAX_NODES = 100_000

# A line break comes first, not `^`: the search for a literal is many times faster.
_TOP_KEY = re.compile(r"\n(?:([A-Za-z_][\w-]*):(?=[ \n])|[^\s#-])")
# Lines that end where they seem to: an indent, dashes, a key, and a scalar that is closed on its own line.
# The first alternative is the second without any escapes or quotes inside; it is tried first because it is
# nearly always the one, and written to run over the text without looking at each character.
_CLOSED_LINES = re.compile(
    r"""(?:
        [ ]*+ (?:-[ ]++)*+ (?:[\w-]++:(?=[ \n]))?+ [ ]*+
        (?: "(?=[^"]*+"[ ]*+\n) [^\n]++ (?<=[^\\]")
          | "(?:[^"\\\n]|\\[^\n])*+"
          | '(?:[^'\n]|'')*+'
          | (?:[^\s"'\[\]{}|>&*!%@`\#,?:-]|-(?=\S)) [^\n]*+
        )?+ [ ]*+ \n
    )*+""",
    re.VERBOSE,
)
_ANCHOR = re.compile(r"&(?<![^\s\[{,:-]&)[^\s&]")
_DASHES = re.compile(r"(?:[-?][ \t]++){16}")
_DEEP_INDENT = "\n" + " " * MAX_DEPTH


class YamlError(Exception):
    """The text is not usable YAML; `line` counts from 0 within the text, and the reason quotes none of it."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason


class Block(NamedTuple):
    """One top-level key of a mapping and the text that belongs to it, its own line included."""

    key: str
    start: int
    end: int


def load(text: str) -> Any:
    """Return the value of a YAML document. Raises YamlError, also for bombs: too deep, too many aliases."""
    plain = plainyaml.load(text)
    if plain is not None:
        return plain
    _check_depth(text)
    try:
        if _ANCHOR.search(text):
            _check_aliases(text)
        return yaml.load(text, Loader)
    except yaml.MarkedYAMLError as error:
        raise _explain(error) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position)
        raise YamlError(line, error.reason) from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise YamlError(_line_of_unreadable(text), f"a value cannot be read: {error}") from None


def blocks(text: str) -> tuple[Block, ...] | None:
    """Return the top-level blocks of a front matter; None when a line at column 0 is not a plain `key:`."""
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
    """Whether no scalar in this block can reach past its end, so that cutting it out changes nothing else."""
    return _CLOSED_LINES.fullmatch(text) is not None


def cut(text: str, unwanted: Set[str]) -> tuple[str, dict[str, str]] | None:
    """Return the text without the unwanted top-level keys, and the blocks cut out by key.

    None when a cut cannot be proven safe; the text must then be parsed whole. `text` ends with a newline.
    """
    found = blocks(text)
    if found is None:
        return None
    kept: list[str] = []
    removed: dict[str, str] = {}
    for block in found:
        part = text[block.start : block.end]
        if block.key not in unwanted:
            kept.append(part)
        elif is_closed(part):
            removed[block.key] = part
        else:
            return None
    return "".join(kept), removed


def first_items(block: str, count: int) -> str:
    """Return a closed `key:` block that holds a list, cut after its first `count` items."""
    head, _, rest = block.partition("\n")
    indent = re.match(r"\n*( *)- ", rest)
    if indent is None:
        return block
    dash = f"\n{indent[1]}- "
    end = indent.end()
    for _ in range(count):
        end = rest.find(dash, end) + 1
        if not end:
            return block
    return f"{head}\n{rest[:end]}"


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
                    raise YamlError(_line(event), f"nested more than {MAX_DEPTH} levels deep")
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
                raise YamlError(_line(event), "an alias stands inside the value it names")
            grown = sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            stack.append((event.anchor, 1))
            continue
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, grown = stack.pop()
            if anchor is not None:
                sizes[anchor] = grown
        elif isinstance(event, yaml.ScalarEvent):
            grown = 1
        else:
            continue
        anchor, size = stack[-1]
        if size + grown > MAX_NODES:
            raise YamlError(_line(event), f"its aliases expand to more than {MAX_NODES:,} values")
        stack[-1] = (anchor, size + grown)


def _events(text: str) -> Iterator[yaml.Event]:
    events: Iterator[yaml.Event] = yaml.parse(text, Loader)
    return events


def _line(event: yaml.Event) -> int:
    return event.start_mark.line if event.start_mark else 0


def _explain(error: yaml.MarkedYAMLError) -> YamlError:
    """Say what libyaml found, without what it quotes of the file: that may be a value nobody must see."""
    mark, said = error.problem_mark, [error.problem]
    if error.problem == "found unexpected end of stream" and error.context_mark:
        mark, said = error.context_mark, [error.context, error.problem]
    mark = mark or error.context_mark
    reason = ": ".join(" ".join(part.split()) for part in said if part)
    return YamlError(mark.line if mark else 0, re.sub(r"\s*(['\"]).*\1", "", reason))


def _line_of_unreadable(text: str) -> int:
    """Return the line of the first top-level value that YAML can parse but Python cannot hold."""
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        for _, node in root.value if isinstance(root, yaml.MappingNode) else ():
            try:
                loader.construct_object(node, deep=True)
            except (ValueError, OverflowError):
                return int(node.start_mark.line)
    except (yaml.YAMLError, RecursionError):
        pass
    finally:
        loader.dispose()
    return 0
