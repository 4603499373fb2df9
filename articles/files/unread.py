"""Which files in a folder of articles are not read, by extension, so that nothing is skipped silently."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping

from articles.files.folder import MAX_DEPTH, Folder

MAX_ENTRIES = 100_000
"""Entries that are examined; the rest of a larger folder is not counted."""

# Files beside articles, data and programs: nobody expects to read these as articles.
_BESIDE_NAMES = """
.avif .bmp .gif .ico .jpeg .jpg .png .svg .webp .aac .flac .m4a .mp3 .oga .ogg .opus .wav .m4v .mov .mp4 .ogv
.webm .pdf .css .scss .sass .less .js .mjs .cjs .ts .tsx .jsx .json .yml .yaml .toml .xml .csv .woff .woff2
.ttf .otf .eot .py .rb .sh .lock .map .zip .gz .tar
"""
_BESIDE = frozenset(_BESIDE_NAMES.split())
_SKIPPED_FOLDERS = frozenset({"node_modules", "_site", "bower_components"})


def unread(folder: Folder) -> Mapping[str, int]:
    """Return how many files of each extension are not read, the most frequent first.

    Pictures, data, style sheets and the like are not counted, and neither are hidden files.
    """
    counts = Counter(
        extension
        for path in _files(folder)
        if (extension := os.path.splitext(path)[1].lower()) not in _BESIDE  # noqa: PTH122 - many, and fast
        and extension
        and not folder.matches(path)
    )
    return dict(counts.most_common())


def lines(counts: Mapping[str, int]) -> Iterator[str]:
    """Yield a line for each extension: "43 .adoc files are not read"."""
    for extension, count in counts.items():
        files = f"1 {extension} file is" if count == 1 else f"{count:,} {extension} files are"
        reason = ": reStructuredText is not supported" if extension == ".rst" else ""
        yield f"{files} not read{reason}"


def _files(folder: Folder) -> Iterator[str]:
    """Yield the paths of the visible files in the folder, a bounded number of them."""
    pending = [("", 0)]
    remaining = MAX_ENTRIES
    while pending and remaining > 0:
        prefix, depth = pending.pop()
        try:
            entries = list(os.scandir(folder.root / prefix))
        except OSError:
            continue
        for entry in entries[:remaining]:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _SKIPPED_FOLDERS and depth < MAX_DEPTH:
                    pending.append((f"{prefix}{entry.name}/", depth + 1))
            else:
                yield prefix + entry.name
        remaining -= len(entries)
