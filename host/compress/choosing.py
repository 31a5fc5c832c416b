"""Which shared weights a layer gets: of some candidates, those that change its outputs least.

The smallest squared error of the weights is not the smallest one of the outputs: a weight counts
as much as its input is large, and a few large weights may count more than many small ones. Where
there is calibration data, this is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.progress import tell
from eie.host.compress.clustering import (
    evenly_started_centroids,
    gather,
    optimal_centroids,
)
from eie.host.compress.dense_layer import DenseLayer, Walk
from eie.host.compress.pruning import magnitude_mask
from eie.host.compress.sharing import MAX_CENTROIDS, SharedWeights, label_kept

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
            ChosenWeights(layer.name, _shared_alone(_pruned(layer, densities)), OPTIMAL)
            for layer in _told(layers)
        )
    inputs = calibration[:: -(-len(calibration) // CHOICE_VECTORS)]
    exact, optimal = Walk(layers, inputs), Walk(layers, inputs)
    candidates: list[Candidates] = []
    for layer in _told(layers):
        candidates.append(_candidates(_pruned(layer, densities), optimal.taken))
        optimal.step(_product(layer, candidates[-1][OPTIMAL]))
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

    def error(kinds: Sequence[str], first: int, walk: Walk, outputs: Floats) -> float:
        """Take a batch, which has given `outputs`, through the layers from `first` on."""
        for layer, own, kind in list(zip(layers, candidates, kinds, strict=True))[first:]:
            outputs = walk.step(_product(layer, own[kind]))
        return float(np.square(outputs - wanted).sum())

    def stepped(place: int, walk: Walk) -> dict[str, tuple[Walk, Floats]]:
        """Take a layer with each kind: of the first layer often most of the work."""
        found = {}
        for kind, shared in candidates[place].items():
            further = walk.copy()
            found[kind] = further, further.step(_product(layers[place], shared))
        return found

    least, best = np.inf, [OPTIMAL] * len(layers)
    chosen = Walk(layers, inputs)
    given = stepped(0, chosen)
    for kind in KINDS:
        kinds = [kind if kind in own else OPTIMAL for own in candidates]
        walk, outputs = given[kinds[0]]
        found = error(kinds, 1, walk.copy(), outputs)
        if found < least:
            least, best = found, kinds
    for place in range(len(layers)):
        tell("comparing shared weights by the outputs", place, len(layers), "layers")
        given = given if place == 0 else stepped(place, chosen)
        for kind, (walk, outputs) in given.items():
            kinds = [*best[:place], kind, *best[place + 1 :]]
            found = least
            if kind != best[place]:
                found = error(kinds, place + 1, walk.copy(), outputs)
            if found < least:
                least, best = found, kinds
        chosen = given[best[place]][0]
    return best


def _told(layers: Sequence[DenseLayer]) -> Iterator[DenseLayer]:
    for number, layer in enumerate(layers):
        tell("sharing weights", number, len(layers), "layers")
        yield layer


def _product(layer: DenseLayer, shared: SharedWeights) -> Callable[[Floats], Floats]:
    """Sums of a layer that has these weights."""
    return lambda taken: shared.product(taken) + layer.bias


def clusterings(chosen: Sequence[ChosenWeights]) -> dict[str, str]:
    """For the network's metadata: how each layer's weights were clustered."""
    return {"clustering": ", ".join(f"{each.layer}: {each.clustering}" for each in chosen)}


@dataclass(frozen=True, eq=False)
class _Pruned:
    """The weights of a layer that pruning leaves."""

    #: Shape (rows, columns).
    kept: npt.NDArray[np.bool_]
    #: Those weights, in that order; float32 or float64.
    values: npt.NDArray[Any]


def _pruned(layer: DenseLayer, densities: Mapping[str, float]) -> _Pruned:
    kept = magnitude_mask(layer.weights, densities[layer.name])
    return _Pruned(kept, layer.weights[kept])


def _shared_alone(pruned: _Pruned) -> SharedWeights:
    """Share weights without asking what they do to the outputs."""
    centroids = optimal_centroids(gather(pruned.values), MAX_CENTROIDS)
    return label_kept(pruned.kept, pruned.values, centroids)


def _candidates(pruned: _Pruned, inputs: Floats) -> Candidates:
    kept, values = pruned.kept, pruned.values
    points = gather(values)
    found = {OPTIMAL: optimal_centroids(points, MAX_CENTROIDS)}
    squares = np.square(inputs).mean(0)
    if points.values.size > MAX_CENTROIDS:  # else they are exact
        if squares.any():
            squares = np.maximum(squares / squares.mean(), LEAST_IMPORTANCE).astype(np.float32)
            importance = np.broadcast_to(squares, kept.shape)[kept]
            found[OPTIMAL_FOR_INPUTS] = optimal_centroids(gather(values, importance), MAX_CENTROIDS)
        evenly = evenly_started_centroids(points, MAX_CENTROIDS)
        if evenly.all():
            found[EVENLY_STARTED] = evenly
    return {kind: label_kept(kept, values, centroids) for kind, centroids in found.items()}
