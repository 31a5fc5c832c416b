"""Print how fast the model is: ``python -m benchmarks.model_speed`` (a minute).

10,000 vectors of LeNet-300-100 with cycles and counters, in the emulator and through the emulated
board; counting beside numpy; and the functional emulation of the paper's nine layers beside scipy.
"""

from __future__ import annotations

import sys

from scipy.stats import gmean

from benchmarks.measure import lenet, speed
from benchmarks.measure.timing import Environment
from benchmarks.paper.layers import LAYERS
from eie.hls.boundary.errors import EieError


def main() -> int:
    """Measure and print; 0 on success, 2 without a compiler."""
    here = Environment.here()
    print(f"{here.processor}, {here.cores} cores, load {here.load}; {here.versions}")
    try:
        rows = {row["what"]: row for row in lenet.run()}
    except EieError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    for what, row in rows.items():
        each = 1e6 * row["seconds"] / row["vectors"]
        print(
            f"{what:>9}: {row['vectors']:6,} vectors in {row['seconds']:.3f} s, {each:.1f} us each"
        )
    ratio = rows["numpy"]["seconds"] / rows["compiled"]["seconds"]
    print(f"counting: the compiled model is {ratio:.0f} times as fast as numpy's, and equal")
    ones, manys = [], []
    print(f"{'layer':>9}  one vector: emulator, scipy us, ratio   64 vectors: the same")
    for layer in LAYERS:
        (times,) = speed.beside_scipy(layer)
        one, scipy_one = times["emulator_us"], times["scipy_us"]
        many, scipy_many = times["emulator_batch_us"], times["scipy_batch_us"]
        ones.append(one / scipy_one)
        manys.append(many / scipy_many)
        print(
            f"{layer.name:>9}  {one:9.0f} {scipy_one:9.0f} {ones[-1]:6.2f}"
            f"   {many:9.0f} {scipy_many:9.0f} {manys[-1]:6.2f}"
        )
    print(f"geometric means of the ratios: {gmean(ones):.2f} and {gmean(manys):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
