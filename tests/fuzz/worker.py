"""A process that runs cases, chunk after chunk, within limits."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, MutableSequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from fuzz.limits import (
    MEMORY_BOUND,
    forget_peak,
    limit_address_space,
    peak_bytes,
    time_limit,
)
from fuzz.verdict import Case, Fault, OutOfTimeError, Target, where


@dataclass(frozen=True)
class Failure:
    """A case that went wrong."""

    kind: str
    number: int
    #: Kind of the fault, and its signature.
    fault: str
    signature: str
    detail: str
    case: Case


@dataclass
class Chunk:
    """What came of the cases of one kind from `start` to before `stop`."""

    kind: str
    start: int
    stop: int
    #: How often each ending came up; faults are among them, by kind and signature.
    counts: Counter[str] = field(default_factory=Counter)
    #: Seconds of a processor, those of compiled kernels included.
    seconds: float = 0.0
    #: Longest case: seconds, number.
    slowest: tuple[float, int] = (0.0, -1)
    #: Most memory that the process had beyond what it had before the chunk, in bytes.
    memory: int = 0
    #: Most memory of other processes, such as a compiled kernel, in bytes.
    others: int = 0


def judge(target: Target, kind: str, number: int, limit: float) -> tuple[str, Failure | None]:
    """Run one case: how it ended, and the failure if it was one."""
    case = Case(b"", "not made")
    try:
        with time_limit(limit):
            case = target.make(number)
            return target.judge(case, number), None
    except OutOfTimeError:
        fault = Fault("hang", f"no end within the limit: {case.story.split(':')[0]}")
    except Fault as found:
        fault = found
    except MemoryError as error:
        fault = Fault("memory", where(error), repr(error))
    except Exception as error:
        fault = Fault("crash", where(error), repr(error))
    return ending(fault.kind, fault.signature), Failure(
        kind, number, fault.kind, fault.signature, fault.detail, case
    )


def ending(fault: str, signature: str) -> str:
    """How a fault is counted."""
    return f"FAULT {fault}: {signature}"


def work(
    connection: Connection,
    targets: Callable[[], dict[str, Target]],
    current: MutableSequence[float],
    limit: float,
) -> None:
    """Take chunks from the campaign until it sends None.

    Parameters
    ----------
    connection
        Gives ``(kind, start, stop, numbers to leave out)``; takes failures and chunks.
    targets
        Makes the targets by kind, in this process.
    current
        Where the campaign sees the case at hand: its number, and when it began.
    limit
        Seconds that a case may take.
    """
    campaign = os.getppid()
    # A group of its own, with the processes that it starts: they end together.
    os.setpgid(0, 0)
    limit_address_space()
    made = targets()
    while True:
        while not connection.poll(1):
            if os.getppid() != campaign:
                return
        task = connection.recv()
        if task is None:
            break
        _run(connection, made, current, limit, *task)
    for target in made.values():
        target.close()


def _run(
    connection: Connection,
    targets: dict[str, Target],
    current: MutableSequence[float],
    limit: float,
    kind: str,
    start: int,
    stop: int,
    without: Collection[int],
) -> None:
    target, chunk = targets[kind], Chunk(kind, start, stop)
    had = forget_peak()
    seconds_before = time.process_time() + target.usage().seconds
    for number in range(start, stop):
        if number in without:
            continue
        begun = time.monotonic()
        current[0], current[1] = number, begun
        end, failure = judge(target, kind, number, limit)
        seconds, grown = time.monotonic() - begun, peak_bytes() - had
        current[1] = 0.0
        chunk.memory = max(chunk.memory, grown)
        if failure is None and grown > MEMORY_BOUND:
            signature = f"{end}, with more than {MEMORY_BOUND >> 20} MiB"
            failure = Failure(kind, number, "memory", signature, f"{grown}", target.make(number))
            end = ending("memory", signature)
        chunk.counts[end] += 1
        chunk.slowest = max(chunk.slowest, (seconds, number))
        if failure is not None:
            target.reset()
            connection.send(failure)
            had = forget_peak()
    usage = target.usage()
    chunk.seconds = time.process_time() + usage.seconds - seconds_before
    chunk.others = usage.peak_bytes
    connection.send(chunk)
