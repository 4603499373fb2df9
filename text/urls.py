"""Web addresses: checks whether they are usable, and whether two belong to the same story."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, urlsplit

from text.limits import MAX_URL

_TRACKING = re.compile(
    r"(?:utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|ref_src|ocid|cmpid)(?:=|$)", re.I
)
# An address that needs no change: a host in lower case, and then only characters that may be unencoded (RFC
# 3986 §3), complete %XX, and at most one fragment. Nothing is matched twice: all repetitions are possessive.
_ALLOWED = r"[A-Za-z0-9/?@!$&'()*+,;=._~:-]*+(?>(?:%[0-9A-Fa-f]{2}[A-Za-z0-9/?@!$&'()*+,;=._~:-]*+)*)"
_PLAIN = re.compile(rf"https?://[a-z0-9.-]++(?::\d{{1,4}})?(?>(?:(?=[/?]){_ALLOWED}(?>(?:#{_ALLOWED})?))?)")
_MAX_HOST = 253  # characters of a host name (RFC 1035 §2.3.4), in any spelling
_MAX_LABEL = 63  # characters between two dots
# RFC 3986 §3, RFC 8141 §2 and RFC 4151 §2.1: texts that feed readers accept as ids.
_URI = re.compile(
    r"""https?://[A-Za-z0-9.-]+(?::\d+)?(?:[/?#][A-Za-z0-9;/?:@&=+$.\-_!~*'()%,\#]*)?
    | urn:uuid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}
    | urn:(?!uuid:)[A-Za-z0-9][A-Za-z0-9-]{1,31}:[A-Za-z0-9()+,.:=@;$_!*'/%-]+
    | tag:(?:[a-z0-9._-]+@)?[a-z0-9.-]+,\d{4}(?:-\d\d){0,2}:[A-Za-z0-9;/?:@&=+$.\-_!~*'()%,]*
    """,
    re.VERBOSE,
)
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def http_url(text: str) -> str | None:
    """Return `text` as an absolute http or https URI (RFC 3986), or None if it is not one.

    Spaces and letters outside ASCII are percent-encoded and host names brought into their ASCII form
    (RFC 5890), because feed readers and chat services accept URIs, not IRIs. The limit is MAX_URL characters.
    """
    if not text or len(text) > MAX_URL:
        return None
    if _PLAIN.fullmatch(text):
        return text
    parts = _split(text.strip())
    if parts is None:
        return None
    path = quote(_BARE_PERCENT.sub("%25", parts.path), safe="%:/@!$&'()*+,;=-._~", errors="replace")
    query, fragment = (
        quote(_BARE_PERCENT.sub("%25", part), safe="%:/?@!$&'()*+,;=-._~", errors="replace")
        for part in (parts.query, parts.fragment)
    )
    host = _netloc(parts)
    return parts._replace(netloc=host, path=path, query=query, fragment=fragment).geturl() if host else None


def is_uri(text: str) -> bool:
    """Return whether feed readers accept the text as an id: an http(s), urn or tag URI."""
    return _URI.fullmatch(text) is not None


def canonical_url(url: str) -> str:
    """Return a key that is equal for all addresses of one story.

    The scheme, `www.`, default ports, fragments, trailing slashes and the parameters that only measure where
    a reader came from do not distinguish stories; everything else does.
    """
    parts = _split(url)
    if parts is None:
        return url
    host = (parts.hostname or "").removeprefix("www.")
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    query = "&".join(part for part in parts.query.split("&") if part and not _TRACKING.match(part))
    return f"{host}{port}{parts.path.rstrip('/')}{'?' if query else ''}{query}"


def ascii_host(name: str) -> str | None:
    """Return a host name in its DNS form, or None if it is invalid; an ASCII name only becomes lower case.

    Names are mapped as browsers map them (UTS 46, non-transitional: IDNA 2008), so that `straße` is not
    `strasse`, and encoded by Punycode (RFC 3492). The codec of the standard library follows IDNA 2003.
    """
    if len(name) > _MAX_HOST:
        return None
    try:
        mapped = name.lower() if name.isascii() else _mapped(name)
        labels = [_ascii_label(label) for label in mapped.removesuffix(".").split(".")]
    except UnicodeError:  # the base class of IDNAError
        return None
    host = ".".join(labels) + "." * mapped.endswith(".")
    return host if len(host) <= _MAX_HOST and all(0 < len(label) <= _MAX_LABEL for label in labels) else None


def _mapped(name: str) -> str:
    # Imported here, as its tables take two megabytes, and nearly every host is ASCII.
    import idna

    return idna.uts46_remap(name, std3_rules=False)


def _ascii_label(label: str) -> str:
    return label if label.isascii() else f"xn--{label.encode('punycode').decode()}"


def on_site(url: str, site_url: str) -> str:
    """Return an address unchanged, or, if it starts with /articles/, on the site at `site_url`."""
    return f"{site_url.rstrip('/')}{url}" if url.startswith("/articles/") else url


def page_url(site_url: str, article_id: str) -> str:
    """Return the address of an article's page on the site at `site_url`."""
    return f"{site_url.rstrip('/')}/articles/{quote(article_id, errors='replace')}"


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        usable = (
            parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        return None
    return parts if usable else None


def _netloc(parts: SplitResult) -> str | None:
    host = parts.hostname or ""
    name = host if ":" in host else ascii_host(host)
    if not name or not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", name):
        return None
    bracketed = f"[{name}]" if ":" in name else name
    return bracketed if parts.port is None else f"{bracketed}:{parts.port}"
