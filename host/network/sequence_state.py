"""Where sequences stand in a recurrent network: what each of its recurrent layers keeps.

As torch has it, h and c; in the integers of :mod:`eie.hls.spec.cell`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError, Problems
from eie.hls.spec.cell import GRU_STATE_FRAC, LSTM_STATE_FRAC, RESULT_FRAC, STATE_BITS
from eie.host.network.layer import Layer
from eie.host.network.network import Network

__all__ = ["SequenceState", "States", "given_state"]

Codes = npt.NDArray[np.int16]
#: A state as a caller has it: h_0 of GRUs, or (h_0, c_0) where there are LSTMs.
States: TypeAlias = "npt.ArrayLike | tuple[npt.ArrayLike, npt.ArrayLike]"


def given_state(
    network: Network, state: States | None, sequences: int, *, keep: bool
) -> SequenceState | None:
    """Read a state that a caller gives for so many sequences; None if there is none.

    Parameters
    ----------
    network
        A recurrent network.
    state
        As torch has it: h_0, or (h_0, c_0), each of shape (recurrent layers, sequences, units).
    sequences
        How many there are.
    keep
        Whether they go on where those of the last call ended, which a given state cannot.

    Raises
    ------
    InputError
        If it does not have the network's shape, or is not finite.
    """
    if state is None:
        return None
    if keep:
        raise InputError(
            "state must be left out with keep_state=True: sequences then go on from their own"
        )
    parts = state if isinstance(state, tuple) else (state,)
    if len(parts) not in (1, 2):
        raise InputError(f"state must be h_0 or (h_0, c_0), not a tuple of {len(parts)}")
    found = SequenceState.of_reals(network, *parts)
    if found.sequences != sequences:
        raise InputError(
            f"state must be of {sequences} sequences, as many as are given, not "
            f"{found.sequences}: h_0 has shape (recurrent layers, sequences, units)"
        )
    return found


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

    @property
    def sequences(self) -> int:
        """How many sequences there are."""
        return len(self.results[0]) if self.results else 0

    def of_layers(
        self, network: Network, sequence: int
    ) -> Iterator[tuple[int, Codes, npt.NDArray[np.int32]]]:
        """Give one sequence's part: index of each recurrent layer, its h, and what it keeps."""
        indices = [i for i, layer in enumerate(network.layers) if layer.recurrent]
        for index, results, cells in zip(indices, self.results, self.cells, strict=True):
            yield index, results[sequence], cells[sequence]

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
        given = {"h": _arrays(h, "h")}
        lstms = [layer for layer in layers if layer.activation == "lstm"]
        if problems.require(
            (c is None) == (not lstms), "c must be given with an LSTM, and with nothing else"
        ):
            given["c"] = given["h"] if c is None else _arrays(c, "c")
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
                    and bool(np.isfinite(array).all()),
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


def _arrays(values: npt.ArrayLike, name: str) -> list[npt.NDArray[np.float64]]:
    """Give the array of each layer, which may differ in their sizes."""
    try:
        return [np.asarray(value, np.float64) for value in values]  # type: ignore[union-attr]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name} must be arrays of numbers, one for each recurrent layer: {error}"
        ) from error


def _recurrent(network: Network) -> list[Layer]:
    return [layer for index, layer in enumerate(network.layers) if layer.source == index]


def _round(values: npt.ArrayLike, frac: int, bits: int) -> npt.NDArray[np.float64]:
    most = float(1 << (bits - 1))
    rounded: npt.NDArray[np.float64] = np.clip(
        np.rint(np.ldexp(np.asarray(values, np.float64), frac)), -most, most - 1
    )
    return rounded
