"""Writes lists of the operator's pages as files: CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from flask import Response

Format = Literal["csv", "json"]

MAX_ROWS = 10_000
"""The most rows of a file."""

# Spreadsheets take texts with these beginnings for formulas:
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(name: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], form: Format) -> Response:
    """Return the response with rows as the file `name`: a download, as titles in it come from articles."""
    text = json.dumps(list(rows), ensure_ascii=False, indent=1) if form == "json" else as_csv(rows, columns)
    response = Response(
        text.encode("utf-8", "replace"), mimetype="application/json" if form == "json" else "text/csv"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Return rows as CSV (RFC 4180) with a header row; no cell is a formula for a spreadsheet."""
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return output.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(value, int | float) else text
