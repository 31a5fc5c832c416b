"""The driver: a network on the accelerator of a PYNQ board."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from eie.hls.design import Design
from eie.host.answers import (
    Answer,
    AnswerError,
    answer_bytes,
    counters_beats,
    read_answer,
    read_counters,
    read_design,
)
from eie.host.board_engine import BoardEngine
from eie.host.cycles import Counters
from eie.host.errors import DeviceError, DoesNotFitError, InputError, Problems
from eie.host.fixed_point import dequantize, quantize
from eie.host.network import Network
from eie.host.packer import PackedNetwork, pack
from eie.host.packets import (
    BEAT_BYTES,
    DESIGN,
    HEADER,
    NETWORK,
    RUN,
    TRAILER,
    VERSION,
    Kind,
    build_packet,
)

__all__ = ["Accelerator", "DeviceInfo"]


@dataclass(frozen=True)
class DeviceInfo:
    """What a board runs."""

    #: The bitstream in the fabric.
    bitfile: Path
    #: The design that the accelerator reports.
    design: Design
    #: The kernel's registers by name (``eie.hls.registers.PORTS``).
    registers: Mapping[str, int]


class Accelerator:
    """The accelerator on a PYNQ board.

    Loads the bitstream, starts the kernel and asks it for its design::

        with Accelerator("eie.bit") as accelerator:
            accelerator.load(Network.load("network.npz"))
            accelerator.verify()
            outputs = accelerator.run(inputs)

    Calls block until the answer is there, or a deadline has passed. After an error of the device
    the next call loads the bitstream, and the network when it needs it, again; outputs are either
    right or an exception. Not safe for use by several threads.

    Parameters
    ----------
    bitfile
        The ``.bit``; its ``.hwh`` lies beside it.
    timeout
        Seconds that one packet may take to be answered.
    buffer_bytes
        Bytes of contiguous memory for a run's request, and for its answer. A batch that needs
        more is sent in parts; a single vector always goes.
    clock
        Seconds, rising; what deadlines are measured by.

    Raises
    ------
    InputError
        If a file is missing, or the overlay is no eie accelerator.
    ToolError
        If pynq is not installed.
    DeviceError
        If the accelerator does not answer, or is not one that this version of eie made.
    """

    def __init__(
        self,
        bitfile: str | os.PathLike[str],
        *,
        timeout: float = 10.0,
        buffer_bytes: int = 4 << 20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        problems = Problems("accelerator")
        problems.require(buffer_bytes > 0, f"buffer_bytes must be positive, not {buffer_bytes!r}")
        problems.raise_as(InputError)
        self._engine = BoardEngine(bitfile, timeout=timeout, clock=clock)
        self._buffer_bytes = buffer_bytes
        self._sequence = 0
        self._packed: PackedNetwork | None = None
        #: Whether the accelerator holds `_packed`.
        self._resident = False
        #: Whether the last exchange may have left the accelerator in the middle of a packet.
        self._in_doubt = False
        try:
            self._design = self._identify()
        except BaseException:
            self._engine.close()
            raise

    @property
    def design(self) -> Design:
        """The design that the accelerator reports; its board is ``"none"``."""
        return self._design

    def load(self, network: Network) -> None:
        """Make `network` resident, in place of the one before.

        Raises
        ------
        DoesNotFitError
            If the network needs more than the design has; says by how much. The network before
            stays loaded.
        DeviceError
            If the accelerator fails or refuses; no network is loaded then.
        """
        if not isinstance(network, Network):
            raise InputError(f"network must be a Network, not {type(network).__name__}")
        packed = pack(network, self._design)
        self._check_transfers(packed)
        self._packed = None
        self._send_load(packed)
        self._packed = packed

    @overload
    def run(self, inputs: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]: ...
    @overload
    def run(self, inputs: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]: ...
    def run(
        self, inputs: npt.NDArray[np.int16] | npt.NDArray[np.floating[Any]]
    ) -> npt.NDArray[np.int16] | npt.NDArray[np.float32]:
        """Take a batch of vectors through the network.

        Parameters
        ----------
        inputs
            Shape (batch, inputs): int16 fixed-point codes, or real numbers, which are quantised
            with the network's input format.

        Returns
        -------
        ndarray, shape (batch, outputs)
            int16 codes for codes, float32 for real numbers; in the order of the inputs.

        Raises
        ------
        InputError
            If the inputs have another shape or type, or are not finite; nothing was sent.
        DeviceError
            If no network is loaded, or the accelerator fails or refuses.
        """
        packed = self._loaded()
        network = packed.network
        array = np.asarray(inputs)
        if array.dtype.kind == "f":
            codes = network.check_inputs(quantize(array, network.input_frac, name="inputs"))
            return dequantize(self._run_codes(packed, codes), network.output_frac)
        if array.dtype != np.int16:
            raise InputError(f"inputs must be int16 codes or real numbers, not {array.dtype}")
        return self._run_codes(packed, network.check_inputs(array))

    def verify(self) -> int:
        """Run the network's golden inputs and compare every output with ``==``.

        Returns
        -------
        int
            Number of vectors compared.

        Raises
        ------
        InputError
            If the network has no golden vectors.
        DeviceError
            If an output differs; says how many do, and the first.
        """
        network = self._loaded().network
        expected = network.golden_outputs
        if not len(expected):
            raise InputError("the network has no golden vectors to verify with")
        outputs = self.run(network.golden_inputs)
        wrong = np.argwhere(outputs != expected)
        if len(wrong):
            vector, output = (int(index) for index in wrong[0])
            raise DeviceError(
                f"{len(wrong)} of {expected.size} golden outputs differ; the first is output "
                f"{output} of vector {vector}: {outputs[vector, output]} instead of "
                f"{expected[vector, output]}; check that the bitstream met timing"
            )
        return len(expected)

    def counters(self) -> Counters:
        """Read what the kernel counted during the last packet of vectors."""
        pes = self._design.pes
        answer = self._request(Kind.COUNTERS, _empty(Kind.COUNTERS), counters_beats(pes))
        return read_counters(answer.payload, pes)

    def info(self) -> DeviceInfo:
        """Bitstream, design and registers."""
        return DeviceInfo(self._engine.bitfile, self._design, self._engine.registers)

    def close(self) -> None:
        """Stop the DMA and free the buffers. Again does nothing."""
        self._engine.close()

    def __enter__(self) -> Accelerator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _loaded(self) -> PackedNetwork:
        if self._packed is None:
            raise DeviceError("no network is loaded: call load(network) first")
        return self._packed

    def _identify(self) -> Design:
        answer = self._exchange(Kind.IDENTIFY, _empty(Kind.IDENTIFY), DESIGN.beats)
        design = read_design(answer.payload)
        registers = self._engine.registers
        for name, expected in (("design_id", design.id), ("format_version", VERSION)):
            if registers[name] != expected:
                raise DeviceError(
                    f"register {name} must be {expected:#x}, not {registers[name]:#x}: "
                    "is the .hwh the bitstream's?"
                )
        return design

    def _check_transfers(self, packed: PackedNetwork) -> None:
        """Refuse a network whose load, or whose single vector, no transfer of the DMA holds."""
        around = HEADER.beats + TRAILER.beats
        most = self._engine.max_transfer
        problems = Problems("the network does not fit the DMA's length register")
        for what, size in (
            ("load packet", (around + NETWORK.beats + len(packed.sections)) * BEAT_BYTES),
            ("run of one vector", (around + RUN.beats + packed.input_beats) * BEAT_BYTES),
            ("answer of one vector", answer_bytes(packed.output_beats)),
        ):
            problems.require(
                size <= most,
                f"{what}: needs {size} bytes, a transfer holds {most} ({size - most} too many); "
                "build the bitstream with a wider c_sg_length_width",
            )
        problems.raise_as(DoesNotFitError)

    def _send_load(self, packed: PackedNetwork) -> None:
        self._resident = False
        answer = self._request(Kind.LOAD, packed.load_packet, 0)
        if answer.network_id != packed.network_id:
            raise DeviceError(
                f"network {packed.network_id:#010x} was loaded, but the accelerator reports "
                f"{answer.network_id:#010x}: load it again"
            )
        self._engine.release_buffers()
        self._resident = True

    def _run_codes(
        self, packed: PackedNetwork, codes: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.int16]:
        outputs = np.empty((len(codes), packed.network.outputs), np.int16)
        most = self._vectors_per_packet(packed)
        for start in range(0, len(codes), most):
            part = codes[start : start + most]
            outputs[start : start + len(part)] = self._run_packet(packed, part)
        return outputs

    def _run_packet(
        self, packed: PackedNetwork, codes: npt.NDArray[np.int16]
    ) -> npt.NDArray[np.int16]:
        if self._in_doubt:
            self._recover()
        if not self._resident:
            self._send_load(packed)
        answer = self._request(
            Kind.RUN,
            lambda sequence: packed.run_packet(codes, sequence),
            len(codes) * packed.output_beats,
        )
        return packed.read_outputs(answer.payload)

    def _vectors_per_packet(self, packed: PackedNetwork) -> int:
        room = min(self._buffer_bytes, self._engine.max_transfer)
        request = room // BEAT_BYTES - HEADER.beats - RUN.beats - TRAILER.beats
        answer = (room - answer_bytes(0)) // BEAT_BYTES
        return max(1, min(request // packed.input_beats, answer // packed.output_beats))

    def _request(self, kind: Kind, packet_of: Callable[[int], bytes], payload_beats: int) -> Answer:
        """Send the packet that `packet_of` builds for a sequence number, and check its answer."""
        if self._in_doubt:
            self._recover()
        # Any exception on the way, an interrupt from the keyboard too, leaves it in doubt.
        self._in_doubt = True
        try:
            answer = self._exchange(kind, packet_of, payload_beats)
        except AnswerError as error:
            if error.status is not None:
                # A sound answer: in step, but whether the network is still there is not known.
                self._in_doubt = self._resident = False
            raise
        self._in_doubt = False
        return answer

    def _exchange(
        self, kind: Kind, packet_of: Callable[[int], bytes], payload_beats: int
    ) -> Answer:
        self._sequence = (self._sequence + 1) & 0xFFFF
        data = self._engine.process(
            packet_of(self._sequence), answer_bytes=answer_bytes(payload_beats)
        )
        return read_answer(data, kind, self._sequence, payload_beats)

    def _recover(self) -> None:
        """Bring the accelerator back to a known state: the same design, without a network."""
        self._resident = False
        self._engine.restart()
        if self._identify() != self._design:
            raise DeviceError(
                f"{self._engine.bitfile} now holds another design: open a new Accelerator"
            )
        self._in_doubt = False


def _empty(kind: Kind) -> Callable[[int], bytes]:
    """Give what builds a packet of `kind` without payload."""
    return lambda sequence: build_packet(kind, sequence)
