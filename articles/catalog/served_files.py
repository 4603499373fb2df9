"""The files beside the articles: which of them are served, below /articles/.

Pictures, audio, video and PDF are served; other kinds only where the setting `articles.files` names them.
Never served are article files, hidden files, files in a hidden folder or outside the article folder, what
lies beside excluded articles, and files that belong only to articles that are not shown: see
`articles.catalog.file_visibility`.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from articles.catalog.catalog import Catalog
from articles.catalog.file_visibility import is_visible
from articles.files.folder import Folder

# Types that browsers show, and that cannot run as a page of this site: see `pages.files` for SVG.
MEDIA_TYPES = {
    ".avif": "image/avif", ".bmp": "image/bmp", ".gif": "image/gif", ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp",
    ".aac": "audio/aac", ".flac": "audio/flac", ".m4a": "audio/mp4", ".mp3": "audio/mpeg",
    ".oga": "audio/ogg", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".wav": "audio/wav",
    ".m4v": "video/mp4", ".mov": "video/quicktime", ".mp4": "video/mp4", ".ogv": "video/ogg",
    ".webm": "video/webm",
    ".pdf": "application/pdf",
}  # fmt: skip
# Never served, whatever the settings say: these can be article files of another site, or drafts.
_MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mdx"})


class ArticleFiles:
    """The files beside the articles of one folder."""

    def __init__(self, folder: Folder, catalog: Catalog, is_allowed: Callable[[str], bool]) -> None:
        """Serve from `folder`; `is_allowed` says whether the settings admit a path of any other kind."""
        self._folder = folder
        self._catalog = catalog
        self._is_allowed = is_allowed

    def find(self, path: str, now: datetime) -> Path | None:
        """Return the file at `path`, relative to the folder, or None when there is none that may be served.

        A symbolic link is followed where its target may be served under its own path too.
        """
        if not self._may_be_served(path):
            return None
        root = self._folder.root
        try:
            resolved_root = root.resolve()
            resolved = root.joinpath(*path.split("/")).resolve(strict=True)
            if not (resolved.is_relative_to(resolved_root) and stat.S_ISREG(resolved.stat().st_mode)):
                return None
        except (OSError, RuntimeError, ValueError):  # RuntimeError: links that lead in a circle
            return None
        target = resolved.relative_to(resolved_root).as_posix()
        same_kind = resolved.suffix.lower() == Path(path).suffix.lower()
        if target != path and not (same_kind and self._may_be_served(target)):
            return None
        are_visible = all(is_visible(self._catalog, name, now) for name in {path, target})
        return resolved if are_visible else None

    def _may_be_served(self, path: str) -> bool:
        parts = path.split("/")
        if any(not part or part.startswith(".") or "\0" in part or "\\" in part for part in parts):
            return False
        suffix = Path(parts[-1]).suffix.lower()
        if suffix in _MARKDOWN or self._folder.is_included(path) or self._folder.excludes_beside(path):
            return False
        return suffix in MEDIA_TYPES or self._is_allowed(path)
