"""The integer reference in torch: what every engine's outputs must equal.

Every vector by itself; :mod:`eie.host.compress.sequence_reference` has the steps of sequences.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from eie.host.compress.integer_layer import IntegerLayer
from eie.host.network import INPUT, Network
from eie.host.network.graph import giver_of

__all__ = ["TorchReference"]


class TorchReference:
    """Computes a network's outputs with exact integers.

    A vector of a recurrent network is the first of a sequence, as in a run without tags. Memory is
    in proportion to the non-zero weights and to the activations of a batch. An int64 cannot
    overflow: a sum of at most 2**16 products of two 16-bit numbers and a 48-bit bias lies below
    2**49, and a chain has few of them.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._layers = [IntegerLayer(layer) for layer in network.layers]

    def __call__(self, inputs: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Compute the outputs of the last layer, int16, shape (batch, outputs).

        Parameters
        ----------
        inputs
            int16 codes, shape (batch, inputs).
        """
        return self.layer_outputs(inputs)[-1]

    def layer_outputs(self, inputs: npt.NDArray[np.int16]) -> list[npt.NDArray[np.int16]]:
        """Compute the outputs of every layer in order, each int16, shape (batch, results).

        A layer that accumulates gives none: shape (batch, 0).
        """
        return self.outputs_and_saturation(inputs)[0]

    def outputs_and_saturation(
        self, inputs: npt.NDArray[np.int16]
    ) -> tuple[list[npt.NDArray[np.int16]], list[int]]:
        """Compute the outputs of every layer, and how many of them write-back cut off."""
        layers = self._network.layers
        codes = self._network.check_inputs(inputs)
        given = {INPUT: torch.from_numpy(codes.astype(np.int64))}
        outputs = [np.empty((len(codes), 0), np.int16)] * len(layers)
        saturated = [0] * len(layers)
        sums: torch.Tensor | None = None
        for index, layer in enumerate(self._layers):
            giver = giver_of(layers, index)
            if giver == index:
                given[index] = torch.zeros(len(codes), layers[index].results, dtype=torch.int64)
            added = layer.product(given[giver])
            sums = added if sums is None else sums + added
            if layers[index].accumulate:
                continue
            results, saturated[index] = layer.write_back(sums)
            if layers[index].recurrent:
                results, _ = layer.step(results, torch.zeros_like(given[index]))
            else:
                results = layer.function(results)
            given[index], sums = results, None
            outputs[index] = np.ascontiguousarray(results.numpy().astype(np.int16))
        return outputs, saturated
