"""Tables of text on a terminal and in a file."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from text.numbers import counted
from text.tables import MIN_SHRUNK, Cell, Column, display_width, table

COLUMNS = (
    Column(title="id", right=True),
    Column(title="state"),
    Column(title="title", shrinks=True),
)


def drawn(rows: list[tuple[str | Cell, ...]], width: int | None = None) -> list[str]:
    return ["".join(cell.text for cell in line) for line in table(COLUMNS, rows, width)]


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    """Numbers are aligned to the right, wide characters take two columns, the last one has no padding."""
    rows: list[tuple[str | Cell, ...]] = [("1", "sent", "A title"), ("12", Cell("日本", "green"), "x")]
    assert drawn(rows) == ["id  state  title", " 1  sent   A title", "12  日本   x"]
    assert [cell.colour for line in table(COLUMNS, rows) for cell in line if cell.colour] == ["green"]


def test_a_table_without_rows_is_its_header() -> None:
    """Readers of the output see which columns were asked for."""
    assert drawn([]) == ["id  state  title"]


@settings(max_examples=50)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.integers(1, 120))
def test_a_table_fits_the_terminal(titles: list[str], width: int) -> None:
    """Texts of columns that shrink are cut, down to a few characters; in a file, nothing is."""
    rows: list[tuple[str | Cell, ...]] = [("1", "waiting", title) for title in titles]
    least = len("id  waiting  ") + MIN_SHRUNK
    for line in drawn(rows, width):
        assert display_width(line) <= max(width, least)
    assert all(line.endswith(title) for line, title in zip(drawn(rows)[1:], titles, strict=True))


def test_numbers_have_their_nouns() -> None:
    """One is singular; thousands have their comma."""
    assert [counted(n, "file") for n in (0, 1, 1000)] == ["0 files", "1 file", "1,000 files"]
    assert counted(2, "delivery", "deliveries") == "2 deliveries"
