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

from eie.hls.boundary.progress import tell
from eie.host.compress.clustering import (
    Points,
    evenly_started_centroids,
    gather,
    optimal_centroids,
)
from eie.host.compress.dense_layer import DenseLayer, Walk
from eie.host.compress.pruning import magnitude_mask
from eie.host.compress.sharing import MAX_CENTROIDS, SharedWeights, label, share

__all__ = ["CHOICE_VECTORS", "LEAST_IMPORTANCE", "ChosenWeights", "clusterings", "prune_and_share"]

#: Calibration vectors that a choice rests on, evenly spaced: more change it rarely.
CHOICE_VECTORS = 1024
#: A weight's input counts as if its mean square were at least this share of the layer's mean:
#: inputs that are 0 in all the calibration data may come to life on other data.
LEAST_IMPORTANCE = 1e-3

#: Kinds of candidates.
OPTIMAL, OPTIMAL_FOR_INPUTS, EVENLY_STARTED = "optimal", "optimal for its inputs", "evenly started"
KINDS = (OPTIMAL, OPTIMAL_FOR_INPUTS, EVENLY_STARTED)

Floats = npt.NDArray[np.float64]
#: A layer's shared weights by kind.
Candidates = dict[str, SharedWeights]


@dataclass(frozen=True, eq=False)
class ChosenWeights:
    """A layer's shared weights, and how they were found."""

    layer: str
    shared: SharedWeights
    #: One of :data:`KINDS`.
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
    Compression's). All layers begin with the kind that gives the smallest squared error of the
    model's outputs; then each in turn takes another kind where that makes the error smaller. So
    on these data no kind for all layers is better than what is chosen.

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
            ChosenWeights(layer.name, share(_pruned(layer, densities)), OPTIMAL) for layer in layers
        )
    inputs = calibration[:: -(-len(calibration) // CHOICE_VECTORS)]
    exact, optimal = Walk(layers, inputs), Walk(layers, inputs)
    candidates: list[Candidates] = []
    for number, layer in enumerate(layers):
        tell("sharing weights", number, len(layers), "layers")
        candidates.append(_candidates(_pruned(layer, densities), optimal.taken))
        optimal.step(_shared(layer, candidates[-1][OPTIMAL]).product)
        wanted = exact.step()
    tell("comparing shared weights by the outputs")
    kinds = _best_kinds(layers, candidates, inputs, wanted)
    return tuple(
        ChosenWeights(layer.name, own[kind], kind)
        for layer, own, kind in zip(layers, candidates, kinds, strict=True)
    )


def _best_kinds(
    layers: Sequence[DenseLayer], candidates: Sequence[Candidates], inputs: Floats, wanted: Floats
) -> list[str]:
    """Choose a kind for each layer by the squared error of the last one's outputs."""

    def error(kinds: Sequence[str], first: int, walk: Walk) -> float:
        for layer, own, kind in list(zip(layers, candidates, kinds, strict=True))[first:]:
            outputs = walk.step(_shared(layer, own[kind]).product)
        return float(np.square(outputs - wanted).sum())

    least, best = np.inf, [OPTIMAL] * len(layers)
    for kind in KINDS:
        kinds = [kind if kind in own else OPTIMAL for own in candidates]
        found = error(kinds, 0, Walk(layers, inputs))
        if found < least:
            least, best = found, kinds
    chosen = Walk(layers, inputs)
    for place, layer in enumerate(layers):
        for kind in candidates[place]:
            kinds = [*best[:place], kind, *best[place + 1 :]]
            found = error(kinds, place, chosen.copy()) if kind != best[place] else least
            if found < least:
                least, best = found, kinds
        chosen.step(_shared(layer, candidates[place][best[place]]).product)
    return best


def _shared(layer: DenseLayer, shared: SharedWeights) -> DenseLayer:
    return replace(layer, weights=shared.dense())


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


def _candidates(weights: npt.NDArray[Any], inputs: Floats) -> Candidates:
    points = _points(weights)
    found = {OPTIMAL: optimal_centroids(points, MAX_CENTROIDS)}
    squares = np.square(inputs).mean(0)
    if points.values.size > MAX_CENTROIDS:  # else they are exact
        if squares.any():
            squares = np.maximum(squares / squares.mean(), LEAST_IMPORTANCE).astype(np.float32)
            importance = np.broadcast_to(squares, weights.shape)[weights != 0]
            found[OPTIMAL_FOR_INPUTS] = optimal_centroids(
                _points(weights, importance), MAX_CENTROIDS
            )
        evenly = evenly_started_centroids(points, MAX_CENTROIDS)
        if evenly.all():
            found[EVENLY_STARTED] = evenly
    return {kind: label(weights, centroids) for kind, centroids in found.items()}
