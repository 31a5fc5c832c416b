"""An engine that does no work: its answers to runs are prepared, and right."""

from __future__ import annotations

import numpy as np

from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import BEAT_BYTES, HEADER, TRAILER, Kind, answer_kind, build_packet

#: Where a request says what it asks for, and its number (``eie.hls.spec.packets.HEADER``).
_KIND, _SEQUENCE = 5, slice(6, 8)
_PAYLOAD = slice(HEADER.beats * BEAT_BYTES, -TRAILER.beats * BEAT_BYTES)


class PreparedEngine(Emulator):
    """An emulator whose kernel takes no time, for what the host takes alone.

    The first run of each length after a load is the emulator's; the runs after it get the same
    outputs without a look at their inputs, and are right as long as those stay the same.
    """

    def __init__(self, design: Design) -> None:
        super().__init__(design)
        self._payloads: dict[int, bytes] = {}

    def process(self, packet: bytes) -> bytes:
        """Give the answer to a packet."""
        if packet[_KIND] == Kind.RUN and len(packet) in self._payloads:
            sequence = int.from_bytes(packet[_SEQUENCE], "little")
            payload = np.frombuffer(self._payloads[len(packet)], "<u8")
            return build_packet(answer_kind(Kind.RUN), sequence, payload)
        answer = super().process(packet)
        if packet[_KIND] == Kind.RUN:
            self._payloads[len(packet)] = answer[_PAYLOAD]
        else:
            self._payloads.clear()
        return answer
