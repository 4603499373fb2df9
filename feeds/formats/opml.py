"""OPML 2.0 (http://opml.org/spec2.opml): all feeds of a site in one file for import into feed readers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from text.markup import one_line

EXTENSION = "opml"
MIMETYPE = "text/x-opml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One feed, and the feeds of its subtopics."""

    title: str
    feed_url: str
    page_url: str
    description: str = ""
    children: tuple[Outline, ...] = ()


def render_opml(title: str, outlines: Iterable[Outline]) -> bytes:
    """Return a subscription list, encoded in UTF-8; outlines keep their order.

    An outline with children becomes a folder whose first item is its own feed: readers treat an outline as
    either a folder or a feed, and ignore the other part of one that is both.
    """
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = one_line(title)
    body = etree.SubElement(root, "body")
    for outline in outlines:
        _add(body, outline)
    document: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return document


def _add(parent: etree._Element, outline: Outline) -> None:
    title = one_line(outline.title)
    if outline.children:
        parent = etree.SubElement(parent, "outline", text=title)
    attributes = {
        "type": "rss",
        "text": title,
        "title": title,
        "description": one_line(outline.description),
        "xmlUrl": outline.feed_url,
        "htmlUrl": outline.page_url,
    }
    etree.SubElement(parent, "outline", {key: value for key, value in attributes.items() if value})
    for child in outline.children:
        _add(parent, child)
