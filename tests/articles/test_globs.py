"""What globs over paths match, and what they may cost."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from articles.files.globs import MAX_LENGTH, MAX_WITHIN_NAMES, GlobError, checked, glob_matcher
from tests.work import calls

_PATHS = st.lists(st.text("ab.[\n", min_size=1, max_size=4), min_size=1, max_size=5).map("/".join)
_GLOBS = st.lists(st.sampled_from(["**/", "**", "*", "?", "/", "a", "b", ".", "[a]", "\n"]), max_size=7).map(
    "".join
)


def _as_expression(glob: str) -> re.Pattern[str]:
    """Translate a glob into an equivalent regular expression, which may take exponential time."""
    tokens = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    # Beside another character, `**` spans folders, and the slash after it stands for itself.
    parts = re.split(r"((?<![^/])\*\*/|\*\*|\*|\?)", glob)
    return re.compile("".join(tokens.get(part) or re.escape(part) for part in parts), re.DOTALL)


@given(glob=_GLOBS, path=_PATHS)
@example(glob="?**/**", path="a")
@example(glob="a**/b", path="ab")
def test_globs_mean_what_their_expressions_mean(glob: str, path: str) -> None:
    """A glob within the limits matches a path exactly if its expression does.

    `***` and `/` at the end have no meaning.
    """
    assume("***" not in glob and not glob.endswith("/"))
    try:
        matches = glob_matcher((glob,))
    except GlobError:
        assert glob.count("**") > MAX_WITHIN_NAMES
    else:
        assert matches(path) is bool(_as_expression(glob).fullmatch(path))


def test_any_of_several() -> None:
    """One matching glob is enough; without any, nothing matches."""
    assert glob_matcher(("*.md", "sub/**"))("sub/deep/a.txt")
    assert not glob_matcher(())("a.md")


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("**/a/" * 90 + "x", "a/" * 500 + "b"),
        ("*a" * 240 + "x", "a" * 1_000),
        ("**/*a*a*a*b/" * 30 + "x", "aaaaaaaaa/" * 100),
        ("a**" * MAX_WITHIN_NAMES + "x", "a/" * 500 + "b"),
    ],
)
def test_no_glob_is_costly(glob: str, path: str) -> None:
    """Names are compared at most as often as the product of the lengths of glob and path."""
    matches = glob_matcher((glob,))
    names, parts = path.count("/") + 1, glob.count("/") + 1 + 2 * MAX_WITHIN_NAMES
    assert calls(lambda: matches(path)) < 4 * names * parts * 2**MAX_WITHIN_NAMES


@pytest.mark.parametrize("glob", ["a" * (MAX_LENGTH + 1), "a**" * (MAX_WITHIN_NAMES + 1), "*" * 30])
def test_limits(glob: str) -> None:
    """A glob over a limit is refused before anything is matched."""
    with pytest.raises(GlobError):
        checked(glob)
