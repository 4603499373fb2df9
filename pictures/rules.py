"""The rules for pictures on other hosts: which ones pages show, and at which addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

SMALL, LARGE = 320, 1200
"""The widths in pixels in which this site offers its copies: in a list, and in a text."""

WIDTHS = (SMALL, LARGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePicture:
    """A picture on a page; width and height, in pixels, are None if they are not known."""

    address: str
    width: int | None = None
    height: int | None = None


class Pictures(Protocol):
    """The rule for pictures on other hosts."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of pictures that the pages' policy allows besides this site (CSP 3 §6.1.8)."""

    def shown(self, url: str, width: int) -> PagePicture | None:
        """Return how a page shows the picture at `url` in one of WIDTHS; None if it does not."""


class NoPictures:
    """No page shows a picture of another host."""

    sources: tuple[str, ...] = ()

    def shown(self, _url: str, _width: int) -> PagePicture | None:
        """Return None."""
        return None


@dataclass(frozen=True, slots=True)
class PicturesOfHosts:
    """Readers' browsers load pictures from these hosts; `*.example.com` is any host below example.com."""

    hosts: tuple[str, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The hosts, by https only."""
        return tuple(f"https://{host}" for host in self.hosts)

    def shown(self, url: str, _width: int) -> PagePicture | None:
        """Return the picture's own address if its host is one of these, or None."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        if parts.scheme != "https" or port not in (None, 443) or parts.username is not None:
            return None
        return PagePicture(address=url) if any(_is_of(host, name) for name in self.hosts) else None


def _is_of(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
