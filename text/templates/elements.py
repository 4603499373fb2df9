"""The HTML of known templates, with every value escaped; it is sanitised like all other HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape

_ID = re.compile(r"[\w-]{1,64}")
_GIST = re.compile(r"[\w-]{1,64}(?:/[0-9a-fA-F]{1,64})?")
_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")
_MARKUP = re.compile(r"[*_\[\]`<]")
_SOURCES = ("src", "url", "image_path", "image", "path", "file", "0")
_CAPTIONS = ("caption", "title", "description")
_BY_ID = {
    "youtube": ("https://www.youtube.com/watch?v={}", "Watch on YouTube"),
    "vimeo": ("https://vimeo.com/{}", "Watch on Vimeo"),
    "instagram": ("https://www.instagram.com/p/{}/", "See it on Instagram"),
}
FIGURES = frozenset({"figure", "img", "image", "picture", "fig", "imgproc", "resize_image"})
VIDEOS = frozenset(_BY_ID)


def known(name: str, values: Mapping[str, str]) -> str | None:
    """Return the HTML of the template `name`; "" if a value is missing, None if the template is not known.

    Positional values have their number, from "0", as their name.
    """
    name = name.lower().replace("_", "-")
    if name in FIGURES:
        return figure(values)
    if name.startswith("youtube"):  # as in <YouTubeEmbed>
        name = "youtube"
    if name in VIDEOS:
        return _by_id(name, values.get("id") or values.get("0") or values.get("src") or "")
    if name == "gist":
        return _gist(values)
    return _post(values) if name in ("tweet", "twitter", "x") else None


def figure(values: Mapping[str, str]) -> str:
    """Return a picture with its caption; blank lines around a caption let Markdown in it be parsed."""
    source = next((values[key] for key in _SOURCES if values.get(key)), "")
    if not source:
        return ""
    caption = next((values[key].strip() for key in _CAPTIONS if values.get(key)), "")
    image = f'<img src="{escape(source)}" alt="{escape(values.get("alt") or "")}">'
    if link := values.get("link") or values.get("href"):
        image = f'<a href="{escape(link)}">{image}</a>'
    if not caption:
        return image
    content = f"\n\n{caption}\n\n" if _MARKUP.search(caption) else escape(caption, quote=False)
    return f"\n\n<figure>\n{image}\n<figcaption>{content}</figcaption>\n</figure>\n\n"


def code_block(code: str, language: str, margin: str = "") -> str:
    """Return code as an HTML block, in which Markdown and templates are text; lines begin with `margin`."""
    attribute = f' class="language-{language}"' if _LANGUAGE.fullmatch(language) else ""
    content = escape(code.strip("\n"), quote=False)
    if margin:
        content = "\n".join(
            line if line.startswith(margin) else margin + line for line in content.split("\n")
        )
    return f"\n\n{margin}<pre><code{attribute}>{content}\n{margin}</code></pre>\n\n{margin}"


def anchor(url: str, text: str) -> str:
    """Return a link."""
    return f'<a href="{escape(url)}">{escape(text, quote=False)}</a>'


def _by_id(name: str, address: str) -> str:
    pattern, label = _BY_ID[name]
    address = re.split(r"[?&]", re.split(r"(?:v=|/)(?=[\w-]{6,}(?:[?&]|$))", address)[-1])[0]
    return anchor(pattern.format(address), label) if _ID.fullmatch(address) else ""


def _gist(values: Mapping[str, str]) -> str:
    parts = [part for part in (values.get("0"), values.get("1")) if part]
    path = (
        "/".join(parts)
        if len(parts) == 2 and "/" not in parts[0] and "." not in parts[1]
        else "".join(parts[:1])
    )
    return (
        anchor(f"https://gist.github.com/{path}", f"gist.github.com/{path}") if _GIST.fullmatch(path) else ""
    )


def _post(values: Mapping[str, str]) -> str:
    user, number = values.get("user", "i"), values.get("id") or values.get("0") or ""
    if not (_ID.fullmatch(user) and number.isdigit()):
        return ""
    return anchor(f"https://x.com/{user}/status/{number}", "See the post on X")
