"""How much of each layer :func:`~eie.host.compress.pipeline.compress` keeps.

A model that was pruned or shared before it came here must not lose that work to a default. So the
default density is for layers that show no sign of it; the others keep what they have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from eie.hls.boundary.voice import argument
from eie.host.compress.dense_layer import DenseLayer
from eie.host.compress.pruning import DEFAULT_DENSITY, Density, layer_densities
from eie.host.compress.sharing import MAX_CENTROIDS

__all__ = ["PRUNED_DENSITY", "LayerDensities", "choose_densities"]

#: A layer with a smaller share of non-zero weights was pruned before: training leaves hardly any
#: weight at exactly zero.
PRUNED_DENSITY = 0.9


@dataclass(frozen=True)
class LayerDensities:
    """Densities to prune to, and which of them are not what was asked for or the default."""

    #: Share of the weights to keep, by layer name.
    values: Mapping[str, float]
    #: Why a layer that no density was given for keeps all its non-zero weights, by its name.
    kept: Mapping[str, str]

    def warning(self) -> str:
        """Say which layers keep more than the default density; only where some do."""
        listing = "; ".join(f"layer {name!r} is {reason}" for name, reason in self.kept.items())
        return (
            "where no density is given, a layer keeps the non-zero weights that it comes with if "
            f"it is sparse already: {listing}. To prune further, give "
            f"{argument('density', f'{DEFAULT_DENSITY:g}')}; to keep all weights without this "
            f"warning, {argument('density', '1.0')}"
        )

    def notes(self) -> dict[str, str]:
        """For the network's metadata."""
        if not self.kept:
            return {}
        return {"kept": ", ".join(f"{name}: {reason}" for name, reason in self.kept.items())}


def choose_densities(
    layers: Sequence[DenseLayer], density: Density | None, *, quantized: bool = False
) -> LayerDensities:
    """Density of each layer: the one given for it, its own, or the default.

    A layer without a given density keeps all its non-zero weights if it is

    - pruned already: less than :data:`PRUNED_DENSITY` of its weights are not zero; or
    - shared already: it has at most 15 distinct non-zero weights, each twice or more on average, or
      the model is quantised (`quantized`).

    Raises
    ------
    InputError
        If a density is not above 0 and at most 1, or is for a layer that does not exist.
    """
    fixed = {layer.name: 1.0 for layer in layers if layer.fixed}
    layers = [layer for layer in layers if not layer.fixed]
    values = layer_densities([layer.name for layer in layers], {} if density is None else density)
    values = {**values, **fixed}
    if density is not None and not isinstance(density, Mapping):
        return LayerDensities(values, {})
    kept = {}
    for layer in layers:
        if density is not None and layer.name in density:
            continue
        reason = _sparse_already(layer, quantized)
        if reason:
            values[layer.name] = 1.0
            kept[layer.name] = reason
    return LayerDensities(values, kept)


def _sparse_already(layer: DenseLayer, quantized: bool) -> str:
    """Why the default density must not be applied to a layer, or nothing."""
    size = layer.weights.size
    nonzeros = int(np.count_nonzero(layer.weights))
    distinct = np.unique(layer.weights).size - (nonzeros < size)
    if quantized and distinct <= MAX_CENTROIDS:
        return f"quantised already ({distinct} distinct non-zero weights)"
    if nonzeros <= max(1, round(DEFAULT_DENSITY * size)):
        return ""  # the default density keeps all of them, too
    if nonzeros < PRUNED_DENSITY * size:
        return f"pruned already ({100 * nonzeros / size:.1f} % of its weights are not zero)"
    if distinct <= MAX_CENTROIDS and 2 * distinct <= nonzeros:
        return f"shared already ({distinct} distinct non-zero weights)"
    return ""
