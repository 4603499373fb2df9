"""The schema of a webhook's events, as in the documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "schemas" / "event.json").read_text(encoding="utf-8")
)
