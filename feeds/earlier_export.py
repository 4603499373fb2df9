"""Finds documents of an earlier export that are up to date, and need not be rendered again.

A document is up to date while every query of the catalog that was made for it has the same result, every file
that was looked up is unchanged, no time at which it changes has passed, and its own files are as they were
written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from articles.catalog.observed import ObservedCatalog, RecordedQuery
from articles.reading.record import microseconds
from storage.export_records import ExportedFile, ExportRecord, ExportRecords
from storage.static_folder import StaticFolder

Signature = tuple[int, int] | None
"""The size and the modification time of a file; None for a missing file."""


@dataclass(slots=True)
class RecordedInputs:
    """The queries that were made of the catalog, and the files that were looked up."""

    reads: list[RecordedQuery] = field(default_factory=list)
    looked_up: dict[str, Signature] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """The dependencies of a document; `until` is when it changes with time, in microseconds, or None."""

    reads: list[tuple[object, ...]]
    looked_up: dict[str, Signature]
    until: int | None


class EarlierExport:
    """The documents of the last export into a folder, by name, and those of this one.

    `signature` returns the signature of the file at a path beside the articles. `unrecorded` is the catalog
    for queries on which a document does not depend, or which its basis covers.
    """

    def __init__(
        self, exported: ExportRecords, catalog: ObservedCatalog, signature: Callable[[str], Signature]
    ) -> None:
        self._exported = exported
        self._catalog = catalog
        self.unrecorded = catalog.unrecorded
        self._signature = signature
        self._is_same_catalog = bool(exported.state) and exported.state == catalog.state()
        self._looked_up: dict[str, Signature] = {}
        self._changes_at: list[Callable[[], datetime | None]] = []

    def find(self, name: str, basis: str, folder: StaticFolder) -> ExportRecord | None:
        """Return what was written under a name if it is up to date and has this basis, or None."""
        record = self._exported.get(name)
        return record if record and self._is_current(name, record, basis, folder) else None

    def keep(self, name: str, record: ExportRecord, folder: StaticFolder) -> None:
        """Keep what was written under a name."""
        self._exported.keep(name)
        for file in record.files:
            folder.keep(file.path)

    def begin(self) -> None:
        """Begin to record the queries and look-ups of a document."""
        self._catalog.take_reads()
        self._looked_up.clear()
        self._changes_at.clear()

    def looked_up(self, path: str, signature: Signature) -> None:
        """Record that a file beside the articles was looked up."""
        self._looked_up[path] = signature

    @contextmanager
    def recording(self) -> Iterator[RecordedInputs]:
        """Yield the queries and look-ups within the context; complete when it ends."""
        before, mark = self._looked_up, self._catalog.mark()
        self._looked_up, recorded = {}, RecordedInputs()
        try:
            yield recorded
        finally:
            recorded.reads = self._catalog.reads_since(mark)
            recorded.looked_up = self._looked_up
            self._looked_up = before | recorded.looked_up

    def repeat(self, recorded: RecordedInputs) -> None:
        """Record queries and look-ups once more, for another document."""
        self._catalog.record(recorded.reads)
        self._looked_up |= recorded.looked_up

    def changes(self, time_of: Callable[[], datetime | None]) -> None:
        """Record that the document may change with time: `time_of` returns when it does, or None."""
        self._changes_at.append(time_of)

    def dependencies(self) -> Dependencies:
        """Return what was recorded since `begin`; another process may pass it to `remember`."""
        times = (time_of() for time_of in self._changes_at)
        return Dependencies(
            reads=list(map(tuple, self._catalog.take_reads())),
            looked_up=dict(self._looked_up),
            until=min(map(microseconds, filter(None, times)), default=None),
        )

    def remember(
        self,
        name: str,
        dependencies: Dependencies,
        paths: Iterable[str],
        folder: StaticFolder,
        *,
        basis: str = "",
        links: Mapping[str, str | None] | None = None,
    ) -> None:
        """Store under a name the files of a document with its dependencies.

        `basis` is a text that differs when they may differ, such as the day that they depend on; `links` are
        the targets of their links.
        """
        record = ExportRecord(
            files=tuple(ExportedFile(path, *folder.signature(path)) for path in paths),
            until=dependencies.until,
            basis=basis,
            looked_up=dependencies.looked_up,
            links=links or {},
        )
        self._exported.put(name, record, dependencies.reads)

    def _is_current(self, name: str, record: ExportRecord, basis: str, folder: StaticFolder) -> bool:
        return (
            record.basis == basis
            and (record.until is None or microseconds(self._catalog.now) < record.until)
            and all(folder.signature(path) == tuple(rest) for path, *rest in record.files)
            and all(self._signature(path) == _pair(signature) for path, signature in record.looked_up.items())
            and (self._is_same_catalog or self._catalog.has_same_results(self._reads(name)))
        )

    def _reads(self, name: str) -> list[RecordedQuery]:
        return [
            RecordedQuery(sql, tuple(values), rows, is_whole, digest)
            for sql, values, rows, is_whole, digest in self._exported.reads(name)
        ]


def _pair(numbers: list[int] | None) -> Signature:
    return (numbers[0], numbers[1]) if numbers else None
