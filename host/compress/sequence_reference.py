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

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.spec.cell import GRU_STATE_FRAC, LSTM_STATE_FRAC, RESULT_FRAC, STATE_BITS
from eie.host.compress.integer_layer import IntegerLayer
from eie.host.network import Layer, Network
from eie.host.network.graph import giver_of
from eie.host.network.layer import INPUT

__all__ = ["SequenceReference", "SequenceResults", "SequenceState"]

Codes = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class SequenceState:
    """Where sequences stand: for each recurrent layer in order.

    Attributes
    ----------
    results
        int16, each of shape (sequences, units): h with 15 fraction bits.
    cells
        int32, each of shape (sequences, units): what the cell keeps, in 24 bits. Of an LSTM that is
        c with 18 fraction bits, of a GRU h with 22.
    """

    results: tuple[Codes, ...]
    cells: tuple[npt.NDArray[np.int32], ...]

    @classmethod
    def of_reals(
        cls, network: Network, h: npt.ArrayLike, c: npt.ArrayLike | None = None
    ) -> SequenceState:
        """Round states as torch has them: h_0 and c_0 of shape (layers, sequences, units).

        Where recurrent layers differ in size: lists of arrays (sequences, units).

        Raises
        ------
        InputError
            If they do not have the network's shape, or are not finite.
        """
        layers = _recurrent(network)
        problems = Problems("state")
        given = {"h": list(h)}  # type: ignore[arg-type]
        lstms = [layer for layer in layers if layer.activation == "lstm"]
        if problems.require(
            (c is None) == (not lstms), "c must be given with an LSTM, and with nothing else"
        ):
            given["c"] = list(given["h"] if c is None else c)  # type: ignore[arg-type]
        sequences = np.shape(given["h"][0])[0] if given["h"] and np.ndim(given["h"][0]) else 0
        for name, arrays in given.items():
            if not problems.require(
                len(arrays) == len(layers),
                f"{name} must be of {len(layers)} recurrent layers, not {len(arrays)}",
            ):
                continue
            for layer, array in zip(layers, arrays, strict=True):
                problems.require(
                    np.shape(array) == (sequences, layer.results)
                    and bool(np.isfinite(np.asarray(array, np.float64)).all()),
                    f"{name} of layer {layer.name!r} must be finite numbers of shape "
                    f"({sequences}, {layer.results}), not {np.shape(array)}",
                )
        problems.raise_as(InputError)
        results, cells = [], []
        for layer, own_h, own_c in zip(layers, given["h"], given["c"], strict=True):
            results.append(_round(own_h, RESULT_FRAC, 16).astype(np.int16))
            lstm = layer.activation == "lstm"
            frac = LSTM_STATE_FRAC if lstm else GRU_STATE_FRAC
            cells.append(_round(own_c if lstm else own_h, frac, STATE_BITS).astype(np.int32))
        return cls(tuple(results), tuple(cells))


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


def _recurrent(network: Network) -> list[Layer]:
    return [layer for index, layer in enumerate(network.layers) if layer.source == index]


def _wide(codes: Codes) -> torch.Tensor:
    return torch.from_numpy(codes.astype(np.int64))


def _round(values: npt.ArrayLike, frac: int, bits: int) -> npt.NDArray[np.float64]:
    most = float(1 << (bits - 1))
    rounded: npt.NDArray[np.float64] = np.clip(
        np.rint(np.ldexp(np.asarray(values, np.float64), frac)), -most, most - 1
    )
    return rounded
