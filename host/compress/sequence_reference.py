"""The integer reference of sequences in torch: what every engine's outputs must equal.

The network is taken step by step as it is written (docs/decisions/0024): chains of layers add to
the same sums, results are held, and a recurrent layer takes its own results of the step before.
Sequences that are under way at the same step are computed together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from eie.host.compress.integer_layer import IntegerLayer
from eie.host.network import Network
from eie.host.network.graph import giver_of
from eie.host.network.layer import INPUT
from eie.host.network.sequence_state import SequenceState

__all__ = ["SequenceReference", "SequenceResults"]

Codes = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class SequenceResults:
    """What sequences gave."""

    #: For each layer, for each sequence: int16 (steps, results); none of one that accumulates.
    layers: tuple[tuple[Codes, ...], ...]
    #: Results of each layer that were saturated, over all steps.
    saturated: tuple[int, ...]
    #: After the last step of each.
    state: SequenceState

    @property
    def outputs(self) -> tuple[Codes, ...]:
        """int16, for each sequence (steps, outputs)."""
        return self.layers[-1]


class SequenceReference:
    """Computes a network's outputs for sequences with exact integers.

    Parameters
    ----------
    network
        Any; the vectors of one that is not recurrent are steps without memory.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._layers = [IntegerLayer(layer) for layer in network.layers]
        self._recurrent = [
            index for index, layer in enumerate(network.layers) if layer.source == index
        ]

    def __call__(
        self, sequences: Sequence[Codes], state: SequenceState | None = None
    ) -> SequenceResults:
        """Take sequences through the network, from zero states or from those given.

        Parameters
        ----------
        sequences
            int16 codes, each of shape (steps, inputs).
        state
            Of each before its first step.
        """
        layers = self._network.layers
        count = len(sequences)
        cells = {index: torch.zeros(count, layers[index].results, dtype=torch.int64)
                 for index in self._recurrent}  # fmt: skip
        held = {index: cells[index].clone() for index in self._recurrent}
        if state is not None:
            for index, results, own in zip(
                self._recurrent, state.results, state.cells, strict=True
            ):
                held[index] = torch.from_numpy(results.astype(np.int64))
                cells[index] = torch.from_numpy(own.astype(np.int64))
        lengths = np.array([len(each) for each in sequences], np.int64)
        given = [
            [np.zeros((each, layer.results), np.int16) for each in lengths] for layer in layers
        ]
        saturated = [0] * len(layers)
        for step in range(int(lengths.max(initial=0))):
            chosen = np.flatnonzero(lengths > step)
            rows = torch.from_numpy(chosen)
            values = {INPUT: _wide(np.stack([sequences[each][step] for each in chosen]))}
            values |= {index: held[index][rows] for index in self._recurrent}
            sums: torch.Tensor | None = None
            for index, layer in enumerate(self._layers):
                added = layer.product(values[giver_of(layers, index)])
                sums = added if sums is None else sums + added
                if layers[index].accumulate:
                    continue
                codes, cut = layer.write_back(sums)
                saturated[index] += cut
                if index in cells:
                    codes, kept = layer.step(codes, cells[index][rows])
                    cells[index][rows], held[index][rows] = kept, codes
                else:
                    codes = layer.function(codes)
                values[index], sums = codes, None
                for row, each in zip(codes.numpy().astype(np.int16), chosen, strict=True):
                    given[index][each][step] = row
        after = SequenceState(
            tuple(held[index].numpy().astype(np.int16) for index in self._recurrent),
            tuple(cells[index].numpy().astype(np.int32) for index in self._recurrent),
        )
        return SequenceResults(tuple(map(tuple, given)), tuple(saturated), after)


def _wide(codes: Codes) -> torch.Tensor:
    return torch.from_numpy(codes.astype(np.int64))
