"""Expands the templates in a text, by the generator for which it was written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from text.templates.scan import Expander

# `[[toc]]` of many Markdown processors.
_TOC = re.compile(r"^\[(?:\[_?TOC_?\]|TOC)\][ \t]*$|^\$\{toc\}[ \t]*$", re.MULTILINE | re.IGNORECASE)
_TABLE_OF_CONTENTS = re.compile(
    r"^(?:[*+-]|1\.) [^\n]*\n\{:[^}\n]*toc[^}\n]*\}[ \t]*$"
    r"|^\{::[^}\n]*/?\}[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text without templates, and the names of those that are not known."""

    text: str
    unknown: frozenset[str] = frozenset()


def expand(text: str, *, generator: str, markup: str, base_url: str | None = None) -> Expanded:
    """Return a text without its templates.

    `generator` names the program it was written for ("plain" has no templates), `markup` is "markdown",
    "mdx" or "html", and `base_url` the address of the site that it belongs to. Links to other articles become
    addresses that hold `/@~NAME` or `/@/PATH`: see `text.links`.
    """
    unknown: set[str] = set()
    expanded = text
    for expander in _expanders(text, generator, markup, base_url):
        expansion = expander(expanded)
        expanded = expansion.run()
        unknown |= expansion.unknown
    if generator != "plain" and markup != "html":
        expanded = _TOC.sub("", expanded) if "[" in expanded or "${" in expanded else expanded
        if generator == "astro" and markup == "markdown":
            from text.templates.mdc import without_components

            expanded = without_components(expanded)
        if generator == "pelican":
            from text.templates.admonitions import quoted

            expanded = quoted(expanded)
        if generator in ("jekyll", "pelican"):
            expanded = _TABLE_OF_CONTENTS.sub("", expanded)
    return Expanded(expanded, frozenset(unknown))


def _expanders(
    text: str, generator: str, markup: str, base_url: str | None
) -> Iterator[Callable[[str], Expander]]:
    """Yield the expanders to apply to a text, in their order."""
    # Each is imported only where it is needed: most sites need one, and a site of links only needs none.
    has_code = markup != "html"
    if markup == "mdx" or (generator == "docusaurus" and markup == "markdown"):
        from text.templates.mdx import Mdx

        yield Mdx
        return
    has_jsx = "={" in text or "className" in text or text.startswith("import ")
    if generator == "astro" and markup == "markdown" and has_jsx:
        from text.templates.mdx import Jsx

        yield Jsx
    if generator in ("jekyll", "eleventy", "pelican", "hugo"):
        from text.templates import liquid

        expand_liquid = partial(liquid.Liquid, has_code=has_code, base_url=base_url)
        if generator == "pelican":
            yield partial(expand_liquid, only=liquid.PELICAN)
        elif generator == "hugo":  # many of its sites formerly used Jekyll
            yield partial(expand_liquid, only=liquid.LEFT_OVER, outputs=True)
        else:
            yield expand_liquid
    if generator in ("hugo", "zola"):
        from text.templates.shortcodes import Hugo, Zola

        yield partial(Hugo if generator == "hugo" else Zola, has_code=has_code)
