"""The account of what compression lost: errors against the model, stage by stage, and counts.

The calibration goes through the model with one step of compression after another: pruned weights,
shared weights, rounded weights, rounded activations, and at last the integer reference, which
saturates as well. What a step changes in the outputs is its share of the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.progress import tell
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, quantize
from eie.host.compress.dense_layer import DenseLayer, DenseModel, Walk
from eie.host.compress.feature_scales import typical_codes
from eie.host.compress.reference import TorchReference
from eie.host.compress.sharing import SharedWeights
from eie.host.network import Layer, Network
from eie.host.network.loss_record import CutValue, ErrorFigures, LayerLoss, LossRecord, StageLoss

__all__ = ["error_figures", "loss_record"]

#: Vectors that the stages are taken from: four more times through the model.
_STAGE_VECTORS = 1024
#: Features named with the value that was cut off.
_NAMED = 5
#: A vector's error is taken from no less than this share of the median vector's size.
_SMALLEST_SIZE = 0.01
#: Fewer codes than this, on average, are no measurement of a feature.
_COARSE_CODES = 4.0
_STAGES = (
    "pruning",
    "sharing",
    "rounding of weights",
    "rounding of activations",
    "saturation",
)

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Compressed:
    """A layer before compression and after."""

    dense: DenseLayer
    shared: SharedWeights
    fixed: Layer

    @property
    def rounded_table(self) -> Reals:
        """float64, shape (k + 1,): the shared weights as the codebook has them."""
        codes = quantize(self.shared.table(), self.fixed.weight_frac)
        return np.ldexp(codes.astype(np.float64), -self.fixed.weight_frac)

    @property
    def rounded_bias(self) -> Reals:
        return np.ldexp(self.fixed.bias.astype(np.float64), -self.fixed.sum_frac)

    def coarse(self, sums: Reals) -> Reals:
        """Results of sums, rounded to the steps of their format and never cut off."""
        fixed = self.fixed
        if self.dense.tabled:
            sums = _reals(np.floor(np.ldexp(sums, fixed.written_frac) + 0.5), fixed.written_frac)
        steps = np.floor(np.ldexp(self.dense.activate(sums), fixed.output_frac) + 0.5)
        return _reals(steps, fixed.output_frac)


def loss_record(
    model: DenseModel,
    weights: Sequence[SharedWeights],
    network: Network,
    calibration: Reals | None,
) -> LossRecord:
    """Account for what compression lost.

    Parameters
    ----------
    model
        As it was (with scaled features, as the network has them).
    weights
        Its pruned and shared weights.
    network
        The result.
    calibration
        Inputs of shape (n, features), scaled as the model's are, if there are any.
    """
    parts = [_Compressed(*each) for each in zip(model.layers, weights, network.layers, strict=True)]
    nothing = [0] * len(parts)
    if calibration is None:
        layers = tuple(map(_layer_loss, parts, nothing, nothing))
        return LossRecord(0, None, (), layers, 0, (), (), ())
    input_frac = network.layers[0].input_frac
    codes = quantize(calibration, input_frac)
    tell("accounting for what is lost")
    outputs, saturated = TorchReference(network).outputs_and_saturation(codes)
    # What the model rounds by itself is no loss until activations are rounded in another way.
    rounded = calibration if model.quantizer is None else model.quantizer(calibration)
    with np.errstate(all="ignore"):  # a glitch may be beyond what numbers hold, squared
        exact = model.forward(calibration)
        error = error_figures(_reals(outputs[-1], network.layers[-1].output_frac), exact)
        chosen = _evenly_spaced(len(calibration), _STAGE_VECTORS)
        stages, zeroed = _stages(
            parts,
            calibration[chosen],
            rounded[chosen],
            exact[chosen],
            [each[chosen] for each in outputs],
        )
        scaled = np.ldexp(calibration, input_frac)
    beyond = (scaled < CODE_MIN - 0.5) | (scaled >= CODE_MAX + 0.5)
    typical = typical_codes(calibration, input_frac)
    return LossRecord(
        vectors=len(calibration),
        error=error,
        stages=stages,
        layers=tuple(map(_layer_loss, parts, zeroed, saturated)),
        inputs_saturated=int(np.count_nonzero(beyond)),
        largest_cut=_largest(calibration, beyond),
        features_zeroed=_features((typical > 0) & ~codes.any(axis=0)),
        features_coarse=_features((typical > 0) & (typical < _COARSE_CODES)),
    )


def error_figures(outputs: Reals, exact: Reals) -> ErrorFigures:
    """Errors of `outputs` against `exact`, both of shape (n, outputs)."""
    errors = _vector_errors(outputs - exact, exact)
    worst = int(np.argmax(errors))
    peak = float(np.abs(exact).max())
    if peak == 0:
        rms = float(bool(np.any(outputs)))
    else:  # scaled before they are squared, so that nothing overflows
        sizes, changed = _sizes(exact / peak), _sizes((outputs - exact) / peak)
        rms = _finite(float(np.sqrt(np.mean(np.square(changed)) / np.mean(np.square(sizes)))))
    return ErrorFigures(rms, float(np.median(errors)), float(errors[worst]), worst)


def _vector_errors(changes: Reals, exact: Reals) -> Reals:
    """Relative size of each vector's changes (see :class:`ErrorFigures`), shape (n,)."""
    sizes, changed = _sizes(exact), _sizes(changes)
    if not sizes.any():
        return (changed > 0).astype(np.float64)
    least = _SMALLEST_SIZE * np.median(sizes[sizes > 0])
    errors: Reals = np.nan_to_num(changed / np.maximum(sizes, least), nan=1.0, posinf=1e30)
    return errors


