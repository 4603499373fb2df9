"""A string that cannot be shown by accident: a webhook's address, for example, is a password.

This module does not know where a value comes from or what it is for.
"""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """Holds `value`; only `reveal()` returns it.

    repr, str and format return `***`; pickling and JSON encoding raise TypeError, so that a secret does not
    get into a cache, queue or log. A copy is the same object.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value; call this as late as possible, and store the result in no attribute."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, others = (s._value.encode("utf-8", "surrogatepass") for s in (self, other))
        return hmac.compare_digest(mine, others)

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret cannot be pickled")
