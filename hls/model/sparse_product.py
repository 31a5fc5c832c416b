"""Exact products of a layer's weights with activations.

Sums are taken in float64, which is exact here: the packer proved that every partial sum fits 48
bits, and float64 holds integers up to 2**53; so the order of summation does not matter either.
numpy is all that is needed. Where scipy is installed its compressed sparse rows take over what
they are faster at. Where there is a compiler :mod:`eie.hls.model.compiled.weights` does all of it,
and this is what it must equal.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["SparseProduct"]

#: Columns of a dense block in batch products: large enough for BLAS, small enough for caches.
_BLOCK = 512
#: Weights met whose products are in hand at a time, so that second-level caches hold them.
_WEIGHTS_AT_ONCE = 1 << 15
#: Share of weights from which dense blocks beat scipy's sparse rows for a batch.
_DENSE_FROM = 0.15
#: Share of the weights met below which it pays to gather them rather than to go through all.
_GATHER_BELOW = 0.25


@dataclass(frozen=True, eq=False)
class SparseProduct:
    """The weights of a layer, column after column."""

    #: Outputs.
    rows: int
    #: int64, shape (columns + 1,): weights of column j are ``starts[j]:starts[j + 1]`` below.
    starts: npt.NDArray[np.int64]
    #: int64, shape (nonzeros,): row of each weight.
    row_of: npt.NDArray[np.int64]
    #: float64, shape (nonzeros,): value of each weight, an integer.
    weights: npt.NDArray[np.float64]

    def __call__(self, activations: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
        """Sums: int16 (batch, columns) to int64 (batch, rows)."""
        if len(activations) == 1:
            sums = self._of_one(activations[0])[None, :]
        else:
            sums = self._of_batch(activations)
        return sums.astype(np.int64)

    @property
    def columns(self) -> int:
        """Inputs."""
        return len(self.starts) - 1

    @cached_property
    def _sparse_rows(self) -> Any:
        """Compressed sparse rows of scipy, or None without scipy."""
        try:
            from scipy.sparse import csc_array  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            return None
        parts = (self.weights, self.row_of.astype(np.int32), self.starts.astype(np.int32))
        return csc_array(parts, shape=(self.rows, self.columns)).tocsr()

    def _of_one(self, activations: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
        active = np.flatnonzero(activations)
        lengths = self.starts[active + 1] - self.starts[active]
        met = np.cumsum(lengths)
        few = len(met) == 0 or met[-1] < _GATHER_BELOW * len(self.weights)
        if few or self._sparse_rows is None:
            return self._gathered(activations, active, lengths, met)
        sums: npt.NDArray[np.float64] = self._sparse_rows @ activations.astype(np.float64)
        return sums

    def _gathered(
        self,
        activations: npt.NDArray[np.int16],
        active: npt.NDArray[np.int64],
        lengths: npt.NDArray[np.int64],
        met: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.float64]:
        """Only the columns that meet a non-zero activation, a cacheful of weights at a time."""
        values = activations[active].astype(np.float64)
        begins, ends = self.starts[active], self.starts[active + 1]
        cuts = np.searchsorted(met, np.arange(0, lengths.sum(), _WEIGHTS_AT_ONCE))
        sums = np.zeros(self.rows)
        for first, stop in itertools.pairwise([*np.unique(cuts), len(active)]):
            part = slice(first, stop)
            weights: slice | npt.NDArray[np.int64]
            if active[stop - 1] - active[first] == stop - 1 - first:
                weights = slice(begins[first], ends[stop - 1])  # neighbours: nothing to gather
            else:
                before = met[part] - lengths[part]
                weights = np.repeat(begins[part] - before, lengths[part])
                weights += np.arange(before[0], met[stop - 1])
            products = np.repeat(values[part], lengths[part])
            products *= self.weights[weights]
            sums += np.bincount(self.row_of[weights], products, self.rows)
        return sums

    def _of_batch(self, activations: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
        density = len(self.weights) / max(1, self.rows * self.columns)
        if density < _DENSE_FROM and self._sparse_rows is not None:
            by_column = np.ascontiguousarray(activations.T, np.float64)
            sums: npt.NDArray[np.float64] = (self._sparse_rows @ by_column).T
            return sums
        return self._in_blocks(activations)

    def _in_blocks(self, activations: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
        """Dense blocks of columns, for BLAS."""
        sums = np.zeros((len(activations), self.rows))
        for start in range(0, self.columns, _BLOCK):
            stop = min(start + _BLOCK, self.columns)
            first, last = self.starts[start], self.starts[stop]
            if first == last:
                continue
            column = np.repeat(np.arange(stop - start), np.diff(self.starts[start : stop + 1]))
            block = np.zeros((stop - start, self.rows))
            block[column, self.row_of[first:last]] = self.weights[first:last]
            sums += activations[:, start:stop].astype(np.float64) @ block
        return sums
