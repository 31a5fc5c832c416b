"""Weight sharing: at most 15 distinct non-zero weights a layer, found by k-means.

Deep Compression (arXiv 1510.00149, section 3): the weights that pruning has left are clustered
layer by layer, with centroids that start evenly spaced from the smallest to the largest weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, ModelError, Problems
from eie.hls.spec.matrix_format import CODEBOOK_SIZE
from eie.host.compress.dense_layer import DenseLayer

__all__ = ["MAX_CENTROIDS", "SharedWeights", "cluster", "keep_shared", "share"]

#: Centroids of a layer: the codebook without the entry that stands for zero.
MAX_CENTROIDS = CODEBOOK_SIZE - 1
#: Far more than k-means on sorted numbers takes; only rounding errors could go on for ever.
_MAX_ROUNDS = 10_000


@dataclass(frozen=True, eq=False)
class SharedWeights:
    """A weight matrix as codes into a table of shared weights."""

    #: uint8, shape (rows, columns): 0 for no weight, else 1 + index of its centroid.
    codes: npt.NDArray[np.uint8]
    #: float64, shape (k,), k at most 15, rising: the shared weights.
    centroids: npt.NDArray[np.float64]

    def table(self) -> npt.NDArray[np.float64]:
        """float64, shape (k + 1,): weight of each code."""
        return np.concatenate([[0.0], self.centroids])

    def dense(self) -> npt.NDArray[np.float64]:
        """float64, shape (rows, columns): the weights."""
        return self.table()[self.codes]


def cluster(
    values: npt.NDArray[Any], clusters: int = MAX_CENTROIDS
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    """Cluster numbers by k-means (Lloyd's algorithm), without randomness.

    On sorted numbers a cluster is a range, and its sum a difference of running sums: a round
    takes ``O(k log n)`` and the sort ``O(n log n)``. The gap that pruning leaves around zero
    starves centroids that start in it; each is moved to the outermost number of the cluster with
    the largest squared error, which never makes the result worse.

    Parameters
    ----------
    values
        Finite numbers, shape (n,).
    clusters
        Largest number of clusters, 1 to 15.

    Returns
    -------
    centroids
        float64, shape (k,), rising; the distinct values themselves where there are no more than
        `clusters`.
    labels
        uint8, shape (n,): index of the nearest centroid (of two equally near, the lower one).
    """
    if not 1 <= clusters <= MAX_CENTROIDS:
        raise InputError(f"clusters must be 1 to {MAX_CENTROIDS}, not {clusters!r}")
    numbers = np.asarray(values, np.float64)
    ordered = np.sort(numbers)
    starts = np.flatnonzero(np.diff(ordered, prepend=np.nan) != 0)  # of each distinct value
    few = starts.size <= clusters
    centroids = ordered[starts] if few else _Clustering(ordered).run(clusters)
    return centroids, np.searchsorted(_borders(centroids), numbers).astype(np.uint8)


def share(weights: npt.NDArray[Any], clusters: int = MAX_CENTROIDS) -> SharedWeights:
    """Share the non-zero weights of a matrix; zeros stay.

    Parameters
    ----------
    weights
        float32 or float64, shape (rows, columns).
    clusters
        Largest number of distinct weights, 1 to 15.
    """
    codes = np.zeros(weights.shape, np.uint8)
    kept = weights != 0
    centroids, labels = cluster(weights[kept], clusters)
    codes[kept] = labels + 1
    return SharedWeights(codes, centroids)


def keep_shared(layers: Sequence[DenseLayer]) -> tuple[SharedWeights, ...]:
    """Take weights that are already shared exactly as they are.

    Raises
    ------
    ModelError
        If a layer has more than 15 distinct non-zero weights, naming all such layers.
    """
    problems = Problems("weights to keep")
    shared = []
    for layer in layers:
        kept = layer.weights != 0
        values = layer.weights[kept]
        centroids = np.unique(values)
        hint = " (a BatchNorm is folded into it)" if layer.normalized else ""
        if problems.require(
            centroids.size <= MAX_CENTROIDS,
            f"layer {layer.name!r}{hint} must have at most {MAX_CENTROIDS} distinct non-zero "
            f"weights, not {centroids.size}",
        ):
            codes = np.zeros(layer.weights.shape, np.uint8)
            codes[kept] = np.searchsorted(centroids, values) + 1
            shared.append(SharedWeights(codes, centroids.astype(np.float64)))
    advice = (
        "share the weights first (share_linears, then fine-tune), or leave out --keep-weights "
        "(keep_weights=True in Python) to have them pruned and shared here"
    )
    if any("BatchNorm" in problem for problem in problems.found):
        advice += (
            "\na BatchNorm scales each row of the layer it is folded into: fold it before sharing "
            "(torch.nn.utils.fuse_linear_bn_eval)"
        )
    problems.raise_as(ModelError, advice)
    return tuple(shared)


def _borders(centroids: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Midpoints between neighbouring centroids; a number on one belongs to the lower cluster."""
    # Halved before the sum, which could overflow.
    return centroids[:-1] / 2 + centroids[1:] / 2


class _Clustering:
    """K-means over sorted numbers with more distinct values than clusters."""

    def __init__(self, ordered: npt.NDArray[np.float64]) -> None:
        self._ordered = ordered
        self._sums = np.concatenate([[0.0], np.cumsum(ordered)])

    def run(self, clusters: int) -> npt.NDArray[np.float64]:
        centroids = np.linspace(self._ordered[0], self._ordered[-1], clusters)
        for _ in range(_MAX_ROUNDS):
            edges = self._edges(centroids)
            moved = self._means(edges, centroids)
            if not np.array_equal(self._edges(moved), edges):
                centroids = moved
                continue
            starved = np.flatnonzero(np.diff(edges) == 0)
            if starved.size == 0:
                return moved
            centroids = moved
            centroids[starved[0]] = self._outermost(edges, moved)
            centroids.sort()
        occupied: npt.NDArray[np.float64] = centroids[np.diff(self._edges(centroids)) > 0]
        return occupied

    def _edges(self, centroids: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Where each cluster starts and ends among the sorted numbers, shape (k + 1,)."""
        edges = np.empty(centroids.size + 1, np.int64)
        edges[0], edges[-1] = 0, self._ordered.size
        edges[1:-1] = np.searchsorted(self._ordered, _borders(centroids), side="right")
        return edges

    def _means(
        self, edges: npt.NDArray[np.int64], centroids: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Mean of each cluster; an empty one keeps its centroid."""
        counts = np.diff(edges)
        sums = np.diff(self._sums[edges])
        means = centroids.copy()
        np.divide(sums, counts, out=means, where=counts > 0)
        return means

    def _outermost(self, edges: npt.NDArray[np.int64], centroids: npt.NDArray[np.float64]) -> float:
        """Find the number farthest from its centroid in the cluster of the largest error."""
        errors = []
        for start, end, centroid in zip(edges[:-1], edges[1:], centroids, strict=True):
            members = self._ordered[start:end]
            errors.append(float(np.square(members - centroid).sum()))
        worst = int(np.argmax(errors))
        low, high = map(float, self._ordered[[edges[worst], edges[worst + 1] - 1]])
        return low if centroids[worst] - low > high - centroids[worst] else high
