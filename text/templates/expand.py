"""Which templates a text may hold, by the generator it was written for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from text.templates.scan import Expander

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
    # Each is loaded where a site needs it: most need one, and a site of front matter alone needs none.
    has_code = markup != "html"
    if markup == "mdx" or (generator == "docusaurus" and markup == "markdown"):
        from text.templates.mdx import Mdx

        return Mdx(text)
    if generator in ("jekyll", "eleventy", "pelican"):
        from text.templates.liquid import Liquid

        return Liquid(text, has_code=has_code, base_url=base_url)
    if generator in ("hugo", "zola"):
        from text.templates.shortcodes import Hugo, Zola

        return Hugo(text, has_code=has_code) if generator == "hugo" else Zola(text, has_code=has_code)
    return None
