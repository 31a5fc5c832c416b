"""A codebook as a torch parametrization: the weights of a Linear, computed from shared ones.

Deep Compression (arXiv 1510.00149, figure 3): the gradient of a centroid is the sum of the
gradients of the weights that share it. A parametrization whose only parameter is the codebook
gives just that, with any optimiser.
"""

from __future__ import annotations

import torch
from torch import nn

from eie.host.compress.sharing import SharedWeights

__all__ = ["Codebook"]


class Codebook(nn.Module):
    """A parametrization: shared weights to a weight matrix."""

    #: int64, shape (rows, columns): 0 for no weight, else 1 + index of the shared weight.
    codes: torch.Tensor

    def __init__(self, shared: SharedWeights) -> None:
        super().__init__()
        self._centroids = shared.centroids
        self.register_buffer("codes", torch.from_numpy(shared.codes.astype("int64")))

    def forward(self, centroids: torch.Tensor) -> torch.Tensor:
        """Weight matrix, shape (rows, columns), of the shared weights, shape (k,).

        Backward, the lookup adds the gradients of all weights of a code.
        """
        table = torch.cat([centroids.new_zeros(1), centroids])
        return table.index_select(0, self.codes.flatten()).view(self.codes.shape)

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """Shared weights, shape (k,), that the training starts from."""
        return torch.from_numpy(self._centroids).to(weight)
