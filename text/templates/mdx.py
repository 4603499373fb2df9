"""MDX (https://mdxjs.com): removes imports, exports, comments and components, but not the text in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from text.templates import elements
from text.templates.blocks import flush
from text.templates.scan import Delimiters, Expander, Piece

_MAX_TAG = 5_000  # characters of a component's attributes
_MODULE = re.compile(r"(?:import\s*[\w{*\"']|export\s+(?:default|const|let|var|function|class|async|\{|\*))")
_IMPORTS = re.compile(r"""\A(?>(?:import [^\n]{1,300}?["'];?[ \t]*|[ \t]*)(?:\n|\Z))+""")
_LITERAL = re.compile(r"""(?:"([^"\\\n]*)"|'([^'\\\n]*)'|`([^`\\$]*)`)\Z""")
_NAMES = re.compile(r"[A-Za-z_$][\w$.]*(?:\s*\([^{}()]*\))?\Z")
_MORE_MARK = re.compile(r"\s*(?:truncate|more)\s*\Z")
_ATTRIBUTE = re.compile(r"""([A-Za-z_][\w:.-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|\{)""")
_PATH = re.compile(r"""["'`]([^"'`\s]+)["'`]""")
_NAME = re.compile(r"</?([A-Za-z][\w.]*)")
_TAG_NAME = re.compile(r"[A-Za-z][\w.]*")
_COMPONENT = re.compile(r"</?[A-Z][\w.]*(?=[\s/>])")
_JSX_ATTRIBUTE = re.compile(r"\s(?:className\s*=|[A-Za-z][\w:.-]*\s*=\s*\{|\{\.\.\.)")
_LINKS = frozenset({"Link", "A", "NavLink"})


class Mdx(Expander):
    """Expands MDX."""

    delimiters: tuple[Delimiters, ...] = (
        Delimiters("{/*", "*/}"),
        Delimiters("{", "}"),
        Delimiters("<", ">"),
    )
    reads_blocks = True
    """Whether what is between the lines of two tags is Markdown, without blank lines around it too."""

    def __init__(self, text: str) -> None:
        super().__init__(flush(_without_modules(text)), has_code=True)
        self._search_from = 0

    def template(self, piece: Piece) -> int:
        """Add the text that replaces a comment, an expression or a tag."""
        if piece.opening == "{/*" and _MORE_MARK.match(piece.inner):
            self.put("<!-- more -->")
        elif piece.opening == "{":
            self.put(self._expression(piece))
        elif piece.opening == "<":
            return self._tag(piece.start)
        return piece.end

    def broken(self, piece: Piece) -> None:
        """Keep a brace or a less-than sign that does not belong to MDX."""
        self.put("" if piece.opening == "{/*" else piece.opening)

    def _expression(self, piece: Piece) -> str:
        """Return the text of a literal, "" for names and calls, and anything else unchanged."""
        if literal := _LITERAL.match(piece.inner.strip()):
            return literal[1] or literal[2] or literal[3] or ""
        return "" if _NAMES.match(piece.inner.strip()) else self.text[piece.start : piece.end]

    def _tag(self, start: int) -> int:
        name = _NAME.match(self.text, start)
        if self.text.startswith(("<>", "</>"), start):
            return self.text.index(">", start) + 1
        end = _end_of_tag(self.text, name.end()) if name and start >= self._search_from else None
        if not name or end is None:
            # Tags that begin in the text that was just searched are not searched for an end again.
            self._search_from = max(self._search_from, start + _MAX_TAG) if name else self._search_from
            self.put("<")
            return start + 1
        tag = self.text[start:end]
        self.put(self.replacement(tag, name[1]))
        if self.reads_blocks and self._is_alone(start, end) and _is_block(tag, name[1]):
            self.put("\n")
        return end

    def _is_alone(self, start: int, end: int) -> bool:
        """Whether a tag has its line, or the end of one, to itself."""
        line = self.text.rfind("\n", 0, start) + 1
        return not self.text[line:start].strip() and self.text.startswith("\n", end)

    def replacement(self, tag: str, name: str) -> str:
        """Return the text that replaces a tag."""
        if not name[0].isupper() and "." not in name:
            return _plain_tag(tag) if "{" in tag or "className" in tag else tag
        if name in _LINKS:
            return _link(tag)
        if tag.startswith("</"):
            return ""
        markup = elements.known(name, dict(_attributes(tag)))
        if markup is None:
            self.unknown.add(name)
        return markup or ""


class Jsx(Mdx):
    """Expands JSX in Markdown: components, and attributes that HTML does not have. Other braces are text.

    Imports are left out where the text begins with them, as Gatsby's do.
    """

    delimiters = (Delimiters("<", ">"),)
    reads_blocks = False

    def __init__(self, text: str) -> None:
        Expander.__init__(self, _IMPORTS.sub("", text), has_code=True)
        self._search_from = 0

    def template(self, piece: Piece) -> int:
        """Add the text that replaces a tag."""
        return self._tag(piece.start)

    def replacement(self, tag: str, name: str) -> str:
        """Return the text that replaces a tag."""
        return super().replacement(tag, name) if _COMPONENT.match(tag) or _JSX_ATTRIBUTE.search(tag) else tag


def _is_block(tag: str, name: str) -> bool:
    """Whether a tag begins or ends a block that other blocks may be in."""
    return not tag.endswith("/>") and name.lower() not in _LEAVES


_LEAVES = frozenset(
    {"br", "code", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "input", "p", "pre", "script",
     "source", "span", "style", "svg", "textarea", "track"}
)  # fmt: skip


def _without_modules(text: str) -> str:
    """Return the text without its imports and exports, each of which extends to the next blank line."""
    if "import" not in text and "export" not in text:
        return text
    lines: list[str] = []
    is_module = is_code = False
    was_blank = True
    for line in text.splitlines(keepends=True):
        is_blank = not line.strip()
        if line.lstrip().startswith(("```", "~~~")):
            is_code = not is_code
        if not is_code and (was_blank or is_module) and _MODULE.match(line):
            is_module = True
        elif is_blank:
            is_module = False
        if not is_module:
            lines.append(line)
        was_blank = is_blank
    return "".join(lines)


def _end_of_tag(text: str, start: int) -> int | None:
    """Return where a tag ends: at a > in no quotes and no braces, within _MAX_TAG characters; or None."""
    depth, quote = 0, ""
    for position in range(start, min(len(text), start + _MAX_TAG)):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif character in "{}":
            depth += 1 if character == "{" else -1
        elif character == ">" and depth <= 0:
            return position + 1
    return None


def _attributes(tag: str) -> Iterator[tuple[str, str]]:
    """Yield the attributes of a tag; of an expression, the first path or address that it holds."""
    position = 0
    while attribute := _ATTRIBUTE.search(tag, position):
        position = attribute.end()
        if attribute[0].endswith("{"):
            end = tag.find("}", position)
            expression = tag[position : end if end >= 0 else len(tag)]
            path = _PATH.search(expression)
            if path:
                yield attribute[1], path[1]
        else:
            yield attribute[1], attribute[2] or attribute[3] or ""


def _plain_tag(tag: str) -> str:
    """Return an HTML tag with the attributes that are plain, or that hold an address."""
    name = _TAG_NAME.search(tag)
    if not name or tag.startswith("</"):
        return tag
    plain = ((key, value) for key, value in _attributes(tag) if key in _PLAIN)
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in plain)
    return f"<{name[0]}{attributes}>"


_PLAIN = frozenset({"alt", "height", "href", "id", "src", "title", "width"})


def _link(tag: str) -> str:
    if tag.startswith("</"):
        return "</a>"
    values = dict(_attributes(tag))
    return f'<a href="{escape(values.get("to") or values.get("href") or "")}">'
