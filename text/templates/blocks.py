"""Markdown within HTML blocks, where a generator reads it: blank lines let CommonMark read it too.

kramdown and Python-Markdown read the tags with the attribute `markdown`
(https://kramdown.gettalong.org/syntax.html#html-blocks,
https://python-markdown.github.io/extensions/md_in_html/); MDX reads all tags, and has no indented code
(https://mdxjs.com/docs/what-is-mdx/#markdown).
"""

from __future__ import annotations

import re

from text.templates.code import ITEM, open_fence

_MARKED = re.compile(
    r"(?P<margin>[ \t]*)<(?P<name>[A-Za-z][A-Za-z0-9]{0,20})(?P<before>(?:\s[^<>\n]{0,1000}?)?)"
    r"\smarkdown(?:\s*=\s*[\"']?(?:1|block|span)[\"']?)?(?P<after>(?:\s[^<>\n]{0,1000})?)>(?P<rest>[^\n]*)"
)
_IS_MARKED = re.compile(r"<[A-Za-z][^<>\n]{0,1000}?\smarkdown\b")
_BLOCK = (
    "address|article|aside|blockquote|center|details|div|dl|fieldset|figure|footer|form|h[1-6]|header|main|nav"
    "|ol|p|pre|section|table|ul"
)
_BLOCK_LINE = re.compile(rf" {{0,3}}<(?:{_BLOCK})\b", re.IGNORECASE)
_BLOCK_TAG = re.compile(rf"<(/?)(?:{_BLOCK})\b[^<>]{{0,1000}}>", re.IGNORECASE)
_TEXT_BELOW = re.compile(rf"</(?:{_BLOCK})>[ \t]*\n(?=[^\s<])", re.IGNORECASE)
# A tag of text alone on its line, for CommonMark the beginning of an HTML block.
_TEXT_TAG = re.compile(
    r"^ {0,3}<(?:a|abbr|b|big|br|em|font|i|img|kbd|small|span|strong|sub|sup|u)\b[^<>\n]{0,1000}>"
    r"(?:</[a-z]+>)?[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_TEXT_LINE = re.compile(r"[^\s<]")
_NEW_BLOCK = re.compile(r"[-*+] |#{1,6} |>|```|~~~|\d{1,9}[.)] ")
_FENCE = re.compile(r"[ \t]*(```+|~~~+)")
_TAG = re.compile(r"[ \t]*(?:<(?P<end>/?)(?P<name>[A-Za-z][\w.-]{0,60})|(?P<closed>/>))")
_VOID = frozenset(
    {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)


def marked(text: str) -> str:
    """Return a text with blank lines around what is in tags with the attribute `markdown`, and without it."""
    if " markdown" not in text or not _IS_MARKED.search(text):
        return text
    lines: list[str] = []
    open_tags: list[str] = []
    fence = ""
    for line in text.split("\n"):
        fence = open_fence(fence, _FENCE.match(line))
        if not fence and (tag := _MARKED.fullmatch(line)):
            open_tags.append(f"</{tag['name']}>")
            lines += [f"{tag['margin']}<{tag['name']}{tag['before']}{tag['after']}>", ""]
            line = f"{tag['margin']}{tag['rest'].lstrip()}" if tag["rest"].strip() else ""
        elif not fence and open_tags and line.lstrip().startswith(f"<{open_tags[-1][2:-1]}"):
            open_tags.append(open_tags[-1])  # one without the attribute, within one that has it
        if not fence and open_tags and line.rstrip().endswith(open_tags[-1]):
            end = open_tags.pop()
            line = line.rstrip().removesuffix(end)
            lines += ([line, ""] if line.strip() else [""]) + [end, ""]
        else:
            lines.append(line)
    return "\n".join(lines)


def separated(text: str) -> str:
    """Return a text with a blank line below each HTML block that has ended where Markdown goes on.

    For kramdown and Python-Markdown a block ends with its last tag, for CommonMark at a blank line; and tags
    of text, such as `<br>` alone on a line, begin a block for CommonMark only.
    """
    if "<" not in text or not (_TEXT_BELOW.search(text) or _TEXT_TAG.search(text)):
        return text
    lines: list[str] = []
    depth = 0
    fence = tag = ""
    for line in text.split("\n"):
        if tag and _TEXT_LINE.match(line):
            if _NEW_BLOCK.match(line):
                lines.append("")
            else:
                lines.pop()
                line = f"{tag.rstrip()} {line}"
        tag = ""
        fence = fence if depth else open_fence(fence, _FENCE.match(line))
        if not fence and (depth or _BLOCK_LINE.match(line)):
            ends = [bool(match[1]) for match in _BLOCK_TAG.finditer(line)]
            depth = max(0, depth + len(ends) - 2 * sum(ends))
            lines += [line] if depth or not line.rstrip().endswith(">") else [line, ""]
        else:
            tag = line if not fence and _TEXT_TAG.fullmatch(line) else ""
            lines.append(line)
    return "\n".join(lines)


def flush(text: str) -> str:
    """Return an MDX text in which Markdown within tags is not indented: in MDX, that does not mean code."""
    if "\n    " not in text and "\n\t" not in text:
        return text
    lines: list[str] = []
    depth = base = 0
    fence = ""
    is_list = is_pre = False
    for line in text.split("\n"):
        rest = line.lstrip(" \t")
        is_pre = "</pre>" not in line and (is_pre or (not fence and "<pre" in line))
        if not rest or is_pre:
            lines.append(line)
            continue
        indent = len(line[: len(line) - len(rest)].expandtabs(4))
        was_fenced = bool(fence)
        fence = open_fence(fence, _FENCE.match(line))
        if not was_fenced:
            base = base if indent >= base else 0
            if depth and not is_list and indent - base >= 4:
                base = indent
            if not rest[0].isspace() and (indent - base < 2 or ITEM.match(rest)):
                is_list = bool(ITEM.match(rest))
            depth = max(0, depth + (_depth(line) if not fence else 0))
        lines.append(" " * max(0, indent - base) + rest if base else line)
    return "\n".join(lines)


def _depth(line: str) -> int:
    """Return how many tags a line opens, less those that it closes, as far as its first tag says."""
    tag = _TAG.match(line)
    if tag is None:
        return 0
    if tag["end"] or tag["closed"]:
        return -1
    name = tag["name"]
    is_whole = name in _VOID or line.rstrip().endswith("/>") or f"</{name}" in line
    return 0 if is_whole else 1
