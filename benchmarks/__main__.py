"""Run the benchmark and write docs/evaluation.md: ``python -m benchmarks`` (``make bench``)."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import (
    cpu,
    digits_net,
    energy,
    host,
    improvements,
    in_passes,
    nine_layers,
    speed,
    sweeps,
)
from benchmarks.measure.timing import Environment
from benchmarks.page.render import write_page
from benchmarks.paper.layers import LAYERS, PaperLayer
from benchmarks.results import Part, Results
from eie.hls.spec.errors import EieError, InputError

#: A quick run divides inputs and outputs by this.
_QUICK_DIVISOR = 8
_ROOT = Path(__file__).parents[1]
_JSON = "evaluation.json"


@dataclass(frozen=True)
class _Runner:
    """How a part is run."""

    row_type: type[Any]
    run: Callable[[Sequence[PaperLayer]], Iterator[Any]]
    #: Whether smaller layers make it shorter; a quick run leaves the others out.
    shrinks: bool = True


RUNNERS = {
    "layers": _Runner(nine_layers.LayerRow, nine_layers.run),
    "skew": _Runner(sweeps.SkewRow, sweeps.run_skew),
    "queue": _Runner(sweeps.QueueRow, sweeps.run_queue),
    "width": _Runner(sweeps.WidthRow, sweeps.run_width),
    "pes": _Runner(sweeps.PesRow, sweeps.run_pes),
    "improvements": _Runner(improvements.ImprovementRow, improvements.run),
    "passes": _Runner(in_passes.PassesRow, in_passes.run),
    "energy": _Runner(energy.EnergyRow, energy.run_energy),
    "roofline": _Runner(energy.RooflineRow, energy.run_roofline),
    "cpu": _Runner(cpu.CpuRow, cpu.run),
    "speed": _Runner(speed.SpeedRow, speed.run),
    "build": _Runner(speed.BuildRow, speed.run_build, shrinks=False),
    "host": _Runner(host.HostRow, host.run),
    "precision": _Runner(digits_net.PrecisionRow, digits_net.run_precision, shrinks=False),
    "skewness": _Runner(digits_net.SkewnessRow, digits_net.run_skewness, shrinks=False),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; 0 on success, 2 for bad input."""
    options = _parser().parse_args(arguments)
    divisor = _QUICK_DIVISOR if options.quick else 1
    folder = options.out or (_ROOT / "build" / "bench" if options.quick else _ROOT / "docs")
    chosen = options.only or [
        name for name, runner in RUNNERS.items() if runner.shrinks or not options.quick
    ]
    try:
        if options.page:
            write_page(load(folder), folder)
        else:
            run(folder, divisor, chosen, keep=options.only is not None)
    except EieError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    return 0


def run(folder: Path, divisor: int, parts: Sequence[str], *, keep: bool) -> None:
    """Run parts and write page, plots and JSON file.

    Parameters
    ----------
    folder
        Where they go.
    divisor
        What inputs and outputs of the layers are divided by.
    parts
        Names in :data:`RUNNERS`.
    keep
        Keep what the folder holds of other parts.

    Raises
    ------
    InputError
        If what is to be kept is of layers of another size.
    """
    results = Results(divisor)
    if keep and (folder / _JSON).exists():
        results = load(folder)
        if results.divisor != divisor:
            raise InputError(
                f"{folder / _JSON} must hold layers divided by {divisor}, not "
                f"{results.divisor}: choose another --out"
            )
    folder.mkdir(parents=True, exist_ok=True)
    layers = [layer.shrunk(divisor) for layer in LAYERS]
    for name in parts:
        environment, start, rows, shown = Environment.here(), time.perf_counter(), [], None
        for row in RUNNERS[name].run(layers):
            rows.append(row)
            # The first field says what a row is of: most often a layer.
            first = dataclasses.astuple(row)[0]
            if first != shown:
                print(f"[{time.perf_counter() - start:6.1f} s] {name}: {first}", flush=True)
                shown = first
        seconds = round(time.perf_counter() - start, 1)
        results.parts[name] = Part(seconds, environment, tuple(rows))
        results.save(folder / _JSON)
    print(f"wrote {write_page(results, folder)} and {folder / _JSON}")


def load(folder: Path) -> Results:
    """Load the results that a folder holds."""
    row_types = {name: runner.row_type for name, runner in RUNNERS.items()}
    return Results.load(folder / _JSON, row_types)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="layers of an eighth of the size, no training, no g++: to try the benchmark out",
    )
    parser.add_argument(
        "--only", nargs="+", choices=RUNNERS, metavar="PART", help=f"any of {', '.join(RUNNERS)}"
    )
    parser.add_argument(
        "--page", action="store_true", help="run nothing: write page and plots from the JSON file"
    )
    parser.add_argument(
        "--out", type=Path, help="folder for page, plots and JSON (docs; build/bench with --quick)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
