"""How much to measure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`quick`: small sizes, to see that a benchmark works; its ratios say little."""

    runs: int = 5
    quick: bool = False
