"""Which shared weights a layer gets: of some candidates, those that change its outputs least.

The smallest squared error of the weights is not the smallest one of the outputs: a weight counts
as much as its input is large, and a few large weights may count more than many small ones. Where
there is calibration data, this is measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.host.compress.clustering import (
    Points,
    evenly_started_centroids,
    gather,
    optimal_centroids,
)
from eie.host.compress.dense_layer import DenseLayer
from eie.host.compress.pruning import magnitude_mask
from eie.host.compress.sharing import MAX_CENTROIDS, SharedWeights, label, share

__all__ = ["CHOICE_VECTORS", "LEAST_IMPORTANCE", "ChosenWeights", "clusterings", "prune_and_share"]

#: Calibration vectors that a choice rests on, evenly spaced: more change it rarely.
CHOICE_VECTORS = 1024
#: A weight's input counts as if its mean square were at least this share of the layer's mean:
#: inputs that are 0 in all the calibration data may come to life on other data.
LEAST_IMPORTANCE = 1e-3

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ChosenWeights:
    """A layer's shared weights, and how they were found."""

    layer: str
    shared: SharedWeights
    #: "optimal", "optimal for its inputs" or "evenly started".
    clustering: str


def prune_and_share(
    layers: Sequence[DenseLayer],
    densities: Mapping[str, float],
    calibration: Floats | None = None,
) -> tuple[ChosenWeights, ...]:
    """Prune each layer to its density, and share the weights that are left.

    Without calibration data the weights get the centroids of the smallest squared error. With it
    the candidates are those; those of the smallest squared error where each weight counts as much
    as the mean square of its input; and those of k-means from evenly spaced centroids (Deep
    Compression's). A layer takes the candidate with the smallest squared error of its outputs
    from the model's, on inputs from the shared weights of the layers before; of equal ones, the
    first.

    Parameters
    ----------
    layers
        All layers of the model, in order.
    densities
        Share of the weights to keep, by layer name.
    calibration
        float64, shape (n, features): inputs of the first layer.
    """
    if calibration is None:
        return tuple(
            ChosenWeights(layer.name, share(_pruned(layer, densities)), "optimal")
            for layer in layers
        )
    wanted = inputs = calibration[:: -(-len(calibration) // CHOICE_VECTORS)]
    chosen = []
    for layer in layers:
        wanted = layer.forward(wanted)
        best, inputs = _best(layer, _pruned(layer, densities), inputs, wanted)
        chosen.append(best)
    return tuple(chosen)


def clusterings(chosen: Sequence[ChosenWeights]) -> dict[str, str]:
    """For the network's metadata: how each layer's weights were clustered."""
    return {"clustering": ", ".join(f"{each.layer}: {each.clustering}" for each in chosen)}


def _points(weights: npt.NDArray[Any], importance: npt.NDArray[np.float32] | None = None) -> Points:
    return gather(weights[weights != 0], importance)


def _pruned(layer: DenseLayer, densities: Mapping[str, float]) -> npt.NDArray[Any]:
    weights: npt.NDArray[Any] = np.where(
        magnitude_mask(layer.weights, densities[layer.name]), layer.weights, 0
    )
    return weights


def _best(
    layer: DenseLayer, weights: npt.NDArray[Any], inputs: Floats, wanted: Floats
) -> tuple[ChosenWeights, Floats]:
    """Choose among the candidates of a layer; returns its outputs, too."""
    best: tuple[float, ChosenWeights, Floats] | None = None
    for name, centroids in _candidates(weights, inputs).items():
        shared = label(weights, centroids)
        outputs = replace(layer, weights=shared.dense()).forward(inputs)
        error = float(np.square(outputs - wanted).sum())
        if best is None or error < best[0]:
            best = error, ChosenWeights(layer.name, shared, name), outputs
    assert best is not None  # there is always the first candidate
    return best[1], best[2]


def _candidates(weights: npt.NDArray[Any], inputs: Floats) -> dict[str, Floats]:
    points = _points(weights)
    candidates = {"optimal": optimal_centroids(points, MAX_CENTROIDS)}
    if points.values.size <= MAX_CENTROIDS:
        return candidates  # exact
    squares = np.square(inputs).mean(0)
    if squares.any():
        squares = np.maximum(squares / squares.mean(), LEAST_IMPORTANCE).astype(np.float32)
        columns = np.broadcast_to(squares, weights.shape)[weights != 0]
        candidates["optimal for its inputs"] = optimal_centroids(
            _points(weights, columns), MAX_CENTROIDS
        )
    evenly = evenly_started_centroids(points, MAX_CENTROIDS)
    if evenly.all():
        candidates["evenly started"] = evenly
    return candidates
