"""Weights of 8 bits as two planes of 4 bits, which the accelerator has: ``W = 16 A + B``.

Each plane is a layer with a codebook of its own, and both add to the same sums, so that nothing is
lost. The second takes the same inputs, which are held as the first takes them. A weight whose
digit in a plane is 0 has no entry there: signed digits make small weights those of one plane.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from eie.host.compress.dense_layer import DenseLayer, DenseModel, chain_ends, giver_of
from eie.host.compress.sharing import MAX_CENTROIDS
from eie.host.network import INPUT

__all__ = ["digits", "split_planes"]

#: Weights of at most 8 bits.
_LEAST, _MOST = -128, 127

Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def split_planes(model: DenseModel) -> DenseModel:
    """Split each layer that has more weights than a codebook, if they are of at most 8 bits.

    Gives the model as it is where there is no such layer, or one whose weights are no multiples of
    a power of two of so few bits.
    """
    planes = [_planes(layer) for layer in model.layers]
    if all(plane is None for plane in planes):
        return model
    layers: list[DenseLayer] = []
    #: Index of each layer's results in the new order.
    moved = {INPUT: INPUT}
    ends = chain_ends(model.layers)
    for index, (layer, split) in enumerate(zip(model.layers, planes, strict=True)):
        source = None if layer.source is None else moved[layer.source]
        if split is None:
            layers.append(replace(layer, source=source))
        else:
            high, low = split
            nothing = np.zeros(layer.rows)
            layers.append(
                replace(
                    layer, name=f"{layer.name}.high", weights=high, bias=nothing, relu=False,
                    accumulate=True, source=source, quantizer=None, function=None,
                    bounds=(-math.inf, math.inf),
                )
            )  # fmt: skip
            taken = moved[giver_of(model.layers, index)]
            layers.append(replace(layer, weights=low, source=taken))
        if ends[index] == index:
            moved[index] = len(layers) - 1
    return replace(model, layers=tuple(layers))


def digits(weights: Integers) -> tuple[Integers, Integers]:
    """Write whole numbers of -128 to 127 as ``16 a + b``, with at most 15 values of each but 0.

    Small numbers have only a `b`, unless both 127 and numbers near -128 are there: then b counts
    from 0 on.
    """
    least = int(weights.min(initial=0))
    most = int(weights.max(initial=0))
    if most <= 119:
        low = ((weights + 8) & 15) - 8
    elif least >= -119:
        low = 8 - ((8 - weights) & 15)
    else:
        low = weights & 15
    return (weights - low) >> 4, low


def _planes(layer: DenseLayer) -> tuple[Reals, Reals] | None:
    weights = layer.weights.astype(np.float64)
    values = np.unique(weights[weights != 0])
    if layer.fixed or values.size <= MAX_CENTROIDS or not np.isfinite(values).all():
        return None
    # The last place that any of them has.
    places = [1 - 53 + math.frexp(float(value))[1] for value in values]
    step = min(
        place - 1 + _trailing(value, place) for value, place in zip(values, places, strict=True)
    )
    whole = np.ldexp(weights, -step)
    if whole.min() < _LEAST or whole.max() > _MOST:
        return None
    high, low = digits(whole.astype(np.int64))
    return np.ldexp(16.0 * high, step), np.ldexp(low.astype(np.float64), step)


def _trailing(value: float, place: int) -> int:
    """How many places above ``2 ** (place - 1)`` the last digit of a number is."""
    mantissa = int(math.ldexp(value, 1 - place))
    return (mantissa & -mantissa).bit_length() - 1
