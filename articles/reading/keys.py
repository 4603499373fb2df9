"""The keys of front matter by their meaning, and a file's values by key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
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
THEME_IMAGES = (
    *IMAGES, "heroimage", "hero_image", "coverimage", "cover_image", "ogimage", "feature_image"
)  # fmt: skip
"""The keys with pictures that the starters of generators have besides."""
ENCLOSURES = ("enclosure", "enclosures", "audio", "podcast", "video")
LINKS = ("external_url", "canonical_url", "canonicalurl", "canonical", "externalurl")
TRANSLATIONS = ("translationkey", "translation_key", "translation_id", "lang-ref", "lang_ref")
PERMALINKS = ("permalink", "url", "path")
RELATED_LINKS = ("webUrl", "originalUrl")
RELATED_DATES = ("publishedDateTime", "date")
RELATED_KEYS = frozenset({"title", "provider", *RELATED_LINKS, *RELATED_DATES})
"""The keys of an item of `related` that are read."""
# Mappings in which themes and generators have their own keys; of two with one key, the first is used.
_NESTED = ("taxonomies", "extra", "params", "seo")
_MAY_BE_NESTED = frozenset(
    {
        *EXCERPTS,
        *THEME_IMAGES,
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


def by_key(values: Mapping[str, Any], *, nested: bool) -> dict[str, tuple[str, Any]]:
    """Return the values by key in lower case, each with its key as it is spelled.

    With `nested`, values in `taxonomies`, `extra`, `params` and `seo` count too, and empty texts do not.
    """
    result = dict(zip(map(str.lower, values), values.items(), strict=True))
    if nested:
        result = {key: entry for key, entry in result.items() if entry[1] != ""}
        for name in _NESTED:
            group, inner = result.get(name, ("", None))
            if not isinstance(inner, Mapping):
                continue
            for key, value in inner.items():
                if isinstance(key, str) and (name == "taxonomies" or key.lower() in _MAY_BE_NESTED):
                    result.setdefault(key.lower(), (f"{group}.{key}", value))
    return result


def with_defaults(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file's own values, and the defaults for keys that it does not have."""
    keys = set(map(str.lower, own))
    return {key: value for key, value in defaults.items() if key.lower() not in keys} | dict(own)


_MAX_COMPARED = 100
"""The first keys are compared, up to this number: a front matter may have thousands."""


_CONSEQUENTIAL: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "quality": ("quality", ()),
    "topics": ("topics", TOPIC_KEYS),
    "weburl": ("webUrl", ()),
    "excerpt": ("excerpt", EXCERPTS),
    "provider": ("provider", ()),
    "draft": ("draft", ("isdraft",)),
}
"""Optional keys without which an article is shown or posted wrongly: their spelling, and other names."""


def probably_misspelt(by_key: Mapping[str, tuple[str, Any]]) -> list[tuple[str, str]]:
    """Return the keys that are probably misspelt, as in the file, each with the key that is meant."""
    return [
        (by_key[other][0], spelling)
        for other, spelling in _misspelt_among(tuple(islice(by_key, _MAX_COMPARED)))
        if spelling != "draft" or isinstance(by_key[other][1], bool)
    ]


@lru_cache(maxsize=1_000)
def _misspelt_among(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    missing = {
        name: spelling
        for name, (spelling, others) in _CONSEQUENTIAL.items()
        if name not in names and not any(other in names for other in others)
    }
    known = {name for name, (_, others) in _CONSEQUENTIAL.items() for name in (name, *others)}
    found = ((other, _close(other, missing)) for other in names if other not in known)
    return tuple((other, missing[name]) for other, name in found if name)


def _close(name: str, names: Iterable[str]) -> str | None:
    import difflib  # late: most sites have no such file

    return next(iter(difflib.get_close_matches(name, names, n=1, cutoff=0.8)), None)


def misspelt(name: str, by_key: Mapping[str, tuple[str, Any]]) -> str | None:
    """Return the key that is probably `name` misspelt, as spelled in the file; None if there is none."""
    close = _close(name, [key for key in islice(by_key, _MAX_COMPARED) if key != name])
    return by_key[close][0] if close else None
