"""Stop watches: whole processes with the memory of all their children, and medians of interleaved runs."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_EVERY = 0.02
_PATIENCE = 60.0
"""Seconds a program other than ours and its yardstick may take altogether; then it is run no more."""


class BenchmarkError(Exception):
    """Something that was to be measured did not do its work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement: seconds, and the peak of memory in bytes (0 where it was not looked at)."""

    seconds: float
    peak: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """All measurements of one thing."""

    samples: tuple[Sample, ...]

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(sample.seconds for sample in self.samples)

    @property
    def fastest(self) -> float:
        """The shortest time."""
        return min(sample.seconds for sample in self.samples)

    @property
    def slowest(self) -> float:
        """The longest time."""
        return max(sample.seconds for sample in self.samples)

    @property
    def peak(self) -> float:
        """The median of the peaks, in bytes."""
        return statistics.median(sample.peak for sample in self.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something to measure. `patient`: it gets all its runs, however long they take."""

    measure: Callable[[], Sample]
    patient: bool = True


def interleaved(
    subjects: Mapping[str, Subject], runs: int, left_out: list[str] | None = None
) -> dict[str, Result]:
    """Measure each subject `runs` times, in turn: what else the machine does then hits all alike.

    One that is not `patient` is left out of further rounds once it has taken a minute altogether, and wholly
    when it fails; `left_out` then says why.
    """
    by_subject: dict[str, list[Sample]] = {name: [] for name in subjects}
    failed: dict[str, str] = {}
    for _ in range(runs):
        for name, subject in subjects.items():
            try:
                if name not in failed and (subject.patient or _total(by_subject[name]) < _PATIENCE):
                    by_subject[name].append(subject.measure())
            except BenchmarkError as error:
                if subject.patient:
                    raise
                failed[name] = str(error).splitlines()[0]
    if left_out is not None:
        left_out += [f"{name} left out: {reason}" for name, reason in failed.items()]
    return {name: Result(tuple(samples)) for name, samples in by_subject.items() if name not in failed}


def _total(samples: Iterable[Sample]) -> float:
    return sum(sample.seconds for sample in samples)


def timed(work: Callable[[], object]) -> Sample:
    """Return how long a call took."""
    began = time.perf_counter()
    work()
    return Sample(seconds=time.perf_counter() - began)


def process(
    command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], timeout: float = 600
) -> Sample:
    """Run a program to its end and return what it took: wall time, and the peak memory of its process tree.

    Raises BenchmarkError with the end of what it said when it fails, and when it is not done within `timeout`
    seconds.
    """
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        running = subprocess.Popen(
            command, cwd=cwd, env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        # Not wait(timeout): it looks every 50 ms, which is a tenth of what some of these programs take.
        overdue = threading.Timer(timeout, os.killpg, (running.pid, signal.SIGKILL))
        with running, watched_memory(running.pid) as memory:
            overdue.start()
            status = running.wait()
            seconds = time.perf_counter() - began
            overdue.cancel()
        if seconds >= timeout:
            raise BenchmarkError(f"{Path(command[0]).name} was not done after {timeout:.0f} s")
        if status:
            output.seek(0)
            tail = output.read().decode(errors="replace")[-2000:]
            raise BenchmarkError(f"{' '.join(map(str, command))} ended with {status}:\n{tail}")
    return Sample(seconds=seconds, peak=memory.peak)


class Memory:
    """The highest memory that was seen, in bytes."""

    peak = 0


@contextmanager
def watched_memory(pid: int) -> Iterator[Memory]:
    """Note, fifty times a second, what a process and all its descendants hold."""
    memory, stop = Memory(), threading.Event()

    def watch() -> None:
        while not stop.wait(_SAMPLE_EVERY):
            memory.peak = max(memory.peak, tree_memory(pid))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        stop.set()
        thread.join()


def tree_memory(pid: int) -> int:
    """Return what a process and its descendants hold now, in bytes.

    A single process: the peak of its resident set so far, which the kernel keeps. Several: the sum of their
    proportional set sizes, in which a page that n processes share counts 1/n in each; summed resident sets
    would count it n times.
    """
    pids = _tree(pid)
    if len(pids) == 1:
        return _field(pid, "status", "VmHWM:")
    return sum(_field(each, "smaps_rollup", "Pss:") for each in pids)


def resident(pid: int) -> int:
    """Return the resident set of one process now, in bytes."""
    return _field(pid, "status", "VmRSS:")


def children(pid: int) -> list[int]:
    """Return the children of a process."""
    pids: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                pids += map(int, (task / "children").read_text().split())
    return pids


def _tree(pid: int) -> list[int]:
    return [pid, *(each for child in children(pid) for each in _tree(child))]


def _field(pid: int, file: str, name: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0
