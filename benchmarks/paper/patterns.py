"""Seeded patterns of weights and activations: uniform, skewed, in blocks.

A pattern is the sparse structure of a layer in compressed columns: ``indptr``, shape
(columns + 1,), and ``indices``, the rows of each column in rising order.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import scipy.sparse

from benchmarks.paper.layers import PaperLayer
from eie.host.network import Layer, Network

#: Standard deviation of the logarithm of a row's and a column's share of the weights.
SIGMA = 0.5
#: Rows and columns of a block that is kept or dropped whole.
BLOCK_SIDE = 8
#: Columns that are drawn at a time: 512 x 4,096 random numbers are 8 MB.
_COLUMNS_AT_ONCE = 512

Structure = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]
Random = np.random.Generator
Maker = Callable[[int, int, float, Random], Structure]


def uniform(rows: int, columns: int, density: float, random: Random) -> Structure:
    """Keep each weight with probability `density`, whatever its place.

    The gaps between kept weights are geometric, so that only what is kept is drawn.
    """
    total = rows * columns
    # Six standard deviations above the mean: one round nearly always suffices.
    at_once = int(total * density + 6 * np.sqrt(total * density)) + 16
    places = np.array([-1])
    while places[-1] < total:
        more = np.cumsum(random.geometric(density, at_once)) + places[-1]
        places = np.concatenate([places, more])
    places = places[1 : np.searchsorted(places, total)]
    indptr = np.searchsorted(places, np.arange(columns + 1) * rows)
    return indptr.astype(np.int64), (places % rows).astype(np.int32)


def log_normal(
    rows: int, columns: int, density: float, random: Random, *, sigma: float = SIGMA
) -> Structure:
    """Keep weights more often in some rows and columns than in others.

    The probability of a weight is a product of a factor of its row and one of its column, both
    log-normal with `sigma`, scaled to `density` on average and cut off at 1.
    """
    of_row, of_column = random.lognormal(0.0, sigma, rows), random.lognormal(0.0, sigma, columns)
    scale = _scale_to(density, of_row, of_column)
    parts, counts = [], [0]
    for start in range(0, columns, _COLUMNS_AT_ONCE):
        chance = np.outer(scale * of_column[start : start + _COLUMNS_AT_ONCE], of_row)
        column, row = np.nonzero(random.random(chance.shape, np.float32) < chance)
        parts.append(row.astype(np.int32))
        counts.extend(np.bincount(column, minlength=len(chance)))
    return np.cumsum(counts, dtype=np.int64), np.concatenate(parts)


def blocks(
    rows: int, columns: int, density: float, random: Random, *, side: int = BLOCK_SIDE
) -> Structure:
    """Keep or drop blocks of `side` x `side` weights as wholes, uniformly."""
    shape = -(-rows // side), -(-columns // side)
    indptr, indices = uniform(*shape, density, random)
    kept = scipy.sparse.csc_array((np.ones(len(indices), bool), indices, indptr), shape)
    # The last blocks may stick out.
    matrix = scipy.sparse.kron(kept, np.ones((side, side), bool), "csc")[:rows, :columns]
    matrix.sort_indices()
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)


#: The patterns of the tables by name.
PATTERNS: Mapping[str, Maker] = {"uniform": uniform, "log-normal": log_normal, "blocks": blocks}


def network(layer: PaperLayer, maker: Maker, seed: int = 0) -> Network:
    """Make a network of one layer: the pattern with random codes, without golden vectors."""
    random = _random(layer, "weights", seed)
    indptr, indices = maker(layer.outputs, layer.inputs, layer.weight_density, random)
    codebook = (random.integers(1, 301, 16) * random.choice((-1, 1), 16)).astype(np.int16)
    codebook[0] = 0
    weights = Layer(
        name=layer.name,
        rows=layer.outputs,
        columns=layer.inputs,
        indptr=indptr,
        indices=indices,
        codes=random.integers(1, 16, len(indices), np.uint8),
        codebook=codebook,
        bias=np.zeros(layer.outputs, np.int64),
        activation="none",
        input_frac=8,
        weight_frac=12,
        output_frac=8,
    )
    return Network((weights,), metadata={"origin": f"random pattern, seed {seed}"})


def inputs(layer: PaperLayer, vectors: int = 1, seed: int = 0) -> npt.NDArray[np.int16]:
    """Make input vectors, int16 (vectors, inputs), each with the layer's share of non-zeros."""
    random = _random(layer, "activations", seed)
    active = round(layer.activation_density * layer.inputs)
    codes = np.zeros((vectors, layer.inputs), np.int16)
    for vector in codes:
        places = random.choice(layer.inputs, active, replace=False)
        vector[places] = random.integers(1, 2000, active)
    return codes


def _scale_to(
    density: float, of_row: npt.NDArray[np.float64], of_column: npt.NDArray[np.float64]
) -> float:
    """Factor that makes the mean of ``min(1, factor * row * column)`` equal to `density`."""
    # A sample of quantiles stands for all rows and columns: 512 x 512 products instead of millions.
    levels = (np.arange(512) + 0.5) / 512
    products = np.outer(np.quantile(of_row, levels), np.quantile(of_column, levels))
    scale = density / products.mean()
    for _ in range(50):
        scale *= density / np.minimum(1.0, scale * products).mean()
    return float(scale)


def _random(layer: PaperLayer, what: str, seed: int) -> Random:
    """Random numbers that depend on layer, purpose and seed, not on what was drawn before."""
    return np.random.default_rng([seed, zlib.crc32(f"{layer.name} {what}".encode())])
