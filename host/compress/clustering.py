"""K-means of numbers on a line, exactly: the clusters of the smallest squared error there are.

Clusters of numbers are ranges of the sorted numbers. So the best ``k`` of them are found by
dynamic programming: the best ``k`` clusters of the first ``i`` numbers are the best ``k - 1`` of
the first ``l`` and one of the rest, for the best ``l``. That ``l`` never falls as ``i`` rises:
the ``l`` of a number between two others lies between theirs. So it is found for every other
number, then for those half-way, and so on, a step of numpy for each: ``O(k n log n)``.

More than :data:`EXACT` distinct numbers are gathered in cells first, each of which counts as its
mean. The best clusters that split no cell are found, and the best of all are better by ``2 R w h``
at most, with ``R`` the range of the numbers, and ``w`` and ``h`` the largest weight and width of
a cell (their largest product). For where a border ``b`` between two centroids at a distance of
``g`` splits a cell, moving a number ``x`` of the cell over it costs ``2 g |x - b|``, at most
``2 g h``; and all ``g`` together are at most ``R``. A cell holds ``2 / EXACT`` of the numbers and
of the range at most, so the mean squared error is too large by ``8 (R / EXACT) ** 2`` at most:
less than rounding the centroids to 16 bits costs, a twelfth of the square of ``R / 2**16``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["EXACT", "Points", "evenly_started_centroids", "gather", "nearest", "optimal_centroids"]

#: Up to so many distinct numbers the result is exact; more are gathered in as many cells at most.
EXACT = 1 << 20
#: A centroid below that is 0 in any 16-bit format that holds numbers of 0.5 to 1.
_NEXT_TO_ZERO = 2.0**-16
#: Numbers handled at a time where whole arrays of float64 would take too much memory.
_CHUNK = 1 << 22
#: Candidates of the dynamic program handled at a time: their arrays stay in a core's cache.
_PART = 1 << 15
#: Far more than k-means on sorted numbers takes; only rounding errors could go on for ever.
_MAX_ROUNDS = 10_000

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Points:
    """Numbers to cluster: distinct ones, or means of cells."""

    #: float64, shape (n,), rising.
    values: Floats
    #: float64, shape (n,), above 0: how much each one's squared error counts.
    importance: Floats

    def totals(self) -> tuple[Floats, Floats, Floats]:
        """Running sums of importance, and of it times the values and their squares.

        Each has shape (n + 1,) and is 0 at the first value above zero: differences of two are
        then not rounded to the size of an outlier at the other end.
        """
        zero = int(np.searchsorted(self.values, 0.0))
        first = self.importance * self.values
        running = []
        for terms in (self.importance, first, first * self.values):
            below = -np.cumsum(terms[:zero][::-1])[::-1]
            running.append(np.concatenate([below, [0.0], np.cumsum(terms[zero:])]))
        return running[0], running[1], running[2]


def gather(
    values: npt.NDArray[Any], importance: npt.NDArray[Any] | None = None, limit: int = EXACT
) -> Points:
    """Gather numbers in points: the distinct ones, or cells where there are more than `limit`.

    Parameters
    ----------
    values
        Finite numbers, shape (n,), float32 or float64.
    importance
        How much each one's squared error counts, shape (n,), above 0; all the same if not given.
    limit
        Largest number of points, at least 4.
    """
    weights = None
    if importance is None:
        ordered = np.sort(values)
    else:
        order = np.argsort(values, kind="stable")
        ordered, weights = values[order], importance[order]
        del order
    new = np.ones(ordered.size, np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    exact = np.count_nonzero(new) <= limit
    starts = np.flatnonzero(new) if exact else _cells(ordered, weights, limit)
    return _points(ordered, weights, starts, exact)


def optimal_centroids(points: Points, clusters: int) -> Floats:
    """Centroids of the smallest squared error, float64, shape (k,), rising, k at most `clusters`.

    None of them is zero: where the best clusters have a centroid next to zero, which 16 bits
    would round to it, the best ones are taken of those that hold numbers of one sign each.
    """
    if points.values.size <= clusters:
        return points.values
    # A power of two: it changes no result, and squares of the largest numbers stay finite.
    exponent = int(np.frexp(np.abs(points.values).max())[1])
    scaled = Points(np.ldexp(points.values, -exponent), points.importance)
    centroids = _Program(scaled, split=0).run(clusters)
    split = int(np.searchsorted(scaled.values, 0.0))
    both = 0 < split < scaled.values.size and clusters > 1
    smallest = np.abs(centroids).min()
    if both and smallest < _NEXT_TO_ZERO:
        of_one_sign = _Program(scaled, split).run(clusters)
        # Beside a large outlier all others are next to zero: then it would help nothing.
        if smallest == 0 or np.abs(of_one_sign).min() >= _NEXT_TO_ZERO:
            centroids = of_one_sign
    return np.ldexp(centroids, exponent)


def evenly_started_centroids(points: Points, clusters: int) -> Floats:
    """Centroids of Lloyd's algorithm from evenly spaced ones, as Deep Compression has them.

    Its squared error is larger than the optimal one, but it has more centroids for the few large
    weights, which can matter more for the outputs. float64, shape (k,), rising.
    """
    if points.values.size <= clusters:
        return points.values
    return _Lloyd(points).run(clusters)


def nearest(values: npt.NDArray[Any], centroids: Floats) -> npt.NDArray[np.uint8]:
    """Index of the nearest centroid (of two equally near, the lower one), uint8, shape (n,)."""
    borders = _borders(centroids)
    labels = np.empty(values.size, np.uint8)
    for start in range(0, values.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        labels[part] = np.searchsorted(borders, values[part].astype(np.float64))
    return labels


def _cells(ordered: npt.NDArray[Any], weights: npt.NDArray[Any] | None, limit: int) -> Indices:
    """Where each cell starts: half of the borders at equal weight, half at equal distances."""
    half = limit // 2
    if weights is None:
        by_weight = np.arange(half) * ordered.size // half
    else:
        running = np.cumsum(weights, dtype=np.float64)
        by_weight = np.searchsorted(running, running[-1] / half * np.arange(half))
    edges = np.linspace(float(ordered[0]), float(ordered[-1]), half, endpoint=False)
    by_distance = np.searchsorted(ordered, edges.astype(ordered.dtype))
    cells: Indices = np.union1d(by_weight, by_distance)
    return cells


def _points(
    ordered: npt.NDArray[Any], weights: npt.NDArray[Any] | None, starts: Indices, exact: bool
) -> Points:
    """Sum up the numbers from each start to the next, a part of them at a time."""
    ends = np.append(starts[1:], ordered.size)
    totals, means = np.empty(starts.size), np.empty(starts.size)
    first = 0
    while first < starts.size:
        last = int(np.searchsorted(ends, starts[first] + _CHUNK, side="right"))
        last = max(last, first + 1)
        chunk, cells = slice(starts[first], ends[last - 1]), slice(first, last)
        numbers = ordered[chunk].astype(np.float64)
        own = np.ones(numbers.size) if weights is None else weights[chunk].astype(np.float64)
        places = starts[cells] - starts[first]
        totals[cells] = np.add.reduceat(own, places)
        means[cells] = np.add.reduceat(own * numbers, places) / totals[cells]
        first = last
    # Rounding must change no number, nor the order of cells of equal ones.
    means = ordered[starts].astype(np.float64) if exact else np.maximum.accumulate(means)
    return Points(means, totals)


class _Program:
    """The dynamic program over points, with more of them than clusters."""

    def __init__(self, points: Points, split: int) -> None:
        self._weight, self._first, self._second = points.totals()
        self._size = points.values.size
        #: No cluster holds points on both sides of this index.
        self._split = split

    def run(self, clusters: int) -> Floats:
        costs = self._cost(0, np.arange(self._size + 1))
        if self._split:
            costs[self._split + 1 :] = np.inf
        layers = []
        for used in range(2, clusters):
            costs, starts = self._layer(costs, used)
            layers.append(starts)
        borders = [self._size]
        if clusters > 1:
            borders.append(self._best_start(costs, clusters))
        for starts in reversed(layers):
            borders.append(int(starts[borders[-1]]))
        borders.append(0)
        places = np.array(borders[::-1])
        means: Floats = np.diff(self._first[places]) / np.diff(self._weight[places])
        return means

    def _cost(self, start: Any, end: Any) -> Floats:
        """Squared error of the points from `start` up to before `end` around their mean."""
        weight = self._weight[end] - self._weight[start]
        first = self._first[end] - self._first[start]
        with np.errstate(invalid="ignore", divide="ignore"):
            around = self._second[end] - self._second[start] - first * first / weight
        return np.where(weight > 0, np.maximum(around, 0.0), 0.0)

    def _best_start(self, costs: Floats, used: int) -> int:
        """Where the last of `used` clusters of all points starts."""
        lowest = max(used - 1, self._split)
        candidates = np.arange(lowest, self._size)
        return lowest + int(np.argmin(costs[candidates] + self._cost(candidates, self._size)))

    def _layer(self, costs: Floats, used: int) -> tuple[Floats, npt.NDArray[np.int32]]:
        """One more cluster: smallest squared errors of the first i points, and the last's start.

        `costs` are those of ``used - 1`` clusters. Entries of less than `used` points are not
        needed and left at 0.
        """
        size = self._size
        best = np.zeros(size + 1)
        starts = np.zeros(size + 1, np.int32)
        # What does not depend on where the last cluster ends.
        fixed = costs - self._second
        stride = 1 << (size - used + 1).bit_length()
        while stride > 1:
            stride //= 2
            ends = np.arange(used - 1 + stride, size + 1, 2 * stride)
            if ends.size == 0:
                continue
            low = np.maximum(starts[ends - stride], used - 1)
            right = ends + stride
            high = ends - 1
            inside = right <= size
            high[inside] = np.minimum(high[inside], starts[right[inside]])
            low[ends > self._split] = np.maximum(low[ends > self._split], self._split)
            high = np.maximum(high, low)
            starts[ends], best[ends] = self._smallest(fixed, ends, low, high)
        return best, starts

    def _smallest(
        self, fixed: Floats, ends: Indices, low: Indices, high: Indices
    ) -> tuple[Indices, Floats]:
        """Best start of the last cluster for each of `ends`, from `low` to `high`."""
        found = np.empty(ends.size, np.int64)
        best = np.empty(ends.size)
        counts = high - low + 1
        running = np.cumsum(counts)
        begin = 0
        while begin < ends.size:  # in parts that stay in the cache
            base = running[begin - 1] if begin else 0
            end = max(int(np.searchsorted(running, base + _PART, side="right")), begin + 1)
            part = slice(begin, end)
            places = running[part] - counts[part] - base
            many = counts[part]
            starts = np.arange(running[end - 1] - base) + np.repeat(low[part] - places, many)
            difference = np.repeat(self._first[ends[part]], many)
            difference -= self._first[starts]
            difference *= difference
            weight = np.repeat(self._weight[ends[part]], many)
            weight -= self._weight[starts]
            difference /= weight
            candidates = fixed[starts]
            candidates -= difference
            smallest = np.minimum.reduceat(candidates, places)
            hits = np.flatnonzero(candidates == np.repeat(smallest, many))
            found[part] = starts[hits[np.searchsorted(hits, places)]]
            best[part] = smallest + self._second[ends[part]]
            begin = end
        return found, np.maximum(best, 0.0)


class _Lloyd:
    """Lloyd's algorithm over points, with more of them than clusters.

    A round takes ``O(k log n)``. The gap that pruning leaves around zero starves centroids that
    start in it; each is moved to the outermost point of the cluster with the largest squared
    error, which never makes the result worse.
    """

    def __init__(self, points: Points) -> None:
        self._points = points
        self._weight, self._first, _ = points.totals()

    def run(self, clusters: int) -> Floats:
        values = self._points.values
        centroids = np.linspace(values[0], values[-1], clusters)
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
        occupied: Floats = centroids[np.diff(self._edges(centroids)) > 0]
        return occupied

    def _edges(self, centroids: Floats) -> Indices:
        """Where each cluster starts and ends among the points, shape (k + 1,)."""
        edges = np.empty(centroids.size + 1, np.int64)
        edges[0], edges[-1] = 0, self._points.values.size
        edges[1:-1] = np.searchsorted(self._points.values, _borders(centroids), side="right")
        return edges

    def _means(self, edges: Indices, centroids: Floats) -> Floats:
        """Mean of each cluster; an empty one keeps its centroid."""
        means = centroids.copy()
        filled = np.diff(edges) > 0
        np.divide(
            np.diff(self._first[edges]), np.diff(self._weight[edges]), out=means, where=filled
        )
        return means

    def _outermost(self, edges: Indices, centroids: Floats) -> float:
        """Find the point farthest from its centroid in the cluster of the largest error."""
        values, importance = self._points.values, self._points.importance
        nearest = np.repeat(centroids, np.diff(edges))
        running = np.concatenate([[0.0], np.cumsum(importance * np.square(values - nearest))])
        worst = int(np.argmax(np.diff(running[edges])))
        low, high = map(float, values[[edges[worst], edges[worst + 1] - 1]])
        return low if centroids[worst] - low > high - centroids[worst] else high


def _borders(centroids: Floats) -> Floats:
    """Midpoints between neighbouring centroids; a number on one belongs to the lower cluster."""
    # Halved before the sum, which could overflow.
    return centroids[:-1] / 2 + centroids[1:] / 2
