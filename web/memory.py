"""Large bodies as anonymous files in memory, so that a slow client does not hold a copy of its own."""

from __future__ import annotations

import os
from contextlib import suppress

from text.cache import LruCache

LARGE_BODY = 262_144
"""Bytes from which a body is sent as a file: a piece at a time, as the client takes it."""
MAX_FILES_BYTES = 8_000_000


class MemoryFile:
    """A file without a name, closed when nobody refers to it any more (Linux, memfd_create(2))."""

    __slots__ = ("_descriptor",)

    def __init__(self, content: bytes) -> None:
        self._descriptor = os.memfd_create("newswire", os.MFD_CLOEXEC)
        view = memoryview(content)
        while view:
            view = view[os.write(self._descriptor, view) :]

    @property
    def path(self) -> str:
        """The path at which this process can open it."""
        return f"/proc/self/fd/{self._descriptor}"

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):  # it was never opened
            os.close(self._descriptor)


class LargeBodies:
    """The files of the large bodies that were sent last. Any thread may call it."""

    def __init__(self, max_bytes: int = MAX_FILES_BYTES) -> None:
        self._files: LruCache[bytes, MemoryFile] = LruCache(max_bytes)

    def file(self, body: bytes) -> MemoryFile | None:
        """Return a file with these bytes; None where they are few, or the system has no such files.

        The caller holds on to it until the server has opened it.
        """
        if len(body) < LARGE_BODY or not hasattr(os, "memfd_create"):
            return None
        file = self._files.get(body)
        if file is None:
            try:
                file = MemoryFile(body)
            except OSError:  # no descriptor or no memory is left: the body is sent as it is
                return None
            self._files.put(body, file, 2 * len(body))  # the key is held too
        return file
