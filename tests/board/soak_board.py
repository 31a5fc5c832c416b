"""A board whose faults are chosen at random, and what each must surface as: for the soaks."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter

import numpy as np
import pynq

from eie.hls.boundary.errors import DeviceError, DeviceTimeoutError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.board.dma import DmaError, DmaStatus
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.protocol.responses import AnswerError

ERROR_BITS = (DmaStatus.INTERNAL_ERROR, DmaStatus.SLAVE_ERROR, DmaStatus.DECODE_ERROR)
#: What each fault must surface as. A request cut short is refused by the accelerator; an answer
#: with a bit inverted, or of another network, is refused by the host.
FAULTS = {
    "DMA error, request": DmaError,
    "DMA error, answer": DmaError,
    "kernel stands still": DeviceTimeoutError,
    "kernel takes no request": DeviceTimeoutError,
    "answer too late": DeviceTimeoutError,
    "answer without TLAST": DeviceTimeoutError,
    "fabric reset in mid-answer": DmaError,
    "other bitstream loaded": DeviceError,
    "request cut short": AnswerError,
    "request with a bit inverted": DeviceError,
    "answer with a bit inverted": DeviceError,
    "answer cut short": DeviceError,
    "answer of the packet before": AnswerError,
    "bitstream not loaded after a fault": DeviceError,
    "network lost": AnswerError,
}
#: Reads of registers until the deadline: two a look, a look a tick of the clock, ten ticks.
READS = 20


class SoakedBoard:
    """One board, its accelerator, and what happens to it."""

    accelerator: Accelerator

    def __init__(self, design: Design, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.engines: list[Emulator] = []
        self.board = EmulatedBoard("zcu104", lambda: self._engine(design))
        self.counts: Counter[str] = Counter()
        ticks = itertools.count()
        self._clock = lambda: float(next(ticks))

    def _engine(self, design: Design) -> Emulator:
        self.engines.append(Emulator(design))
        del self.engines[:-1]
        return self.engines[-1]

    def opened(self) -> Accelerator:
        """Open the accelerator, whose time is counted in looks at registers."""
        self.accelerator = Accelerator(self.board.bitfile, buffer_bytes=512, clock=self._clock)
        return self.accelerator

    def short_run(self) -> None:
        """Run a few vectors."""
        raise NotImplementedError

    def check(self, outputs: np.ndarray, expected: np.ndarray) -> None:
        """Compare outputs, and count them."""
        assert outputs.dtype == expected.dtype and np.array_equal(outputs, expected)
        self.counts["vectors compared"] += len(outputs)

    def inject(self, name: str) -> None:
        faults, random = self.board.faults, self.random
        if name == "DMA error, request":
            faults.mm2s_error = ERROR_BITS[random.integers(3)]
        elif name == "DMA error, answer":
            faults.s2mm_error = ERROR_BITS[random.integers(3)]
        elif name == "kernel stands still":
            faults.hang = True
        elif name == "kernel takes no request":
            faults.stall = 10 * READS
        elif name == "answer too late":
            faults.slow = 10 * READS
        elif name == "fabric reset in mid-answer":
            faults.reset = int(random.integers(0, 8))
        elif name == "other bitstream loaded":
            pynq.Overlay(str(self.board.bitfile))
        elif name == "request with a bit inverted":
            # The shortest request of these networks, three vectors of nine inputs or a load of
            # the smallest network, is longer.
            faults.flip_request_bit = int(random.integers(0, 8 * 64))
        elif name == "answer cut short":
            faults.truncate_answer = int(random.integers(0, 4))
        elif name == "answer of the packet before":
            faults.stale_answer = True
        elif name == "bitstream not loaded after a fault":
            faults.hang = faults.download_error = True
            with contextlib.suppress(DeviceTimeoutError):
                self.short_run()
        elif name == "answer without TLAST":
            faults.drop_tlast = True
        elif name == "request cut short":
            faults.truncate_request = int(random.integers(1, 4))
        elif name == "answer with a bit inverted":
            # The shortest answer, to a load, has four beats.
            faults.flip_answer_bit = int(random.integers(0, 4 * 64))
        else:
            self.engines[-1]._resident = None
