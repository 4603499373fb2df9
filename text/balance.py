"""Balances HTML: closes every tag within the element in which it was opened, and limits the depth.

A browser's parser repairs any HTML, but its time grows with the depth, and a `<b>` that is not closed in its
paragraph is opened again in every later one
(https://html.spec.whatwg.org/#parsing-main-inbody, "reconstruct the active formatting elements"). The result
of this module needs no repair, so that the sanitiser's time grows only with the length of the text.
References such as `&eacute;` become characters. In texts, `&`, `<` and `>` become placeholders, because the
sanitiser's parser copies a text once for each reference in it; `revealed` replaces the placeholders by
`&amp;`, `&lt;` and `&gt;`.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping

from text.limits import MAX_DEPTH, MAX_FORMATTING

# A comment, another declaration or a tag; one that is not closed extends to the end of the text. No part of
# this can be matched in two ways, so that no part is tried twice.
_TOKEN = re.compile(
    r"""<!--(?:-?>|.*?(?:--!?>|\Z))
    | <[!?][^>]*(?:>|\Z)
    | </(?![A-Za-z])[^>]*(?:>|\Z)
    | <(?P<end>/?)(?P<name>[A-Za-z][^\s/>]*)
      (?>(?:[^=>]++|=\s*(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z))|=)*) (?P<close>>|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
# Noncharacters, which Unicode reserves for such internal use.
_PLACEHOLDERS = {"&": "\ufdd0", "<": "\ufdd1", ">": "\ufdd2"}
_SPACE_REFERENCE = re.compile(r"&#(?:0*1[12]|[xX]0*[bBcC])(?![0-9a-fA-F]);?")
_VOID_NAMES = """
area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr
"""
_VOID = frozenset(_VOID_NAMES.split())
_RAW = frozenset(
    {"iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp"}
)
_FORMATTING_NAMES = "a b big code em font i nobr s small strike strong tt u"
_FORMATTING = frozenset(_FORMATTING_NAMES.split())
# Elements of SVG and MathML that HTML does not have. `svg` and `math` are removed with their content; outside
# of them, the sanitiser would also remove the content of these, such as the text after `vector<int>`.
_FOREIGN_NAMES = """
abs and animate annotation apply approx arccos arccosh arccot arccoth arccsc arccsch arcsec arcsech arcsin
arcsinh arctan arctanh arg bind bvar card cartesianproduct cbytes ceiling cerror ci circle cn codomain
complexes compose condition conjugate cos cosh cot coth cs csc csch csymbol curl declare defs degree desc
determinant diff discard divergence divide domain domainofapplication ellipse emptyset eq equivalent
eulergamma exists exp exponentiale factorial factorof false filter floor fn forall g gcd geq grad gt ident
imaginary imaginaryi implies in infinity int integers intersect interval inverse lambda laplacian lcm leq
limit line list ln log logbase lowlimit lt maction maligngroup malignmark marker mask matrix matrixrow max
mean median menclose merror metadata mfenced mfrac mglyph mi min minus mlabeledtr mlongdiv mmultiscripts mn
mo mode moment momentabout mover mpadded mpath mphantom mprescripts mroot mrow ms mscarries mscarry msgroup
msline mspace msqrt msrow mstack mstyle msub msubsup msup mtable mtd mtext mtr munder munderover
naturalnumbers neq none not notanumber notin notprsubset notsubset or otherwise outerproduct partialdiff
path pattern pi piece piecewise plus polygon polyline power primes product prsubset quotient rationals real
reals rect reln rem root scalarproduct sdev sec sech selector semantics sep set setdiff share sin sinh stop
subset sum switch symbol tan tanh tendsto text times transpose true tspan union uplimit use variance vector
vectorproduct view xor
"""
FOREIGN = frozenset(_FOREIGN_NAMES.split())
"""The names of elements whose tags are removed, and whose content stays."""
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = """
address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer form
header hgroup hr li listing main menu nav ol p pre section summary table ul
"""
_PARAGRAPH = frozenset({"p"})
_TABLE = frozenset({"table"})
_ENDS_PARAGRAPH = _HEADINGS | frozenset(_BLOCKS.split())
_CELLS = frozenset({"caption", "table", "td", "th"})
_SCOPE = _CELLS | {"applet", "button", "marquee", "object", "template"}
_TABLE_PARTS = frozenset({"caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"})

# Inline elements, with the rest of one whose content is plain text, or has one piece of code in it.
_LEAF_NAMES = "a b code del em i kbd mark s small strong sub sup"
_LEAVES = {
    name: re.compile(rf"[^<&>]*+(?:<code>[^<&>]*+</code>[^<&>]*+)?</{name}>") for name in _LEAF_NAMES.split()
}
_LEAF_DEPTH = 2

# The open elements that a start tag closes, and the elements at which the search for them ends.
_CLOSED_BY: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "li": (frozenset({"li"}), _SCOPE | {"ol", "ul"}),
    "dd": (frozenset({"dd", "dt"}), _SCOPE | {"dl"}),
    "dt": (frozenset({"dd", "dt"}), _SCOPE | {"dl"}),
    "a": (frozenset({"a"}), _SCOPE),
    "td": (frozenset({"td", "th"}), frozenset({"table", "tr"})),
    "th": (frozenset({"td", "th"}), frozenset({"table", "tr"})),
    "tr": (frozenset({"tr"}), frozenset({"table", "tbody", "tfoot", "thead"})),
    **dict.fromkeys(
        ("caption", "colgroup", "tbody", "tfoot", "thead"),
        (frozenset({"caption", "colgroup", "tbody", "tfoot", "thead"}), frozenset({"table"})),
    ),
}


