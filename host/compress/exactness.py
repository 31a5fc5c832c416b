"""Quantised models with scales that are powers of two: the same integers, and what is not the same.

Such a model computes in whole numbers of steps, and so does the accelerator: with the model's own
steps as formats, its weights in the codebook and its bias at the accumulator's precision, sums are
equal. Write-back (:mod:`eie.hls.spec.fixed_point`) is equal but for two things, which are looked
for here row by row:

- *ties*: a sum in the middle between two outputs goes up here and to the even one there. It is
  there only if the bias lies on the grid of the sums: any other bias keeps all sums off the middle,
  and rounded *down* to the accumulator's precision it makes the same decisions;
- *bounds*: 16 bits here, the quantiser's there. They are the same where no sum can go beyond.

What cannot be excluded is counted on the calibration, and said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.text import counted
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, FRAC_MAX, FRAC_MIN, MAX_SHIFT, quantize
from eie.host.compress.dense_layer import DenseLayer, DenseModel
from eie.host.compress.formats import Formats, codebook_frac, largest_frac, largest_sum_frac
from eie.host.compress.model_graph import Quantize
from eie.host.compress.reference import TorchReference
from eie.host.compress.sharing import SharedWeights
from eie.host.network import Layer, Network

__all__ = ["NOT_EXACT", "Exactness", "LayerExactness", "exact_formats", "exactness", "is_quantized"]

#: What is said of a quantised model whose integers are not taken over.
NOT_EXACT = (
    "not exact: its quantisers are not reproduced. That takes inputs and inner layers quantised "
    "with scales that are powers of two, at most 15 distinct non-zero weights a layer, none of "
    "them pruned, and numbers that fit 16 bits. Activations have 16-bit formats of their own, and "
    "the error against the model is what the calibration shows"
)

Reals = npt.NDArray[np.float64]


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
    input_frac = _frac(model.quantizer)
    if input_frac is None:
        return None
    formats = []
    held = model.quantizer
    for number, (layer, shared) in enumerate(zip(model.layers, weights, strict=True)):
        last = number == len(model.layers) - 1
        output_frac = _frac(layer.quantizer)
        weight_frac = min(codebook_frac(layer, shared), largest_sum_frac(layer.bias) - input_frac)
        table = np.ldexp(shared.table(), weight_frac)
        if (
            (output_frac is None and not (last and layer.quantizer is None))
            or np.any(table != np.rint(table))
            or not np.array_equal(shared.dense(), layer.weights)
        ):
            return None
        if output_frac is None:
            assert held is not None
            low, high = _bounds(layer, held.step * held.low, held.step * held.high)
            output_frac = largest_frac(low, high, name=f"layer {layer.name!r}: outputs")
            output_frac = min(output_frac, input_frac + weight_frac)
        if not 0 <= input_frac + weight_frac - output_frac <= MAX_SHIFT or weight_frac < FRAC_MIN:
            return None
        formats.append(Formats(input_frac, weight_frac, output_frac))
        input_frac, held = output_frac, layer.quantizer
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
    layers = []
    low, high = held.low, held.high
    for dense, fixed in zip(model.layers, network.layers, strict=True):
        quantizer = dense.quantizer
        bounds = (CODE_MIN, CODE_MAX) if quantizer is None else (quantizer.low, quantizer.high)
        ties, beyond = _rows(dense, fixed, (low, high), bounds)
        rounded = 0.0
        if quantizer is None:
            # Its outputs are rounded to steps of ours: nothing else to compare a tie with.
            ties = 0
            rounded = math.ldexp(1.0, -fixed.output_frac) if fixed.shift else 0.0
        layers.append(
            LayerExactness(dense.name, dense.rows, quantizer is not None, ties, beyond, rounded)
        )
        low, high = bounds
    inputs = (held.step * held.low, held.step * held.high)
    if samples is None:
        return Exactness(tuple(layers), inputs, 0, 0)
    codes = quantize(samples, network.layers[0].input_frac)
    ours = TorchReference(network).layer_outputs(codes)
    theirs = held(samples)
    counted_layers = []
    for found, dense, fixed, outputs in zip(
        layers, model.layers, network.layers, ours, strict=True
    ):
        theirs = dense.forward(theirs)
        wanted = np.floor(np.ldexp(theirs, fixed.output_frac) + 0.5)
        off = np.abs(wanted - outputs)
        counted_layers.append(
            replace(found, differing=int(np.count_nonzero(off)), largest=int(off.max()))
        )
    beyond_inputs = int(np.count_nonzero(np.rint(samples / held.step) != held(samples) / held.step))
    return Exactness(tuple(counted_layers), inputs, len(samples), beyond_inputs)


def _frac(quantizer: Quantize | None) -> int | None:
    """Fraction bits of a quantiser whose step is a power of two and whose numbers fit 16 bits."""
    if quantizer is None or quantizer.low < CODE_MIN or quantizer.high > CODE_MAX:
        return None
    mantissa, exponent = math.frexp(quantizer.step)
    frac = 1 - exponent
    return frac if mantissa == 0.5 and FRAC_MIN <= frac <= FRAC_MAX else None


def _bounds(layer: DenseLayer, low: float, high: float) -> tuple[float, float]:
    """Smallest and largest output for inputs within bounds."""
    weights = layer.weights.astype(np.float64)
    least = np.minimum(weights * low, weights * high).sum(1) + layer.bias
    most = np.maximum(weights * low, weights * high).sum(1) + layer.bias
    if layer.relu:
        return 0.0, max(float(most.max()), 0.0)
    return min(float(least.min()), 0.0), max(float(most.max()), 0.0)


def _rows(
    dense: DenseLayer, fixed: Layer, inputs: tuple[int, int], bounds: tuple[int, int]
) -> tuple[int, int]:
    """Rows that may meet a tie, and rows that may leave `bounds`, for codes within `inputs`."""
    weights = fixed.codebook[fixed.dense_codes()].astype(np.int64)
    bias, shift = fixed.bias, fixed.shift
    products = weights * inputs[0], weights * inputs[1]
    half = (1 << shift) >> 1
    least = (np.minimum(*products).sum(1) + bias + half) >> shift
    most = (np.maximum(*products).sum(1) + bias + half) >> shift
    below = (least < bounds[0]) & (not fixed.relu or bounds[0] > 0)
    beyond = int(np.count_nonzero(below | (most > bounds[1])))
    if dense.quantizer is not None and bounds == (CODE_MIN, CODE_MAX):
        beyond = 0  # write-back saturates at the same bounds
    if shift == 0:
        return 0, beyond
    real = np.ldexp(dense.bias, fixed.input_frac + fixed.weight_frac)
    on_grid = real == np.rint(real)
    # Sums of a row are multiples of the lowest bit that is set in any of its weights.
    lowest = np.where(weights != 0, weights & -weights, 1 << shift).min(1)
    lowest = np.minimum(lowest, 1 << shift)
    reachable = (half - bias) % lowest == 0
    # A negative sum becomes 0 before it is rounded, and 0 is no tie.
    positive = most > 0 if fixed.relu else np.ones(len(bias), bool)
    return int(np.count_nonzero(on_grid & reachable & positive)), beyond
