"""Time on this machine: contenders measured side by side, and the machine they ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

__all__ = ["Environment", "Timing", "each_side_by_side", "side_by_side"]

#: Packages whose versions matter for the times.
_PACKAGES = ("numpy", "torch", "scipy", "pynq")
#: Short calls are made so often in a row that they take this long, in seconds.
_ROW_SECONDS = 2e-3


@dataclass(frozen=True)
class Environment:
    """Where and with what something was measured."""

    processor: str
    #: Cores of the machine.
    cores: int
    #: Programs that wanted to run, on average over the minute before the part began.
    load: float
    #: Python and packages with versions.
    versions: str

    @classmethod
    def here(cls) -> Environment:
        """Describe this machine as it is now."""
        packages = (f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
        return cls(
            processor=_processor(),
            cores=os.cpu_count() or 1,
            load=round(os.getloadavg()[0], 2),
            versions=", ".join(
                (
                    f"Python {platform.python_version()}",
                    *packages,
                    f"zlib {zlib.ZLIB_RUNTIME_VERSION}",
                )
            ),
        )


@dataclass(frozen=True)
class Timing:
    """Times of one contender in microseconds."""

    median_us: float
    best_us: float


def side_by_side(
    contenders: Mapping[str, Callable[[], object]],
    *,
    prepare: Mapping[str, Callable[[], object]] | None = None,
    repeats: int = 15,
    seconds: float = 2.0,
) -> dict[str, Timing]:
    """Measure contenders in turn, round after round, so that a disturbance hits all of them alike.

    In each round a contender runs twice and only the second time counts: caches are as warm as
    they get.

    Parameters
    ----------
    contenders
        What to run, by name.
    prepare
        What to do before a contender of that name, such as setting its number of threads.
    repeats, seconds
        Rounds: `repeats` of them, or fewer but at least three when they take longer than this.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    begin = time.perf_counter()
    for done in range(repeats):
        if done >= 3 and time.perf_counter() - begin > seconds:
            break
        for name, run in contenders.items():
            if prepare and name in prepare:
                prepare[name]()
            run()
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {
        name: Timing(round(1e6 * statistics.median(values), 1), round(1e6 * min(values), 1))
        for name, values in times.items()
    }


def each_side_by_side(
    contenders: Mapping[str, Callable[[], object]],
    *,
    prepare: Mapping[str, Callable[[], object]] | None = None,
    begin: Callable[[], object] = lambda: None,
    repeats: int = 31,
    seconds: float = 4.0,
) -> dict[str, Timing]:
    """Measure contenders that take microseconds, side by side; times are those of one call.

    Each is called many times in a row, and the time of the row divided by their number, so that
    neither the clock nor the rounding of :func:`side_by_side` shows.

    Parameters
    ----------
    contenders
        What to run, by name.
    begin
        What to do when it is known how long the rows are, before the first one.
    prepare, repeats, seconds
        As for :func:`side_by_side`.
    """
    rows: dict[str, Callable[[], object]] = {}
    times: dict[str, int] = {}
    for name, run in contenders.items():
        run()
        start = time.perf_counter()
        run()
        times[name] = max(1, int(_ROW_SECONDS / (time.perf_counter() - start)))
        rows[name] = partial(_in_a_row, run, times[name])
    begin()
    timings = side_by_side(rows, prepare=prepare, repeats=repeats, seconds=seconds)
    return {
        name: Timing(
            round(timing.median_us / times[name], 3), round(timing.best_us / times[name], 3)
        )
        for name, timing in timings.items()
    }


def _in_a_row(run: Callable[[], object], times: int) -> None:
    for _ in range(times):
        run()


def _processor() -> str:
    """Name of the processor, as Linux gives it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
