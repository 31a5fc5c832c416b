"""Sequences on a board: states that last from call to call, as long as nothing breaks them off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DeviceError
from eie.host.board.recovery import BoardLink
from eie.host.network.sequence_codes import GOLDEN_SEQUENCE, golden_sequence_crc
from eie.host.network.sequence_state import SequenceState
from eie.host.packing.packed_network import PackedNetwork
from eie.host.protocol.lane_states import LaneStates, Stream
from eie.host.protocol.sequence_run import run_from_state, run_sequences, run_step
from eie.host.protocol.sequences import Schedule
from eie.host.protocol.stream_steps import StreamSteps

__all__ = ["BoardSequences", "StoppedError", "stream_async"]

Codes = npt.NDArray[np.int16]


class StoppedError(Exception):
    """Whoever waited for a run has given up; nothing is wrong with the device."""

    def __str__(self) -> str:
        return "it was cancelled"


class BoardSequences:
    """The sequences of one recurrent network on a board.

    Parameters
    ----------
    link
        Of the board.
    packed
        The network.
    """

    def __init__(self, link: BoardLink, packed: PackedNetwork) -> None:
        self._link = link
        self._packed = packed
        self._states = LaneStates(packed.held.lanes)
        self._loads = link.loads
        self.network = packed.network

    @property
    def saturated(self) -> tuple[int, ...]:
        """How many results of each layer were saturated in the last call."""
        return self._link.saturated

    @property
    def lanes(self) -> int:
        """How many sequences can be under way at a time."""
        return self._states.lanes

    def run(
        self,
        sequences: Sequence[Codes],
        *,
        last: bool,
        keep: bool,
        stopped: Callable[[], bool] = lambda: False,
        state: SequenceState | None = None,
    ) -> list[Codes]:
        """Take sequences through the network.

        As :func:`eie.host.protocol.sequence_run.run_sequences`.
        """

        def send(vectors: Codes, steps: Schedule) -> Codes:
            outputs = self._link.run(self._packed, vectors, stopped, steps)
            if outputs is None:
                raise StoppedError
            return outputs

        self._make_ready()
        if state is not None:

            def put(sequence: int, lane: int) -> None:
                self._link.set_state(self._packed, state, sequence, lane)

            return run_from_state(self._states, sequences, send, put, last=last)
        return run_sequences(self._states, sequences, send, last=last, keep=keep)

    def step(self, stream: Stream | None, vector: Codes) -> tuple[Stream, Codes]:
        """Take a step of a stream: one that begins if it is None. Outputs: int16 (outputs,)."""

        def send(vectors: Codes, steps: Schedule) -> Codes:
            outputs = self._link.run(self._packed, vectors, steps=steps)
            assert outputs is not None  # nobody stops it
            return outputs

        self._make_ready()
        lane = self._states.open_stream() if stream is None else stream
        return lane, run_step(self._states, lane, vector, send, start=stream is None)

    def verify(self, golden: Codes) -> None:
        """Run golden inputs as the steps of one sequence, and compare with what is known of them.

        Raises
        ------
        DeviceError
            If outputs differ.
        """
        reason = "verify() took its own vectors through the network since"
        self.lose(reason)
        wanted = self.network.metadata.get(GOLDEN_SEQUENCE)
        if wanted is None:  # compressed elsewhere
            return
        (outputs,) = self.run([golden], last=False, keep=False)
        if golden_sequence_crc(outputs) != wanted:
            raise DeviceError(
                f"the golden vectors as the {len(golden)} steps of one sequence give other outputs "
                "than the integer reference: check that the bitstream met timing"
            )
        self.lose(reason)

    def lose(self, reason: str) -> None:
        """Note that all states are gone, and why."""
        self._states.lose(reason)

    def _make_ready(self) -> None:
        self._link.make_resident(self._packed)
        if self._link.loads != self._loads:
            self._states.lose("the accelerator was loaded again since, after an error")
            self._loads = self._link.loads


async def stream_async(
    steps: StreamSteps,
    submit: Callable[[Callable[[], Any]], asyncio.Future[Any]],
    vectors: AsyncIterable[npt.ArrayLike] | Iterable[npt.ArrayLike],
) -> AsyncIterator[npt.NDArray[Any]]:
    """Take steps as they come, and give the outputs of each; the work is done by `submit`."""
    if isinstance(vectors, AsyncIterable):
        async for vector in vectors:
            yield await submit(lambda taken=vector: steps(taken))  # type: ignore[misc]
        return
    for vector in vectors:
        yield await submit(lambda taken=vector: steps(taken))  # type: ignore[misc]
