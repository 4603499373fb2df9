"""How the C library manages the memory of a long-running process."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

LARGE_BLOCK = 262_144
"""Bytes from which a block of memory goes back to the system as soon as it is free."""
KEPT_FREE = 4_000_000
"""Bytes at the end of the heap that the process keeps: giving them back each time would cost more."""

_M_TRIM_THRESHOLD = -1  # the numbers of glibc's malloc.h
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_ARENAS = 2


def return_large_blocks() -> None:
    """Let glibc give large blocks back to the system when they are free (mallopt(3)).

    Once a block of some megabytes was freed, as each compression needs one for a moment, glibc would keep all
    blocks up to that size for later: a worker that has sent a few large feeds holds 30 MB more from then on.
    Threads share two arenas: with one each, though only one thread runs at a time, some megabytes are lost.
    Changes nothing with other C libraries.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK)
            mallopt(_M_TRIM_THRESHOLD, KEPT_FREE)
            mallopt(_M_ARENA_MAX, _ARENAS)
