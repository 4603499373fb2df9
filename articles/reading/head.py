"""The head of an article file: the values of its front matter, and where they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import yaml

Kind = Literal["yaml", "toml", "json", "lines", "none"]

_LIKE_A_KEY = re.compile(r"^[A-Za-z_][\w-]*:(?=[ \n])", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The values of a front matter as they are, and the body below it.

    The front matter is in `file`, the whole text, from `start` to `end`; its first line is line `line`.
    Keys that are no texts, as YAML may have, are left out. `is_simple` is set where the quick reader of YAML
    has read all of it: no key is there twice, and no value holds NUL or half of a surrogate pair.
    """

    kind: Kind
    values: Mapping[str, Any]
    body: str
    file: str = ""
    start: int = 0
    end: int = 0
    line: int = 1
    is_simple: bool = False
    _nodes: list[yaml.Node | None] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The front matter's text."""
        return self.file[self.start : self.end]

    def line_of(self, key: str) -> int:
        """Return the line in the file where `images[2].width` is, or of what is nearest above it."""
        if self.kind != "yaml":
            name = re.escape(re.split(r"[.[]", key)[0])
            match = re.search(rf"""^[ \t{{]*["']?{name}["']?[ \t]*[:=]""", self.source, re.MULTILINE)
            return self.source.count("\n", 0, match.start()) + self.line if match else 1
        import yaml  # late: nearly all files are read without it

        node, line = self._root(), 1
        for name in re.findall(r"[^].[]+", key):
            if isinstance(node, yaml.SequenceNode) and name.isdigit():
                node = node.value[int(name) - 1]
                line = node.start_mark.line + self.line
            elif isinstance(node, yaml.MappingNode):
                pairs = [pair for pair in node.value if pair[0].value == name]
                if not pairs:
                    break
                line, node = pairs[-1][0].start_mark.line + self.line, pairs[-1][1]
        return line

    def repeated_keys(self) -> list[str]:
        """Return the keys of YAML that are there more than once, of which only the last one counts.

        TOML and JSON with such keys are refused.
        """
        if self.kind != "yaml" or self.is_simple:
            return []
        if len(_LIKE_A_KEY.findall(self.file, self.start, self.end)) <= len(self.values):
            return []
        root = self._root()
        names = [name.value for name, _ in root.value if isinstance(name.value, str)] if root else []
        return [name for name, number in Counter(names).items() if number > 1]

    def source_of(self, key: str, value: Any) -> str:
        """Return a number, a boolean or a date as it is written in the file, such as `3.10`."""
        if self.kind != "yaml":
            return str(value)
        import yaml

        node = self._root()
        for name in re.findall(r"[^].[]+", key):
            if isinstance(node, yaml.SequenceNode) and name.isdigit():
                node = node.value[int(name) - 1]
            elif isinstance(node, yaml.MappingNode):
                node = next((item for key_node, item in reversed(node.value) if key_node.value == name), None)
        return str(node.value) if isinstance(node, yaml.ScalarNode) else str(value)

    def _root(self) -> yaml.Node | None:
        if not self._nodes:
            from text.yaml import safe as safeyaml

            self._nodes.append(safeyaml.compose(self.source))
        return self._nodes[0]
