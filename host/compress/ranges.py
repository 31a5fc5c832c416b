"""Ranges of a layer's values on calibration data, which a few outliers do not set.

A format that holds one glitch of a million leaves nothing of ordinary numbers. So a range gives up
its largest values where that costs less than holding them: the squared error is added up vector by
vector, each relative to the vector's own size, once with the values cut off and once with the
coarser steps that they would take. A vector that is cut off counts once, as one that is rounded
away does; so real values survive unless they are few *and* would take the digits of all the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from eie.hls.spec.fixed_point import CODE_MAX
from eie.host.compress.dense_layer import DenseLayer, Walk
from eie.host.compress.sharing import SharedWeights

__all__ = ["HEADROOM", "Range", "Ranges", "observed_ranges", "robust_range"]

#: Calibration data holds no network's largest activation: ranges are made this much wider, which
#: costs one bit. An input or output of twice the largest magnitude seen does not saturate.
HEADROOM = 2.0
#: Nothing is cut off where holding all of it rounds the values by less than this share of them.
_TOLERANCE = 1e-3

Range = tuple[float, float]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ranges:
    """Smallest and largest value to be held, headroom included."""

    #: Of the network's inputs.
    inputs: Range
    #: Of each layer's outputs, after its activation; None for one that accumulates.
    outputs: tuple[Range | None, ...]
    #: Where they come from, for the network's metadata.
    origin: str


def observed_ranges(
    layers: Sequence[DenseLayer],
    weights: Sequence[SharedWeights],
    calibration: Reals,
    *,
    inputs: Range | None = None,
) -> Ranges:
    """Ranges seen when `calibration`, shape (n, features), goes through the shared weights.

    What is cut off at one layer does not reach the next. `inputs` is the range of the inputs where
    it is known already, headroom included.
    """
    held = _widened(robust_range(calibration)) if inputs is None else inputs
    walk = Walk(layers, np.clip(calibration, *held))
    outputs: list[Range | None] = []
    for layer, shared in zip(layers, weights, strict=True):
        found: list[Range] = []

        def cut(sums: Reals, layer: DenseLayer = layer, found: list[Range] = found) -> Reals:
            activations = layer.activate(sums)
            found.append(_within(_widened(robust_range(activations)), layer.bounds))
            clipped: Reals = np.clip(activations, *found[-1])
            return clipped

        walk.step(replace(layer, weights=shared.dense()).product, cut)
        outputs.append(found[0] if found else None)
    origin = (
        f"calibration: ranges of {len(calibration)} vectors, widened by a factor of {HEADROOM:g}"
    )
    return Ranges(held, tuple(outputs), origin)


def _within(held: Range, bounds: Range) -> Range:
    """Give what of a range lies within bounds, 0 included: nothing beyond needs digits."""
    return max(held[0], min(bounds[0], 0.0)), min(held[1], max(bounds[1], 0.0))


def robust_range(values: Reals) -> Range:
    """Smallest and largest of the values that are worth holding, headroom not included.

    Parameters
    ----------
    values
        Finite, shape (vectors, features), at least one of each.
    """
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    peaks = np.abs(values).max(axis=1)
    sizes = _root_mean_squares(values, peaks)
    if not sizes.any():
        return low, high
    # A vector smaller than most is held to their standard, not to its own.
    yardsticks = np.maximum(sizes, np.median(sizes[sizes > 0]))

    def rounding(limit: float) -> float:
        step = HEADROOM * limit / CODE_MAX
        return float(np.mean(np.square(np.minimum(step / math.sqrt(12), sizes) / yardsticks)))

    def cutting(limit: float) -> float:
        beyond = np.flatnonzero(peaks > limit)
        lost = np.maximum(np.abs(values[beyond]) - limit, 0.0) / yardsticks[beyond, np.newaxis]
        return float(np.square(lost).mean(axis=1).sum()) / len(values)

    limit = max(-low, high)
    best, least = limit, rounding(limit)
    while rounding(limit) > _TOLERANCE**2:
        limit /= 2
        if (cost := rounding(limit) + cutting(limit)) < least:
            best, least = limit, cost
    return max(low, -best), min(high, best)


def _root_mean_squares(values: Reals, peaks: Reals) -> Reals:
    """Size of each vector; scaled by its peak before it is squared, so that nothing overflows."""
    scaled = values / np.where(peaks > 0, peaks, 1.0)[:, np.newaxis]
    sizes: Reals = peaks * np.sqrt(np.mean(np.square(scaled), axis=1))
    return sizes


def _widened(held: Range) -> Range:
    return HEADROOM * held[0], HEADROOM * held[1]
