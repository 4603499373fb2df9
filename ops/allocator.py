"""Options of the C library's memory allocator for long-running processes."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

LARGE_BLOCK = 262_144
"""From so many bytes on, a block of memory is returned to the system when it is freed."""
MAX_FREE = 4_000_000
"""Free bytes at the end of the heap that the process keeps, as returning them each time would cost more."""

_M_TRIM_THRESHOLD = -1  # the numbers of glibc's malloc.h
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_ARENAS = 2


def return_large_blocks() -> None:
    """Make glibc return large blocks to the system when they are freed (mallopt(3)).

    After a block of some megabytes was freed, as after each compression, glibc would keep all blocks up to
    that size for later: a worker that has sent a few large feeds would need 30 MB more from then on. Threads
    share two arenas: one for each thread, of which only one runs at a time, would waste some megabytes. With
    other C libraries, this function has no effect.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK)
            mallopt(_M_TRIM_THRESHOLD, MAX_FREE)
            mallopt(_M_ARENA_MAX, _ARENAS)
