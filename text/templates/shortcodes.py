"""Hugo's shortcodes (https://gohugo.io/content-management/shortcodes/) and Zola's."""

from __future__ import annotations

import re
from html import escape
from itertools import count
from urllib.parse import quote

from text.templates import elements
from text.templates.scan import Delimiters, Expander, Piece

_ARGUMENT = re.compile(
    r"""(?:([\w-]+)\s*=\s*)?(?:"((?>(?:[^"\\]|\\.)*))"|`([^`]*+)`|'([^']*+)'|([^\s"'`=,]+))"""
)
_HUGO_NAME = re.compile(r"(/?)\s*([\w.-][\w./-]*)(.*)", re.DOTALL)
_ZOLA_CALL = re.compile(r"([A-Za-z_]\w*)\s*\((.*)\)\Z", re.DOTALL)
_HUGO_END = re.compile(r"\{\{[<%]\s*/\s*highlight\s*[>%]\}\}")


class Hugo(Expander):
    """Expands Hugo's shortcodes; `{{ x }}` alone is text in Hugo's content too."""

    delimiters = (
        Delimiters("{{</*", "*/>}}"),
        Delimiters("{{%/*", "*/%}}"),
        Delimiters("{{/*", "*/}}"),
        Delimiters("{{<", ">}}"),
        Delimiters("{{%", "%}}"),
    )

    def template(self, piece: Piece) -> int:
        """Add the text that replaces a shortcode."""
        if piece.opening.endswith("/*"):
            if piece.opening != "{{/*":  # a shortcode that is to be shown, not expanded
                self.put(self._literal(piece))
            return piece.end
        tag = _HUGO_NAME.match(piece.inner.strip())
        if tag and not tag[1]:
            name, values = tag[2].lower().rstrip("/"), _values(tag[3].removesuffix("/"))
            if name == "highlight" and (end := self.until(_HUGO_END, piece.end)):
                code = self.text[piece.end : end.start()]
                self.put(elements.code_block(code, values.get("0", ""), self.margin(piece.start)))
                return end.end()
            self.put(self._tag(name, values, piece))
        return piece.end

    def code(self, text: str) -> str:
        """Show shortcodes in code as Hugo does: those between comment signs lose the signs."""
        if "{{</*" in text or "{{%/*" in text:
            text = (
                text.replace("{{</*", "{{<")
                .replace("*/>}}", ">}}")
                .replace("{{%/*", "{{%")
                .replace("*/%}}", "%}}")
            )
        return text

    def _literal(self, piece: Piece) -> str:
        mark = piece.opening[2]
        text = f"{{{{{mark}{piece.inner}{'>' if mark == '<' else '%'}}}}}"
        return f"`{text}`" if self.has_code and "`" not in text else escape(text, quote=False)

    def _tag(self, name: str, values: dict[str, str], piece: Piece) -> str:
        if name in ("ref", "relref"):
            path, _, fragment = (values.get("0") or values.get("path") or "").partition("#")
            address = (f"/@~{quote(path)}" if path else "") + (f"#{fragment}" if fragment else "")
            return self.reference(address, piece)
        if (
            name == "blogdown/postref"
        ):  # the folder to which the paths of the post's own pictures are relative
            return ""
        markup = elements.known(name, values)
        if markup is None:
            self.unknown.add(name)
        return markup or ""


class Zola(Expander):
    """Expands Zola's shortcodes (https://www.getzola.org/documentation/content/shortcodes/)."""

    delimiters = (
        Delimiters("{{/*", "*/}}"),
        Delimiters("{%/*", "*/%}"),
        Delimiters("{%", "%}"),
        Delimiters("{{", "}}"),
    )

    def template(self, piece: Piece) -> int:
        """Add the text that replaces a shortcode."""
        if not piece.opening.endswith("/*") and (call := _ZOLA_CALL.match(piece.inner.strip("- \t\n"))):
            markup = elements.known(call[1], _values(call[2]))
            if markup is None:
                self.unknown.add(call[1])
            self.put(markup or "")
        return piece.end


def _values(rest: str) -> dict[str, str]:
    """Return the arguments of a shortcode by name; the names of positional ones are their numbers."""
    values: dict[str, str] = {}
    numbers = count()
    for argument in _ARGUMENT.finditer(rest):
        value = next(filter(None, argument.group(2, 3, 4, 5)), "")
        values[argument[1] or str(next(numbers))] = value.replace('\\"', '"')
    return values
