"""Liquid (Jekyll, Eleventy, Pelican's liquid_tags) and the part of Nunjucks with the same syntax.

Texts for other generators may use only some tags, as on a site that formerly used Jekyll: all other braces
are text.
"""

from __future__ import annotations

import re
from html import unescape
from itertools import count
from urllib.parse import quote, urlsplit

from text.templates import elements
from text.templates.scan import Delimiters, Expander, Piece

# Tags for control flow and variables: to remove them loses no text. https://shopify.github.io/liquid/tags/
_SILENT_NAMES = """
assign autoescape block break call capture case continue cycle decrement echo else elseif elsif extends filter
for from if import include_cached increment layout liquid macro render set tablerow unless when with
"""
_SILENT = frozenset(_SILENT_NAMES.split())
PELICAN = _SILENT | frozenset(
    {
        "audio", "b64img", "diag", "flickr", "generic", "giphy", "gram", "graphviz", "img", "include_code",
        "literal", "notebook", "soundcloud", "speakerdeck", "spotify", "video", "vimeo", "youtube",
    }
)  # fmt: skip
"""The tags of Pelican's plugins jinja2content and liquid_tags.

https://github.com/pelican-plugins/jinja2content, https://github.com/pelican-plugins/liquid-tags
"""
MEDIA = frozenset({"asset_img", "embed", "img", "video", "vimeo", "youtube"})
"""The tags that sites of other programs have, because they once used Hexo or have a plugin for them."""
LEFT_OVER = _SILENT | {"highlight", "include", "include_relative", "link", "post_url", "raw", "youtube"}
"""The tags that remain in a text that was once written for Jekyll."""
SITES_OUTPUT = re.compile(
    r"(?:site|page)\.[\w.-]+(?:\s*\|.*)?\Z|[^|]*\|\s*(?:relative|absolute)_url\b", re.DOTALL
)
"""The outputs that remain in a text that was once written for Jekyll."""
SITEURL = re.compile(r"SITEURL\Z")
"""The output that Pelican's plugin jinja2content has for the address of the site."""
_TAG = re.compile(r"(?P<name>[A-Za-z][\w:-]*)(?P<rest>.*)", re.DOTALL)
_TRIMMED = "-+ \t\n"
_ARGUMENT = re.compile(r"""(?:([\w-]+)\s*[=:]\s*)?(?:"([^"]*)"|'([^']*)'|([^\s"',]+))""")
_STRING = re.compile(r"""(?:"([^"]*)"|'([^']*)')\s*(?P<filters>\|.*)?\Z""", re.DOTALL)
_SITE = re.compile(r"(?:site\.(?P<name>url|baseurl|github\.url)|SITEURL)\Z")
_RAW_MARK = re.compile(r"\{%-?\s*(end)?(?:raw|verbatim)\s*-?%\}")
_CODE_LANGUAGE = re.compile(r"\blang:([\w+#.-]{1,40})")
_PICTURE = re.compile(r"[^\s\"']{1,500}\.(?:avif|gif|jpe?g|png|svg|webp)", re.IGNORECASE)
_BASE_FILTER = re.compile(r"relative_url|prepend:\s*site\.(?:base)?url|\burl\b")
_VERBATIM = {
    name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}")
    for name in ("codeblock", "comment", "highlight", "raw", "verbatim")
}


