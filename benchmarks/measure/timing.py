"""Time on this machine: contenders measured side by side, and the machine they ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
import time
import timeit
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

#: Packages whose versions matter for the times.
_PACKAGES = ("numpy", "torch", "scipy", "pynq")

Action = Callable[[], object]


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
        packages = [f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES]
        python, zlibs = platform.python_version(), zlib.ZLIB_RUNTIME_VERSION
        return cls(
            processor=_processor(),
            cores=os.cpu_count() or 1,
            load=round(os.getloadavg()[0], 2),
            versions=", ".join((f"Python {python}", *packages, f"zlib {zlibs}")),
        )


@dataclass(frozen=True)
class Timing:
    """Times of one contender in microseconds."""

    median_us: float
    best_us: float


def side_by_side(
    contenders: Mapping[str, Action],
    *,
    prepare: Mapping[str, Action] | None = None,
    repeats: int = 15,
    seconds: float = 2.0,
    row_seconds: float = 0.0,
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
    row_seconds
        For calls that take microseconds: each is made so often in a row that this time passes, so
        that neither the clock nor rounding shows. The time is that of one call all the same.
    """
    prepare = prepare or {}
    in_a_row = dict.fromkeys(contenders, 1)
    if row_seconds:
        for name, run in contenders.items():
            prepare.get(name, _nothing)()
            run()
            in_a_row[name] = max(1, int(row_seconds / timeit.timeit(run, number=1)))
    times: dict[str, list[float]] = {name: [] for name in contenders}
    begin = time.perf_counter()
    for done in range(repeats):
        if done >= 3 and time.perf_counter() - begin > seconds:
            break
        for name, run in contenders.items():
            prepare.get(name, _nothing)()
            calls = in_a_row[name]
            timeit.timeit(run, number=calls)
            times[name].append(1e6 * timeit.timeit(run, number=calls) / calls)
    digits = 3 if row_seconds else 1
    return {
        name: Timing(round(statistics.median(values), digits), round(min(values), digits))
        for name, values in times.items()
    }


def short_side_by_side(
    contenders: Mapping[str, Action],
    *,
    prepare: Mapping[str, Action] | None = None,
    seconds: float = 4.0,
) -> dict[str, Timing]:
    """Measure contenders that take microseconds, in up to 31 rounds."""
    return side_by_side(
        contenders, prepare=prepare, repeats=31, seconds=seconds, row_seconds=2e-3
    )


def _nothing() -> None:
    pass


def _processor() -> str:
    """Name of the processor, as Linux gives it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
