"""Masks: which weights are kept, and a parametrization that holds the others at zero.

Load-balanced masks are those of ESE (Han et al., FPGA 2017, arXiv 1612.00694, section 3): each PE's
rows keep the same share of their weights, so that no PE waits long for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.utils import parametrize

from eie.host.compress.pruning import magnitude_mask
from eie.host.retrain.weights import WeightMatrix, parametrizations

__all__ = ["Mask", "heaviest_over_mean", "keep_mask", "set_masks"]


class Mask(nn.Module):
    """A parametrization: a weight with some of its numbers held at zero."""

    #: Shape of the weight, its type: 1 for each weight that is kept, else 0.
    mask: torch.Tensor

    def __init__(self, mask: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Weight without what is masked; what is masked gets no gradient."""
        return weight * self.mask

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """The weight that the training starts from."""
        return weight


def keep_mask(weights: npt.NDArray[Any], density: float, pes: int = 1) -> npt.NDArray[np.bool_]:
    """Mark the weights to keep: the largest, of the whole matrix or of each PE's rows.

    Parameters
    ----------
    weights
        Shape (rows, columns).
    density
        Share to keep, above 0 and at most 1.
    pes
        PEs among which rows are dealt in turn (row i to PE i mod `pes`); each keeps the same share.
    """
    mask = np.zeros(weights.shape, bool)
    for pe in range(min(pes, len(weights))):
        mask[pe::pes] = magnitude_mask(weights[pe::pes], density)
    return mask


def set_masks(
    matrices: Mapping[str, WeightMatrix], densities: Mapping[str, float], pes: int = 1
) -> None:
    """Prune each matrix to its density, in place; what is pruned already stays so."""
    for name, matrix in matrices.items():
        kept = torch.from_numpy(keep_mask(matrix.numbers(), densities[name], pes))
        mask = kept.to(matrix.value)
        found = parametrizations(matrix)
        if found:
            assert isinstance(found[0], Mask)
            found[0].mask.copy_(mask)
        else:
            parametrize.register_parametrization(matrix.module, matrix.key, Mask(mask))


def heaviest_over_mean(kept: npt.NDArray[np.bool_], pe_of_row: npt.NDArray[np.int64]) -> float:
    """Weights of the PE that has most, over the mean of the PEs that have rows.

    Parameters
    ----------
    kept
        Shape (rows, columns): where there is a weight.
    pe_of_row
        Shape (rows,): the PE that works on each row.
    """
    loads = np.bincount(pe_of_row, kept.sum(1))
    mean = float(loads.mean())
    return float(loads.max()) / mean if mean else 1.0
