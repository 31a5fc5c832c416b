"""Fraction lengths: how a layer's numbers are placed in 16 bits.

The range of a layer's inputs and outputs is either *observed* on calibration data
(:mod:`eie.host.compress.ranges`) or what interval arithmetic *allows*. Each fraction length is then
the largest that holds the range, so that rounding costs as little as it can; a layer reads what the
one before writes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import ModelError
from eie.hls.spec.fixed_point import (
    ACTIVATION_BITS,
    CODE_MAX,
    CODE_MIN,
    FRAC_MAX,
    FRAC_MIN,
    MAX_SHIFT,
    quantize,
)
from eie.host.compress.dense_layer import DenseLayer
from eie.host.compress.ranges import Ranges
from eie.host.compress.sharing import SharedWeights
from eie.host.network import MAX_BIAS_BITS

__all__ = [
    "ASSUMED_INPUT_FRAC",
    "ASSUMED_ORIGIN",
    "Formats",
    "assumed_formats",
    "choose_formats",
    "codebook_frac",
    "largest_frac",
    "largest_sum_frac",
    "typical_bits",
]

#: Without calibration, inputs within -4..4 are assumed: four standard deviations of data of unit
#: scale, and what 13 fraction bits hold.
ASSUMED_INPUT_FRAC = 13
#: Where formats come from without calibration, for the network's metadata.
ASSUMED_ORIGIN = (
    "weights and unit-scale inputs: no input from -4 to 3.9998 overflows, in any layer (interval "
    "bounds)"
)
#: A bias keeps two bits clear of the widest accumulator, so that products have room beside it.
_BIAS_BITS = MAX_BIAS_BITS - 2
#: Interval bounds are sums of up to 65,536 rounded numbers: made this much wider, they are bounds.
_SLACK = 1 + 1e-10


@dataclass(frozen=True)
class Formats:
    """Fraction lengths of one layer."""

    #: Fraction bits of the inputs.
    input_frac: int
    #: Fraction bits of the codebook.
    weight_frac: int
    #: Fraction bits of the outputs.
    output_frac: int


def assumed_formats(
    layers: Sequence[DenseLayer], weights: Sequence[SharedWeights]
) -> tuple[Formats, ...]:
    """Choose formats by the weights alone, in which no layer can overflow.

    Inputs are taken to lie within -4..4. A layer's outputs get the range that interval arithmetic
    allows for its rounded weights and bias, which sign-matched inputs reach in the first layer.
    Intervals widen with every layer far beyond what real inputs give: :func:`typical_bits` says
    what is left.

    Raises
    ------
    ModelError
        As :func:`choose_formats`.
    """
    input_frac = _leave_room(ASSUMED_INPUT_FRAC, layers[0], weights[0])
    low, high = np.ldexp([CODE_MIN, CODE_MAX], -input_frac)
    lows, highs = np.full(layers[0].columns, low), np.full(layers[0].columns, high)
    chosen: list[Formats] = []
    for number, (layer, shared) in enumerate(zip(layers, weights, strict=True)):
        row, column = np.nonzero(shared.codes)
        codes = shared.codes[row, column]
        weight_frac = _weight_frac(layer, shared, input_frac)
        while True:
            sum_frac = input_frac + weight_frac
            table = np.ldexp(_rounded(shared.table(), weight_frac), -weight_frac)
            bias = np.ldexp(np.rint(np.ldexp(layer.bias, sum_frac)), -sum_frac)
            at_low, at_high = table[codes] * lows[column], table[codes] * highs[column]
            least = _row_sums(row, np.minimum(at_low, at_high), layer.rows) + bias
            most = _row_sums(row, np.maximum(at_low, at_high), layer.rows) + bias
            if layer.relu:
                least, most = np.maximum(least, 0.0), np.maximum(most, 0.0)
            output_frac = largest_frac(
                _SLACK * min(float(least.min()), 0.0),
                _SLACK * max(float(most.max()), 0.0),
                name=f"layer {layer.name!r}: outputs",
            )
            if number + 1 < len(layers):
                output_frac = _leave_room(output_frac, layers[number + 1], weights[number + 1])
            formats = _formats(layer, input_frac, weight_frac, output_frac)
            if formats.weight_frac == weight_frac:
                break
            weight_frac = formats.weight_frac  # the shift was too long: again with fewer bits
        chosen.append(formats)
        input_frac = formats.output_frac
        # What write-back makes of the bounds: it never falls.
        lows, highs = (
            np.ldexp(np.floor(np.ldexp(bound, input_frac) + 0.5), -input_frac)
            for bound in (least, most)
        )
    return tuple(chosen)


def typical_bits(
    layers: Sequence[DenseLayer],
    weights: Sequence[SharedWeights],
    formats: Sequence[Formats],
) -> tuple[float, ...]:
    """Bits, without the sign, that each layer's outputs have for uncorrelated inputs of unit scale.

    The root mean square of a layer's outputs, over the step of its format.
    """
    squares = np.ones(layers[0].columns)
    bits = []
    for layer, shared, chosen in zip(layers, weights, formats, strict=True):
        row, column = np.nonzero(shared.codes)
        weight = shared.table()[shared.codes[row, column]]
        squares = _row_sums(row, np.square(weight) * squares[column], layer.rows)
        squares += np.square(layer.bias)
        size = math.sqrt(float(squares.mean()))
        bits.append(math.log2(size) + chosen.output_frac if size > 0 else math.inf)
    return tuple(bits)


def choose_formats(
    layers: Sequence[DenseLayer], weights: Sequence[SharedWeights], ranges: Ranges
) -> tuple[Formats, ...]:
    """Choose the fraction lengths of each layer.

    Inputs and outputs take the largest fraction length that holds their range, and so does the
    codebook: a layer has one format, so a single large weight takes digits from all others. Where
    the bias (48 bits at accumulator precision) leaves too little room for both, inputs and
    codebook give up half each; the codebook gives way to the write-back shift (at most 47). An
    output gets no more fraction bits than the accumulator has.

    Raises
    ------
    ModelError
        If a layer's numbers are too large for any format; the message names the layer.
    """
    wanted = [largest_frac(*ranges.inputs, name="model: inputs")]
    for layer, (low, high) in zip(layers, ranges.outputs, strict=True):
        wanted.append(largest_frac(low, high, name=f"layer {layer.name!r}: outputs"))
    for number, (layer, shared) in enumerate(zip(layers, weights, strict=True)):
        wanted[number] = _leave_room(wanted[number], layer, shared)
    chosen: list[Formats] = []
    input_frac = wanted[0]
    for layer, shared, output_frac in zip(layers, weights, wanted[1:], strict=True):
        weight_frac = _weight_frac(layer, shared, input_frac)
        chosen.append(_formats(layer, input_frac, weight_frac, output_frac))
        input_frac = chosen[-1].output_frac
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
    exponent = math.frexp(max(-low, high))[1]
    for frac in range(min(FRAC_MAX, ACTIVATION_BITS - exponent), FRAC_MIN - 1, -1):
        if math.ldexp(low, frac) >= CODE_MIN - 0.5 and math.ldexp(high, frac) < CODE_MAX + 0.5:
            return frac
    raise ModelError(
        f"{name} must lie within {math.ldexp(CODE_MIN, -FRAC_MIN):g} to "
        f"{math.ldexp(CODE_MAX, -FRAC_MIN):g}, not {low:g} to {high:g}"
    )


def _leave_room(frac: int, layer: DenseLayer, shared: SharedWeights) -> int:
    """Fraction bits for a layer's inputs, so that its bias leaves the codebook some as well."""
    excess = frac + codebook_frac(layer, shared) - largest_sum_frac(layer.bias)
    return frac - max(0, excess) // 2


