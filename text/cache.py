"""A cache with a limit in bytes, for everything that requests cause to be stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRY_BYTES = 500
"""Bytes of an entry besides those of its key and value: objects, tuples, slots of the table."""


class LruCache(Generic[K, V]):
    """Stores the most recently used values, as many as fit into `max_bytes`. Thread-safe.

    The caller passes the bytes of a key and its value; `ENTRY_BYTES` are added for each entry.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._entries: OrderedDict[K, tuple[V, int, object]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        """The number of bytes of all entries."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the value of `key`, or None; it counts as used now."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def peek(self, key: K) -> V | None:
        """Return the value of `key`, or None, without a lock; it does not count as used."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def put(self, key: K, value: V, size: int, ticket: object = None) -> None:
        """Store a value of `size` bytes, including its key; one that is larger than the cache is not stored.

        With a `ticket`, an object, `grow` can later refer to this value without a reference to it.
        """
        size += ENTRY_BYTES
        with self._lock:
            self._drop(key)
            if size <= self.max_bytes:
                self._entries[key] = value, size, ticket
                self._bytes += size
                self._evict()

    def grow(self, key: K, ticket: object, size: int) -> None:
        """Add `size` bytes to the entry of `key`, if its value still is the one with this ticket."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry[2] is ticket:
                self._entries[key] = entry[0], entry[1] + size, ticket
                self._bytes += size
                self._evict()

    def discard(self, key: K, value: V) -> None:
        """Remove `key` if it still has this value."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry[0] is value:
                self._drop(key)

    def items(self) -> list[tuple[K, V]]:
        """Return a copy of the entries, the most recently used last."""
        with self._lock:
            return [(key, entry[0]) for key, entry in self._entries.items()]

    def _drop(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry[1]

    def _evict(self) -> None:
        while self._bytes > self.max_bytes:
            _, (_, size, _) = self._entries.popitem(last=False)
            self._bytes -= size
