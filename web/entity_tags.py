"""Entity tags (ETag) and dates, and the conditional requests that name them (RFC 9110 §8.8, §13). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from web.codings import IDENTITY

_MEMBER = re.compile(r'(?:W/)?"[^"]*"')
_CODING_SUFFIX = re.compile(r"-(?:gzip|br|zstd)$")


def entity_tag(tag: str, coding: str) -> str:
    """Return the strong entity tag (RFC 9110 §8.8.3) of a document in a coding."""
    return f'"{tag}"' if coding == IDENTITY else f'"{tag}-{coding}"'


def preconditions_met(tag: str, last_modified: datetime | None, conditions: Mapping[str, str]) -> bool:
    """Return whether If-Match and If-Unmodified-Since are met; if not, the answer is 412 (RFC 9110 §13.1).

    `tag` is the entity tag in the coding that would be sent. Weak tags never match. If-Match alone decides if
    it is present (§13.2.2).
    """
    if_match = conditions.get("if-match")
    if if_match is not None:
        return if_match.strip() == "*" or tag in _MEMBER.findall(if_match)
    since = _http_date(conditions.get("if-unmodified-since", ""))
    return since is None or last_modified is None or last_modified.replace(microsecond=0) <= since


def is_not_modified(tag: str, last_modified: datetime | None, conditions: Mapping[str, str]) -> bool:
    """Return whether the answer to a conditional request is 304 (RFC 9110 §13.2.2).

    If-None-Match alone decides if it is present. It matches the tag of any coding, even with a suffix by a
    proxy, as the document is the same. If-Modified-Since has to be exactly Last-Modified, as with file
    servers: another machine may have given a later date for an older document.
    """
    if_none_match = conditions.get("if-none-match")
    if if_none_match is not None:
        tags = _MEMBER.findall(if_none_match)
        return if_none_match.strip() == "*" or any(_same_document(member, tag) for member in tags)
    since = _http_date(conditions.get("if-modified-since", ""))
    return since is not None and last_modified is not None and last_modified.replace(microsecond=0) == since


def http_date(time: datetime) -> str:
    """Return a time as an HTTP date (RFC 9110 §5.6.7)."""
    return format_datetime(time.astimezone(UTC).replace(microsecond=0), usegmt=True)


def _http_date(text: str) -> datetime | None:
    """Return the time, or None for text that is not an HTTP date, which is ignored (RFC 9110 §13.1.3)."""
    try:
        time = parsedate_to_datetime(text)
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _same_document(member: str, tag: str) -> bool:
    opaque = member.removeprefix("W/").strip('"')
    return _CODING_SUFFIX.sub("", _CODING_SUFFIX.sub("", opaque)) == tag
