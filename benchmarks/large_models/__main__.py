"""AlexNet's and VGG-16's classifiers at full size: ``python -m benchmarks.large_models``.

Their three layers with seeded weights are compressed to the paper's densities, fitted to a board in
passes, emulated, saved and loaded again, each model in a process of its own. The time of a step is
given as it passed and as the processor worked, since a shared machine makes them differ; memory is
the process's peak during the step.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

from benchmarks.large_models.steps import MODELS, Step

__all__ = ["main", "table"]

_HEAD = ("step", "seconds", "CPU seconds", "peak GB", "found")
_MEASURED = ("step", "seconds", "cpu_seconds", "peak_bytes")


def steps_of(name: str, board: str, divisor: int) -> Iterator[Step]:
    """Run one model in a process of its own, and give its steps as they are done.

    Raises
    ------
    RuntimeError
        If the process fails; it has said why.
    """
    command = [sys.executable, "-m", "benchmarks.large_models.steps", name, "--board", board]
    command += ["--divisor", str(divisor)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise RuntimeError(f"{name} failed with status {process.returncode}")


def table(name: str, steps: Sequence[Step]) -> list[str]:
    """Lay out the steps of a model, and all of them together."""
    total = {
        "step": "all",
        **{key: sum(each[key] for each in steps) for key in ("seconds", "cpu_seconds")},
        "peak_bytes": max(each["peak_bytes"] for each in steps),
    }
    lines = [f"| {' | '.join((name, *_HEAD[1:]))} |", "|" + " --- |" * len(_HEAD)]
    for step in (*steps, total):
        found = ", ".join(
            f"{value:,} {key.replace('_', ' ')}"
            for key, value in step.items()
            if key not in _MEASURED
        )
        times = [f"{step[key]:.1f}" for key in ("seconds", "cpu_seconds")]
        cells = [step["step"], *times, f"{step['peak_bytes'] / 1e9:.2f}", found]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table for each model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large_models", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="MODEL", help=f"{', '.join(MODELS)} (all)")
    parser.add_argument("--board", default="kv260", help="whose design is fitted (kv260)")
    parser.add_argument("--divisor", type=int, default=1, help="of all sizes, for a quick run (1)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in MODELS]
    if unknown:
        parser.error(f"MODEL must be one of {', '.join(MODELS)}, not {unknown[0]!r}")
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} when it began; board {options.board}\n")
    for name in options.names or MODELS:
        try:
            lines = table(name, list(steps_of(name, options.board, options.divisor)))
        except RuntimeError as error:
            print(f"benchmarks: {error}", file=sys.stderr)
            return 1
        print("\n".join(lines), flush=True)
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
