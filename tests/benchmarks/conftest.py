"""The benchmark's package, and results of layers so small that all of it runs in seconds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The benchmarks are run from the repository's root and are no part of the installed package.
sys.path.insert(0, str(ROOT))

from benchmarks.__main__ import RUNNERS  # noqa: E402
from benchmarks.digits_net import PrecisionRow, SkewnessRow  # noqa: E402
from benchmarks.layers import LAYERS  # noqa: E402
from benchmarks.measuring import Environment  # noqa: E402
from benchmarks.results import Part, Results  # noqa: E402
from benchmarks.speed import BuildRow  # noqa: E402

DIVISOR = 48
#: Parts that train or compile: their rows are made up here.
MADE_UP = {
    "build": (BuildRow(64, 0.125, 8.5),),
    "precision": (PrecisionRow("float32, dense", 0.9, 100), PrecisionRow("8-bit", 0.8, 100)),
    "skewness": (SkewnessRow("0", 20, 10, 0.25, 0.5, 0.75),),
}


@pytest.fixture(scope="session")
def small_layers():
    return tuple(layer.shrunk(DIVISOR) for layer in LAYERS)


@pytest.fixture(scope="session")
def results(small_layers):
    """Results of every part, of layers divided by 48."""
    environment = Environment("a processor", 2, 0.5, "Python 3")
    found = Results(DIVISOR)
    for name, runner in RUNNERS.items():
        rows = MADE_UP.get(name) or [row for _, more in runner.run(small_layers) for row in more]
        found.parts[name] = Part(environment, 1.5, tuple(rows))
    return found
