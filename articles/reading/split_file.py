"""A file's text → its front matter's values and its body.

Front matter is YAML between `---`, TOML between `+++`, a JSON object, or `Key: value` lines up to a blank one
(Pelican, MultiMarkdown). A file without any is its heading and the text below it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from articles.errors import HeadError
from articles.reading.head import Head, Kind
from articles.reading.keys import RELATED_KEYS
from articles.reading.limits import MAX_HEAD, MAX_RELATED
from text.yaml import plain as plainyaml

NO_KEYS = "the front matter must be `key: value` lines"
"""The reason to refuse front matter that is something else."""

_JAVASCRIPT = "the front matter is JavaScript, which is not run: write YAML between lines of `---`"
_OPENING = re.compile(r"(?:\ufeff|[ \t]*\n)*(---|\+\+\+)(?:[ \t]*|(json|toml|ya?ml|js|javascript)[ \t]*)\n")
_CLOSING = {
    "---": re.compile(r"\n---[ \t]*(?:\n|\Z)"),
    "+++": re.compile(r"\n\+\+\+[ \t]*(?:\n|\Z)"),
    "...": re.compile(r"\n\.\.\.[ \t]*(?:\n|\Z)"),
}

# Keys whose value is never read: `secured` is ciphertext.
_UNREAD = frozenset({"secured", "ampWebUrl", "cdnAmpWebUrl", "heat"})
_PARTS = {"related": RELATED_KEYS}
_SHARED = frozenset({"provider", "topics", "tags", "categories", "authors", "author"})
"""Keys that have the same lines in many files."""


def split(text: str, *, extension: str = "md", skipping: bool = True, by_line: bool = False) -> Head | None:
    """Return the head of a file's text, whose line ends are `\\n`; None where the file is not an article.

    Without front matter there must be a heading, which gives the title. With `skipping`, the blocks of keys
    that are never read are left out unchecked. With `by_line`, what is between `---` and is not YAML is
    `Key: value` lines, and such lines without fences need no blank line below them. Raises HeadError.
    """
    if text.startswith("---\n"):  # nearly every file
        try:
            return _fenced(text, "---", "", 4, skipping)
        except HeadError:
            if not by_line:
                raise
            return _lines_in_fences(text)
    opening = _OPENING.match(text)
    if opening:
        return _fenced(text, opening[1], opening[2] or "", opening.end(), skipping)
    from articles.reading import other_heads  # late: most sites have no such file

    return other_heads.split(text, extension, ends_at_text=by_line)


def _fenced(text: str, fence: str, language: str, start: int, skipping: bool) -> Head:
    first = text.count("\n", 0, start) + 1
    if language.startswith("j") and language != "json":
        raise HeadError(first - 1, _JAVASCRIPT)
    is_yaml = fence == "---" and language != "json" and language != "toml"
    skipped = plainyaml.later_items(text, "related", MAX_RELATED) if is_yaml and skipping else None
    closing = _closing(text, fence, start - 1, skipped)
    if closing is None and fence == "---":
        closing = _closing(text, "...", start - 1, skipped)
    if closing is None:
        reason = f"the front matter is never closed: a line with {fence} is missing"
        raise HeadError(first - 1, reason)
    end = closing[0] + 1
    if end - start > MAX_HEAD:
        raise HeadError(first, f"the front matter is longer than {MAX_HEAD:,} characters")
    plain = None
    if is_yaml:
        if skipped is not None and skipped[1] > end:
            skipped = None  # the body has a key of that name
        read = text[start:end] if skipped is None else text[start : skipped[0]] + text[skipped[1] : end]
        plain = plainyaml.load(read, shared=_SHARED, unread=_UNREAD, parts=_PARTS) if skipping else None
        kind: Kind = "yaml"
        values = _yaml_values(text[start:end], first) if plain is None else plain
    else:
        from articles.reading import other_heads  # late, as above

        kind = "json" if language == "json" else "toml"
        values = other_heads.fenced_values(kind, text[start:end], first)
    body = text[closing[1] :].strip("\n")
    return Head(
        kind=kind,
        values=values,
        body=body,
        file=text,
        start=start,
        end=end,
        line=first,
        is_simple=plain is not None,
    )


def _lines_in_fences(text: str) -> Head | None:
    """Read what Pelican finds between `---`, which is not YAML: each value is the rest of its line.

    https://python-markdown.github.io/extensions/meta_data/
    """
    from articles.reading import other_heads  # late, as above

    return other_heads.fenced_lines(text, 4) or _fenced(text, "---", "", 4, skipping=False)


def _closing(text: str, fence: str, at: int, skipped: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return where the line end before the closing fence is, and where the body begins.

    It is not in the part that is `skipped`.
    """
    if skipped is not None:
        before, after = skipped
        return _fence(text, fence, at, before) or _fence(text, fence, after - 1, len(text))
    return _fence(text, fence, at, len(text))


def _fence(text: str, fence: str, at: int, stop: int) -> tuple[int, int] | None:
    pattern = _CLOSING[fence]
    while (at := text.find(f"\n{fence}", at, stop)) >= 0:
        closing = pattern.match(text, at)
        if closing is not None:
            return at, closing.end()
        at += 1
    return None


def _yaml_values(source: str, first: int) -> Mapping[str, Any]:
    from text.yaml import safe as safeyaml  # late, as above

    try:
        values = safeyaml.load(source)
    except safeyaml.YamlError as error:
        raise HeadError(error.line + first, error.reason) from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise HeadError(first, NO_KEYS)
    return {key: value for key, value in values.items() if isinstance(key, str)}
