"""The host's side of the protocol: requests with sequence numbers, and every answer checked.

:class:`Client` speaks to whatever takes a packet and gives the answer; the driver's
:class:`~eie.host.board.recovery.BoardLink` is built on it. :class:`Session` is a client with a
network on an :class:`~eie.host.protocol.engine.Engine`, for everything that is not a board.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DeviceError
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_BEAT, BEAT_BYTES, DESIGN, Kind, build_packet
from eie.host.network.sequence_state import SequenceState
from eie.host.packing.packed_layer import PackedLayer
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.run_tags import RunTags
from eie.host.packing.state_packet import state_packet
from eie.host.protocol.engine import Engine
from eie.host.protocol.responses import (
    Answer,
    answer_bytes,
    counters_beats,
    read_answer,
    read_counters,
    read_design,
)

__all__ = ["Client", "Session"]

#: Vectors of one packet take at most this many bytes, as inputs or between any two layers.
_PACKET_BYTES = 4 << 20


class Client:
    """Requests to one accelerator, one at a time.

    Parameters
    ----------
    transfer
        Takes the bytes of a packet, and how many bytes its answer has if it says OK; gives those
        of the answer.
    """

    def __init__(self, transfer: Callable[[bytes, int], bytes | memoryview]) -> None:
        self._transfer = transfer
        self._sequence = 0

    def next_sequence(self) -> int:
        """Number of the next packet, of 16 bits."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        return self._sequence

    def identify(self) -> Design:
        """Ask for the accelerator's design; its board is ``"none"``."""
        return read_design(self._ask(Kind.IDENTIFY, DESIGN.beats).payload)

    def load(self, packed: PackedNetwork) -> None:
        """Make `packed` resident.

        Raises
        ------
        DeviceError
            If the accelerator refuses it, or reports another network.
        """
        answer = self._exchange(Kind.LOAD, packed.load_packet(self.next_sequence()), 0)
        if answer.network_id != packed.network_id:
            raise DeviceError(
                f"network {packed.network_id:#010x} was loaded, but the accelerator reports "
                f"{answer.network_id:#010x}: load it again"
            )

    def run(
        self, packed: PackedNetwork, codes: npt.NDArray[np.int16], tags: RunTags | None = None
    ) -> Answer:
        """Take int16 codes of shape (batch, inputs) through what is resident, as one packet."""
        packet = packed.run_packet(codes, self.next_sequence(), tags)
        given = len(codes) if tags is None else tags.given
        return self._exchange(Kind.RUN, packet, packed.answer_beats(given))

    def set_state(
        self, packed: PackedNetwork, state: SequenceState, sequence: int, lane: int
    ) -> None:
        """Put where one of the sequences of a state stands into a lane."""
        for layer, h, kept in state.of_layers(packed.network, sequence):
            packet = state_packet(packed, layer, lane, h, kept, self.next_sequence())
            self._exchange(Kind.STATE, packet, 0)

    def counters(self, pes: int) -> Counters:
        """Read what the kernel, of `pes` PEs, counted during the last packet of vectors."""
        return read_counters(self._ask(Kind.COUNTERS, counters_beats(pes)).payload, pes)

    def _ask(self, kind: Kind, payload_beats: int) -> Answer:
        return self._exchange(kind, build_packet(kind, self.next_sequence()), payload_beats)

    def _exchange(self, kind: Kind, packet: bytes, payload_beats: int) -> Answer:
        data = self._transfer(packet, answer_bytes(payload_beats))
        return read_answer(data, kind, self._sequence, payload_beats)


class Session:
    """A packed network resident on an engine.

    Parameters
    ----------
    engine
        Emulator or compiled kernel; it is not closed by the session.
    packed
        The network, packed for the engine's design.

    Raises
    ------
    DeviceError
        If the engine has another design, or refuses the network.
    """

    def __init__(self, engine: Engine, packed: PackedNetwork) -> None:
        self._client = Client(lambda packet, _: engine.process(packet))
        self._packed = packed
        #: How many results of each layer were saturated in the last run; empty before the first.
        self.saturated: tuple[int, ...] = ()
        design = self._client.identify()
        if design.id != packed.design.id:
            raise DeviceError(
                f"the engine has design {design.id:#010x}, the network was packed for "
                f"{packed.design.id:#010x}: pack it for the engine's design, or generate the "
                "project again if its design.toml was edited"
            )
        self._client.load(packed)

    def run(
        self,
        codes: npt.NDArray[np.int16],
        tags: RunTags | None = None,
        *,
        layers: tuple[int, int] | None = None,
    ) -> npt.NDArray[np.int16]:
        """Take vectors through the network, or through some of its layers, as one packet.

        Parameters
        ----------
        codes
            int16, shape (batch, inputs).
        tags
            Whose the vectors are, and which give an output; None: each stands for itself.
        layers
            The first and the last layer that they go through; None: all.

        Returns
        -------
        ndarray of int16, shape (vectors that give an output, outputs)
        """
        packed = self._packed if layers is None else self._packed.between(*layers)
        answer = self._client.run(packed, codes, tags)
        self.saturated = packed.read_saturated(answer.payload)
        return packed.read_outputs(answer.payload)

    def set_state(self, state: SequenceState, sequence: int, lane: int) -> None:
        """Put where one of the sequences of a state stands into a lane."""
        self._client.set_state(self._packed, state, sequence, lane)

    def counters(self) -> Counters:
        """Read what the kernel counted during the last run."""
        return self._client.counters(self._packed.design.pes)

    @property
    def vectors_per_packet(self) -> int:
        """A sensible number of vectors to give to one :meth:`run`."""
        packed = self._packed
        widest = max([packed.input_beats, packed.output_beats, *map(_beats_between, packed.layers)])
        return max(1, _PACKET_BYTES // (BEAT_BYTES * widest))


def _beats_between(layer: PackedLayer) -> int:
    """Beats of a vector of results, as an engine in software holds them for a whole packet."""
    return -(-layer.local_rows * layer.encoded.pes // ACTIVATIONS_PER_BEAT)
