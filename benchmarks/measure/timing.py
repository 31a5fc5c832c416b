"""Time on this machine: contenders measured side by side, and the machine they ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import statistics
import time
import timeit
import zlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

#: Short calls are made so often in a row that they take this long.
_ROW_SECONDS = 2e-3

Action = Callable[[], object]


@dataclass(frozen=True)
class Environment:
    """Where and with what something was measured."""

    processor: str
    cores: int
    #: Programs that wanted to run, on average over the minute before the part began.
    load: float
    #: Of Python and packages.
    versions: str

    @classmethod
    def here(cls) -> Environment:
        """Describe this machine as it is now."""
        information = Path("/proc/cpuinfo")
        text = information.read_text(encoding="utf-8") if information.exists() else ""
        cpu = re.findall(r"^model name\s*: (.*)$", text, re.MULTILINE)
        packages = ["numpy", "torch", "scipy", "pynq"]
        packages = [f"{name} {importlib.metadata.version(name)}" for name in packages]
        packages = [f"Python {platform.python_version()}", *packages]
        versions = ", ".join([*packages, f"zlib {zlib.ZLIB_RUNTIME_VERSION}"])
        processor, load = cpu[0] if cpu else platform.machine(), round(os.getloadavg()[0], 2)
        return cls(processor, os.cpu_count() or 1, load, versions)


@dataclass(frozen=True)
class Timing:
    """Times of one contender in microseconds."""

    median_us: float
    best_us: float


def side_by_side(
    contenders: Mapping[str, Action],
    *,
    within: Mapping[str, Callable[[], AbstractContextManager[object]]] | None = None,
    repeats: int = 15,
    seconds: float = 2.0,
    short: bool = False,
) -> dict[str, Timing]:
    """Measure contenders in turn, round after round, so that a disturbance hits all of them alike.

    In each round a contender runs twice and only the second time counts: caches are as warm as
    they get.

    Parameters
    ----------
    contenders
        What to run, by name.
    within
        Contexts that contenders of these names run in, such as a number of threads.
    repeats, seconds
        Rounds: `repeats` of them, or fewer but at least three when they take longer than this.
    short
        For calls that take microseconds: each is made so often in a row that neither the clock nor
        rounding shows, in twice as many rounds. Times are those of one call all the same.
    """
    in_a_row = dict.fromkeys(contenders, 1)
    times: dict[str, list[float]] = {name: [] for name in contenders}

    def run(name: str, calls: int) -> float:
        with (within or {}).get(name, nullcontext)():
            return timeit.repeat(contenders[name], repeat=2, number=calls)[1]

    for name in contenders if short else ():
        in_a_row[name] = max(1, int(_ROW_SECONDS / run(name, 1)))
    begin = time.perf_counter()
    for done in range(2 * repeats + 1 if short else repeats):
        if done >= 3 and time.perf_counter() - begin > seconds:
            break
        for name, calls in in_a_row.items():
            times[name].append(1e6 * run(name, calls) / calls)
    digits = 3 if short else 1
    return {
        name: Timing(round(statistics.median(values), digits), round(min(values), digits))
        for name, values in times.items()
    }
