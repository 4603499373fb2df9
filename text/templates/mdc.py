"""MDC of Nuxt Content: `::tip` … `::` on lines of their own. https://content.nuxt.com/docs/files/markdown

Notes become admonitions, `:::tip` … `:::`, and pictures become HTML. Of all other components, only the text
stays.
"""

from __future__ import annotations

import re

from text.templates.code import open_fence
from text.templates.elements import figure

_OPENING = re.compile(r"[ \t]*::([A-Za-z][\w-]{0,60})(?:\[([^\[\]]{0,500})\])?(?:\{.{0,2000}\})?[ \t]*")
_WITHOUT_TEXT = re.compile(r"[ \t]*:([A-Za-z][\w-]{0,60})(?:\[([^\[\]]{0,500})\])?\{(.{0,2000})\}[ \t]*")
_INLINE = re.compile(
    r'(?<![\w:/]):[A-Za-z][\w-]{0,60}\{[^{}\n"]{0,60}="[^{}\n]{0,500}\}(?:\[([^\[\]\n]{0,300})\])?'
)
_VALUE = re.compile(r'([\w-]{1,60})="([^"]{0,2000})"')
_CLOSING = re.compile(r"[ \t]*::[ \t]*")
_SLOT = re.compile(r"[ \t]*#[a-z][\w-]{0,60}[ \t]*")
_FENCE = re.compile(r"[ \t]*(```+|~~~+)")
_MARK = re.compile(r"(?<![\w:/])::?[A-Za-z][\w-]{0,60}(?:[\[{]|[ \t]*$)", re.MULTILINE)
_NOTES = frozenset({"note", "tip", "info", "warning", "caution", "danger", "important"})
_MAX_VALUE_LINES = 100
"""Lines of values between two `---` at the beginning of a component."""


def without_components(text: str) -> str:
    """Return a text with its notes as admonitions, and without the marks of other components."""
    if not _MARK.search(text):
        return text
    lines = text.split("\n")
    last = max((number for number, line in enumerate(lines) if _CLOSING.fullmatch(line)), default=-1)
    output: list[str] = []
    open_notes: list[bool] = []
    fence = ""
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        fence = open_fence(fence, _FENCE.match(line))
        if not fence and (opening := _OPENING.fullmatch(line)):
            is_note = opening[1] in _NOTES and position <= last
            open_notes.append(is_note)
            output += ["", f":::{opening[1]}" if is_note else opening[2] or "", ""]
            position = _after_values(lines, position)
        elif not fence and (component := _WITHOUT_TEXT.fullmatch(line)):
            output.append(_component(*component.groups(default="")))
        elif not fence and open_notes and _CLOSING.fullmatch(line):
            output += ["", ":::" if open_notes.pop() else "", ""]
        elif fence or not open_notes or not _SLOT.fullmatch(line):
            is_code = bool(fence) or "`" in line
            output.append(line if is_code else _INLINE.sub(lambda match: match[1] or "", line))
    return "\n".join(output)


def _component(name: str, label: str, values: str) -> str:
    """Return the text that replaces a component of one line."""
    return figure(dict(_VALUE.findall(values))) if name.endswith(("img", "image")) else label


def _after_values(lines: list[str], position: int) -> int:
    """Return the number of the line after the values of a component, which are YAML between two `---`."""
    if position < len(lines) and lines[position].strip() == "---":
        for number in range(position + 1, min(len(lines), position + _MAX_VALUE_LINES)):
            if lines[number].strip() == "---":
                return number + 1
    return position
