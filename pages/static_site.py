"""The pages as static files: follows the links of a site from its home page on, and writes what it finds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from feeds.earlier_export import EarlierExport
from pages.static_targets import ARTICLES, StaticTarget, StaticTargets, TargetKind
from pages.static_workers import Forking, PageWorkers, PendingPages
from pages.static_writer import Links, PageWriter, WriteResult
from storage.export_records import ExportRecord
from storage.static_folder import StaticFolder

NOT_FOUND = "/404.html"
"""The file that hosts show where there is no other, and the address at which the site shows that page."""

WORTH_WORKERS = 40
"""Pages below which it takes longer to start other processes than to write them."""

_AT_ONCE = 8
_LOOK_AHEAD = 400  # pages that are looked at ahead of the one whose links are followed


@dataclass(slots=True, eq=False)
class _PlannedPage:
    """A page of the export: as an earlier one wrote it, or to be written, maybe by another process.

    `place` is that among what is `pending` together in such a process.
    """

    name: str
    source: str = ""
    earlier: ExportRecord | None = None
    pending: PendingPages | None = None
    place: int = 0


@dataclass(slots=True)
class StaticSite:
    """One export of the pages of a site into a folder whose feeds are written already.

    The pages that the `writer`'s earlier export wrote and that are up to date are not written again. `day` is
    the day from which lists of articles count back. Many pages are written in several processes, where
    `forking` says how.
    """

    writer: PageWriter
    day: str
    forking: Forking | None = None
    dead: list[tuple[str, str]] = field(default_factory=list)
    """The links that lead nowhere: the page that a link is on, and the address in it."""
    _waiting: deque[tuple[str, str]] = field(default_factory=deque)
    _followed: set[str] = field(default_factory=set)
    _others: list[_PlannedPage] = field(default_factory=list)
    _planned: deque[_PlannedPage] = field(default_factory=deque)
    _unsent: list[_PlannedPage] = field(default_factory=list)
    _planned_files: set[str] = field(default_factory=set)
    _workers: PageWorkers | None = None
    _done: int = 0

    @property
    def _files(self) -> StaticFolder:
        return self.writer.files

    @property
    def _earlier(self) -> EarlierExport:
        return self.writer.earlier

    @property
    def _targets(self) -> StaticTargets:
        return self.writer.targets

    def export(
        self, starts: Iterable[str], progress: Callable[[int, int], None] = lambda done, of: None
    ) -> None:
        """Write everything that is linked from `starts`, and what the writer has besides pages.

        Raises OSError when a file cannot be written.
        """
        links: Links = {}
        self._files.write(NOT_FOUND[1:], self.writer.page(NOT_FOUND, links))
        for start in starts:
            self._follow(start, "")
        for address in links:
            self._follow(address, NOT_FOUND)
        for name in self.writer.others:
            self._others.append(_PlannedPage(name, earlier=self._earlier.find(name, "", self._files)))
        try:
            self._follow_all(progress)
            for other in self._others:
                self._end(other)
            self._follow_all(progress)
        finally:
            if self._workers:
                self._workers.close()

    def _follow_all(self, progress: Callable[[int, int], None]) -> None:
        while self._waiting or self._planned:
            while self._waiting and len(self._planned) < _LOOK_AHEAD:
                self._begin(*self._waiting.popleft())
            if self._planned:
                self._end(self._planned.popleft())
                self._done += 1
                progress(self._done, self._done + len(self._planned) + len(self._waiting))

    def _follow(self, address: str, source: str) -> None:
        """Have the page at an address written; `source` is the page with a link to it."""
        if address in self._followed:
            return
        self._followed.add(address)
        target = self._targets.of(address)
        if self._leads_nowhere(target):
            self.dead.append((source, address))
        elif target.address != address:
            self._follow(target.address, source)
        elif target.kind is not TargetKind.FEED:
            if target.kind is TargetKind.ODD_PAGE:
                self.dead.append(("feeds", address))  # they have the address that the server has
            self._waiting.append((address, source))

    def _leads_nowhere(self, target: StaticTarget) -> bool:
        if target.kind is TargetKind.FEED:
            return not self._files.holds(target.file)
        return target.kind is TargetKind.NOTHING

    def _begin(self, address: str, source: str) -> None:
        file = self._targets.of(address).file
        while (
            file in self._planned_files
        ):  # two addresses of one file: whether it is written shows at the end
            self._end(self._planned.popleft())
        if self._files.has_written(file):
            return  # a file beside the articles, or another spelling of the address
        self._planned_files.add(file)
        page = _PlannedPage(address, source, self._earlier.find(address, self._day_of(address), self._files))
        self._planned.append(page)
        if not page.earlier:
            self._unsent.append(page)
            if self._workers and len(self._unsent) >= _AT_ONCE:
                self._send()

    def _end(self, page: _PlannedPage) -> None:
        """Write what has not been written yet, and follow its links."""
        is_page = page.name not in self.writer.others
        if is_page:
            self._planned_files.discard(self._targets.of(page.name).file)
        if page.earlier and self._has_targets(page.name, page.earlier.links):
            self._earlier.keep(page.name, page.earlier, self._files)
            if not page.earlier.files:
                self.dead.append((page.source, page.name))
            return
        outcome = self._outcome(page)
        for address in outcome.links:
            self._follow(address, page.name)
        for path, is_written in outcome.paths.items():
            self._files.note(path, is_written=is_written)
        if not outcome.is_found:
            self.dead.append((page.source, page.name))
        if outcome.is_lasting:
            basis = self._day_of(page.name) if is_page else ""
            self._earlier.remember(
                page.name, outcome.dependencies, outcome.paths, self._files, basis=basis, links=outcome.links
            )

    def _day_of(self, address: str) -> str:
        return "" if address.startswith(ARTICLES) else self.day

    def _has_targets(self, name: str, links: Mapping[str, str | None]) -> bool:
        """Return whether the links of a page lead where they did before, and follow them."""
        for address in links:
            self._follow(address, name)
        return all(self._targets.of(address).path == target for address, target in links.items())

    def _outcome(self, page: _PlannedPage) -> WriteResult:
        """Return the result for a page, written by another process where that is worth it."""
        if page in self._unsent:
            if not self._workers and self.forking and len(self._unsent) >= WORTH_WORKERS:
                self._start_workers(self.forking)
            if self._workers:
                self._send()
            else:
                self._unsent.remove(page)
        outcome = page.pending.outcome(page.place) if page.pending else None
        return outcome or self.writer.write(page.name)

    def _start_workers(self, forking: Forking) -> None:
        self._workers = PageWorkers(self.writer, forking)
        for other in self._others:
            if not other.earlier:
                other.pending = self._workers.submit([other.name])

    def _send(self) -> None:
        """Let other processes write the pages that are not sent yet."""
        assert self._workers
        for start in range(0, len(self._unsent), _AT_ONCE):
            pages = self._unsent[start : start + _AT_ONCE]
            pending = self._workers.submit([page.name for page in pages])
            for place, page in enumerate(pages):
                page.pending, page.place = pending, place
        self._unsent.clear()
