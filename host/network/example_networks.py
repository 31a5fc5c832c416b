"""Small random networks that use what a design has, for the self-test and the golden packets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from eie.hls.spec.cell import GATES, RESULT_FRAC
from eie.hls.spec.matrix_format import CODEBOOK_SIZE
from eie.host.network import INPUT, Layer, Network

__all__ = ["cell_network", "lstm_network", "plain_network", "residual_network"]

#: Fraction bits of sums, and of what layers give if nothing else is said.
_SUM_FRAC, _FRAC = 20, 8
_DENSITY = 0.3


def plain_network(sizes: Sequence[int], seed: int, magnitude: int = 900) -> Network:
    """Give layers one after another, with a ReLU in all but the last."""
    maker = _Maker(seed, magnitude)
    layers = []
    for number, (columns, rows) in enumerate(itertools.pairwise(sizes)):
        inner = number < len(sizes) - 2
        # Too fine for some of the outputs: what saturates is checked, too.
        output_frac = _FRAC if inner else 14
        activation = "relu" if inner else "none"
        layers.append(maker.layer(columns, rows, activation=activation, output_frac=output_frac))
    return Network(tuple(layers))


def residual_network(
    sizes: tuple[int, int, int], seed: int, magnitude: int = 900, *, bounded: bool = True
) -> Network:
    """Give ``V (x + W_b relu(W_a x))``, of so many inputs, hidden values and outputs.

    The addition is an identity on held inputs; if `bounded`, to 8 bits, with ties to even.
    """
    inputs, hidden, outputs = sizes
    maker = _Maker(seed, magnitude)
    bounds: dict[str, Any] = {}
    if bounded:
        bounds = {"low": -128 << 4, "high": 127 << 4, "half_even": True}
    layers = (
        maker.layer(inputs, hidden, activation="relu"),
        maker.layer(hidden, inputs, accumulate=True, output_frac=_SUM_FRAC),
        maker.layer(inputs, inputs, source=INPUT, identity=True, **bounds),
        maker.layer(inputs, outputs, activation="none", output_frac=14),
    )
    return Network(layers)


def lstm_network(sizes: tuple[int, int, int], seed: int, magnitude: int = 900) -> Network:
    """Give an LSTM and a LeakyReLU behind it, of so many inputs, units and outputs."""
    inputs, units, outputs = sizes
    maker = _Maker(seed, magnitude)
    rows = GATES * units
    layers = (
        maker.layer(inputs, rows, accumulate=True, output_frac=_SUM_FRAC),
        maker.layer(
            units, rows, activation="lstm", source=1, input_frac=RESULT_FRAC,
            output_frac=RESULT_FRAC,
        ),
        maker.layer(
            units, outputs, activation="leaky_relu", slope=6554, input_frac=RESULT_FRAC,
            output_frac=14,
        ),
    )  # fmt: skip
    return Network(layers)


def cell_network(sizes: tuple[int, int, int], seed: int, magnitude: int = 900) -> Network:
    """Give every function of a cell: an LSTM, a GRU, tanh, sigmoid and LeakyReLU, one by one.

    Of so many inputs, units of both recurrent layers, and outputs of each layer behind them.
    """
    inputs, units, outputs = sizes
    maker = _Maker(seed, magnitude)
    rows = GATES * units
    fine: dict[str, Any] = {"input_frac": RESULT_FRAC, "output_frac": RESULT_FRAC}
    layers = (
        maker.layer(inputs, rows, accumulate=True, output_frac=_SUM_FRAC),
        maker.layer(units, rows, activation="lstm", source=1, **fine),
        maker.layer(units, rows, accumulate=True, input_frac=RESULT_FRAC, output_frac=_SUM_FRAC),
        maker.layer(units, rows, activation="gru", source=3, **fine),
        maker.layer(units, outputs, activation="tanh", **fine),
        maker.layer(outputs, outputs, activation="sigmoid", **fine),
        maker.layer(
            outputs, outputs, activation="leaky_relu", slope=6554, input_frac=RESULT_FRAC,
            output_frac=14,
        ),
    )  # fmt: skip
    return Network(layers)


class _Maker:
    """Makes layers of random weights."""

    def __init__(self, seed: int, magnitude: int) -> None:
        self._random = np.random.default_rng(seed)
        self._magnitude = magnitude
        self._made = 0

    def layer(
        self,
        columns: int,
        rows: int,
        *,
        input_frac: int = _FRAC,
        output_frac: int = _FRAC,
        identity: bool = False,
        accumulate: bool = False,
        **more: Any,
    ) -> Layer:
        """Make a layer whose sums have 20 fraction bits."""
        random, magnitude = self._random, self._magnitude
        kept = random.random((rows, columns)) < _DENSITY
        codebook = random.integers(-magnitude, magnitude, CODEBOOK_SIZE).astype(np.int16)
        codes = random.integers(1, CODEBOOK_SIZE, (rows, columns)) * kept
        if identity:
            codes = np.eye(rows, dtype=np.int64)
            codebook[1] = 1 << (_SUM_FRAC - input_frac)
        codebook[0] = 0
        limit = 500 * magnitude // 9
        bias = random.integers(-limit, limit, rows)
        self._made += 1
        return Layer.from_dense_codes(
            f"layer{self._made - 1}",
            codes.astype(np.uint8),
            codebook=codebook,
            bias=np.zeros(rows, np.int64) if accumulate else bias,
            input_frac=input_frac,
            weight_frac=_SUM_FRAC - input_frac,
            output_frac=output_frac,
            accumulate=accumulate,
            **{"activation": "none", **more},
        )
