"""Training shared weights: the codebook learns, the codes stay.

Deep Compression (arXiv 1510.00149, figure 3): the gradient of a centroid is the sum of the
gradients of the weights that share it. A torch parametrization whose only parameter is the
codebook gives just that, with any optimiser.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import parametrize

from eie.hls.boundary.errors import InputError
from eie.host.compress.sharing import MAX_CENTROIDS, SharedWeights, share

__all__ = ["Codebook", "freeze_codebooks", "share_linears"]


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


def share_linears(model: nn.Module, clusters: int = MAX_CENTROIDS) -> None:
    """Share the non-zero weights of every Linear in `model`, in place, and make them trainable.

    Afterwards the only weight parameter of a Linear is its codebook of `clusters` numbers at
    most; zeros stay zero. Biases train as before. Make a new optimiser after this call.

    Raises
    ------
    InputError
        If a Linear's weights are shared or otherwise parametrized already.
    """
    linears = [part for part in model.modules() if isinstance(part, nn.Linear)]
    if any(parametrize.is_parametrized(linear, "weight") for linear in linears):
        raise InputError("the weights of each Linear must not be parametrized already")
    for linear in linears:
        shared = share(linear.weight.detach().double().cpu().numpy(), clusters)
        codebook = Codebook(shared).to(linear.weight.device)
        # unsafe: the parameter has another shape than the weight, which torch would refuse.
        parametrize.register_parametrization(linear, "weight", codebook, unsafe=True)


def freeze_codebooks(model: nn.Module) -> None:
    """Make plain weights of the shared ones again, in place, with the values trained."""
    for part in model.modules():
        if isinstance(part, nn.Linear) and parametrize.is_parametrized(part, "weight"):
            # torch would leave the codebook's gradient on the weight, in the wrong shape.
            part.zero_grad(set_to_none=True)
            parametrize.remove_parametrizations(part, "weight", leave_parametrized=True)
