"""Networks that have no weights to speak of, for what only sizes decide."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from eie.host.network import Layer, Network


@pytest.fixture(scope="session")
def zero_network() -> Callable[..., Network]:
    """Give a network of these sizes whose weights are all zero: large, and quick to make."""

    def make(*sizes: int) -> Network:
        layers = [
            Layer(
                f"layer{number}", rows, columns, np.zeros(columns + 1, np.int64),
                np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(16, np.int16),
                np.zeros(rows, np.int64), "none", 8, 8, 8,
            )
            for number, (columns, rows) in enumerate(itertools.pairwise(sizes))
        ]  # fmt: skip
        return Network(tuple(layers))

    return make
