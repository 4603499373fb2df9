"""What no output may ever do, whatever the input.

The checks are independent of the code that makes the output.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from lxml import etree, html

ACTIVE = frozenset(
    {
        "script",
        "iframe",
        "frame",
        "object",
        "embed",
        "applet",
        "base",
        "style",
        "form",
        "button",
        "input",
        "textarea",
        "select",
        "meta",
        "link",
        "svg",
        "math",
        "template",
        "noscript",
        "frameset",
        "portal",
        "video",
        "audio",
    }
)
_ADDRESSES = frozenset(
    {"href", "src", "action", "formaction", "xlink:href", "data", "poster", "srcset", "cite"}
)
_STRICT = etree.XMLParser(recover=False, resolve_entities=False, no_network=True, huge_tree=False)
_IGNORED_BY_BROWSERS = re.compile("[\x00-\x20]")


def strict_xml(document: bytes) -> etree._Element:
    """Return a document as a strict parser reads it; fail if it is not well-formed."""
    return etree.fromstring(document, _STRICT)


def strict_json(document: bytes) -> Any:
    """Return a document as a strict parser reads it; fail for NaN and lone surrogates."""

    def refuse(constant: str) -> Any:
        raise AssertionError(f"{constant} is not JSON")

    value = json.loads(document.decode("utf-8"), parse_constant=refuse)
    json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def assert_inert(markup: str) -> None:
    """Fail if HTML from an article would run, load a document, or send anything."""
    if not markup.strip():
        return
    for element in html.fragments_fromstring(markup):
        if isinstance(element, str):
            continue
        for each in element.iter():
            assert isinstance(each.tag, str) or not isinstance(each, etree._ProcessingInstruction), markup
            assert each.tag not in ACTIVE, (each.tag, markup)
            _assert_inert_attributes(each, markup)


def assert_page_is_sound(page: str, own: Counter[str]) -> None:
    """Fail if a page has an active element other than its `own`, an event handler or a scripted address."""
    tree = html.document_fromstring(page)
    assert active_elements(page) == own, page
    for each in tree.iter():
        _assert_inert_attributes(each, page)


def active_elements(page: str) -> Counter[str]:
    """Return a count of a page's active elements, without `link` and `meta`, which vary with the article.

    Structured data does not count: browsers run no script element of that type. It must be JSON.
    """
    tree = html.document_fromstring(page)
    data = [each for each in tree.iter("script") if each.get("type") == "application/ld+json"]
    for each in data:
        json.loads(each.text or "")
    return Counter(
        each.tag
        for each in tree.iter()
        if each.tag in ACTIVE - {"link", "meta", "svg", "input", "button", "form"} and each not in data
    )


def _assert_inert_attributes(element: Any, markup: str) -> None:
    for name, value in element.attrib.items():
        assert not name.lower().startswith("on"), (name, markup)
        assert name.lower() != "srcdoc", markup
        if name.lower() in _ADDRESSES:
            scheme = _IGNORED_BY_BROWSERS.sub("", value).lower()
            assert not scheme.startswith(("javascript:", "vbscript:")), (value, markup)
            assert not scheme.startswith("data:") or element.tag in ("img", "link"), (value, markup)
