"""Globs over paths: `*` and `?` stay within a name, `**` spans folders, all else stands for itself.

A match costs at most the length of the glob times that of the path, as both may come from outside.
Libraries that turn a whole glob into one regular expression (wcmatch, `glob.translate`) backtrack:
`**/a/**/a/**/a/**/a/x` takes minutes for a path of 200 characters. So each name is matched separately, by
`fnmatch`, which does not backtrack.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import translate

MAX_LENGTH = 500
"""Characters of a glob."""

MAX_WITHIN_NAMES = 4
"""How often `**` may stand beside another character than `/` in a glob; each doubles the cost of a match."""

_WITHIN_A_NAME = re.compile(r"(?<=[^/])\*\*|\*\*(?=[^/])")

_Part = Callable[[str], object] | None  # whether a name matches, or None for any number of folders


class GlobError(ValueError):
    """A glob that is over a limit; the text says which."""


def glob_matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """Return a function that says whether a path matches one of these globs.

    Raises GlobError for a glob that is over a limit.
    """
    globs = [[*_parts(glob)] for pattern in patterns for glob in _alternatives(checked(pattern))]

    def matches(path: str) -> bool:
        names = path.split("/")
        return any(_match_all(names, parts) for parts in globs)

    return matches


def checked(pattern: str) -> str:
    """Return the glob. Raises GlobError where it is over a limit."""
    if len(pattern) > MAX_LENGTH:
        raise GlobError(f"is longer than {MAX_LENGTH} characters")
    if len(_WITHIN_A_NAME.findall(pattern)) > MAX_WITHIN_NAMES:
        raise GlobError(f"has `**` beside other characters than `/` more than {MAX_WITHIN_NAMES} times")
    return pattern


def _alternatives(pattern: str) -> Iterator[str]:
    """Yield globs of the same meaning, with `**` as a whole segment: `a**b` is `a*b` or `a*/**/*b`."""
    stars = _WITHIN_A_NAME.search(pattern)
    if stars is None:
        yield pattern
        return
    before, after = pattern[: stars.start()], pattern[stars.end() :]
    yield from _alternatives(f"{before}*{after}")
    yield from _alternatives(f"{before}*/**/*{after}")


def _parts(glob: str) -> Iterator[_Part]:
    *folders, name = glob.split("/")
    for folder in folders:
        yield None if folder == "**" else _name_matcher(folder)
    if name == "**":
        yield None
        name = "*"
    yield _name_matcher(name)


def _name_matcher(name: str) -> Callable[[str], object]:
    return re.compile(translate(name.replace("[", "[[]"))).match


def _match_all(names: list[str], parts: list[_Part]) -> bool:
    """Return whether the parts match all names; after a mismatch, the last `**` takes one more name."""
    name = part = 0
    retry: tuple[int, int] | None = None
    while name < len(names):
        if part < len(parts):
            matches_name = parts[part]
            if matches_name is None:
                part += 1
                retry = part, name
                continue
            if matches_name(names[name]):
                part += 1
                name += 1
                continue
        if retry is None:
            return False
        part, start = retry
        name = start + 1
        retry = part, name
    return part == len(parts)
