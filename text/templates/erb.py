"""Embedded Ruby in texts of Bridgetown and Middleman.

https://www.bridgetownrb.com/docs/template-engines/erb-and-beyond
"""

from __future__ import annotations

from text.templates.scan import Delimiters, Expander, Piece


class Erb(Expander):
    """Leaves out embedded Ruby, which is not run; the text between two of its tags stays."""

    delimiters = (Delimiters("<%", "%>"),)

    def template(self, piece: Piece) -> int:
        """Leave out a tag."""
        return piece.end
