"""Names of people, which may be written with an e-mail address."""

from __future__ import annotations

import re

_ADDRESS = re.compile(
    r"<[^<>\s@]+@[^<>\s@]+>|(?:mailto:)?[^<>()\[\]\s@,;:]+@[^<>()\[\]\s@,;:]+\.[^<>()\[\]\s@,;:]+"
)
_IN_PARENTHESES = re.compile(r"\(([^()]*)\)")  # ann@example.com (Ann), as RSS has it


def without_address(name: str) -> str:
    """Return "Ann <ann@example.com>" as "Ann": the address must not be published.

    For an address without a name, the result is empty.
    """
    if "@" not in name:
        return name
    rest = _ADDRESS.sub("", name).strip()
    in_parentheses = _IN_PARENTHESES.fullmatch(rest)
    return in_parentheses[1] if in_parentheses else rest.removesuffix("()").strip(" <>")
