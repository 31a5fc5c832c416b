"""Shared weights that learn, in real numbers and rounded to 16 bits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN
from eie.host.compress.codebook import Codebook
from eie.host.compress.sharing import SharedWeights, share
from eie.host.retrain.weights import WeightMatrix, parametrizations

__all__ = ["RoundedCodebook", "freeze", "round_codebooks", "share_weights"]


class RoundedCodebook(Codebook):
    """A parametrization: shared weights, rounded to fixed point, to a weight matrix.

    The gradient passes the rounding as if it were none (``torch.fake_quantize``), so the numbers
    behind the codebook gather changes smaller than a step.
    """

    def __init__(self, shared: SharedWeights, frac: int) -> None:
        super().__init__(shared)
        self._step = math.ldexp(1.0, -frac)

    def forward(self, centroids: torch.Tensor) -> torch.Tensor:
        """Weight matrix, shape (rows, columns), of the shared weights, shape (k,)."""
        rounded = torch.fake_quantize_per_tensor_affine(
            centroids, self._step, 0, CODE_MIN, CODE_MAX
        )
        return super().forward(rounded)


def share_weights(matrices: Mapping[str, WeightMatrix]) -> None:
    """Cluster the non-zero weights of each matrix by k-means, and make the centroids learn."""
    for matrix in matrices.values():
        shared = share(matrix.numbers())
        freeze(matrix)
        parametrize.register_parametrization(
            matrix.module, matrix.key, Codebook(shared).to(matrix.value.device), unsafe=True
        )


def round_codebooks(matrices: Mapping[str, WeightMatrix], fracs: Mapping[str, int]) -> None:
    """Round the shared weights of each matrix to `fracs` fraction bits in every forward pass."""
    for name, matrix in matrices.items():
        shared = current(matrix)
        freeze(matrix)
        rounded = RoundedCodebook(shared, fracs[name]).to(matrix.value.device)
        parametrize.register_parametrization(matrix.module, matrix.key, rounded, unsafe=True)


def current(matrix: WeightMatrix) -> SharedWeights:
    """Give codes and shared weights of a matrix with a codebook, as they are now."""
    (codebook,) = parametrizations(matrix)
    assert isinstance(codebook, Codebook)
    centroids = _original(matrix).detach().double().cpu().numpy()
    return SharedWeights(codebook.codes.cpu().numpy().astype(np.uint8), centroids)


def freeze(matrix: WeightMatrix) -> None:
    """Make a plain parameter of a weight, with its present value."""
    if not parametrizations(matrix):
        return
    # torch would leave the gradient on the weight, in the shape of what it was computed from.
    _original(matrix).grad = None
    parametrize.remove_parametrizations(matrix.module, matrix.key, leave_parametrized=True)


def _original(matrix: WeightMatrix) -> nn.Parameter:
    """What a parametrized weight is computed from."""
    found: Any = matrix.module.parametrizations
    original: nn.Parameter = found[matrix.key].original
    return original
