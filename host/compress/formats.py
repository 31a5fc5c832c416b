"""Fraction lengths: how a layer's numbers are placed in 16 bits.

The range of a layer's inputs and outputs is either *observed* on calibration data or *assumed*
from the weights. Each fraction length is then the largest that holds the range, so that rounding
costs as little as it can; a layer reads what the one before writes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import ModelError
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, FRAC_MAX, FRAC_MIN, MAX_SHIFT
from eie.host.compress.dense_layer import DenseLayer
from eie.host.compress.sharing import SharedWeights
from eie.host.network import MAX_BIAS_BITS

__all__ = [
    "HEADROOM",
    "RMS_FACTOR",
    "Formats",
    "Ranges",
    "assumed_ranges",
    "choose_formats",
    "largest_frac",
    "observed_ranges",
]

#: Calibration data holds no network's largest activation: ranges are made this much wider, which
#: costs one bit. An input or output of twice the largest magnitude seen does not saturate.
HEADROOM = 2.0
#: Without calibration, inputs within -4..4 are assumed: four standard deviations of data of unit
#: scale, and what 13 fraction bits hold.
ASSUMED_INPUT_FRAC = 13
#: Without calibration, a layer's outputs are held up to this many times the root mean square that
#: uncorrelated inputs of unit scale would give: five bits, for inputs that match the weights.
RMS_FACTOR = 32.0
#: A bias keeps two bits clear of the widest accumulator, so that products have room beside it.
_BIAS_BITS = MAX_BIAS_BITS - 2

Range = tuple[float, float]


@dataclass(frozen=True)
class Ranges:
    """Smallest and largest value to be held, headroom included."""

    #: Of the network's inputs.
    inputs: Range
    #: Of each layer's outputs, after its ReLU.
    outputs: tuple[Range, ...]
    #: Where they come from, for the network's metadata.
    origin: str


@dataclass(frozen=True)
class Formats:
    """Fraction lengths of one layer."""

    #: Fraction bits of the inputs.
    input_frac: int
    #: Fraction bits of the codebook.
    weight_frac: int
    #: Fraction bits of the outputs.
    output_frac: int


def observed_ranges(
    layers: Sequence[DenseLayer],
    weights: Sequence[SharedWeights],
    calibration: npt.NDArray[np.float64],
) -> Ranges:
    """Ranges seen when `calibration`, shape (n, features), goes through the shared weights."""
    activations = calibration
    outputs = []
    for layer, shared in zip(layers, weights, strict=True):
        activations = activations @ shared.dense().T + layer.bias
        if layer.relu:
            activations = np.maximum(activations, 0.0)
        outputs.append(_widened(activations))
    origin = (
        f"calibration: ranges of {len(calibration)} vectors, widened by a factor of {HEADROOM:g}"
    )
    return Ranges(_widened(calibration), tuple(outputs), origin)


def assumed_ranges(layers: Sequence[DenseLayer], weights: Sequence[SharedWeights]) -> Ranges:
    """Ranges for unit-scale inputs, from the weights alone.

    Inputs are taken to lie within -4..4, with a root mean square of 1. A layer's range is the
    smaller of two: what interval arithmetic allows, beyond which no such input can reach; and
    :data:`RMS_FACTOR` times the root mean square of its outputs for uncorrelated inputs, since
    intervals widen by the square root of a layer's inputs too much.
    """
    codes = np.array([CODE_MIN, CODE_MAX])
    low, high = np.ldexp(codes.astype(np.float64), -ASSUMED_INPUT_FRAC)
    lows, highs = np.full(layers[0].columns, low), np.full(layers[0].columns, high)
    squares = np.ones(layers[0].columns)
    outputs = []
    for layer, shared in zip(layers, weights, strict=True):
        row, column = np.nonzero(shared.codes)
        weight = shared.table()[shared.codes[row, column]]
        at_low, at_high = weight * lows[column], weight * highs[column]
        lows = _row_sums(row, np.minimum(at_low, at_high), layer.rows) + layer.bias
        highs = _row_sums(row, np.maximum(at_low, at_high), layer.rows) + layer.bias
        squares = _row_sums(row, np.square(weight) * squares[column], layer.rows)
        squares += np.square(layer.bias)
        if layer.relu:
            lows, highs = np.maximum(lows, 0.0), np.maximum(highs, 0.0)
        limit = RMS_FACTOR * math.sqrt(float(squares.max()))
        outputs.append((max(float(lows.min()), -limit), min(float(highs.max()), limit)))
    origin = (
        "weights and unit-scale inputs: inputs within -4..4; outputs within the smaller of the "
        f"interval bound and {RMS_FACTOR:g} times their root mean square for uncorrelated inputs"
    )
    return Ranges((float(low), float(high)), tuple(outputs), origin)


def choose_formats(
    layers: Sequence[DenseLayer], weights: Sequence[SharedWeights], ranges: Ranges
) -> tuple[Formats, ...]:
    """Choose the fraction lengths of each layer.

    Inputs and outputs take the largest fraction length that holds their range. So does the
    codebook, unless the bias (48 bits at accumulator precision) or the write-back shift (at most
    47) asks for less. An output gets no more fraction bits than the accumulator has.

    Raises
    ------
    ModelError
        If a layer's numbers are too large for any format; the message names the layer.
    """
    input_frac = largest_frac(*ranges.inputs, name="model: inputs")
    chosen = []
    for layer, shared, (low, high) in zip(layers, weights, ranges.outputs, strict=True):
        output_frac = largest_frac(low, high, name=f"layer {layer.name!r}: outputs")
        values = shared.table()
        weight_frac = min(
            largest_frac(values.min(), values.max(), name=f"layer {layer.name!r}: weights"),
            _largest_sum_frac(layer.bias) - input_frac,
            MAX_SHIFT + output_frac - input_frac,
        )
        output_frac = min(output_frac, input_frac + weight_frac)
        if weight_frac < FRAC_MIN or output_frac < FRAC_MIN:
            raise ModelError(
                f"layer {layer.name!r}: weights, bias and inputs must be small enough for an "
                f"accumulator of {MAX_BIAS_BITS} bits: scale the model's inputs or weights down"
            )
        chosen.append(Formats(input_frac, weight_frac, output_frac))
        input_frac = output_frac
    return tuple(chosen)


def largest_frac(low: float, high: float, *, name: str) -> int:
    """Largest fraction length at which neither `low` nor `high` saturates when rounded.

    A range of zero alone is treated as -1..1. `name` says in an error whose range it is.

    Raises
    ------
    ModelError
        If no fraction length holds the range.
    """
    if low == 0 and high == 0:
        low, high = -1.0, 1.0
    for frac in range(FRAC_MAX, FRAC_MIN - 1, -1):
        if math.ldexp(low, frac) >= CODE_MIN - 0.5 and math.ldexp(high, frac) < CODE_MAX + 0.5:
            return frac
    raise ModelError(
        f"{name} must lie within {math.ldexp(CODE_MIN, -FRAC_MIN):g} to "
        f"{math.ldexp(CODE_MAX, -FRAC_MIN):g}, not {low:g} to {high:g}"
    )


def _largest_sum_frac(bias: npt.NDArray[np.float64]) -> int:
    """Fraction bits of an accumulator at which every bias stays below ``2**_BIAS_BITS``."""
    largest = float(np.abs(bias).max())
    return _BIAS_BITS - math.frexp(largest)[1] if largest > 0 else 2 * FRAC_MAX


def _row_sums(
    row: npt.NDArray[np.intp], terms: npt.NDArray[np.float64], rows: int
) -> npt.NDArray[np.float64]:
    """Add up the terms of each row, shape (rows,)."""
    sums: npt.NDArray[np.float64] = np.bincount(row, terms, rows).astype(np.float64, copy=False)
    return sums


def _widened(values: npt.NDArray[np.float64]) -> Range:
    return HEADROOM * float(values.min()), HEADROOM * float(values.max())