def _weight_frac(layer: DenseLayer, shared: SharedWeights, input_frac: int) -> int:
    return min(codebook_frac(layer, shared), largest_sum_frac(layer.bias) - input_frac)


def codebook_frac(layer: DenseLayer, shared: SharedWeights) -> int:
    """Fraction bits of a codebook, as many as hold its values."""
    values = shared.table()
    return largest_frac(
        float(values.min()), float(values.max()), name=f"layer {layer.name!r}: weights"
    )


def _formats(layer: DenseLayer, input_frac: int, weight_frac: int, output_frac: int) -> Formats:
    weight_frac = min(weight_frac, MAX_SHIFT + output_frac - input_frac)
    output_frac = min(output_frac, input_frac + weight_frac)
    if min(input_frac, weight_frac, output_frac) < FRAC_MIN:
        raise ModelError(
            f"layer {layer.name!r}: weights, bias and inputs must be small enough for an "
            f"accumulator of {MAX_BIAS_BITS} bits: scale the model's inputs or weights down"
        )
    return Formats(input_frac, weight_frac, output_frac)


def _rounded(values: npt.NDArray[np.float64], frac: int) -> npt.NDArray[np.float64]:
    return quantize(values, frac).astype(np.float64)


def largest_sum_frac(bias: npt.NDArray[np.float64]) -> int:
    """Fraction bits of an accumulator at which every bias stays below ``2**_BIAS_BITS``."""
    largest = float(np.abs(bias).max())
    return _BIAS_BITS - math.frexp(largest)[1] if largest > 0 else 2 * FRAC_MAX


def _row_sums(
    row: npt.NDArray[np.intp], terms: npt.NDArray[np.float64], rows: int
) -> npt.NDArray[np.float64]:
    """Add up the terms of each row, shape (rows,)."""
    sums: npt.NDArray[np.float64] = np.bincount(row, terms, rows).astype(np.float64, copy=False)
    return sums
