"""What a refresh of the catalog did."""

from __future__ import annotations

from dataclasses import dataclass, field

from articles.errors import ArticleError


@dataclass(slots=True, kw_only=True)
class Refresh:
    """What a refresh did: files read again, articles that changed visibly or were removed, files newly bad.

    `still_shown` are the paths of the newly bad files whose last good version stays. `seconds` is the time it
    took, without the wait for another process. `folders` are those of the `Scan`, None where only some files
    were examined.
    """

    read: int = 0
    changed: int = 0
    removed: int = 0
    problems: list[ArticleError] = field(default_factory=list)
    still_shown: set[str] = field(default_factory=set)
    seconds: float = 0.0
    folders: dict[str, int] | None = None
