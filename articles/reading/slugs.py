"""How generators convert titles and names to slugs."""

from __future__ import annotations

import re
import unicodedata

_NOT_IN_SLUG = re.compile(r"[^\w]+")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
_ACCENTS = re.compile(r"(?<=[a-z])[\u0300-\u036f]+")
# The letters in common use that deunicode writes otherwise than text-unidecode does.
_AS_DEUNICODE = str.maketrans(
    {
        "ъ": "'",
        "Ъ": "'",
        "ء": "'",
        "إ": "'",
        "么": "Me ",
        "什": "Shen ",
        "术": "Shu ",
        "价": "Jia ",
        "旅": "Lv ",
    }
)
# The same for Unidecode, in its versions since 1.3.
_AS_UNIDECODE = str.maketrans(
    dict.fromkeys("しシ", "shi")
    | dict.fromkeys("ちチ", "chi")
    | dict.fromkeys("つツっッ", "tsu")
    | {"ー": "-", "Є": "Ie"}
)


def slugified(text: str) -> str:
    """Return a text as Jekyll, Hugo and Pelican write it in addresses: lower case, hyphens between words."""
    decomposed = unicodedata.normalize("NFC", text[:500]).lower()
    return _NOT_IN_SLUG.sub("-", decomposed.replace("'", "").replace("’", "")).strip("-_")


def jekyll_title(name: str) -> str:
    """Return what Jekyll inserts for `:title`, from a file's name (Utils.slugify, in the mode "pretty")."""
    return re.sub(r"[^\w.~!$&'()+,;=@]+", "-", name[:500]).strip("-")


def jekyll_slug(name: str) -> str:
    """Return what Jekyll inserts for `:slug`, from a file's name (Utils.slugify, in the mode "default")."""
    return _NOT_ALPHANUMERIC.sub("-", name[:500].lower()).strip("-")


def pelican_slug(title: str, *, keeps_letters: bool = False) -> str | None:
    """Return the slug that Pelican derives from a title (pelican.utils.slugify).

    Unless it `keeps_letters` (SLUGIFY_USE_UNICODE), all scripts are written in Latin letters, by Unidecode.
    """
    text = unicodedata.normalize("NFKC", title[:500])
    if not keeps_letters and not text.isascii():
        from text_unidecode import unidecode  # late: few titles have other letters

        text = unidecode(text.translate(_AS_UNIDECODE))
    allowed = re.sub(r"[^\w\s-]", "", text.lower()).strip()
    return re.sub(r"[-\s]+", "-", allowed) or None


def hugo_slug(title: str) -> str:
    """Return the slug that Hugo derives from a title, or a part of a path (helpers.URLize)."""
    allowed = re.sub(r"[^\w\s.+~@#-]", "", title[:500].strip())
    return re.sub(r"\s*-[\s-]*|\s+", lambda match: match[0].strip() or "-", allowed).lower()


def eleventy_slug(title: str) -> str | None:
    """Return what Eleventy's filter `slugify` makes of a title, None where it has to transcribe letters.

    https://www.11ty.dev/docs/filters/slugify/
    """
    words = re.sub(r"(?<=[A-Za-z0-9])['’](?=[ts](?:\s|$))", "", title[:500]).replace("&", " and ")
    decomposed = unicodedata.normalize("NFKD", words.lower())
    slug = _NOT_ALPHANUMERIC.sub("-", _ACCENTS.sub("", decomposed)).strip("-")
    return slug if slug.isascii() and slug else None


def hexo_slug(category: str) -> str:
    """Return what Hexo makes of a category in an address (hexo-util's slugize)."""
    return re.sub(r"[\s~`!@#$%^&*()_+=\[\]{}|\\;:\"'<>,.?/-]+", "-", category[:500]).strip("-")


def quartz_slug(path: str) -> str:
    """Return what Quartz makes of a path: https://github.com/jackyzha0/quartz/blob/v4/quartz/util/path.ts."""
    for character, replacement in (("&", "-and-"), ("%", "-percent"), ("?", ""), ("#", "")):
        path = path.replace(character, replacement)
    return re.sub(r"\s", "-", path[:2000])


def nuxt_slug(path: str) -> str:
    """Return what Nuxt Content makes of a path: numbers that order the files, as in `1.name`, are left out.

    https://content.nuxt.com/docs/collections/types#ordering-files
    """
    parts = (re.sub(r"^\d+\.", "", part) for part in path[:2000].lower().split("/"))
    return "/".join(re.sub(r"[^\w.-]+", "-", part).strip("-") for part in parts)


def zola_slug(name: str) -> str:
    """Return the slug that Zola derives from a name: words of letters and digits, with hyphens between them.

    This is for `slugify.paths = "on"`, the default: the crate `slug`, which writes all scripts in Latin
    letters by https://docs.rs/deunicode. Its names of emoji are left out.
    """
    name = name[:500]
    if not name.isascii():
        from text_unidecode import unidecode  # late: few names have other letters

        name = unidecode(name.translate(_AS_DEUNICODE))
    return _NOT_ALPHANUMERIC.sub("-", name.lower()).strip("-")
