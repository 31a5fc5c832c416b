"""Quantised models with scales that are powers of two: the same integers, and what is not the same.

Such a model computes in whole numbers of steps, and so does the accelerator: with the model's own
steps as formats, its weights in the codebook and its bias at the accumulator's precision, sums are
equal. Write-back (:mod:`eie.hls.spec.fixed_point`) then rounds ties to even as the model does,
with biases as :func:`eie.host.compress.quantization.ties_as_the_model` rounds them, and bounds
outputs where the quantiser does. What is left are

- *ties* in rows whose bias is on the grid of the sums, in a layer that has other biases, too, and
  no room for a bit that tells them apart;
- *outputs that the model does not round*, which 16 bits hold only so well.

Both are looked for here row by row; what cannot be excluded is counted on the calibration.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.text import counted
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, FRAC_MAX, FRAC_MIN, MAX_SHIFT, quantize
from eie.host.compress.dense_layer import DenseLayer, DenseModel, chain_ends, giver_of
from eie.host.compress.formats import Formats, codebook_frac, largest_frac, largest_sum_frac
from eie.host.compress.model_graph import Quantize
from eie.host.compress.reference import TorchReference
from eie.host.compress.sharing import SharedWeights
from eie.host.network import INPUT, Layer, Network

__all__ = ["NOT_EXACT", "Exactness", "LayerExactness", "exact_formats", "exactness", "is_quantized"]

#: What is said of a quantised model whose integers are not taken over.
NOT_EXACT = (
    "not exact: its quantisers are not reproduced. That takes inputs and inner layers quantised "
    "with scales that are powers of two, at most 15 distinct non-zero weights a layer, none of "
    "them pruned, and numbers that fit 16 bits. Activations have 16-bit formats of their own, and "
    "the error against the model is what the calibration shows"
)

Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LayerExactness:
    """How a layer's outputs may differ from the model's."""

    name: str
    rows: int
    #: Whether the model rounds the outputs.
    quantized: bool
    #: Rows in which a sum may lie in the middle between two outputs.
    ties: int
    #: Rows in which a sum may go beyond the quantiser's bounds, or beyond 16 bits.
    beyond: int
    #: Real value of a step of the outputs if the model does not round them; 0 if it does.
    rounded: float
    #: Outputs on the calibration that are others than the model's, and by how many steps at most.
    differing: int = 0
    largest: int = 0

    @property
    def exact(self) -> bool:
        """Whether no input can give another output than the model's, but for its rounding."""
        return not self.ties and not self.beyond


@dataclass(frozen=True)
class Exactness:
    """What is the same as in the quantised model, and what may differ."""

    layers: tuple[LayerExactness, ...]
    #: Bounds of the inputs, in real numbers: those beyond are cut off there and not here.
    inputs: tuple[float, float]
    #: Calibration vectors, and values in them beyond the bounds.
    vectors: int
    inputs_beyond: int

    @property
    def exact(self) -> bool:
        """Whether all inputs within the bounds give the model's own numbers."""
        return all(layer.exact for layer in self.layers)

    def __str__(self) -> str:
        low, high = self.inputs
        text = (
            f"exact for inputs from {low:g} to {high:g}"
            if self.exact
            else "not exact for every input"
        )
        parts = []
        for layer in self.layers:
            if layer.ties:
                parts.append(
                    f"layer {layer.name!r}: {layer.ties} of {counted(layer.rows, 'row')} may round "
                    "a sum in the middle between two outputs up where the model rounds it to even"
                )
            if layer.beyond:
                parts.append(
                    f"layer {layer.name!r}: {layer.beyond} of {counted(layer.rows, 'row')} may go "
                    + (
                        "beyond the quantiser's bounds, where the model cuts them off"
                        if layer.quantized
                        else "beyond 16 bits, where they are cut off here"
                    )
                )
            if layer.rounded:
                parts.append(
                    f"layer {layer.name!r}: outputs are rounded to steps of {layer.rounded:g}"
                )
        text += "".join(f"; {part}" for part in parts)
        if self.vectors:
            counts = ", ".join(
                f"{layer.name}: {layer.differing} of {self.vectors * layer.rows}"
                + (f" (by up to {counted(layer.largest, 'step')})" if layer.differing else "")
                for layer in self.layers
            )
            text += f"; outputs that differ on {counted(self.vectors, 'vector')}: {counts}"
        if self.inputs_beyond:
            text += (
                f"; {counted(self.inputs_beyond, 'input value')} beyond {low:g} to {high:g}, which "
                "the model cuts off: cut them off before (numpy.clip)"
            )
        return text


