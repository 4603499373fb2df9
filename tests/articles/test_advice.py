"""What is said about front matter in TOML and JSON that cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from articles.errors import ArticleError
from articles.reading import frontmatter

OPEN_QUOTE = "a quote is opened here and never closed"
NO_VALUE = "write a value after the equals sign, or remove the line: TOML has no empty value"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title: A", "2: put an equals sign after `title`, in place of the colon"),
        ('title "A"', "2: put an equals sign after the key"),
        ('my title = "A"', "2: put the key in quotes, because a space is in it"),
        ("title = A title", "2: put the value in quotes"),
        ("title = “A”", "2: use straight quotes around the value"),
        ('title = "A', f"2: {OPEN_QUOTE}"),
        ('a = 1\ntitle = """A\nb', f"3: {OPEN_QUOTE}"),
        (
            'title = "A "b" c"',
            "2: the same quote is inside the text and around it: put single quotes around the text",
        ),
        (
            "title = 'It's'",
            "2: the same quote is inside the text and around it: put double quotes around the text",
        ),
        (
            'title = "C:\\Users"',
            "2: write a backslash twice, or put the text in single quotes",
        ),
        ('title = "A";', "2: remove the character behind the closing quote"),
        ("title =", f"2: {NO_VALUE}"),
        ("title = null", f"2: {NO_VALUE}"),
        ("draft = True", "2: write true or false, in small letters"),
        ("draft = yes # done", "2: write true or false, in small letters"),
        ("date = 2026-1-3", "2: write a date like 2026-03-31T09:30:00Z, or put it in quotes"),
        ("date = 2026-02-30", "2: there is no such date"),
        ("tags = [a, b]", "2: put each text of the list in quotes, with commas between them"),
        ('tags = ["a" "b"]', "2: a bracket is left open, or a comma is missing between two values"),
        ('title = "A"\ntitle = "B"', "3: this key is set twice: remove one"),
        ("[extra]\n[extra]", "3: this table is declared twice: remove one"),
        ("[extra", "2: end the table's name with as many brackets as it begins with"),
        ("// A comment", "2: a comment begins with #"),
        ('title = "A" date = 2', "2: begin each key on a line of its own"),
    ],
)
def test_common_mistakes_in_toml(text: str, problem: str) -> None:
    """The error has the line of the mistake, and says what to change."""
    line, _, reason = problem.partition(": ")
    with pytest.raises(ArticleError) as caught:
        frontmatter.parse(f"+++\n{text}\n+++\n", "a.md")
    assert (caught.value.line, caught.value.reason) == (int(line), f"is not TOML: {reason}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '"title": "A"\n"date": "B"',
            "3: a comma or a bracket is missing, or a quote in a text has no",
        ),
        ('"title" "A"', "2: put a colon after the key"),
        ('"title": A', "2: write a text in double quotes, a number, true, false or null"),
        ('"title": "A\n', f"2: {OPEN_QUOTE} on its line"),
        ('"title": "C:\\Users"', "2: write a backslash twice"),
        ('"title": "A",', ""),
        ("'title': 'A'", "2: put each key in double quotes"),
        ("title: 'A'", "2: put each key in double quotes"),
        ("\"title\": 'A'", "2: write a text in double quotes"),
    ],
)
def test_common_mistakes_in_json(text: str, problem: str) -> None:
    """The error has the line of the mistake, and says what to change; that of a comma depends on Python."""
    line, _, reason = problem.partition(": ")
    with pytest.raises(ArticleError) as caught:
        frontmatter.parse(f"{{\n{text}\n}}\n", "a.md")
    assert caught.value.reason.startswith(f"is not JSON: {reason}")
    assert not line or caught.value.line == int(line)
    assert problem or "no comma behind the last value" in caught.value.reason


def test_front_matter_in_javascript() -> None:
    """Eleventy's `---js` is an error that says what to write: no code is run."""
    with pytest.raises(ArticleError, match="is JavaScript, which is not run") as caught:
        frontmatter.parse("---js\n{ title: 'A' }\n---\n", "a.md")
    assert caught.value.line == 1


@given(st.text("\"'[]{}=,.#:; \n\\aT1-", max_size=40))
def test_an_error_is_in_the_front_matter(text: str) -> None:
    """Whatever is wrong, the error has a line of the front matter and a reason."""
    problem = None
    try:
        frontmatter.parse(f"+++\nx = 1\n{text}\n+++\n", "a.md", strict=True)
    except ArticleError as error:
        problem = error
    assert problem is None or (1 <= problem.line <= text.count("\n") + 4 and problem.reason)
