"""The drawing that replaces a missing picture: lines in the topic's colour, by the article's id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

WIDTH, HEIGHT = 320, 180


def cover(seed: str) -> tuple[str, int]:
    """Return the drawing for `seed`: the data of an SVG path, and the width of its stroke.

    It fills a box of WIDTH by HEIGHT, and may extend beyond its edges.
    """
    digest = hashlib.blake2b(seed.encode("utf-8", "replace"), digest_size=12).digest()
    return _KINDS[digest[0] % len(_KINDS)](digest[1:])


def _arcs(random: bytes) -> tuple[str, int]:
    """Return quarter circles around one of the lower corners."""
    is_right = random[0] % 2
    x, turn = (WIDTH, 1) if is_right else (0, 0)
    radii = range(24 + random[1] % 24, 360, 30 + random[2] % 16)
    return "".join(
        f"M{x - r if is_right else r} {HEIGHT}A{r} {r} 0 0 {turn} {x} {HEIGHT - r}" for r in radii
    ), 10


def _waves(random: bytes) -> tuple[str, int]:
    """Return parallel waves from edge to edge."""
    height, length = 8 + random[0] % 18, 40 + random[1] % 50
    rows = range(-10 + random[2] % 20, HEIGHT + 30, 26)
    again = f"t{length} 0" * (WIDTH // length + 1)
    return "".join(f"M-{length // 2} {y}q{length // 2} -{height * 2} {length} 0{again}" for y in rows), 7


def _bars(random: bytes) -> tuple[str, int]:
    """Return upright bars, as in a chart."""
    return "".join(f"M{20 + 28 * n} {HEIGHT}v-{30 + value % 120}" for n, value in enumerate(random[:11])), 16


def _rings(random: bytes) -> tuple[str, int]:
    """Return circles around one point."""
    x, y = 60 + random[0] % 200, 40 + random[1] % 100
    radii = range(14 + random[2] % 12, 260, 26 + random[3] % 14)
    return "".join(f"M{x - r} {y}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0-{2 * r} 0" for r in radii), 8


_KINDS: tuple[Callable[[bytes], tuple[str, int]], ...] = (_arcs, _waves, _bars, _rings)