def is_quantized(model: DenseModel) -> bool:
    """Whether the model rounds its inputs or the outputs of a layer."""
    return model.quantizer is not None or any(layer.quantizer for layer in model.layers)


def exact_formats(
    model: DenseModel, weights: Sequence[SharedWeights]
) -> tuple[Formats, ...] | None:
    """Formats in which a model computes the same integers as it does by itself.

    Parameters
    ----------
    model
        Any model.
    weights
        Its shared weights.

    Returns
    -------
    tuple of Formats, or None
        None if there are none: an input or an inner layer is not quantised, a scale is no power of
        two, weights were pruned or shared to other values, or numbers do not fit 16 bits.
    """
    layers, ends = model.layers, chain_ends(model.layers)
    input_frac = _frac(model.quantizer)
    if input_frac is None:
        return None
    assert model.quantizer is not None
    steps = {INPUT: (input_frac, model.quantizer)}
    formats: list[Formats] = []
    for end_index in sorted(set(ends)):
        chain = [index for index, end in enumerate(ends) if end == end_index]
        end, last = layers[end_index], end_index == len(layers) - 1
        output_frac = _frac(end.quantizer)
        if end.function is not None or (output_frac is None and (not last or end.quantizer)):
            return None
        givers = [giver_of(layers, index) for index in chain]
        fracs = [steps[giver][0] for giver in givers]
        sum_frac = min(
            largest_sum_frac(end.bias),
            *(
                frac + codebook_frac(layers[index], weights[index])
                for index, frac in zip(chain, fracs, strict=True)
            ),
        )
        for index, frac in zip(chain, fracs, strict=True):
            table = np.ldexp(weights[index].table(), sum_frac - frac)
            if np.any(table != np.rint(table)) or not np.array_equal(
                weights[index].dense(), layers[index].weights
            ):
                return None
        if output_frac is None:
            held = [
                (layers[index], steps[giver][1]) for index, giver in zip(chain, givers, strict=True)
            ]
            low, high = _bounds(end, held)
            output_frac = largest_frac(low, high, name=f"layer {end.name!r}: outputs")
            output_frac = min(output_frac, sum_frac)
        fits = min(sum_frac - frac for frac in fracs) >= FRAC_MIN
        if not 0 <= sum_frac - output_frac <= MAX_SHIFT or not fits:
            return None
        formats += [
            Formats(frac, sum_frac - frac, output_frac if index == end_index else sum_frac)
            for index, frac in zip(chain, fracs, strict=True)
        ]
        if end.quantizer is not None:
            steps[end_index] = output_frac, end.quantizer
    return tuple(formats)


def exactness(model: DenseModel, network: Network, samples: Reals | None) -> Exactness:
    """Say what is the same as in `model`, whose formats are from :func:`exact_formats`.

    Parameters
    ----------
    model
        The quantised model.
    network
        What was made of it.
    samples
        Calibration of shape (n, features): outputs that differ are counted on it.
    """
    held = model.quantizer
    assert held is not None
    found: dict[int, LayerExactness] = {}
    steps = {INPUT: (held.low, held.high)}
    sums: tuple[Integers, Integers, Integers] | None = None
    for index, (dense, fixed) in enumerate(zip(model.layers, network.layers, strict=True)):
        sums = _sums(fixed, steps[giver_of(model.layers, index)], sums)
        if fixed.accumulate:
            continue
        quantizer = dense.quantizer
        bounds = (CODE_MIN, CODE_MAX) if quantizer is None else (quantizer.low, quantizer.high)
        ties, beyond = _rows(dense, fixed, sums, bounds)
        rounded = 0.0
        if quantizer is None:
            # Its outputs are rounded to steps of ours: nothing else to compare a tie with.
            ties = 0
            rounded = math.ldexp(1.0, -fixed.output_frac) if fixed.shift else 0.0
        found[index] = LayerExactness(
            dense.name, dense.rows, quantizer is not None, ties, beyond, rounded
        )
        steps[index], sums = bounds, None
    inputs = (held.step * held.low, held.step * held.high)
    if samples is None:
        return Exactness(tuple(found.values()), inputs, 0, 0)
    codes = quantize(samples, network.layers[0].input_frac)
    ours = TorchReference(network).layer_outputs(codes)
    theirs = model.layer_outputs(samples)
    for index, layer in found.items():
        wanted = np.floor(np.ldexp(theirs[index], network.layers[index].output_frac) + 0.5)
        off = np.abs(wanted - ours[index])
        found[index] = replace(
            layer, differing=int(np.count_nonzero(off)), largest=int(off.max(initial=0))
        )
    beyond_inputs = int(np.count_nonzero(np.rint(samples / held.step) != held(samples) / held.step))
    return Exactness(tuple(found.values()), inputs, len(samples), beyond_inputs)


