"""How long a fuzz target runs: a few fixed examples, or random ones for its share of FUZZ_SECONDS."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

SECONDS = float(os.environ.get("FUZZ_SECONDS") or 0)
"""How long all targets together may take; 0 means the normal test run."""

BATCH = 50
"""Random examples between two checks of the clock."""

share = SECONDS
"""Seconds for each target; conftest.py divides when it knows how many there are."""


def fuzz(*, examples: int = 15, **given_: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """Make a test a fuzz target, which gets values from these strategies beside its fixtures.

    A normal run has `examples` values, always the same. With FUZZ_SECONDS it has as many random ones as fit,
    at least one batch.
    """

    def decorate(test: Callable[..., None]) -> Any:
        few = settings(
            max_examples=BATCH if SECONDS else examples,
            derandomize=not SECONDS,
            deadline=None,
            print_blob=True,
            # Without the explain phase, which runs a failing example many more times.
            phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        once = few(given(**given_)(test))

        @functools.wraps(once)
        def target(*arguments: Any, **fixtures: Any) -> None:
            limit = time.monotonic() + share
            once(*arguments, **fixtures)
            while time.monotonic() < limit:
                once(*arguments, **fixtures)

        return pytest.mark.fuzz(target)

    return decorate
