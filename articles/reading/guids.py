"""The id that an article had in the feed of its generator, before it was published here.

Readers know an entry only by this id (RFC 4287 §4.2.6), and show it again when the id is another one.
"""

from __future__ import annotations

import posixpath
from datetime import date
from urllib.parse import quote, urlsplit

from articles.conventions import Generator
from text.urls import http_url


def generators_guid(generator: Generator, address: str, name: str, day: date) -> str:
    """Return the id that the generator's own feed gives to the article at an address.

    `name` is its slug, or else its file's name without the date; `day` is its date in the site's time zone.
    """
    if generator == "jekyll":
        return _jekyll(address, name)
    if generator == "pelican":
        return _pelican(address, day)
    # Hugo, Zola, Eleventy's feed plugin, Docusaurus and @astrojs/rss give the address itself.
    return address


def _jekyll(address: str, name: str) -> str:
    """Return the id that jekyll-feed gives: the folder of the address, and then the post's name.

    Its template has `post.id | absolute_url`, and that id is
    `File.join(File.dirname(url), slug)`: https://www.rubydoc.info/gems/jekyll/Jekyll/Document#id-instance_method
    """
    parts = urlsplit(address)
    folder = posixpath.dirname(parts.path.rstrip("/")).rstrip("/")
    path = f"{folder}/{quote(name.strip('/'), errors='replace')}"
    return http_url(parts._replace(path=path, query="", fragment="").geturl()) or address


def _pelican(address: str, day: date) -> str:
    """Return the tag URI (RFC 4151) that feedgenerator's `get_tag_uri` makes, as of its version 1.9."""
    parts = urlsplit(address)
    return f"tag:{parts.hostname},{day.isoformat()}:{parts.path}"
