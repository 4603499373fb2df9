"""A string that is not shown by accident, as a webhook's address is a password.

This module knows neither where the value comes from nor what it is for.
"""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """Holds `value`; only `reveal()` returns it.

    repr, str and format say `***`; pickling and JSON encoding raise TypeError, so a secret reaches no cache,
    queue or log by accident. Copies are the same object.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself; call it at the last moment, and keep the result in no attribute."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        ours, theirs = (s._value.encode("utf-8", "surrogatepass") for s in (self, other))
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret cannot be pickled")
