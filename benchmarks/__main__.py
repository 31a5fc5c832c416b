"""Write docs/explanation/evaluation.md: ``python -m benchmarks`` (``make bench``)."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.measure import (
    digits_net,
    energy,
    host,
    lenet,
    our_kernel,
    paper_array,
    recurrent,
    speed,
)
from benchmarks.measure.timing import Environment
from benchmarks.page.render import write_page
from benchmarks.paper.layers import LAYERS, PaperLayer
from benchmarks.results import Part, Results, Row, Rows
from eie.hls.boundary.errors import EieError, InputError

#: A quick run divides inputs and outputs by this.
_QUICK_DIVISOR = 8
_ROOT = Path(__file__).parents[1]
_DOCS = _ROOT / "docs" / "explanation"
_JSON = "evaluation.json"

#: Parts that are measured layer by layer.
_OF_LAYER: Mapping[str, Callable[[PaperLayer], Rows]] = {
    "layers": paper_array.nine_layers,
    "skew": paper_array.skew,
    "queue": paper_array.queue,
    "width": paper_array.width,
    "pes": paper_array.pes,
    "improvements": our_kernel.improvements,
    "energy": energy.energy,
    "roofline": energy.roofline,
    "cpu": speed.cpu,
    "speed": speed.tool,
}
#: Parts that take some of the layers, or none.
_OTHERS: Mapping[str, Callable[[Sequence[PaperLayer]], Rows]] = {
    "passes": our_kernel.passes,
    "recurrent": recurrent.run,
    "model": lenet.run,
    "host": host.run,
    "build": speed.build,
    "precision": digits_net.precision,
    "skewness": digits_net.skewness,
}
PARTS = (*_OF_LAYER, *_OTHERS)
#: Those that smaller layers make no shorter; a quick run leaves them out.
_SLOW = {"build", "model", "precision", "skewness"}


def rows_of(part: str, layers: Sequence[PaperLayer]) -> Rows:
    """Measure a part."""
    if part in _OTHERS:
        return _OTHERS[part](layers)
    measure = _OF_LAYER[part]
    return ({"layer": layer.name} | row for layer in layers for row in measure(layer))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; 0 on success, 2 for bad input."""
    options = _parser().parse_args(arguments)
    divisor = _QUICK_DIVISOR if options.quick else 1
    folder = options.out or (_ROOT / "build" / "bench" if options.quick else _DOCS)
    chosen = options.only or [name for name in PARTS if not (options.quick and name in _SLOW)]
    try:
        if options.page:
            write_page(Results.load(folder / _JSON), folder)
        else:
            run(folder, divisor, chosen, keep=options.only is not None)
    except EieError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    return 0


def run(folder: Path, divisor: int, parts: Sequence[str], *, keep: bool) -> None:
    """Run parts of layers divided by `divisor`; write page, plots and JSON file to `folder`.

    InputError if what the folder holds is to be kept, and is of layers of another size.
    """
    file = folder / _JSON
    results = Results.load(file) if keep and file.exists() else Results(divisor)
    if results.divisor != divisor:
        raise InputError(
            f"{file} must hold layers divided by {divisor}, not {results.divisor}: choose another "
            "--out"
        )
    folder.mkdir(parents=True, exist_ok=True)
    layers = [layer.shrunk(divisor) for layer in LAYERS]
    for name in parts:
        environment, start = Environment.here(), time.perf_counter()
        rows: list[Row] = []
        for row in rows_of(name, layers):
            # The first field says what a row is of: most often a layer.
            first = next(iter(row.values()))
            if not rows or first != next(iter(rows[-1].values())):
                print(f"[{time.perf_counter() - start:6.1f} s] {name}: {first}", flush=True)
            rows.append(row)
        results.parts[name] = Part(round(time.perf_counter() - start, 1), environment, rows)
        results.save(file)
    print(f"wrote {write_page(results, folder)} and {file}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    quick = "layers of an eighth of the size, no training, no g++: to try the benchmark out"
    page = "run nothing: write page and plots from the JSON file"
    out = "folder for page, plots and JSON (docs; build/bench with --quick)"
    parser.add_argument("--quick", action="store_true", help=quick)
    only = {"nargs": "+", "choices": PARTS, "metavar": "PART"}
    parser.add_argument("--only", help=f"any of {', '.join(PARTS)}", **only)
    parser.add_argument("--page", action="store_true", help=page)
    parser.add_argument("--out", type=Path, help=out)
    return parser


if __name__ == "__main__":
    sys.exit(main())
