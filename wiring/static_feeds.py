"""Exports the feeds as static files; archives of an earlier export that are up to date are not rendered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from feeds.export import MANIFEST, export, many_texts, write_feeds
from storage.static_folder import ExportCounts
from wiring.site import Newswire


def export_feeds(
    newswire: Newswire, folder: Path, progress: Callable[[int, int], None] = lambda done, of: None
) -> ExportCounts:
    """Write every feed into a folder, as `feeds.export.export` does. Raises ExportError.

    Without archives there are so few documents that recording what they are made from is not worth it.
    """
    if not newswire.config.feeds.archives:
        return export(newswire.publisher, folder, progress)
    # Imported here, as only archives need it.
    from wiring.observed_site import observed

    with many_texts(newswire.publisher), observed(newswire, folder / MANIFEST) as site:
        return write_feeds(site.publisher, folder, progress, site.earlier)
