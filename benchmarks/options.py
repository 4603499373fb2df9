"""How much to measure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`peers` is what the names of the programs to measure beside begin with, all if empty.

    `quick`: small sizes, to see that a benchmark works; its ratios say little.
    """

    runs: int = 5
    peers: str = ""
    quick: bool = False
