"""An export writes large feeds in other processes, with the bytes and errors of this one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.waiting import WAIT_SECONDS

SCRIPT = """if True:
    import os, sys
    from dataclasses import replace
    from datetime import UTC, datetime
    from pathlib import Path
    from feeds.feed_files import WORTH_WORKERS, FeedFileWriter
    from feeds.formats import FORMATS
    from feeds.model import Entry, Feed
    from feeds.publisher import render_within
    from feeds.workers import Workers
    from storage.static_folder import StaticFolder

    HERE = "https://x.example"
    day = datetime(2026, 1, 1, tzinfo=UTC)
    entry = Entry(
        id="urn:a", url=f"{HERE}/a", title="A", published=day, updated=day, content_html="x" * WORTH_WORKERS
    )
    small = Feed(
        id="urn:b", slug="b", title="B", description="B", page_url=HERE, base_url=f"{HERE}/feeds/b",
        home_url=HERE, language="en", author="C", ttl=60,
    )
    large = replace(small, entries=(entry,))
    feeds = {f"feeds/{number}": large if number % 2 else small for number in range(6)}

    def write(folder, workers):
        written = []
        files = StaticFolder(folder, ".manifest", lambda path: True)
        writer = FeedFileWriter(files, workers, lambda: written.append(1))
        try:
            for base, feed in feeds.items():
                writer.write(base, feed)
            writer.finish()
        finally:
            workers.close()
        assert len(written) == len(feeds) * len(FORMATS)
        # A process that is ended may have written a file before, which is then found as it should be.
        assert sum(files.finish()) == len(feeds) * len(FORMATS)
        for base, feed in feeds.items():
            for extension in FORMATS:
                assert (folder / f"{base}.{extension}").read_bytes() == render_within(feed, extension)

    folder = Path(sys.argv[1])
    write(folder / "lives", Workers(2))
    workers = Workers(2)
    workers.submit(os._exit, 1)
    write(folder / "ends", workers)
    (folder / "error" / "feeds" / "3.atom").mkdir(parents=True)
    try:
        write(folder / "error", Workers(2))
    except OSError as error:
        print(f"{error.filename}: {error.strerror}")
"""


def test_large_feeds_are_written_by_other_processes(tmp_path: Path) -> None:
    """All files are written, also where a process ends unexpectedly; what cannot be written is an error."""
    script = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
    assert (done.returncode, done.stderr.count("in this process only")) == (0, 1), done.stderr
    assert done.stdout.strip().endswith("3.atom: Is a directory")
