"""A campaign: cases of every kind on all cores, watched, and taken up where it was stopped."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, MutableSequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawArray

from fuzz.failures import Failures
from fuzz.progress import Progress
from fuzz.verdict import Case, Target
from fuzz.worker import Chunk, Failure, ending, work

#: Cases of a chunk: some tenths of a second, so that little is lost when a campaign is killed.
CHUNK = 250
#: Chunks after which a worker makes way for a new one, so that nothing that builds up in a process
#: hides what the next case takes.
_CHUNKS_OF_A_WORKER = 100

Task = tuple[str, int, int]
_FORK = multiprocessing.get_context("fork")


@dataclass
class _Worker:
    """A process, and what it is at."""

    process: BaseProcess
    connection: Connection
    #: The case at hand: its number, and when it began (0 between cases).
    current: MutableSequence[float]
    task: Task | None = None
    #: Cases of the task that took a process with them.
    without: dict[int, Failure] = field(default_factory=dict)
    chunks: int = 0


class Campaign:
    """Runs cases and keeps what comes of them.

    Parameters
    ----------
    cases
        Number of cases of each kind.
    targets
        Makes the targets by kind; called in each worker.
    progress, failures
        Where results are kept.
    limit
        Seconds that a case may take.
    jobs
        Worker processes.
    say
        Takes lines for people.
    """

    def __init__(
        self,
        cases: Mapping[str, int],
        targets: Callable[[], dict[str, Target]],
        progress: Progress,
        failures: Failures,
        *,
        limit: float,
        jobs: int,
        say: Callable[[str], None] = print,
    ) -> None:
        self._targets, self._progress, self._failures = targets, progress, failures
        self._limit, self._jobs, self._say = limit, jobs, say
        self._suffixes = {kind: target.suffix for kind, target in targets().items()}
        self._tasks = list(_interleaved(cases))

    @property
    def chunks(self) -> list[Chunk]:
        """What is done of this campaign."""
        done = self._progress.chunks
        return [done[task] for task in self._tasks if task in done]

    def run(self) -> list[Chunk]:
        """Do what is not done yet; gives all chunks."""
        waiting = deque(task for task in self._tasks if task not in self._progress.chunks)
        if len(waiting) < len(self._tasks):
            self._say(f"{len(self._tasks) - len(waiting)} of {len(self._tasks)} chunks are done")
        workers: list[_Worker] = []
        said = time.monotonic()
        try:
            while waiting or workers:
                while waiting and len(workers) < self._jobs:
                    workers.append(self._start(waiting.popleft()))
                ready = set(wait([worker.connection for worker in workers], timeout=0.2))
                for worker in list(workers):
                    if worker.connection in ready:
                        self._hear(worker, workers, waiting)
                    elif self._is_late(worker):
                        self._lost(worker, "hang", "no end within the limit, not even when asked")
                        self._again(worker, workers)
                if time.monotonic() - said > 30:
                    said = time.monotonic()
                    cases = sum(chunk.stop - chunk.start for chunk in self.chunks)
                    self._say(f"{cases:,} cases done, {len(waiting)} chunks to go")
        finally:
            for worker in workers:
                _kill(worker)
        return self.chunks

    def _is_late(self, worker: _Worker) -> bool:
        """Whether a worker should have stopped its case by itself, and has not."""
        begun = worker.current[1]
        return bool(begun) and time.monotonic() - begun > 2 * self._limit + 1

    def _start(self, task: Task, without: dict[int, Failure] | None = None) -> _Worker:
        mine, theirs = _FORK.Pipe()
        current = RawArray("d", 2)
        process = _FORK.Process(
            target=work, args=(theirs, self._targets, current, self._limit), daemon=True
        )
        process.start()
        theirs.close()
        worker = _Worker(process, mine, current)
        _give(worker, task, without or {})
        return worker

    def _hear(self, worker: _Worker, workers: list[_Worker], waiting: deque[Task]) -> None:
        """Take what a worker sends: a failure, a chunk, or that it is no more."""
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            self._again(worker, workers)
            return
        if isinstance(message, Failure):
            self._fail(message)
            return
        for failure in worker.without.values():
            message.counts[ending(failure.fault, failure.signature)] += 1
        self._progress.add(message)
        worker.chunks += 1
        if waiting and worker.chunks < _CHUNKS_OF_A_WORKER:
            _give(worker, waiting.popleft(), {})
            return
        with contextlib.suppress(OSError):
            worker.connection.send(None)
        worker.process.join(10)
        _kill(worker)
        workers.remove(worker)

    def _again(self, worker: _Worker, workers: list[_Worker]) -> None:
        """Start the chunk of a worker that ended again, without the case that ended it."""
        number, task = int(worker.current[0]), worker.task
        assert task is not None
        if number not in worker.without:
            worker.process.join()
            code = worker.process.exitcode
            if not worker.current[1]:
                raise RuntimeError(f"a worker ended between cases, exit status {code}")
            self._lost(worker, "crash", f"the process ended with exit status {code}")
        _kill(worker)
        workers[workers.index(worker)] = self._start(task, worker.without)

    def _lost(self, worker: _Worker, fault: str, signature: str) -> None:
        """Note the case that a worker is lost to."""
        assert worker.task is not None
        number = int(worker.current[0])
        case = Case(b"", "made again by its number")
        failure = Failure(worker.task[0], number, fault, signature, "", case)
        worker.without[number] = failure
        self._fail(failure)

    def _fail(self, failure: Failure) -> None:
        line = self._failures.add(failure, self._suffixes[failure.kind])
        if line:
            self._say(line)
            self._say(f"  {self._failures.replay(failure.kind, failure.number)}")


def _interleaved(cases: Mapping[str, int]) -> Iterator[Task]:
    """Chunks of all kinds in turn, so that a campaign that is stopped has seen all of them."""
    most = max(cases.values(), default=0)
    for start in range(0, most, CHUNK):
        for kind, number in cases.items():
            if start < number:
                yield kind, start, min(start + CHUNK, number)


def _give(worker: _Worker, task: Task, without: dict[int, Failure]) -> None:
    worker.task, worker.without = task, without
    worker.current[1] = 0.0
    # A worker that is gone is noticed when it is listened to.
    with contextlib.suppress(OSError):
        worker.connection.send((*task, set(without)))


def _kill(worker: _Worker) -> None:
    pid = worker.process.pid
    if worker.process.is_alive() and pid is not None:
        # The group is the worker's from its first step on.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
    worker.process.join()
    worker.connection.close()
