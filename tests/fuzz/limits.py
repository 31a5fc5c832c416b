"""Limits of time and memory within a process that runs cases."""

from __future__ import annotations

import contextlib
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from fuzz.verdict import OutOfTimeError

#: Most that cases may add to the memory of their process, in bytes: the bound that is promised.
MEMORY_BOUND = 256 << 20
#: Address space that a process may take on top of what it has: what asks for more gets a
#: MemoryError before it can hurt the machine.
_ADDRESS_SPACE = 2 << 30


def limit_address_space() -> None:
    """Bound the address space of this process and of those that it starts."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + _ADDRESS_SPACE
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def forget_peak() -> int:
    """Let :func:`peak_bytes` begin anew; gives what the process has now."""
    # Where /proc is read-only peaks go on from what they were.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes()


def peak_bytes() -> int:
    """Most memory that this process has had since then, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise OutOfTimeError in the body when it takes longer.

    It stops what runs in Python. What stays in C is ended with its process by the campaign.
    """

    def stop(_: int, __: FrameType | None) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
