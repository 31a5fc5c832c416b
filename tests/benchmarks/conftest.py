"""The benchmark's package, and results of layers so small that all of it runs in seconds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The benchmarks are run from the repository's root and are no part of the installed package.
sys.path.insert(0, str(ROOT))

from benchmarks.__main__ import PARTS, rows_of  # noqa: E402
from benchmarks.measure.timing import Environment  # noqa: E402
from benchmarks.paper.layers import LAYERS  # noqa: E402
from benchmarks.results import Part, Results  # noqa: E402

DIVISOR = 48
#: Parts that train or compile: their rows are made up here.
MADE_UP = {
    "build": [{"pes": 64, "generate_seconds": 0.125, "compile_seconds": 8.5}],
    "model": [
        {"what": what, "vectors": 100, "pes": 16, "cycles": 5000, "seconds": seconds}
        for what, seconds in (("emulator", 0.5), ("board", 0.75), ("compiled", 0.01), ("numpy", 1))
    ],
    "precision": [
        {"precision": "float32, dense", "accuracy": 0.9, "digits": 100},
        {"precision": "8-bit fixed point", "accuracy": 0.8, "digits": 100},
    ],
    "skewness": [
        {
            "layer": "0",
            "rows": 20,
            "columns": 10,
            "density": 0.25,
            "row_skew": 0.5,
            "column_skew": 0.75,
        }
    ],
}


@pytest.fixture(scope="session")
def small_layers():
    return tuple(layer.shrunk(DIVISOR) for layer in LAYERS)


@pytest.fixture(scope="session")
def results(small_layers):
    """Results of every part, of layers divided by 48."""
    environment = Environment("a processor", 2, 0.5, "Python 3")
    found = Results(DIVISOR)
    for name in PARTS:
        rows = MADE_UP.get(name) or list(rows_of(name, small_layers))
        found.parts[name] = Part(1.5, environment, rows)
    return found
