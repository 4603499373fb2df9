"""Large bodies as anonymous files in memory, which slow clients share instead of each having a copy."""

from __future__ import annotations

import os
from contextlib import suppress

from text.cache import LruCache

LARGE_BODY = 262_144
"""From so many bytes on, a body is sent as a file: in pieces, as the client reads them."""
MAX_FILES_BYTES = 8_000_000


class MemoryFile:
    """An unnamed file, which is closed with its last reference (Linux, memfd_create(2))."""

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
    """The files of the large bodies that were sent last. Thread-safe."""

    def __init__(self, max_bytes: int = MAX_FILES_BYTES) -> None:
        self._files: LruCache[bytes, MemoryFile] = LruCache(max_bytes)

    def file(self, body: bytes) -> MemoryFile | None:
        """Return a file with these bytes; None if they are few, or the system has no such files.

        The caller must keep a reference to it until the server has opened it.
        """
        if len(body) < LARGE_BODY or not hasattr(os, "memfd_create"):
            return None
        file = self._files.get(body)
        if file is None:
            try:
                file = MemoryFile(body)
            except OSError:  # no file descriptor or memory is left: the body is sent from memory
                return None
            self._files.put(body, file, 2 * len(body))  # the key counts too
        return file
