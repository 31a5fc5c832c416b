"""A layer on our kernel: packed as the tool packs it, and its cycles by the cycle model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.paper.layers import PES
from eie.hls.model.cycles import count_cycles
from eie.hls.model.emulator import Emulator
from eie.host.network import Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack
from eie.host.protocol.client import Session
from eie.host.search.fit import fit

#: What an FPGA allows at next to no cost: deeper queues, and zero counts without padding.
KERNEL_QUEUE_DEPTH, KERNEL_INDEX_BITS = 32, 6


def pack_for_kernel(network: Network) -> PackedNetwork:
    """Pack a network for our kernel with the paper's number of PEs: what `eie emulate` would run.

    Rows are dealt out by their work, queues are deeper, and zero counts need no padding.
    """
    fixed = {"index_bits": KERNEL_INDEX_BITS, "queue_depth": KERNEL_QUEUE_DEPTH}
    return pack(network, fit(network, pes=PES, **fixed).design)


class OnKernel:
    """A packed network of one layer, resident on the emulated kernel."""

    def __init__(self, packed: PackedNetwork) -> None:
        self._packed = packed
        self._emulator = Emulator(packed.design)
        self._session = Session(self._emulator, packed)

    def run(self, codes: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """Take vectors through it, packets in and packets out: (batch, inputs) codes."""
        return self._session.run(codes)

    def cycles(self, codes: npt.NDArray[np.int16]) -> int:
        """Cycles of one packet of vectors, input and output included."""
        resident = self._emulator.resident
        assert resident is not None
        sent = self._packed.in_order_sent(codes)
        return count_cycles(self._packed.design, resident, [sent]).cycles
