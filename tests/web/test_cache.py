"""A cache never exceeds its limit in bytes, whatever is stored, in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from text.cache import ENTRY_BYTES, LruCache

ROOM = 10 * ENTRY_BYTES

KEYS = st.sampled_from("abcdefghijklmnop")
SIZES = st.integers(0, ROOM + 10)


@given(st.lists(st.tuples(st.sampled_from(["put", "grow", "get", "discard"]), KEYS, SIZES)))
def test_it_stays_within_its_bytes(steps: list[tuple[str, str, int]]) -> None:
    """The cache's count of bytes is the sum of its values' sizes, and never exceeds the limit."""
    cache = LruCache[str, list[int]](ROOM)
    sizes: dict[str, int] = {}
    for step, key, size in steps:
        value = cache.peek(key)
        if step == "put":
            cache.put(key, [size], size, ticket=key)
            sizes[key] = size + ENTRY_BYTES
        elif step == "get":
            assert cache.get(key) is value
        elif value is not None and step == "grow":
            cache.grow(key, key, size)
            sizes[key] += size
        elif value is not None:
            cache.discard(key, value)
        assert cache.bytes == sum(sizes[held] for held, _ in cache.items()) <= ROOM
        assert len(cache) == len(cache.items())


def test_what_was_used_last_stays() -> None:
    """The least recently used value is dropped first; peeking at a value does not count as use."""
    cache = LruCache[str, str](3 * (ENTRY_BYTES + 1))
    for key in "abc":
        cache.put(key, key, 1)
    assert (cache.get("a"), cache.peek("b")) == ("a", "b")
    cache.put("d", "d", 1)
    assert [key for key, _ in cache.items()] == ["c", "a", "d"]


def test_another_value_is_not_changed_in_its_place() -> None:
    """Growing or removing a value leaves a newer one under the same key unchanged."""
    cache = LruCache[str, list[str]](ROOM)
    old, new = ["x"], ["x"]
    cache.put("a", old, 1, ticket := object())
    cache.put("a", new, 1, object())
    before = cache.bytes
    cache.grow("a", ticket, 100)
    cache.discard("a", old)
    assert (cache.peek("a"), cache.bytes) == (new, before)
    assert cache.peek("a") is new


def test_what_is_larger_than_the_cache_is_not_held() -> None:
    """A value larger than the cache evicts no other value, and removes the old one under its key."""
    cache = LruCache[str, str](ROOM)
    cache.put("a", "a", 1)
    cache.put("b", "b", 1)
    cache.put("b", "larger", ROOM)
    assert [key for key, _ in cache.items()] == ["a"]
