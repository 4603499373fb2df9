"""A message as it is drawn in a preview, the same for every service.

This module knows no service and no HTML: a service fills in what it shows, and the page draws it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Times(Protocol):
    """How times are written in a drawing, which a chat client would do for its reader."""

    def exact(self, moment: datetime, /) -> str:
        """Return a date and time."""

    def ago(self, moment: datetime, /) -> str:
        """Return how long ago a time is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What a message looks like, from top to bottom; empty parts are not drawn.

    `sender` is the name that the message is posted under, and `badge` is shown beside it. `mention` is whom
    it notifies, and `comment` what an operator says about it. `above` is shown over the title, `fields` below
    the text as name and value, `below` in small print under them. `picture` is the name of its host: a
    preview loads nothing. `is_card` says that all but the sender, the mention and the comment is in a box of
    its own.
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
