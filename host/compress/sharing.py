"""Weight sharing: at most 15 distinct non-zero weights a layer, found by k-means.

Deep Compression (arXiv 1510.00149, section 3): the weights that pruning has left are clustered
layer by layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, ModelError, Problems
from eie.hls.spec.matrix_format import CODEBOOK_SIZE
from eie.host.compress.clustering import gather, nearest, optimal_centroids
from eie.host.compress.dense_layer import DenseLayer
from eie.host.compress.dense_product import product

__all__ = [
    "MAX_CENTROIDS",
    "SharedWeights",
    "cluster",
    "keep_shared",
    "label",
    "label_kept",
    "share",
]

#: Centroids of a layer: the codebook without the entry that stands for zero.
MAX_CENTROIDS = CODEBOOK_SIZE - 1


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

    def product(
        self, inputs: npt.NDArray[np.float64], table: npt.NDArray[np.float64] | None = None
    ) -> npt.NDArray[np.float64]:
        """Multiply vectors, shape (batch, columns), by the weights, or by others of `table`."""
        values = self.table() if table is None else table
        return product(inputs, self.codes.shape, lambda part: values[self.codes[part]])

    def counts(self) -> npt.NDArray[np.int64]:
        """Weights of each centroid, shape (k,)."""
        found = np.zeros(len(self.centroids) + 1, np.int64)
        for row in self.codes:  # numpy counts in int64, eight times what codes take
            found += np.bincount(row, minlength=found.size)
        return found[1:]

    def dense(self) -> npt.NDArray[np.float64]:
        """float64, shape (rows, columns): the weights."""
        return self.table()[self.codes]


def cluster(
    values: npt.NDArray[Any], clusters: int = MAX_CENTROIDS
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    """Cluster numbers by k-means, with the smallest squared error that there is.

    See :mod:`eie.host.compress.clustering` for how, and for the bound that holds instead for
    more than 2**20 distinct numbers.

    Parameters
    ----------
    values
        Finite numbers, shape (n,), float32 or float64.
    clusters
        Largest number of clusters, 1 to 15.

    Returns
    -------
    centroids
        float64, shape (k,), rising, none of them zero unless a number is; the distinct values
        themselves where there are no more than `clusters`.
    labels
        uint8, shape (n,): index of the nearest centroid (of two equally near, the lower one).
    """
    check_clusters(clusters)
    numbers = _numbers(values)
    centroids = optimal_centroids(gather(numbers), clusters)
    return centroids, nearest(numbers, centroids)


def share(weights: npt.NDArray[Any], clusters: int = MAX_CENTROIDS) -> SharedWeights:
    """Share the non-zero weights of a matrix; zeros stay.

    Parameters
    ----------
    weights
        float32 or float64, shape (rows, columns).
    clusters
        Largest number of distinct weights, 1 to 15.
    """
    check_clusters(clusters)
    points = gather(_numbers(weights[weights != 0]))
    return label(weights, optimal_centroids(points, clusters))


def label(weights: npt.NDArray[Any], centroids: npt.NDArray[np.float64]) -> SharedWeights:
    """Give each non-zero weight its nearest centroid; `centroids` rise and none is zero."""
    kept = weights != 0
    return label_kept(kept, weights[kept], centroids)


def label_kept(
    kept: npt.NDArray[np.bool_], values: npt.NDArray[Any], centroids: npt.NDArray[np.float64]
) -> SharedWeights:
    """Give each weight that is kept its nearest centroid.

    Parameters
    ----------
    kept
        Shape (rows, columns).
    values
        Those weights in the order of `kept`, none of them 0.
    centroids
        Rising, none of them 0.
    """
    codes = np.zeros(kept.shape, np.uint8)
    codes[kept] = nearest(values, centroids) + 1
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
        "share the weights first (share_linears, then fine-tune), or have them shared here: "
        "leave out --keep-weights and give --density 1.0, which prunes none of them, or less, "
        "which prunes (keep_weights and density=1.0 in Python)"
    )
    if any("BatchNorm" in problem for problem in problems.found):
        advice += (
            "\na BatchNorm scales each row of the layer it is folded into: fold it before sharing "
            "(torch.nn.utils.fuse_linear_bn_eval)"
        )
    problems.raise_as(ModelError, advice)
    return tuple(shared)


def check_clusters(clusters: int) -> None:
    """Refuse a number of clusters that is not 1 to 15."""
    if not 1 <= clusters <= MAX_CENTROIDS:
        raise InputError(f"clusters must be 1 to {MAX_CENTROIDS}, not {clusters!r}")


def _numbers(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """float32 as it is, which takes half the memory, and anything else as float64."""
    return values if values.dtype == np.float32 else np.asarray(values, np.float64)
