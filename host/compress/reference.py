"""The integer reference in torch: what every engine's outputs must equal.

It shares no arithmetic with the numpy emulator: sums are torch's sparse product of int64
matrices, exact in any order, and write-back is the rule of :mod:`eie.hls.spec.fixed_point` written
again in torch.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN
from eie.host.network import Layer, Network

__all__ = ["TorchReference"]


class TorchReference:
    """Computes a network's outputs with exact integers.

    Memory is in proportion to the non-zero weights and to the activations of a batch. An int64
    cannot overflow: a sum of at most 2**16 products of two 16-bit numbers and a 48-bit bias lies
    below 2**49.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._layers = [_IntegerLayer(layer) for layer in network.layers]

    def __call__(self, inputs: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Compute the outputs of the last layer, int16, shape (batch, outputs).

        Parameters
        ----------
        inputs
            int16 codes, shape (batch, inputs).
        """
        return self.layer_outputs(inputs)[-1]

    def layer_outputs(self, inputs: npt.NDArray[np.int16]) -> list[npt.NDArray[np.int16]]:
        """Compute the outputs of every layer in order, each int16, shape (batch, rows)."""
        return self.outputs_and_saturation(inputs)[0]

    def outputs_and_saturation(
        self, inputs: npt.NDArray[np.int16]
    ) -> tuple[list[npt.NDArray[np.int16]], list[int]]:
        """Compute the outputs of every layer, and how many of them write-back cut off."""
        activations = torch.from_numpy(self._network.check_inputs(inputs).astype(np.int64)).T
        outputs, saturated = [], []
        for layer in self._layers:
            rounded = layer(activations)
            activations = rounded.clamp(CODE_MIN, CODE_MAX)
            saturated.append(int((activations != rounded).sum()))
            outputs.append(np.ascontiguousarray(activations.T.numpy().astype(np.int16)))
        return outputs, saturated


class _IntegerLayer:
    """One layer over int64 columns of activations, shape (columns, batch), before saturation."""

    def __init__(self, layer: Layer) -> None:
        places = np.stack([layer.indices.astype(np.int64), layer.column_of_entry()])
        weights = layer.codebook[layer.codes].astype(np.int64)
        self._matrix = torch.sparse_coo_tensor(
            torch.from_numpy(places),
            torch.from_numpy(weights),
            (layer.rows, layer.columns),
            check_invariants=True,
        )
        self._bias = torch.from_numpy(layer.bias.copy()).unsqueeze(1)
        self._relu = layer.relu
        self._shift = layer.shift

    def __call__(self, activations: torch.Tensor) -> torch.Tensor:
        sums: torch.Tensor = torch.sparse.mm(self._matrix, activations) + self._bias
        if self._relu:
            sums = sums.clamp(min=0)
        if self._shift > 0:
            sums = (sums + (1 << (self._shift - 1))) >> self._shift
        return sums