def _sizes(vectors: Reals) -> Reals:
    """Root mean square of each vector, shape (n,); scaled first, so that nothing overflows."""
    peaks = np.abs(vectors).max(axis=1, keepdims=True)
    peaks[peaks == 0] = 1.0
    sizes: Reals = peaks[:, 0] * np.sqrt(np.mean(np.square(vectors / peaks), axis=1))
    return sizes


def _finite(value: float) -> float:
    return float(np.nan_to_num(value, nan=1.0, posinf=1e30))


def _stages(
    parts: Sequence[_Compressed],
    inputs: Reals,
    rounded_inputs: Reals,
    exact: Reals,
    outputs: Sequence[npt.NDArray[np.int16]],
) -> tuple[tuple[StageLoss, ...], list[int]]:
    """What each stage changes; and the outputs of each layer that are 0 by rounding only."""
    layers = [part.dense for part in parts]
    pruned, shared, rounded = (Walk(layers, rounded_inputs) for _ in range(3))
    frac = parts[0].fixed.input_frac
    coarse = Walk(layers, _reals(np.rint(np.ldexp(inputs, frac)), frac))
    zeroed = []
    for part, codes in zip(parts, outputs, strict=True):
        dense = part.dense
        kept = np.where(part.shared.codes != 0, dense.weights.astype(np.float64), 0.0)
        last_pruned = pruned.step(replace(dense, weights=kept).product)
        last_shared = shared.step(replace(dense, weights=part.shared.dense()).product)
        matrix = part.rounded_table[part.shared.codes]
        own = replace(dense, weights=matrix, bias=part.rounded_bias)
        last_rounded = rounded.step(own.product)
        last_coarse = coarse.step(own.product, part.coarse)
        zeroed.append(int(np.count_nonzero(last_shared.any(axis=0) & ~codes.any(axis=0))))
    last = _reals(outputs[-1], parts[-1].fixed.output_frac)
    steps = (exact, last_pruned, last_shared, last_rounded, last_coarse, last)
    losses = []
    for stage, before, after in zip(_STAGES, steps, steps[1:], strict=False):
        errors = _vector_errors(after - before, exact)
        losses.append(StageLoss(stage, float(np.median(errors)), float(errors.max())))
    return tuple(losses), zeroed


def _layer_loss(part: _Compressed, outputs_zeroed: int, saturated: int) -> LayerLoss:
    table, rounded = part.shared.table(), part.rounded_table
    counts = np.bincount(part.shared.codes.ravel(), minlength=len(table))[1:]
    wanted, got = table[1:], rounded[1:]
    place = np.ldexp(1.0, -part.fixed.weight_frac)
    return LayerLoss(
        name=part.fixed.name,
        weights=int(counts.sum()),
        weights_zeroed=int(counts[got == 0].sum()),
        weights_coarse=int(counts[np.abs(got - wanted) > np.abs(wanted) / 4].sum()),
        weights_saturated=int(counts[np.abs(got - wanted) > place].sum()),
        largest_weight=float(np.abs(table).max()),
        biases_zeroed=int(np.count_nonzero((part.fixed.bias == 0) & (part.dense.bias != 0))),
        outputs_zeroed=outputs_zeroed,
        saturated=saturated,
    )


def _largest(calibration: Reals, beyond: npt.NDArray[np.bool_]) -> tuple[CutValue, ...]:
    """The largest value cut off of each feature, the largest first."""
    magnitudes = np.where(beyond, np.abs(calibration), 0.0)
    vectors = magnitudes.argmax(axis=0)
    largest = magnitudes.max(axis=0)
    features = np.argsort(-largest, kind="stable")[:_NAMED]
    return tuple(
        CutValue(int(vectors[each]), int(each), float(calibration[vectors[each], each]))
        for each in features
        if largest[each] > 0
    )


def _features(which: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(feature) for feature in np.flatnonzero(which))


def _evenly_spaced(count: int, most: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _reals(codes: npt.NDArray[np.int16] | Reals, frac: int) -> Reals:
    return np.ldexp(codes.astype(np.float64), -frac)
