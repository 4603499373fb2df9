"""Writes feeds over an earlier export: only those that may have changed since then are rendered."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from articles.catalog.timeline import TopicTimeline, versions
from articles.topics import Topic
from feeds import archives
from feeds.archives import ArchivePart, ArchivePlace
from feeds.digests import DigestPublisher, Period
from feeds.earlier_export import Dependencies, EarlierExport
from feeds.feed_files import FeedFileWriter
from feeds.formats import FORMATS
from feeds.history import ArchivePublisher
from feeds.model import Feed
from feeds.publisher import Publisher
from storage.static_folder import StaticFolder


class ChangedFeeds:
    """Writes the feeds of topics into a folder, except those of an earlier export that are up to date.

    The feed of a topic and its digests are recorded together, each archive by itself. `on_file` is called for
    each file, whether it is rendered or not.
    """

    def __init__(
        self, publisher: Publisher, files: StaticFolder, earlier: EarlierExport, on_file: Callable[[], None]
    ) -> None:
        self._publisher = publisher
        self._files = files
        self._earlier = earlier
        self._on_file = on_file
        self._writer = FeedFileWriter(files, publisher.texts.workers, on_file)
        self._now = publisher.now()
        self._digests = DigestPublisher(publisher)
        self._pending: deque[tuple[str, str, list[str], Dependencies]] = deque()
        # What is read for archives is not recorded: their basis covers it, for a tenth of the time.
        self._history = ArchivePublisher(publisher, earlier.unrecorded)
        self._versions = versions(earlier.unrecorded) if publisher.settings.archives else {}

    def write(self, slugs: Iterable[str]) -> None:
        """Write the feeds, digests and archives of these topics. Raises OSError."""
        period = self._period()
        for slug in slugs:
            self._write(f"feeds {slug}", period, self._newest(slug))
            topic = self._publisher.topic(slug)
            if topic and self._publisher.settings.archives:
                self._write_archives(topic)
        self._writer.finish()
        self._remember_written()

    def _write_archives(self, topic: Topic) -> None:
        settings, now = self._publisher.settings, self._now
        timeline = TopicTimeline(self._earlier.unrecorded, topic.slug, now)
        if len(timeline) <= settings.size:
            return
        for part in archives.all_parts(timeline, now, settings.part_size):
            place = archives.place(part, timeline, now, settings.part_size)
            if place:
                basis = self._basis(topic, part, place, timeline)
                self._write(f"archive {topic.slug}/{part.name}", basis, self._archive(topic, part, place))

    def _write(self, name: str, basis: str, feeds: Iterator[tuple[str, Feed]]) -> None:
        """Write feeds, each with the path of its files without extension, unless they are up to date.

        Only then are they built: `feeds` is a generator.
        """
        if record := self._earlier.find(name, basis, self._files):
            self._earlier.keep(name, record, self._files)
            for _ in record.files:
                self._on_file()
            return
        self._earlier.begin()
        bases = []
        for base, feed in feeds:
            self._writer.write(base, feed)
            bases.append(base)
        paths = [f"{base}.{extension}" for base in bases for extension in FORMATS]
        self._pending.append((name, basis, paths, self._earlier.dependencies()))
        self._remember_written()

    def _remember_written(self) -> None:
        """Record what has been written by now: other processes may still write the rest."""
        while self._pending and all(map(self._files.has_written, self._pending[0][2])):
            name, basis, paths, dependencies = self._pending.popleft()
            self._earlier.remember(name, dependencies, paths, self._files, basis=basis)

    def _newest(self, slug: str) -> Iterator[tuple[str, Feed]]:
        feed = self._publisher.feed(slug, self._now, articles=self._publisher.prepare(slug, self._now))
        if feed is not None:
            yield f"feeds/{slug}", feed
            digest = self._digests.feed(slug, self._now)
            if digest is not None:
                yield f"digests/{slug}", digest

    def _archive(self, topic: Topic, part: ArchivePart, place: ArchivePlace) -> Iterator[tuple[str, Feed]]:
        yield f"feeds/{topic.slug}/{part.name}", self._history.placed(topic, part, place, self._now)

    def _basis(self, topic: Topic, part: ArchivePart, place: ArchivePlace, timeline: TopicTimeline) -> str:
        """Return a digest of what an archive depends on, besides settings and the links in its texts."""
        neighbours = (topic, place.previous, place.next, place.is_closed)
        digest = hashlib.blake2b(repr(neighbours).encode(errors="backslashreplace"), digest_size=16)
        numbers = timeline.numbers(part.month.span, limit=place.count, offset=place.offset)
        digest.update(b"".join([self._versions[number] for number in numbers]))
        return digest.hexdigest()

    def _period(self) -> str:
        """Return the current period of digests, after which there is a new one."""
        every = self._digests.every
        return Period.of(self._now, every, self._digests.zone).name if every else ""
