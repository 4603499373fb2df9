"""The error of a picture on another host."""

from __future__ import annotations


class PictureError(Exception):
    """A picture cannot be fetched or read; the text says why, without its address."""
