"""Time on this machine: contenders measured side by side, and the machine they ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Environment", "Timing", "side_by_side"]

#: Packages whose versions matter for the times.
_PACKAGES = ("numpy", "torch", "scipy")


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
            versions=", ".join((f"Python {platform.python_version()}", *packages)),
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


def _processor() -> str:
    """Name of the processor, as Linux gives it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
