"""Expands the templates in a text, by the generator for which it was written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
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


# `![](a.png =300x200)`: https://github.com/tatsy/markdown-it-imsize
_SIZED = re.compile(
    r"(!\[[^\[\]\n]{0,500}\]\([^()\s]{1,2000}(?: +\"[^\"\n]{0,500}\")?)"
    r" +=(?=[\dx])\d{0,5}%?(?:x\d{0,5}%?)?(?=\))"
)
# Names of pictures: https://squidfunk.github.io/mkdocs-material/reference/icons-emojis/
_ICON = re.compile(r":(?:material|octicons|fontawesome|simple)-[a-z0-9-]{1,80}:(?:\{[^{}\n]{0,200}\})? ?")
_WITH_WIKI_LINKS = frozenset({"astro", "eleventy", "jekyll"})


@dataclass(frozen=True, slots=True)
class ExpandedText:
    """A text without templates, and the names of those that are not known."""

    text: str
    unknown: frozenset[str] = frozenset()


def expand(text: str, *, generator: str, markup: str, base_url: str | None = None) -> ExpandedText:
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
        expanded = _without_notations(expanded, generator, markup)
    return ExpandedText(expanded, frozenset(unknown))


def _without_notations(text: str, generator: str, markup: str) -> str:
    """Return Markdown without what the generators add to it, besides templates."""
    text = _TOC.sub("", text) if "[" in text or "${" in text else text
    if " =" in text and _SIZED.search(text):
        from text.templates.code import outside_code

        text = outside_code(text, _SIZED, itemgetter(1))
    if "[[" in text and generator in _WITH_WIKI_LINKS:
        from text.templates.wiki import without_wiki_links

        text = without_wiki_links(text, words=generator == "astro")
    if generator == "astro" and markup == "markdown":
        from text.templates.mdc import without_components

        text = without_components(text)
    if generator == "pelican":
        from text.templates.admonitions import quoted

        text = quoted(_ICON.sub("", text))
    if generator in ("jekyll", "pelican"):
        from text.templates import blocks

        text = blocks.separated(blocks.marked(_TABLE_OF_CONTENTS.sub("", text)))
    return text


def _expanders(
    text: str, generator: str, markup: str, base_url: str | None
) -> Iterator[Callable[[str], Expander]]:
    """Yield the expanders to apply to a text, in their order."""
    # Each is imported only where it is needed: most sites need one, and a site of links only needs none.
    has_code = markup != "html"
    if "{% " in text and generator in ("astro", "docusaurus"):
        from text.templates import liquid

        yield partial(liquid.Liquid, has_code=has_code, base_url=base_url, only=liquid.MEDIA)
    if "<%= render" in text and generator in ("jekyll", "astro"):
        # Only a text that renders components is taken for a template: others may write about Ruby.
        from text.templates.erb import Erb

        yield partial(Erb, has_code=has_code)
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
            yield partial(expand_liquid, only=liquid.PELICAN, outputs=liquid.SITEURL)
        elif generator == "hugo":  # many of its sites formerly used Jekyll
            yield partial(expand_liquid, only=liquid.LEFT_OVER, outputs=liquid.SITES_OUTPUT)
        else:
            yield expand_liquid
    if generator in ("hugo", "zola"):
        from text.templates.shortcodes import Hugo, Zola

        yield partial(Hugo if generator == "hugo" else Zola, has_code=has_code)
