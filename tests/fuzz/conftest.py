"""Divides the time among the selected fuzz targets."""

from __future__ import annotations

import os

import pytest

from tests.fuzz import budget


@pytest.hookimpl(trylast=True)  # after -k and -m have deselected some
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each target its share; several workers work at the same time."""
    targets = [item for item in items if item.get_closest_marker("fuzz")]
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT") or 1)
    if targets:
        budget.share = budget.SECONDS * workers / len(targets)
        for item in targets:
            item.add_marker(pytest.mark.timeout(900 + 4 * budget.share))
