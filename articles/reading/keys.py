"""The keys of front matter by what they mean, and a file's values by key."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from articles.conventions import TOPIC_KEYS

DATES = (
    "publisheddatetime", "date", "pubdate", "published", "created", "pubdatetime", "datetime", "publishedat",
    "published_at", "publishedon", "published_on", "datepublished", "date_published",
    "createdat", "created_at", "created_time",
)  # fmt: skip
UPDATES = (
    "updated",
    "updateddatetime",
    "lastmod",
    "last_modified_at",
    "modified",
    "updateddate",
    "updated_at",
    "updatedat",
    "moddatetime",
    "last_updated",
    "lastupdated",
    "datemodified",
    "date_modified",
)
EXPIRIES = ("expirydate", "unpublishdate", "expires", "expiry_date")
EXCERPTS = ("excerpt", "description", "summary", "subtitle", "lede")
IMAGES = (
    "images", "image", "cover", "featured_image", "featuredimage", "thumbnail", "hero", "banner", "og_image",
    "header",
)  # fmt: skip
ENCLOSURES = ("enclosure", "enclosures", "audio", "podcast", "video")
LINKS = ("external_url", "canonical_url", "canonicalurl", "canonical", "externalurl")
TRANSLATIONS = ("translationkey", "translation_key", "translation_id", "lang-ref", "lang_ref")
PERMALINKS = ("permalink", "url", "path")
RELATED_LINKS = ("webUrl", "originalUrl")
RELATED_DATES = ("publishedDateTime", "date")
RELATED_KEYS = frozenset({"title", "provider", *RELATED_LINKS, *RELATED_DATES})
"""The keys of an item of `related` that are read."""
# Where themes and generators keep keys of their own, the strongest first.
_NESTED = ("taxonomies", "extra", "params", "seo")
_MAY_BE_NESTED = frozenset(
    {
        *EXCERPTS,
        *IMAGES,
        *ENCLOSURES,
        *UPDATES,
        *TOPIC_KEYS,
        "author",
        "authors",
        "lang",
        "language",
        "locale",
        *LINKS,
        "guid",
    }
)
SEPARATORS: Mapping[str, str] = {"jekyll": " ", "pelican": ";"}


def by_key(own: Mapping[str, Any], *, nested: bool) -> dict[str, tuple[str, Any]]:
    """Return the values by key in lower case, each with its key as it is spelled.

    With `nested`, values in `taxonomies`, `extra`, `params` and `seo` count too, and empty texts do not.
    """
    found = dict(zip(map(str.lower, own), own.items(), strict=True))
    if nested:
        found = {key: given for key, given in found.items() if given[1] != ""}
        for name in _NESTED:
            group, inner = found.get(name, ("", None))
            if not isinstance(inner, Mapping):
                continue
            for key, value in inner.items():
                if isinstance(key, str) and (name == "taxonomies" or key.lower() in _MAY_BE_NESTED):
                    found.setdefault(key.lower(), (f"{group}.{key}", value))
    return found


def overlaid(given: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file's own values, and those given to it whose keys it does not have."""
    named = set(map(str.lower, own))
    return {key: value for key, value in given.items() if key.lower() not in named} | dict(own)


_COMPARED = 100
"""Keys, the first, that are compared: a comparison takes time, and a front matter may have thousands."""


def misspelt(name: str, by_key: Mapping[str, tuple[str, Any]]) -> str | None:
    """Return the key that is probably `name` misspelt, as spelled in the file; None if there is none."""
    import difflib  # late: most sites have no such file

    others = [key for key in islice(by_key, _COMPARED) if key != name]
    close = difflib.get_close_matches(name, others, n=1, cutoff=0.8)
    return by_key[close[0]][0] if close else None
