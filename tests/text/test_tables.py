"""Tables of text on a terminal and in a file."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from text.numbers import counted
from text.printable import printable
from text.tables import MIN_SHRUNK, Cell, Column, display_width, table

COLUMNS = (
    Column(title="id", right=True),
    Column(title="state"),
    Column(title="title", shrinks=True),
)


def drawn(rows: list[tuple[str | Cell, ...]], width: int | None = None) -> list[str]:
    return ["".join(cell.text for cell in line) for line in table(COLUMNS, rows, width)]


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    """Numbers are right-aligned, wide characters take two columns, and the last column has no padding."""
    rows: list[tuple[str | Cell, ...]] = [("1", "sent", "A title"), ("12", Cell("日本", "green"), "x")]
    assert drawn(rows) == ["id  state  title", " 1  sent   A title", "12  日本   x"]
    assert [cell.colour for line in table(COLUMNS, rows) for cell in line if cell.colour] == ["green"]


def test_columns_are_as_wide_as_what_is_printed() -> None:
    """A character that is printed as an escape takes the columns of the escape."""
    rows: list[tuple[str | Cell, ...]] = [("1", "a\u202eb", "x"), ("2", Cell("sent", "green"), "y")]
    assert drawn(rows) == ["id  state     title", " 1  a\\u202eb  x", " 2  sent      y"]


def test_a_table_without_rows_is_its_header() -> None:
    """An empty table still shows its header."""
    assert drawn([]) == ["id  state  title"]


@settings(max_examples=50)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.integers(1, 120))
def test_a_table_fits_the_terminal(titles: list[str], width: int) -> None:
    """On a terminal the texts of shrinking columns are cut to a minimum width; in a file they are not cut."""
    rows: list[tuple[str | Cell, ...]] = [("1", "waiting", title) for title in titles]
    least = len("id  waiting  ") + MIN_SHRUNK
    for line in drawn(rows, width):
        assert display_width(line) <= max(width, least)
    assert all(line.endswith(printable(title)) for line, title in zip(drawn(rows)[1:], titles, strict=True))


def test_numbers_have_their_nouns() -> None:
    """One takes the singular, and thousands have a comma."""
    assert [counted(n, "file") for n in (0, 1, 1000)] == ["0 files", "1 file", "1,000 files"]
    assert counted(2, "delivery", "deliveries") == "2 deliveries"
