"""A message as a preview draws it, the same for every service.

This module knows no service and no HTML: a service fills in the values, and the page draws them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class TimeFormatter(Protocol):
    """Formats the times in a drawing, as a chat client would do for its reader."""

    def exact(self, time: datetime, /) -> str:
        """Return a date and time."""

    def ago(self, time: datetime, /) -> str:
        """Return how long ago a time is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What a message looks like, from top to bottom; empty parts are not drawn.

    `sender` is the name that the message is posted under, and `badge` is shown beside it. `mention` is whom
    it notifies, and `comment` is an operator's. `above` is shown above the title, `fields` below the text as
    name and value, and `below` in small print under them. `picture` is the name of the picture's host: a
    preview loads no pictures. With `is_card`, everything except the sender, the mention and the comment is in
    a box.
    """

    sender: str = ""
    badge: str = "APP"
    mention: str = ""
    comment: str = ""
    above: str = ""
    title: str = ""
    text: str = ""
    picture: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    below: tuple[str, ...] = ()
    button: str = ""
    link: str = ""
    is_card: bool = False
