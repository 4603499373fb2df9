"""Pages as parsed trees."""

from __future__ import annotations

from typing import Any

from lxml import html

from tests.site import Web


def parse(text: str) -> Any:
    """Return a page as an lxml tree."""
    return html.fromstring(text)


def page(web: Web, path: str, **headers: str) -> Any:
    """Return a page that must exist, parsed."""
    answer = web.get(path, **headers)
    assert answer.status_code == 200, answer.text
    return parse(answer.text)


def texts(tree: Any, xpath: str) -> list[str]:
    """Return the texts that an XPath finds, each on one line."""
    return [" ".join(found.text_content().split()) for found in tree.xpath(xpath)]
