"""Which templates a text may hold, by the generator it was written for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from text.templates.liquid import Liquid
from text.templates.mdx import Mdx
from text.templates.scan import Expander
from text.templates.shortcodes import Hugo, Zola

_TABLE_OF_CONTENTS = re.compile(
    r"^(?:[*+-]|1\.) [^\n]*\n\{:[^}\n]*toc[^}\n]*\}[ \t]*$"
    r"|^\[(?:\[_?TOC_?\]|TOC)\][ \t]*$|^\{::[^}\n]*/?\}[ \t]*$",
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
    expander = _expander(text, generator, markup, base_url)
    if expander is None:
        return Expanded(text)
    expanded = expander.run()
    if generator in ("jekyll", "pelican") and markup == "markdown":
        expanded = _TABLE_OF_CONTENTS.sub("", expanded)
    return Expanded(expanded, frozenset(expander.unknown))


def _expander(text: str, generator: str, markup: str, base_url: str | None) -> Expander | None:
    has_code = markup != "html"
    if markup == "mdx" or (generator == "docusaurus" and markup == "markdown"):
        return Mdx(text)
    if generator in ("jekyll", "eleventy", "pelican"):
        return Liquid(text, has_code=has_code, base_url=base_url)
    if generator == "hugo":
        return Hugo(text, has_code=has_code)
    return Zola(text, has_code=has_code) if generator == "zola" else None
