"""Sequences on an engine that is no board: a session, and the states of its lanes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from eie.host.network.sequence_state import SequenceState
from eie.host.packing.packed_network import PackedNetwork
from eie.host.protocol.client import Session
from eie.host.protocol.engine import Engine
from eie.host.protocol.lane_states import LaneStates, Stream
from eie.host.protocol.sequence_run import run_from_state, run_sequences, run_step
from eie.host.protocol.sequences import Schedule

__all__ = ["SequenceSession"]

Codes = npt.NDArray[np.int16]


class SequenceSession:
    """A recurrent network resident on an engine, which keeps its states between calls.

    Parameters
    ----------
    engine
        Emulator or compiled kernel; it is not closed by the session, and nothing else uses it.
    packed
        The network, packed for the engine's design.

    Raises
    ------
    DeviceError
        If the engine has another design, or refuses the network.
    """

    def __init__(self, engine: Engine, packed: PackedNetwork) -> None:
        self._session = Session(engine, packed)
        self._packed = packed
        self._states = LaneStates(packed.held.lanes)
        #: How many results of each layer were saturated in the last call.
        self.saturated: tuple[int, ...] = ()

    def run(
        self,
        sequences: Sequence[Codes],
        *,
        last: bool,
        keep: bool,
        state: SequenceState | None = None,
    ) -> list[Codes]:
        """Take sequences through the network.

        Parameters
        ----------
        sequences
            int16 codes, each of shape (steps, inputs).
        last
            Whether a sequence's last step alone gives an output, or every one.
        keep
            Whether they go on where those of the last call ended.
        state
            Where each of them begins, in place of zero.
        """
        if state is not None:
            put = partial(self._session.set_state, state)
            return run_from_state(self._states, sequences, self._send, put, last=last)
        return run_sequences(self._states, sequences, self._send, last=last, keep=keep)

    def step(self, stream: Stream | None, vector: Codes) -> tuple[Stream, Codes]:
        """Take a step of a stream: one that begins if it is None. Outputs: int16 (outputs,)."""
        lane = self._states.open_stream() if stream is None else stream
        return lane, run_step(self._states, lane, vector, self._send, start=stream is None)

    def _send(self, vectors: Codes, steps: Schedule) -> Codes:
        counts = np.zeros(len(self._packed.layers), np.int64)
        most = self._session.vectors_per_packet
        outputs = []
        for part in steps.parts(most, most):
            outputs.append(self._session.run(vectors[part], steps.tags_of(part)))
            counts += self._session.saturated
        self.saturated = tuple(counts.tolist())
        nothing = np.empty((0, self._packed.network.outputs), np.int16)
        return np.concatenate(outputs) if outputs else nothing
