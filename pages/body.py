"""Rewrites the HTML of an article's body for a page of this site.

The input was sanitised by `text.markup`; the output adds nothing to it but `id` and `class` attributes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from html import escape, unescape
from urllib.parse import unquote, urlsplit

from feeds.model import Site
from pages.cards import local
from pictures.rules import LARGE, NoPictures, PagePicture, Pictures
from pictures.size import Size
from text.anchors import Anchors, HeadingIds, explicit_ids
from text.language import Language
from text.phrases import phrase

_NO_PICTURES = NoPictures()
_ENGLISH = Language()
# The tags that may change, in the form in which the sanitiser writes them. Other tags have no attributes, and
# are copied with the text around them. A general HTML parser would take four times as long.
_AFTER_BRACKET = r'(/?)(h[1-6]|a|img|pre|th|[a-z][a-z0-9]*(?= ))((?: [^\s"=<>]+="[^"]*")*)>'
# A lookahead after the "<": not the start of a link to another site, which is copied, and not the end of a
# link. A pattern that starts with a literal is found faster.
_NO_LINK_OUT = r"""(?!/?a(?: href="(?!{})[^"&'<>]*")?>)"""
_ATTRIBUTE = re.compile(r' ([^\s"=<>]+)="([^"]*)"')
_INNER_TAG = re.compile(r"<[^<>]*>")
_REFERENCE = re.compile(r"&[^;\s]*;")
_HEADING = re.compile(r"h[1-6]")
_ALIGNED = re.compile(r"text-align:\s*(left|right|center)")
_MOST_DIGITS = 5  # of a width or height in pixels
_SIDES = {"left": "start", "right": "end", "center": "center"}


def page_body(
    markup: str,
    page_url: str,
    site: Site,
    pictures: Pictures = _NO_PICTURES,
    size_of: Callable[[str], Size | None] = lambda url: None,
    language: Language = _ENGLISH,
) -> str:
    """Return a sanitised fragment with anchors in its headings, which loads only what `pictures` allows.

    Other pictures of other sites become links to them, with a text in `language`. `size_of` returns the size
    of the picture at an address, so that a browser reserves its space and the page does not shift. A picture
    of unknown size has the class `boxed`, for a box of a fixed shape. Alignment becomes classes, as the
    page's policy forbids inline style. Headings start at the second level.
    """
    return _Rewriter(markup, page_url, site, pictures, size_of, language).rewrite()


class _Rewriter:
    """Copies its input, and changes the tags that a page shows differently."""

    def __init__(
        self,
        markup: str,
        page_url: str,
        site: Site,
        pictures: Pictures,
        size_of: Callable[[str], Size | None],
        language: Language,
    ) -> None:
        self._parts: list[str] = []
        self._page_url = page_url
        self._site = site
        self._pictures = pictures
        self._size_of = size_of
        self._language = language
        self._heading: list[str] | None = None
        self._place = 0
        self._links = 0
        self._images = 0
        levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", markup)]
        self._lower = max(0, 2 - min(levels)) if levels else 0
        self._ids = HeadingIds(explicit_ids(markup))
        self._used = self._ids.used
        self._markup = markup
        self._anchors: Anchors | None = None

    def rewrite(self) -> str:
        """Return the rewritten text."""
        end = 0
        # Only pictures depend on whether they are within a link.
        tags = _tag("" if "<img " in self._markup else self._site.url)
        for match in tags.finditer(self._markup):
            self._text(self._markup[end : match.start()])
            is_end, tag, attributes = match.groups()
            if is_end:
                self._end(tag)
            else:
                self._start(tag, [(name, unescape(value)) for name, value in _ATTRIBUTE.findall(attributes)])
            end = match.end()
        self._text(self._markup[end:])
        return "".join(self._parts)

    def _start(self, tag: str, attributes: list[tuple[str, str]]) -> None:
        if _HEADING.fullmatch(tag):
            self._parts.append(self._tag(self._level(tag), attributes))
            if ' id="' not in self._parts[-1]:
                self._heading, self._place = [], len(self._parts) - 1
        elif tag == "img":
            self._parts.append(self._image(dict(attributes)))
        else:
            self._links += tag == "a"
            self._parts.append(self._tag(tag, attributes))

    def _end(self, tag: str) -> None:
        if _HEADING.fullmatch(tag) and self._heading is not None:
            name = self._ids.next("".join(self._heading))
            self._parts[self._place] = f'{self._parts[self._place][:-1]} id="{escape(name)}">'
            self._heading = None
        self._links -= tag == "a"
        self._parts.append(f"</{self._level(tag)}>")

    def _text(self, source: str) -> None:
        self._parts.append(source)
        if self._heading is not None:
            self._heading.append(_REFERENCE.sub(" ", _INNER_TAG.sub("", source)))

    def _tag(self, tag: str, attributes: list[tuple[str, str]]) -> str:
        html_parts = [self._attribute(name, value) for name, value in attributes]
        if tag in ("pre", "table"):
            html_parts.append(' tabindex="0"')  # so that a keyboard can scroll long lines and wide tables
        if tag == "th" and all(name != "scope" for name, _ in attributes):
            html_parts.append(' scope="col"')  # Markdown has no other headings in its tables
        return f"<{tag}{''.join(html_parts)}>"

    def _attribute(self, name: str, value: str) -> str:
        if name == "style":
            aligned = _ALIGNED.search(value)
            return f' class="align-{_SIDES[aligned[1]]}"' if aligned else ""
        if name == "id":
            if value in self._used:
                return ""
            self._used.add(value)
        if name == "href":
            value = self._target(value)
        return f' {name}="{escape(value)}"'

    def _target(self, url: str) -> str:
        page, hash_sign, anchor = url.partition("#")
        if hash_sign and page == self._page_url:
            self._anchors = self._anchors or Anchors.of(self._markup)
            return f"#{self._anchors.resolve(unquote(anchor))}"
        return local(url, self._site)

    def _image(self, attributes: dict[str, str]) -> str:
        url = attributes.get("src") or ""
        address = local(url, self._site)
        picture = PagePicture(address=address) if address != url else self._pictures.shown(url, LARGE)
        if picture is None:
            return self._link_to_picture(url, attributes.get("alt") or attributes.get("title") or "")
        values = {
            "src": picture.address,
            "alt": attributes.get("alt") or "",
            "title": attributes.get("title"),
        }
        size = Size(picture.width, picture.height) if picture.width and picture.height else self._size_of(url)
        values |= _sides(attributes.get("width"), attributes.get("height"), size)
        if not (values["width"] and values["height"]):
            values["class"] = "boxed"
        if self._images:  # the first picture is often visible at once
            values["loading"] = "lazy"
        values["decoding"] = "async"
        self._images += 1
        html_parts = (f' {name}="{escape(value)}"' for name, value in values.items() if value is not None)
        return f"<img{''.join(html_parts)}>"

    def _link_to_picture(self, url: str, text: str) -> str:
        """Return a link to a picture that is not shown; within another link, only its text."""
        host = urlsplit(url).hostname if url else None
        label_text = (
            phrase("Picture: %(text)s", text=text) if text else phrase("Picture on %(host)s", host=host)
        )
        label = escape(self._language.translate(label_text)) if text or host else ""
        return label if self._links else f'<a class="elsewhere" href="{escape(url)}">{label}</a>'

    def _level(self, tag: str) -> str:
        return f"h{min(6, int(tag[1]) + self._lower)}" if _HEADING.fullmatch(tag) else tag


@cache
def _tag(without_links_out_of: str) -> re.Pattern[str]:
    """Return the pattern of the tags that may change; it may skip links to other sites."""
    site = without_links_out_of
    return re.compile(f"<{_NO_LINK_OUT.format(re.escape(site)) if site else ''}{_AFTER_BRACKET}")


def _sides(width: str | None, height: str | None, size: Size | None) -> dict[str, str | None]:
    """Return the attributes for a picture's size: the author's, completed by `size`."""
    if size is None or (width and height):
        return {"width": width, "height": height}
    if width is None and height is None:
        return {"width": str(size.width), "height": str(size.height)}
    side = width or height or ""
    if not side.isascii() or not side.isdigit() or len(side) > _MOST_DIGITS:
        return {"width": width, "height": height}
    if width:
        return {"width": width, "height": str(max(1, round(int(width) * size.height / size.width)))}
    return {"width": str(max(1, round(int(side) * size.width / size.height))), "height": height}
