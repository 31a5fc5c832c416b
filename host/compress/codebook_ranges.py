"""Range of a codebook: a weight far larger than the others is cut off where that costs less.

A layer's weights have one format, so a weight of 10,000 rounds ordinary ones to 0. Which of them
matter is for the layer's outputs to say: cut off are the weights whose loss changes the outputs of
the calibration less, vector by vector, than the digits they would take from all the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from eie.hls.spec.fixed_point import CODE_MAX, FRAC_MAX, quantize
from eie.host.compress.dense_layer import DenseLayer, Walk
from eie.host.compress.formats import largest_frac
from eie.host.compress.sharing import SharedWeights

__all__ = ["hold_codebooks"]

#: Vectors that decide: each try is a product with the layer's weights.
_VECTORS = 128
#: Nothing is cut off while rounding changes the outputs by less than this share of them.
_TOLERANCE = 1e-3

Reals = npt.NDArray[np.float64]


def hold_codebooks(
    layers: Sequence[DenseLayer], weights: Sequence[SharedWeights], calibration: Reals
) -> tuple[SharedWeights, ...]:
    """Give the weights with centroids that are worth holding, the others cut off.

    Parameters
    ----------
    layers, weights
        The model, and its shared weights.
    calibration
        Inputs of shape (n, features); at most 128 of them are used, evenly spaced.
    """
    if not any(_rounds_away(shared) for shared in weights):
        return tuple(weights)
    chosen = np.linspace(0, len(calibration) - 1, min(len(calibration), _VECTORS)).astype(np.int64)
    walk = Walk(layers, calibration[chosen])
    held = []
    for layer, shared in zip(layers, weights, strict=True):
        held.append(_held(shared, walk.taken) if _rounds_away(shared) else shared)
        walk.step(replace(layer, weights=held[-1].dense()).product, layer.activate)
    return tuple(held)


def _rounds_away(shared: SharedWeights) -> bool:
    """Whether one format for all weights changes some by more than a quarter."""
    table = shared.table()
    rounded = _rounded(table, _frac(shared))
    return bool(np.any(np.abs(rounded - table) > np.abs(table) / 4))


def _held(shared: SharedWeights, activations: Reals) -> SharedWeights:
    table = shared.table()
    exact = activations @ shared.dense().T
    peaks = np.abs(exact).max(axis=1, keepdims=True)
    peaks[peaks == 0] = 1.0
    sizes = np.mean(np.square(exact / peaks), axis=1)

    def cost(frac: int) -> float:
        """Mean squared error of the outputs, relative to each vector's own size."""
        changed = activations @ (_rounded(table, frac) - table)[shared.codes].T
        squares = np.mean(np.square(changed / peaks), axis=1)
        return float(np.mean(squares / np.where(sizes > 0, sizes, 1.0)))

    frac = best = _frac(shared)
    least = now = cost(frac)
    smallest = np.abs(shared.centroids[shared.centroids != 0]).min()
    while now > _TOLERANCE**2 and frac < FRAC_MAX and np.ldexp(smallest, frac) < CODE_MAX:
        frac += 1
        now = cost(frac)
        if now < least:
            best, least = frac, now
    if best == _frac(shared):
        return shared
    return replace(shared, centroids=_rounded(shared.centroids, best))


def _frac(shared: SharedWeights) -> int:
    table = shared.table()
    return largest_frac(float(table.min()), float(table.max()), name="weights")


def _rounded(values: Reals, frac: int) -> Reals:
    return np.ldexp(quantize(values, frac).astype(np.float64), -frac)
