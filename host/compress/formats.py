"""Fraction lengths: how a layer's numbers are placed in 16 bits.

The range of a layer's inputs and outputs is either *observed* on calibration data
(:mod:`eie.host.compress.ranges`) or what interval arithmetic *allows*. Each fraction length is then
the largest that holds the range, so that rounding costs as little as it can; a layer reads what the
one before writes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import ModelError
from eie.hls.spec.cell import RESULT_FRAC, SUM_FRAC
from eie.hls.spec.fixed_point import (
    ACTIVATION_BITS,
    CODE_MAX,
    CODE_MIN,
    FRAC_MAX,
    FRAC_MIN,
    MAX_SHIFT,
    quantize,
)
from eie.host.compress.dense_layer import DenseLayer, chain_ends, giver_of
from eie.host.compress.ranges import Ranges
from eie.host.compress.sharing import SharedWeights
from eie.host.network import INPUT, MAX_BIAS_BITS

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

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Formats:
    """Fraction lengths of one layer."""

    #: Fraction bits of the inputs.
    input_frac: int
    #: Fraction bits of the codebook.
    weight_frac: int
    #: Fraction bits of the outputs; of the sums where a layer accumulates.
    output_frac: int

    @property
    def sum_frac(self) -> int:
        """Fraction bits of the sums."""
        return self.input_frac + self.weight_frac


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
    return _with_whole_sums(layers, weights, lambda most: _assumed(layers, weights, most))


def _assumed(
    layers: Sequence[DenseLayer], weights: Sequence[SharedWeights], most: Mapping[int, int]
) -> list[Formats]:
    chains = _Chains(layers, weights, most)
    fracs = {INPUT: chains.wanted(INPUT, ASSUMED_INPUT_FRAC)}
    low, high = np.ldexp([CODE_MIN, CODE_MAX], -fracs[INPUT])
    bounds = {INPUT: (np.full(layers[0].columns, low), np.full(layers[0].columns, high))}
    chosen: list[Formats] = []
    for chain in chains.every:
        end = layers[chain[-1]]
        inputs = [fracs[chains.givers[index]] for index in chain]
        sum_frac = chains.sum_frac(chain, inputs)
        while True:
            least = most_of = np.ldexp(np.rint(np.ldexp(end.bias, sum_frac)), -sum_frac)
            for index, input_frac in zip(chain, inputs, strict=True):
                shared, (lows, highs) = weights[index], bounds[chains.givers[index]]
                row, column = np.nonzero(shared.codes)
                codes = shared.codes[row, column]
                weight_frac = sum_frac - input_frac
                table = np.ldexp(_rounded(shared.table(), weight_frac), -weight_frac)
                at_low, at_high = table[codes] * lows[column], table[codes] * highs[column]
                least = least + _row_sums(row, np.minimum(at_low, at_high), end.rows)
                most_of = most_of + _row_sums(row, np.maximum(at_low, at_high), end.rows)
            least, most_of = end.activate(least), end.activate(most_of)
            output_frac = largest_frac(
                _SLACK * min(float(least.min()), 0.0),
                _SLACK * max(float(most_of.max()), 0.0),
                name=f"layer {end.name!r}: outputs",
            )
            output_frac = chains.wanted(chain[-1], output_frac)
            formats = chains.formats(chain, inputs, sum_frac, output_frac)
            if formats[-1].sum_frac == sum_frac:
                break
            sum_frac = formats[-1].sum_frac  # the shift was too long: again with fewer bits
        chosen += formats
        frac = fracs[chain[-1]] = formats[-1].output_frac
        # What write-back makes of the bounds: it never falls.
        least, most_of = (
            np.ldexp(np.floor(np.ldexp(bound, frac) + 0.5), -frac) for bound in (least, most_of)
        )
        bounds[chain[-1]] = least, most_of
    return chosen


def typical_bits(
    layers: Sequence[DenseLayer],
    weights: Sequence[SharedWeights],
    formats: Sequence[Formats],
) -> tuple[float, ...]:
    """Bits, without the sign, that each layer's outputs have for uncorrelated inputs of unit scale.

    The root mean square of a layer's outputs, over the step of its format.
    """
    squares = {INPUT: np.ones(layers[0].columns)}
    bits = []
    total: Reals = np.zeros(())
    for index, (layer, shared, chosen) in enumerate(zip(layers, weights, formats, strict=True)):
        row, column = np.nonzero(shared.codes)
        weight = shared.table()[shared.codes[row, column]]
        of_inputs = squares[giver_of(layers, index)]
        total = total + _row_sums(row, np.square(weight) * of_inputs[column], layer.rows)
        total = total + np.square(layer.bias)
        squares[index] = np.minimum(total, 1.0) if layer.tabled else total
        size = math.sqrt(float(squares[index].mean()))
        bits.append(math.log2(size) + chosen.output_frac if size > 0 else math.inf)
        if not layer.accumulate:
            total = np.zeros(())
    return tuple(bits)


def choose_formats(
    layers: Sequence[DenseLayer], weights: Sequence[SharedWeights], ranges: Ranges
) -> tuple[Formats, ...]:
    """Choose the fraction lengths of each layer.

    Inputs and outputs take the largest fraction length that holds their range, and so does the
    codebook: a layer has one format, so a single large weight takes digits from all others. Where
    the bias (48 bits at accumulator precision) leaves too little room for both, inputs and
    codebook give up half each; the codebook gives way to the write-back shift (at most 47). An
    output gets no more fraction bits than the accumulator has. Layers that share their sums agree
    on as many bits as all of their codebooks hold.

    Raises
    ------
    ModelError
        If a layer's numbers are too large for any format; the message names the layer.
    """
    return _with_whole_sums(layers, weights, lambda most: _chosen(layers, weights, ranges, most))


def _chosen(
    layers: Sequence[DenseLayer],
    weights: Sequence[SharedWeights],
    ranges: Ranges,
    most: Mapping[int, int],
) -> list[Formats]:
    chains = _Chains(layers, weights, most)
    fracs = {INPUT: chains.wanted(INPUT, largest_frac(*ranges.inputs, name="model: inputs"))}
    chosen: list[Formats] = []
    for chain in chains.every:
        end, held = layers[chain[-1]], ranges.outputs[chain[-1]]
        assert held is not None
        output_frac = largest_frac(*held, name=f"layer {end.name!r}: outputs")
        inputs = [fracs[chains.givers[index]] for index in chain]
        sum_frac = chains.sum_frac(chain, inputs)
        output_frac = chains.wanted(chain[-1], output_frac)
        chosen += chains.formats(chain, inputs, sum_frac, output_frac)
        fracs[chain[-1]] = chosen[-1].output_frac
    return chosen


def _with_whole_sums(
    layers: Sequence[DenseLayer],
    weights: Sequence[SharedWeights],
    choose: Callable[[Mapping[int, int]], list[Formats]],
) -> tuple[Formats, ...]:
    """Choose formats in which what is added as it is loses nothing.

    An identity's weight is ``2 ** weight_frac``, so its inputs must not have more fraction bits
    than the sums: where they would, those that give them get fewer.
    """
    most: dict[int, int] = {}
    for _ in range(len(layers) * (FRAC_MAX - FRAC_MIN)):
        formats = choose(most)
        lacking = {
            giver_of(layers, index): chosen.input_frac + chosen.weight_frac
            for index, (layer, chosen) in enumerate(zip(layers, formats, strict=True))
            if layer.fixed and chosen.weight_frac < _least_frac(weights[index])
        }
        lacking = {giver: frac for giver, frac in lacking.items() if frac < most.get(giver, 999)}
        if not lacking:
            break
        most |= lacking
    return tuple(formats)


def _least_frac(shared: SharedWeights) -> int:
    """Fraction bits that weights need which are powers of two; others are rounded anyway."""
    mantissas, exponents = np.frexp(np.abs(shared.centroids[shared.centroids != 0]))
    if len(mantissas) == 0 or np.any(mantissas != 0.5):
        return FRAC_MIN
    return 1 - int(exponents.min())


class _Chains:
    """Layers that share their sums, and what formats they leave each other room for.

    Parameters
    ----------
    layers, weights
        The model, and its shared weights.
    most
        Most fraction bits of what a layer gives, where there is such a limit.
    """

    def __init__(
        self,
        layers: Sequence[DenseLayer],
        weights: Sequence[SharedWeights],
        most: Mapping[int, int],
    ) -> None:
        self._layers, self._weights, self._most = layers, weights, most
        ends = chain_ends(layers)
        self._ends = ends
        #: Indices of the layers of each chain, in order.
        self.every = [
            [index for index, own in enumerate(ends) if own == end] for end in sorted(set(ends))
        ]
        #: For each layer, whose results it takes.
        self.givers = [giver_of(layers, index) for index in range(len(layers))]

    def wanted(self, giver: int, frac: int) -> int:
        """Fraction bits of what a layer gives, so that who takes it has some left for weights."""
        if giver != INPUT and self._layers[giver].tabled:
            return RESULT_FRAC
        for index, taken in enumerate(self.givers):
            if taken == giver:
                shared, end = self._weights[index], self._layers[self._ends[index]]
                frac = _leave_room(frac, self._layers[index], shared, end.bias)
        return min(frac, self._most.get(giver, frac))

    def sum_frac(self, chain: Sequence[int], inputs: Sequence[int]) -> int:
        """Fraction bits of the sums of a chain: as many as all of its codebooks hold."""
        held = [
            frac + codebook_frac(self._layers[index], self._weights[index])
            for index, frac in zip(chain, inputs, strict=True)
        ]
        return min(*held, largest_sum_frac(self._layers[chain[-1]].bias))

    def formats(
        self, chain: Sequence[int], inputs: Sequence[int], sum_frac: int, output_frac: int
    ) -> list[Formats]:
        """Give the formats of a chain, with fewer bits where the shift would be too long."""
        end = self._layers[chain[-1]]
        written = SUM_FRAC if end.tabled else output_frac
        sum_frac = min(sum_frac, MAX_SHIFT + written)
        if not end.tabled:
            output_frac = min(output_frac, sum_frac)
        fracs = [sum_frac - frac for frac in inputs]
        if min(*inputs, *fracs, output_frac) < FRAC_MIN or (end.tabled and sum_frac < SUM_FRAC):
            raise ModelError(
                f"layer {end.name!r}: weights, bias and inputs must be small enough for an "
                f"accumulator of {MAX_BIAS_BITS} bits: scale the model's inputs or weights down"
            )
        return [
            Formats(own, frac, output_frac if index == chain[-1] else sum_frac)
            for index, own, frac in zip(chain, inputs, fracs, strict=True)
        ]


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


def _leave_room(
    frac: int, layer: DenseLayer, shared: SharedWeights, bias: npt.NDArray[np.float64]
) -> int:
    """Fraction bits for a layer's inputs, so that its bias leaves the codebook some as well."""
    excess = frac + codebook_frac(layer, shared) - largest_sum_frac(bias)
    return frac - max(0, excess) // 2


def codebook_frac(layer: DenseLayer, shared: SharedWeights) -> int:
    """Fraction bits of a codebook, as many as hold its values."""
    values = shared.table()
    return largest_frac(
        float(values.min()), float(values.max()), name=f"layer {layer.name!r}: weights"
    )


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
