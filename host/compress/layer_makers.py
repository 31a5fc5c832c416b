"""Layers as folding makes them of sums: in the order in which they run, each with its source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from eie.hls.boundary.errors import ModelError, Problems
from eie.hls.spec.packets import MAX_COLUMNS
from eie.host.compress.dense_layer import UNBOUNDED, DenseLayer
from eie.host.compress.model_graph import Activation, Quantize
from eie.host.compress.open_sums import Matrix, OpenSum, Placed, Term
from eie.host.compress.sharing import MAX_CENTROIDS, cluster
from eie.host.network import INPUT

__all__ = ["LayerMaker"]


def _within_codebooks(term: Term) -> list[Term]:
    """Give a term as it is; scales of more values than a codebook has as two, coarse and fine.

    So the scales of a BatchNorm behind a sum of branches, one for each value, are off by a small
    part of what fifteen values alone would be.
    """
    if not isinstance(term, Placed) or term.scale is None:
        return [term]
    if len(np.unique(term.scale)) <= MAX_CENTROIDS or not np.isfinite(term.scale).all():
        return [term]
    centroids, labels = cluster(term.scale)
    coarse = centroids[labels]
    return [replace(term, scale=coarse), replace(term, scale=term.scale - coarse)]


class LayerMaker:
    """Makes layers of sums; what stops it is noted in `problems`."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        #: Those that are made.
        self.layers: list[DenseLayer] = []

    def close(self, value: OpenSum, ending: Activation | Quantize | None = None) -> int:
        """Make layers of a sum and of what becomes of it; give the last one's index."""
        if value.rows > MAX_COLUMNS and not any(isinstance(each, Matrix) for each in value.terms):
            # Nothing is made of so many yet, and memory might not hold it: shapes cost nothing.
            raise ModelError(
                f"model: at most {MAX_COLUMNS} values may be taken or handed on, not {value.rows}"
            )
        terms = [part for term in value.terms for part in _within_codebooks(term)]
        # What arrives comes first: then it need not be held, or is held as it passes.
        arrives = len(self.layers) - 1
        first = next((term for term in terms if term.giver == arrives), None)
        if first is not None:
            terms.remove(first)
            terms.insert(0, first)
        for number, term in enumerate(terms):
            last = number == len(terms) - 1
            source = None if number == 0 and first is not None else term.giver
            bias = value.bias if last and value.bias is not None else np.zeros(value.rows)
            self.layers.append(self._layer(term, value.rows, bias, source, accumulate=not last))
        index = len(self.layers) - 1
        if isinstance(ending, Quantize):
            self.quantize(index, ending)
        elif ending is not None:
            self.amend(index, ending)
        return index

    def quantizer(self, index: int) -> Quantize | None:
        """How the layer at `index` rounds its results; None for the model's input."""
        return None if index == INPUT else self.layers[index].quantizer

    def quantize(self, index: int, step: Quantize) -> bool:
        """Let a layer round its results; say whether it could."""
        layer = self.layers[index]
        if layer.quantizer not in (None, step):
            return False
        # Counts from 0 cut negative values off, as a ReLU does.
        plain = layer.function is None
        relu = layer.relu or (plain and step.low == 0)
        self.layers[index] = replace(layer, relu=relu, quantizer=step)
        return True

    def amend(self, index: int, step: Activation) -> bool:
        """Let a layer end in a further activation; say whether it can."""
        layer = self.layers[index]
        if layer.function is not None:
            # They rise, and a ReLU or clamp of them would need bounds of its own.
            return step.kind == "relu" and layer.function == "sigmoid"
        changes: dict[str, Any]
        if step.kind == "relu":
            # A quantiser rounds as a ReLU cuts off: either may come first.
            changes = {"relu": True}
            if layer.bounds[1] <= 0:
                return False
        elif step.kind == "clamp":
            low, high = step.parameters
            low, high = max(low, layer.bounds[0]), min(high, layer.bounds[1])
            if low > high or (layer.relu and high <= 0) or layer.quantizer is not None:
                return False
            relu = layer.relu or low == 0
            changes = {"relu": relu, "bounds": (-np.inf if relu and low <= 0 else low, high)}
            changes["bounds"] = tuple(float(each) for each in changes["bounds"])
        else:
            bare = not layer.relu and layer.bounds == UNBOUNDED and layer.quantizer is None
            if not bare:
                return False
            changes = {"function": step.kind}
            if step.kind == "leaky_relu":
                changes["slope"] = float(step.parameters[0])
        self.layers[index] = replace(layer, **changes)
        return True

    def _layer(
        self, term: Term, rows: int, bias: Any, source: int | None, *, accumulate: bool
    ) -> DenseLayer:
        if isinstance(term, Matrix):
            name, weights, normalized = term.name, term.weights, term.normalized
        else:
            name, weights, normalized = self._name_of(term), term.weights(rows), False
        return DenseLayer(
            self._unique(name),
            weights,
            bias,
            relu=False,
            normalized=normalized,
            accumulate=accumulate,
            source=source,
            fixed=isinstance(term, Placed),
        )

    def _name_of(self, term: Placed) -> str:
        """Name a layer that adds or places results: the same for every format."""
        giver = "input" if term.giver == INPUT else self.layers[term.giver].name
        return f"{giver}.taken"

    def _unique(self, name: str) -> str:
        names = {layer.name for layer in self.layers}
        number, found = 1, name
        while found in names:
            number += 1
            found = f"{name}{number}"
        return found