class Liquid(Expander):
    """Expands Liquid; `base_url` is the site that the text belongs to.

    With `only`, just the tags of these names are expanded, and with `outputs` the outputs that this pattern
    fits, such as `{{ site.url }}`; all other braces are text.
    """

    delimiters = (Delimiters("{%", "%}"), Delimiters("{{", "}}"), Delimiters("{# ", "#}"))

    def __init__(
        self,
        text: str,
        *,
        has_code: bool,
        base_url: str | None,
        only: frozenset[str] | None = None,
        outputs: re.Pattern[str] | None = None,
    ) -> None:
        super().__init__(text, has_code=has_code)
        self._only = only
        self._outputs = outputs
        parts = urlsplit(base_url or "")
        self._host = f"{parts.scheme}://{parts.netloc}" if base_url else ""
        self._base = parts.path.rstrip("/")

    def template(self, piece: Piece) -> int:
        """Add the text that replaces a tag or an output."""
        if self._only is not None and not self._is_expanded(piece, self._only):
            self.put(self.text[piece.start : piece.end])
        elif piece.opening == "{{":
            self.put(self._output(piece.inner.strip(_TRIMMED)))
        elif piece.opening == "{%":
            tag = _TAG.match(piece.inner.strip(_TRIMMED))
            if tag and tag["name"] in _VERBATIM:
                return self._verbatim(tag["name"], tag["rest"], piece)
            self.put(self._tag(tag["name"], tag["rest"].strip(), piece) if tag else "")
        return piece.end

    def broken(self, piece: Piece) -> None:
        """Keep an opening delimiter that is not closed, if braces are text."""
        if self._only is not None:
            self.put(piece.opening)

    def _is_expanded(self, piece: Piece, only: frozenset[str]) -> bool:
        inner = piece.inner.strip(_TRIMMED)
        if piece.opening == "{{":
            return self._outputs is not None and self._outputs.match(inner) is not None
        tag = _TAG.match(inner) if piece.opening == "{%" else None
        return tag is not None and tag["name"].removeprefix("end") in only

    def code(self, text: str) -> str:
        """Return code without its `raw` tags, "" if all its lines are templates, which are not code."""
        if self._only is not None:
            return text
        if text[0] not in "`~" and all(map(_is_tags, text.splitlines())):
            return ""
        marks = {mark[1] for mark in _RAW_MARK.finditer(text)}
        return _without_raw_marks(text) if len(marks) > 1 else text

    def _verbatim(self, name: str, rest: str, piece: Piece) -> int:
        end = self.until(_VERBATIM[name], piece.end)
        if not end:
            return piece.end
        inner = self.text[piece.end : end.start()]
        if name in ("codeblock", "highlight"):
            code = _RAW_MARK.sub("", inner)
            language = next(iter(rest.split()), "")
            if name == "codeblock":  # Octopress and Hexo: https://hexo.io/docs/tag-plugins#Code-Block
                option = _CODE_LANGUAGE.search(rest)
                language = option[1] if option else ""
            self.put(elements.code_block(code, language, self.margin(piece.start)))
        elif name != "comment":
            self.put(inner)
        return end.end()

    def _output(self, inner: str) -> str:
        if site := _SITE.match(inner):
            return {"url": self._host, "baseurl": self._base}.get(site["name"], self._host + self._base)
        literal = _STRING.match(inner)
        if not literal:
            return ""
        text = literal[1] or literal[2] or ""
        filters = literal["filters"] or ""
        if "absolute_url" in filters:
            return f"{self._host}{self._base}/{text.lstrip('/')}"
        if _BASE_FILTER.search(filters):
            return f"{self._base}/{text.lstrip('/')}"
        return text if "{" not in text else ""

    def _tag(self, name: str, rest: str, piece: Piece) -> str:
        if name in ("post_url", "link"):
            path = rest.strip("\"'").partition("#")[0]
            address = f"/@{'~' if name == 'post_url' else '/'}{quote(path)}"
            return self.reference(address, piece) if "{" not in path else ""
        values = _values(rest)
        if name in ("include", "include_relative"):
            return self._include(values)
        if name == "asset_img":  # a picture in the post's own folder: https://hexo.io/docs/asset-folders
            source = next((value for value in values.values() if _PICTURE.fullmatch(value)), "")
            return elements.figure({"src": source})
        markup = elements.known(name, values)
        if markup is None and name not in _SILENT and not name.startswith("end"):
            self.unknown.add(name)
        return markup or ""

    def _include(self, values: dict[str, str]) -> str:
        """Return the HTML of an include with a known name, as in `{% include figure.html src="…" %}`."""
        file = values.get("0", "")
        kind = file.rpartition("/")[2].partition(".")[0].lower()
        values = {key: value for key, value in values.items() if not key.isdigit()}
        markup = elements.known(kind, values) if values else None
        if not markup:
            self.unknown.add(f"include {file}")
        return markup or ""


def _without_raw_marks(text: str) -> str:
    """Return a text without `{% raw %}` and `{% endraw %}`; between them, another `{% raw %}` is text."""
    parts: list[str] = []
    position, is_raw = 0, False
    for mark in _RAW_MARK.finditer(text):
        is_end = bool(mark[1])
        if is_end or not is_raw:
            parts.append(text[position : mark.start()])
            position, is_raw = mark.end(), not is_end
    return "".join([*parts, text[position:]])


def _values(rest: str) -> dict[str, str]:
    """Return the arguments of a tag by name; the names of positional ones are their numbers, from "0"."""
    values: dict[str, str] = {}
    numbers = count()
    for argument in _ARGUMENT.finditer(rest):
        value = next(filter(None, argument.group(2, 3, 4)), "")
        values[argument[1] or str(next(numbers))] = unescape(value)
    return values


def _is_tags(line: str) -> bool:
    line = line.strip()
    return not line or (line.startswith(("{%", "{{")) and line.endswith(("%}", "}}")))
