"""A network on an engine: load it, run vectors, read the counters, every answer checked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DeviceError
from eie.hls.spec.counters import Counters
from eie.hls.spec.packets import DESIGN, Kind, build_packet
from eie.host.packing.packed_network import PackedNetwork
from eie.host.protocol.engine import Engine
from eie.host.protocol.responses import (
    Answer,
    counters_beats,
    read_answer,
    read_counters,
    read_design,
)

__all__ = ["Session"]

#: Input vectors of one packet take at most this many bytes.
_PACKET_BYTES = 4 << 20


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
        self._engine = engine
        self._packed = packed
        self._sequence = 0
        #: How many results of each layer were saturated in the last run; empty before the first.
        self.saturated: tuple[int, ...] = ()
        identity = self._request(Kind.IDENTIFY, DESIGN.beats)
        design = read_design(identity.payload)
        if design.id != packed.design.id:
            raise DeviceError(
                f"the engine has design {design.id:#010x}, the network was packed for "
                f"{packed.design.id:#010x}: pack it for the engine's design, or generate the "
                "project again if its design.toml was edited"
            )
        self._exchange(Kind.LOAD, packed.load_packet(self._next()), 0)

    def run(self, codes: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Take vectors through the network, as one packet.

        Parameters
        ----------
        codes
            int16, shape (batch, inputs).

        Returns
        -------
        ndarray of int16, shape (batch, outputs)
        """
        packet = self._packed.run_packet(codes, self._next())
        answer = self._exchange(Kind.RUN, packet, self._packed.answer_beats(len(codes)))
        self.saturated = self._packed.read_saturated(answer.payload)
        return self._packed.read_outputs(answer.payload)

    def counters(self) -> Counters:
        """Read what the kernel counted during the last run."""
        pes = self._packed.design.pes
        return read_counters(self._request(Kind.COUNTERS, counters_beats(pes)).payload, pes)

    @property
    def vectors_per_packet(self) -> int:
        """A sensible number of vectors to give to one :meth:`run`."""
        return max(1, _PACKET_BYTES // (8 * self._packed.input_beats))

    def _request(self, kind: Kind, payload_beats: int) -> Answer:
        sequence = self._next()
        return self._exchange(kind, build_packet(kind, sequence), payload_beats)

    def _exchange(self, kind: Kind, packet: bytes, payload_beats: int) -> Answer:
        return read_answer(self._engine.process(packet), kind, self._sequence, payload_beats)

    def _next(self) -> int:
        self._sequence = (self._sequence + 1) & 0xFFFF
        return self._sequence
