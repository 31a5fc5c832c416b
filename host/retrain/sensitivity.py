"""The sensitivity scan: what pruning each matrix alone costs, and the densities that follow.

One matrix at a time is pruned in one go, without retraining (Han et al., arXiv 1506.02626, figure
6). Layers differ by much in what they bear. Densities are proposed at which all of them lose alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.boundary.progress import tell
from eie.host.network.table import Summarized, Table
from eie.host.retrain.masks import keep_mask
from eie.host.retrain.weights import WeightMatrix

__all__ = ["RECOVERY", "SCAN_DENSITIES", "Sensitivity", "scan"]

#: Densities that each matrix is pruned to.
SCAN_DENSITIES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
#: Points that a matrix may lose in the scan for each point of the budget: retraining brings most of
#: a one-shot loss back. `python -m benchmarks.retrain` prints what it brought back in each run.
RECOVERY = 20.0
#: Halvings of an interval, which leave less than a weight of the largest matrix.
_HALVINGS = 60


@dataclass(frozen=True, repr=False)
class Sensitivity(Summarized):
    """What pruning each matrix alone costs.

    Attributes
    ----------
    names
        The matrices, in the order of the model.
    sizes
        Weights of each.
    densities
        Densities that were tried, rising.
    accuracy
        Share that is right with all weights, 0 to 1.
    accuracies
        By matrix and density: share that is right with that matrix alone pruned.
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]
    densities: tuple[float, ...]
    accuracy: float
    accuracies: tuple[tuple[float, ...], ...]

    def for_budget(self, points: float) -> dict[str, float]:
        """Propose densities for a loss of `points` of accuracy after retraining.

        Each matrix gets the smallest density at which it loses no more than :data:`RECOVERY` times
        the budget in the scan.
        """
        if not (math.isfinite(points) and points >= 0):
            raise InputError(f"budget must be 0 or more points of accuracy, not {points!r}")
        return self._at_loss(RECOVERY * points / 100)

    def for_density(self, density: float) -> dict[str, float]:
        """Propose densities that keep the share `density` of all weights, all matrices alike hurt.

        Matrices that would be pruned below the smallest density of the scan are not: there the
        others give up more.
        """
        if not 0 < density <= 1:
            raise InputError(f"density must be above 0 and at most 1, not {density!r}")
        weights = dict(zip(self.names, self.sizes, strict=True))
        most = math.floor(density * sum(self.sizes))

        def kept(found: Mapping[str, float]) -> int:
            return sum(max(1, round(found[name] * size)) for name, size in weights.items())

        low, high = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (low, middle) if kept(self._at_loss(middle)) <= most else (middle, high)
        found = self._at_loss(high)
        if kept(found) > most:
            return dict.fromkeys(self.names, density)
        return found

    def summary(self) -> Table:
        """Give accuracies by matrix and density, as a table.

        Returns
        -------
        Table
        """
        rows = [
            (name, size, *(f"{100 * each:.1f} %" for each in found))
            for name, size, found in zip(self.names, self.sizes, self.accuracies, strict=True)
        ]
        head = ("layer", "weights", *(f"at {100 * each:g} %" for each in self.densities))
        title = (
            "accuracy with one layer pruned in one go; with all weights "
            f"{100 * self.accuracy:.1f} %"
        )
        return Table(title, head, rows)

    def _at_loss(self, loss: float) -> dict[str, float]:
        """Smallest density of each matrix that loses at most `loss` in the scan."""
        found = {}
        for name, accuracies in zip(self.names, self.accuracies, strict=True):
            losses = self.accuracy - np.array(accuracies)
            # A loss falls with the density: where noise makes it rise, the worse one counts.
            losses = np.maximum.accumulate(np.maximum(losses, 0)[::-1])
            levels = np.append(0.0, losses)
            shares = np.append(1.0, self.densities[::-1])
            # Of equal losses the last one counts, which is the sparsest.
            last = np.append(levels[1:] > levels[:-1], True)
            logs = np.interp(loss, levels[last], np.log(shares[last]))
            found[name] = min(1.0, float(np.exp(logs)))
        return found

    def __repr__(self) -> str:
        return str(self.summary())


def scan(
    matrices: Mapping[str, WeightMatrix],
    measure: Callable[[], float],
    densities: Sequence[float] = SCAN_DENSITIES,
    *,
    pes: int = 1,
) -> Sensitivity:
    """Prune each matrix alone to each density, measure, and put it back.

    Parameters
    ----------
    matrices
        Plain weights, by name.
    measure
        Gives the accuracy of the model as it is, 0 to 1.
    densities
        Shares of the weights to keep, above 0 and below 1.
    pes
        As for :func:`~eie.host.retrain.masks.keep_mask`.

    Raises
    ------
    InputError
        If a density is not above 0 and below 1, or there is none.
    """
    problems = Problems("scan")
    problems.require(len(densities) > 0, "there must be at least one density")
    for each in densities:
        problems.require(0 < each < 1, f"density must be above 0 and below 1, not {each!r}")
    problems.raise_as(InputError)
    rising = tuple(sorted(set(densities)))
    accuracy = measure()
    found = []
    for number, (name, matrix) in enumerate(matrices.items()):
        tell(f"scanning {name}", number, len(matrices), "layers")
        weight = getattr(matrix.module, matrix.key)
        before = matrix.value.clone()
        numbers = matrix.numbers()
        of_matrix = []
        try:
            for density in rising:
                mask = torch.from_numpy(keep_mask(numbers, density, pes)).to(before)
                with torch.no_grad():
                    weight.copy_(before * mask)
                of_matrix.append(measure())
        finally:
            with torch.no_grad():
                weight.copy_(before)
        found.append(tuple(of_matrix))
    sizes = tuple(matrix.size for matrix in matrices.values())
    return Sensitivity(tuple(matrices), sizes, rising, accuracy, tuple(found))
