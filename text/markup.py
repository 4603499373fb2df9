"""Converts untrusted Markdown and HTML into safe HTML with absolute URLs.

This module does not know articles or feeds.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import nh3

from text.balance import balanced, revealed, texts
from text.characters import xml_safe
from text.limits import MAX_BODY, MAX_URL

URL_SCHEMES = frozenset({"http", "https", "mailto"})


# Only text and structure: nothing that runs, loads by itself (except images), or takes input.
_TAG_NAMES = """
a abbr b bdi blockquote br caption cite code col colgroup dd del details dfn div dl dt em figcaption figure
h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp small span strong sub summary sup
table tbody td tfoot th thead time tr u ul var wbr
"""
_TAGS = frozenset(_TAG_NAMES.split())
_DROPPED_WITH_CONTENT = frozenset(
    {"math", "noscript", "object", "script", "style", "svg", "template", "textarea", "title"}
)
_CELL = frozenset({"colspan", "rowspan", "style"})
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"dir", "id", "lang"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "code": {"class"},
    "div": {"class"},
    "pre": {"class"},
    "img": {"src", "alt", "title", "width", "height"},
    "li": {"value"},
    "ol": {"start"},
    "td": {*_CELL},
    "th": {*_CELL, "scope"},
    "time": {"datetime"},
}

_LANGUAGE_CLASS = re.compile(r"language-[\w+#.-]{1,40}")
_ID = re.compile(r"[A-Za-z][\w.:-]{0,99}")

_EMBED = re.compile(r"<(?:iframe|embed|video|audio|source)\b[^<>]*>", re.IGNORECASE)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_EMBED_SOURCE = re.compile(r"""\ssrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_YOUTUBE = re.compile(r"https?://(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]+)")
_VIMEO = re.compile(r"https?://player\.vimeo\.com/video/(\d+)")
_BLOCK_END = re.compile(r"<(?:br|/p|/li|/h[1-6]|/t[dh]|/d[dt]|/div|/pre)\b", re.IGNORECASE)
_SANITISED_TAG = re.compile(r'<[^<>"]*(?:"[^"]*"[^<>"]*)*>')


Resolve = Callable[[str], str | None]
"""Returns the absolute address for a relative one, or None if it has no target."""


def render_markdown(
    text: str, base_url: str, *, page_url: str | None = None, resolve: Resolve | None = None
) -> str:
    """Return Markdown as sanitised HTML: see `text.markdown.render` and `sanitise`."""
    # Imported here, as it takes some 80 ms, and a site of links only does not need it.
    from text import markdown

    markup = markdown.render(xml_safe(text[:MAX_BODY]))
    return sanitise(markup, base_url, page_url=page_url, resolve=resolve)


def sanitise(
    markup: str, base_url: str, *, page_url: str | None = None, resolve: Resolve | None = None
) -> str:
    """Return `markup` as an inert fragment of HTML whose every URL is absolute.

    Relative URLs are resolved against `base_url`, bare `#anchors` against `page_url`, which is `base_url` by
    default; `resolve` replaces both. Only http, https and mailto links stay; players and frames become links;
    all characters of the result are valid in XML.
    """

    def absolute(url: str) -> str | None:
        if resolve:
            return _resolve(resolve(url) or "", base_url)
        return _resolve(url, (page_url or base_url) if url.startswith("#") else base_url)

    clean = _EMBED.sub(lambda tag: _embed_anchor(tag[0], absolute), xml_safe(markup))
    clean = balanced(clean)
    # Twice: the result may parse differently after a tag was removed, such as a paragraph in a paragraph. If
    # the first time changes nothing, the second one would not either.
    for _ in range(2):
        before = clean
        clean = nh3.clean(
            before,
            tags=set(_TAGS),
            clean_content_tags=set(_DROPPED_WITH_CONTENT),
            attributes=_ATTRIBUTES,
            attribute_filter=_attribute,
            link_rel=None,
            url_schemes=set(URL_SCHEMES),
            url_relative=absolute,
            filter_style_properties={"text-align"},
        )
        if clean == before:
            break
    # Once more, because references such as `&#11;` have become characters.
    return xml_safe(revealed(clean)).strip()


def _attribute(_tag: str, name: str, value: str) -> str | None:
    """Return the allowed value of an attribute, or None if the attribute is not allowed."""
    if name == "class":
        return match[0] if (match := _LANGUAGE_CLASS.search(value)) else None
    if name == "id":
        return value if _ID.fullmatch(value) else None
    return value if len(value) <= MAX_URL or name not in ("href", "src") else None


def embed_link(markup: str, base_url: str) -> str:
    """Return an embed (an iframe, a video) as a sanitised paragraph with a link to its content."""
    clean = sanitise(markup, base_url)
    return f"<p>{clean}</p>" if clean.startswith("<a ") else clean


def plain(markup: str) -> str:
    """Return the text of an HTML fragment on one line."""
    spaced = _BLOCK_END.sub(r" \g<0>", xml_safe(markup))
    return one_line("".join(texts(spaced, _DROPPED_WITH_CONTENT)))


def plain_of_sanitised(markup: str) -> str:
    """Return what `plain` returns, for a fragment that `sanitise` returned, in half the time."""
    spaced = _BLOCK_END.sub(lambda end: f" {end[0]}", xml_safe(markup))
    return one_line(html.unescape(_SANITISED_TAG.sub("", spaced)))


def one_line(text: str) -> str:
    """Return `text` without characters that are invalid in XML, and with single spaces for white space."""
    if text.isprintable() and "  " not in text and "\ufffd" not in text:
        return text.strip(" ")  # nothing to change, as in nearly every text
    text = xml_safe(text)
    for space in "\t\r\n":
        text = text.replace(space, " ")
    while "  " in text:  # each pass halves the runs
        text = text.replace("  ", " ")
    return text.strip(" ")


def _resolve(url: str, base_url: str) -> str | None:
    if len(url) > MAX_URL or not url.strip():
        return None
    try:
        absolute = urljoin(base_url, url.strip()).replace(" ", "%20")
        return absolute if urlsplit(absolute).scheme in URL_SCHEMES else None
    except ValueError:
        return None


def _embed_anchor(tag: str, absolute: Resolve) -> str:
    source = _EMBED_SOURCE.search(tag)
    if not source:
        return ""
    source_url = html.unescape(source[1] or source[2] or source[3] or "").strip()
    url = _resolve(source_url, "") if _ABSOLUTE.match(source_url) else absolute(source_url)
    host = urlsplit(url).hostname if url else None
    if not url or not host:
        return ""
    if video := _YOUTUBE.match(url):
        url, label = f"https://www.youtube.com/watch?v={video[1]}", "Watch on YouTube"
    elif video := _VIMEO.match(url):
        url, label = f"https://vimeo.com/{video[1]}", "Watch on Vimeo"
    else:
        label = f"Open on {host.removeprefix('www.')}"
    return f'<a href="{html.escape(url)}">{html.escape(label)}</a>'
