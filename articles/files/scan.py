"""What a folder of articles holds at one time."""

from __future__ import annotations

import hashlib
from array import array
from dataclasses import dataclass, field
from typing import NamedTuple


class Listing(NamedTuple):
    """The article files of one folder: its path with a slash at the end, their names and their signatures."""

    prefix: str
    names: list[str]
    signatures: list[int]


@dataclass(frozen=True, slots=True)
class Scan:
    """What a folder holds: a signature for each article file, which changes whenever the file is written.

    `folders` are the folders that were listed, each with a number that another folder at its place would not
    have. `unreadable` are those that could not be listed, or lie too deep: they are among the files too, so
    that reading them reports the problem. Their content is not treated as deleted. `others` are the paths of
    the files that are no articles, such as pictures.
    """

    listings: list[Listing] = field(default_factory=list)
    folders: dict[str, int] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    others: list[str] = field(default_factory=list)

    @property
    def files(self) -> dict[str, int]:
        """The signature of each file, by path."""
        return {
            listing.prefix + name: signature
            for listing in self.listings
            for name, signature in zip(listing.names, listing.signatures, strict=True)
        }

    def digest(self) -> bytes:
        """Return a digest of all paths and signatures; another order, as after a restore, gives another."""
        digest = hashlib.sha256()
        for prefix, names, signatures in self.listings:
            digest.update("\0".join((prefix, *names, "")).encode())
            digest.update(array("q", signatures))
        if self.others:
            digest.update("\0".join(self.others).encode())
        return digest.digest()