def _frac(quantizer: Quantize | None) -> int | None:
    """Fraction bits of a quantiser whose step is a power of two and whose numbers fit 16 bits."""
    if quantizer is None or quantizer.low < CODE_MIN or quantizer.high > CODE_MAX:
        return None
    mantissa, exponent = math.frexp(quantizer.step)
    frac = 1 - exponent
    return frac if mantissa == 0.5 and FRAC_MIN <= frac <= FRAC_MAX else None


def _bounds(end: DenseLayer, held: Sequence[tuple[DenseLayer, Quantize]]) -> tuple[float, float]:
    """Smallest and largest output of layers that share their sums, for inputs within bounds."""
    least = most = end.bias
    for layer, steps in held:
        weights = layer.weights.astype(np.float64)
        at_low, at_high = weights * (steps.step * steps.low), weights * (steps.step * steps.high)
        least = least + np.minimum(at_low, at_high).sum(1)
        most = most + np.maximum(at_low, at_high).sum(1)
    low, high = end.activate(np.array([least.min(), most.max()])).tolist()
    return min(low, 0.0), max(high, 0.0)


def _sums(
    fixed: Layer, inputs: tuple[int, int], before: tuple[Integers, Integers, Integers] | None
) -> tuple[Integers, Integers, Integers]:
    """Add a layer to what sums are before it: least and most of a row, and its lowest bit.

    Sums of a row are multiples of the lowest bit that is set in any of its weights.
    """
    weights = fixed.codebook[fixed.dense_codes()].astype(np.int64)
    products = weights * inputs[0], weights * inputs[1]
    lowest = np.where(weights != 0, weights & -weights, 1 << MAX_SHIFT).min(1)
    least, most = np.minimum(*products).sum(1), np.maximum(*products).sum(1)
    if before is None:
        return least, most, lowest
    return least + before[0], most + before[1], np.minimum(lowest, before[2])


def _rows(
    dense: DenseLayer,
    fixed: Layer,
    sums: tuple[Integers, Integers, Integers],
    bounds: tuple[int, int],
) -> tuple[int, int]:
    """Rows that may round a tie as the model does not, and rows that may leave `bounds`."""
    bias, shift, rule = fixed.bias, fixed.shift, fixed.write_back
    half = (1 << shift) >> 1
    least, most = ((each + bias + half) >> shift for each in sums[:2])
    below = (least < bounds[0]) & (rule.low != bounds[0]) & (not fixed.relu or bounds[0] > 0)
    above = (most > bounds[1]) & (rule.high != bounds[1])
    # 16 bits cut off what the model, which rounds no output here, does not.
    if dense.quantizer is None:
        below, above = (least < CODE_MIN) & (rule.low == CODE_MIN), most > CODE_MAX
    beyond = int(np.count_nonzero(below | above))
    if shift == 0 or fixed.half_even:
        # Where ties go to the even code, biases were rounded so that the others meet none.
        return 0, beyond
    real = np.ldexp(dense.bias, fixed.sum_frac)
    on_grid = real == np.rint(real)
    lowest = np.minimum(sums[2], 1 << shift)
    reachable = (half - bias) % lowest == 0
    # A negative sum becomes 0 whichever way it is rounded.
    positive = most > 0 if fixed.relu else np.ones(len(bias), bool)
    return int(np.count_nonzero(on_grid & reachable & positive)), beyond
