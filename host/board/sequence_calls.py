"""What an accelerator does with sequences: the part of the driver that recurrent networks add."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.host.board.call_queue import Turns
from eie.host.board.sequences import BoardSequences, stream_async
from eie.host.network.sequence_codes import Outputs, only_last, sequence_codes
from eie.host.network.sequence_state import States, given_state
from eie.host.packing.tiling import Plan
from eie.host.protocol.lane_states import Stream
from eie.host.protocol.saturation import Saturation
from eie.host.protocol.stream_steps import StreamSteps

__all__ = ["SequenceCalls"]

Codes = npt.NDArray[np.int16]


class SequenceCalls(ABC):
    """Calls with sequences; who inherits from it has the device."""

    _turns: Turns
    #: Of a recurrent network.
    _sequences: BoardSequences | None
    _saturation: Saturation | None

    @abstractmethod
    def _loaded(self) -> Plan:
        """Give what is loaded, or refuse."""

    @abstractmethod
    def _submit(
        self, call: Callable[[], Any], stop: threading.Event | None = None
    ) -> asyncio.Future[Any]:
        """Let a thread make a call in its turn."""

    @property
    def sequences(self) -> BoardSequences:
        """What runs sequences of the network that is loaded.

        Raises
        ------
        InputError
            If it is not recurrent.
        """
        self._loaded()
        if self._sequences is None:
            raise InputError("the network has no recurrent layer: there are no sequences")
        return self._sequences

    def stream(self, steps: Iterable[npt.ArrayLike]) -> Iterator[npt.NDArray[Any]]:
        """Take a sequence step by step: each one's outputs are there before the next is asked for.

        Other calls may come in between, and several streams may be under way, as many as the
        network has lanes.

        Parameters
        ----------
        steps
            Each of shape (inputs,): real numbers or int16 codes.

        Returns
        -------
        iterator of ndarray, shape (outputs,)
            In the kind of the steps.

        Raises
        ------
        InputError
            If the network is not recurrent, or a step has another shape or is not finite.
        DeviceError
            If the accelerator fails, or another call took the stream's lane.
        """
        return self._stream_steps(in_turn=True).each(steps)

    def stream_async(
        self, steps: AsyncIterable[npt.ArrayLike] | Iterable[npt.ArrayLike]
    ) -> AsyncIterator[npt.NDArray[Any]]:
        """Take a sequence step by step while the event loop goes on, as :meth:`stream`.

        Parameters
        ----------
        steps
            As for :meth:`stream`; may come asynchronously, as from a sensor.

        Returns
        -------
        asynchronous iterator of ndarray, shape (outputs,)
        """
        return stream_async(self._stream_steps(in_turn=False), self._submit, steps)

    def _stream_steps(self, *, in_turn: bool) -> StreamSteps:
        """Take steps to the device, each with a turn of its own unless the caller has one."""
        sequences, network = self._sequences, self._loaded().network

        def step(stream: Stream | None, vector: Codes) -> tuple[Stream, Codes]:
            assert sequences is not None  # the network is recurrent
            with self._turns.take() if in_turn else nullcontext():
                return sequences.step(stream, vector)

        return StreamSteps(network, step)

    def _run_sequences(
        self,
        sequences: BoardSequences,
        inputs: Any,
        stopped: Callable[[], bool],
        outputs: Outputs | None,
        keep: bool,
        state: States | None,
    ) -> Any:
        network = self._loaded().network
        last = only_last(network, outputs)
        taken = sequence_codes(network, inputs, empty=not last)
        begins = given_state(network, state, len(taken.codes), keep=keep)
        self._saturation = None
        found = sequences.run(taken.codes, last=last, keep=keep, stopped=stopped, state=begins)
        self._saturation = Saturation.of_run(
            network, taken.steps, taken.saturated, sequences.saturated
        )
        self._saturation.warn(network)
        return taken.answer(network, found, last=last)
