"""Which part of a model's graph the accelerator takes.

A part lies between two values of the graph. All that comes after its first value depends on that
alone, and all that comes after its last one on that; so a part can be taken out and run elsewhere.
What the accelerator can do is asked of :func:`eie.host.compress.folding.fold`, as for a whole
model.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from eie.hls.boundary.errors import EieWarning, ModelError
from eie.host.compress.dense_layer import DenseModel
from eie.host.compress.folding import fold
from eie.host.compress.model_graph import (
    Activation,
    Affine,
    Graph,
    Linear,
    Node,
    Operation,
    Unsupported,
)

__all__ = ["Segment", "best_segment", "fold_segment", "segments"]


@dataclass(frozen=True)
class Segment:
    """Nodes of a graph, one after another, that can be taken out together."""

    #: Index of the first node.
    start: int
    #: Index behind the last one.
    end: int
    #: Sizes of the axes behind the channels where each position is a vector; () where there are
    #: none.
    positions: tuple[int, ...]
    #: Multiply-adds for one input of the model.
    multiply_adds: int

    def nodes(self, graph: Graph) -> tuple[Node, ...]:
        """Its nodes as operations on vectors."""
        return tuple(
            replace(node, operation=_on_vectors(node.operation))
            for node in graph.nodes[self.start : self.end]
        )


def best_segment(
    graph: Graph, can_follow: Callable[[int], bool], input_shape: Callable[[Node], Sequence[int]]
) -> Segment | None:
    """Find the part with the most multiply-adds that the accelerator can do.

    Parameters
    ----------
    graph
        Of the whole model.
    can_follow
        Whether the nodes from an index on may stay on the host, behind the accelerator.
    input_shape
        Shape of what a node takes, without the batch.

    Returns
    -------
    Segment or None
        None where there is no product that the accelerator can do.
    """
    found = [
        each
        for each in segments(graph)
        if each.multiply_adds and (each.end == len(graph.nodes) or can_follow(each.end))
    ]
    # Of as many multiply-adds the longer one, so that a ReLU or a scale goes along.
    found.sort(key=lambda each: (each.multiply_adds, each.end - each.start), reverse=True)
    light = replace(
        graph,
        nodes=tuple(replace(node, operation=_weightless(node.operation)) for node in graph.nodes),
    )
    for each in found:
        if _takes(light, each, input_shape(graph.nodes[each.start])):
            return each
    return None


def segments(graph: Graph) -> Iterator[Segment]:
    """Give every part that can be taken out and whose nodes all have terms."""
    cuts = _cuts(graph)
    for start in range(len(graph.nodes)):
        if start not in cuts:
            continue
        positions: tuple[int, ...] | None = None
        work = 0
        for end in range(start + 1, len(graph.nodes) + 1):
            operation = graph.nodes[end - 1].operation
            if isinstance(operation, Unsupported) and operation.pointwise is None:
                break
            where = _positions(operation)
            if where is not None and positions not in (None, where):
                break  # an image at once, and its positions one by one
            positions = positions if where is None else where
            on_vectors = _on_vectors(operation)
            if isinstance(on_vectors, Linear):
                work += on_vectors.weights.size * math.prod(positions or ())
            if end in cuts:
                yield Segment(start, end, positions or (), work)


def fold_segment(graph: Graph, segment: Segment, input_shape: Sequence[int]) -> DenseModel:
    """Fold a part as :func:`eie.host.compress.folding.fold` does a model.

    Parameters
    ----------
    graph
        Of the whole model.
    segment
        The part.
    input_shape
        Shape of the value that it takes, without the batch.

    Raises
    ------
    ModelError
        If the accelerator cannot do it; names every place.
    """
    nodes = segment.nodes(graph)
    sizes = tuple(input_shape)
    if segment.positions:
        if sizes[1:] != segment.positions:
            raise ModelError(
                f"{nodes[0].where} must take channels at positions {segment.positions}, not "
                f"values of shape {sizes}"
            )
        sizes = sizes[:1]
    return fold(Graph(graph.name, sizes, nodes[0].inputs[0], nodes))


def _cuts(graph: Graph) -> frozenset[int]:
    """Indices of nodes before which one value is all that is needed of what was before."""
    place = {node.name: index for index, node in enumerate(graph.nodes)} | {graph.input: -1}
    last_use = dict.fromkeys(place.values(), -1)
    for index, node in enumerate(graph.nodes):
        for name in node.inputs:
            last_use[place[name]] = index
    found = {len(graph.nodes)}
    furthest = -1
    for index in range(len(graph.nodes)):
        # Nothing before the latest value is used from here on, and the latest one is.
        if furthest < index and last_use[index - 1] >= index:
            found.add(index)
        furthest = max(furthest, last_use[index - 1])
    return frozenset(found)


def _positions(operation: Operation) -> tuple[int, ...] | None:
    """Positions at which an operation works; None where it treats each value alike."""
    if isinstance(operation, Unsupported):
        return None if operation.pointwise is None else operation.pointwise.positions
    return () if isinstance(operation, (Linear, Affine)) else None


def _on_vectors(operation: Operation) -> Operation:
    if isinstance(operation, Unsupported) and operation.pointwise is not None:
        return operation.pointwise.operation
    return operation


def _takes(graph: Graph, segment: Segment, input_shape: Sequence[int]) -> bool:
    """Whether the accelerator can do a part, for which its weights do not matter."""
    nodes = segment.nodes(graph)
    kinds = [type(node.operation) for node in nodes]
    if Activation in kinds[: kinds.index(Linear)]:
        return False  # it would take a layer of its own in front, and the host can do it
    *_, last = nodes
    if isinstance(last.operation, Activation) and last.operation.kind != "relu":
        return False  # left off at a model's end, but the host can do it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", EieWarning)
            fold_segment(graph, segment, input_shape)
    except ModelError:
        return False
    return True


def _weightless(operation: Operation) -> Operation:
    """The same operation with zeros that take no memory."""
    if isinstance(operation, Unsupported) and operation.pointwise is not None:
        inner = _weightless(operation.pointwise.operation)
        assert isinstance(inner, (Linear, Affine))
        return replace(operation, pointwise=replace(operation.pointwise, operation=inner))
    if isinstance(operation, Linear):
        zeros = np.broadcast_to(np.zeros((), np.float32), operation.weights.shape)
        return dataclasses.replace(operation, weights=zeros)
    return operation
