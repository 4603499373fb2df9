"""A cache that is bounded in bytes, for everything that is remembered because of a request."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRY_BYTES = 500
"""What an entry takes besides the bytes that its key and value are made of: objects, tuples, table slots."""


class LruCache(Generic[K, V]):
    """Holds the values that were used last, as many as fit into `max_bytes`. Any thread may call it.

    The caller says how many bytes a key and its value have; `ENTRY_BYTES` are added for each entry.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._entries: OrderedDict[K, tuple[V, int, object]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        """How many bytes the entries have now."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the value of `key`, which counts as used now; None where there is none."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def peek(self, key: K) -> V | None:
        """Return the value of `key` in the shortest time: it takes no lock, and does not count as used."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def put(self, key: K, value: V, size: int, ticket: object = None) -> None:
        """Hold a value of `size` bytes, its key included; one that is larger than the cache is not held.

        With the `ticket`, an object of its own, `grow` later refers to this value without holding it.
        """
        size += ENTRY_BYTES
        with self._lock:
            self._drop(key)
            if size <= self.max_bytes:
                self._entries[key] = value, size, ticket
                self._bytes += size
                self._evict()

    def grow(self, key: K, ticket: object, size: int) -> None:
        """Count `size` more bytes for `key`, if its value is still the one with this ticket."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry[2] is ticket:
                self._entries[key] = entry[0], entry[1] + size, ticket
                self._bytes += size
                self._evict()

    def discard(self, key: K, value: V) -> None:
        """Drop `key`, if this very value is still its own."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry[0] is value:
                self._drop(key)

    def items(self) -> list[tuple[K, V]]:
        """Return the entries as they are now, the one that was used last at the end."""
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