def balanced(markup: str) -> str:
    """Return `markup` with each element closed within the one in which it was opened; see `revealed`.

    Elements deeper than MAX_DEPTH, and formatting within MAX_FORMATTING others, lose their tags and keep
    their content. Comments and declarations are left out, and so are elements in which tags are text.
    """
    for placeholder in _PLACEHOLDERS.values():
        markup = markup.replace(placeholder, "")
    return "".join(_Balancer(markup).parts())


def revealed(markup: str) -> str:
    """Return the result of `balanced` with its placeholders replaced by references."""
    for character, placeholder in _PLACEHOLDERS.items():
        markup = markup.replace(placeholder, html.escape(character))
    return markup


def texts(markup: str, without: Container[str]) -> Iterator[str]:
    """Yield the texts between tags, with references as characters; elements in `without` are left out."""
    position = 0
    while token := _TOKEN.search(markup, position):
        yield _decoded(markup[position : token.start()])
        position = token.end()
        name = (token["name"] or "").lower()
        if name and not token["end"] and name in without:
            position = _end_of(name, markup, position)
    yield _decoded(markup[position:])


def _decoded(text: str) -> str:
    """Return a text with each reference as its character; those that XML forbids are left out."""
    return html.unescape(_SPACE_REFERENCE.sub(" ", text)) if "&" in text else text


def _with_placeholders(text: str) -> str:
    """Return a text with placeholders for the characters that have a meaning in HTML."""
    if "&" in text:
        text = _decoded(text)
    elif "<" not in text and ">" not in text:
        return text
    for character, placeholder in _PLACEHOLDERS.items():
        text = text.replace(character, placeholder)
    return text


def _end_of(name: str, markup: str, position: int) -> int:
    """Return the end of an element whose content is not parsed."""
    end = re.compile(rf"</{re.escape(name)}(?=[\s/>])[^>]*>?", re.IGNORECASE).search(markup, position)
    return end.end() if end else len(markup)


class _Balancer:
    """One pass over a text; `_open` are the names of the elements that are open, outermost first."""

    def __init__(self, markup: str, leaves: Mapping[str, re.Pattern[str]] = _LEAVES) -> None:
        self._markup = markup
        self._leaves = leaves
        self._parts: list[str] = []
        self._open: list[str] = []
        self._count: Counter[str] = Counter()
        self._formatting = 0
        self._dropped: Counter[str] = Counter()

    def parts(self) -> list[str]:
        """Return the parts of the balanced text."""
        position = 0
        markup, put, search = self._markup, self._parts.append, _TOKEN.search
        while token := search(markup, position):
            start, end = token.span()
            if start > position:
                put(_with_placeholders(markup[position:start]))
            position = end
            is_end, name, close = token.groups()
            if not name or not close:
                continue
            if not (name.isascii() and name.isalnum()):
                continue  # no element of HTML: with quotes in its name, its end tag could end an attribute
            name = name.lower()
            if name in FOREIGN:
                continue
            if is_end:
                self._end(name)
            elif leaf := self._leaf(name, position):
                position = leaf.end()
                put(markup[start:position])
            else:
                self._start(name, markup[start:end])
                if name in _RAW:
                    position = _end_of(name, markup, position)
        put(_with_placeholders(markup[position:]))
        self._close(0)
        return self._parts

    def _leaf(self, name: str, position: int) -> re.Match[str] | None:
        """Return the rest of an element that is correct in any context, as most elements are."""
        ending = self._leaves.get(name)
        if (
            ending is None
            or self._dropped
            or (name == "a" and self._count["a"])
            or len(self._open) > MAX_DEPTH - _LEAF_DEPTH
            or self._formatting > MAX_FORMATTING - _LEAF_DEPTH
        ):
            return None
        return ending.match(self._markup, position)

    def _start(self, name: str, tag: str) -> None:
        if name in _RAW:
            return
        if self._open:
            self._close_before(name)
        is_formatting = name in _FORMATTING
        if name in _VOID:
            self._parts.append(tag)
        elif len(self._open) >= MAX_DEPTH or (is_formatting and self._formatting >= MAX_FORMATTING):
            self._dropped[name] += 1
        else:
            self._open.append(name)
            self._count[name] += 1
            self._formatting += is_formatting
            self._parts.append(tag)

    def _close_before(self, name: str) -> None:
        """Close the elements that a start tag closes."""
        if name in _ENDS_PARAGRAPH and self._count["p"]:
            self._close_from(_PARAGRAPH, _SCOPE)
        if name in _CLOSED_BY:
            self._close_from(*_CLOSED_BY[name])
        if name in _HEADINGS and self._open and self._open[-1] in _HEADINGS:
            self._close(len(self._open) - 1)

    def _end(self, name: str) -> None:
        if self._dropped and self._dropped[name]:
            self._dropped[name] -= 1
        elif self._open and self._open[-1] == name:
            self._close(len(self._open) - 1)
        elif self._count[name]:
            limits = _TABLE if name in _TABLE_PARTS else _CELLS
            self._close_from(frozenset({name}), limits - {name})

    def _close_from(self, names: frozenset[str], limits: frozenset[str]) -> None:
        """Close the innermost open element in `names` with its contents, up to any of `limits`."""
        for name in names:
            if self._count[name]:
                break
        else:
            return
        for position in range(len(self._open) - 1, -1, -1):
            if self._open[position] in names:
                self._close(position)
                return
            if self._open[position] in limits:
                return

    def _close(self, position: int) -> None:
        while len(self._open) > position:
            name = self._open.pop()
            self._count[name] -= 1
            self._formatting -= name in _FORMATTING
            self._parts.append(f"</{name}>")
