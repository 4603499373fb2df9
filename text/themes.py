"""Pictures in two versions, for light and for dark pages: the author's site hides one by its style sheet."""

from __future__ import annotations

import re

_IMAGE = re.compile(r"<img\b[^<>]{1,5000}>", re.IGNORECASE)
# GitHub's fragment, Material for MkDocs', and the classes of sites that have no other way.
_DARK = re.compile(
    r"#(?:gh-dark-mode-only|only-dark)(?=[\"'\s>])"
    r"|\bclass(?:Name)?=[\"'](?:[^\"'<>]{0,500}\s)?(?:dark-(?:image|only|mode-only)|only-dark|hidden)(?=[\s\"'])",
    re.IGNORECASE,
)


def without_dark_pictures(markup: str) -> str:
    """Return HTML without the pictures that are only for dark pages."""
    if "dark" not in markup and "hidden" not in markup:
        return markup
    return _IMAGE.sub(lambda image: "" if _DARK.search(image[0]) else image[0], markup)
