"""The protocol on a board: packets, their answers, what is resident, and recovery."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DeviceError, DoesNotFitError, Problems, Shortage
from eie.hls.boundary.progress import tell
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.hls.spec.packets import BEAT_BYTES, HEADER, NETWORK, TRAILER, VERSION
from eie.host.board.transport import BoardEngine
from eie.host.network.sequence_state import SequenceState
from eie.host.packing.packed_network import PackedNetwork
from eie.host.protocol.client import Client
from eie.host.protocol.responses import AnswerError, answer_bytes, read_run_answer
from eie.host.protocol.sequences import Schedule

__all__ = ["BoardLink"]

Codes = npt.NDArray[np.int16]


class BoardLink:
    """One accelerator, packet by packet.

    After an error the next call loads the bitstream again unless the accelerator is known to be
    in step, and the network when it is needed. Not safe for use by several threads.

    Parameters
    ----------
    engine
        The board. It is not closed by the link.
    buffer_bytes
        Bytes of a run's request, and of its answer, at most, unless a single vector needs more.

    Raises
    ------
    DeviceError
        If the accelerator does not answer, or is not one that this version of eie made.
    """

    def __init__(self, engine: BoardEngine, *, buffer_bytes: int) -> None:
        self._engine = engine
        self._buffer_bytes = buffer_bytes
        self._client = Client(lambda packet, size: self._engine.process(packet, answer_bytes=size))
        #: What the accelerator holds, as far as it is known.
        self._resident: PackedNetwork | None = None
        #: Whether the accelerator may be in the middle of a packet.
        self._in_doubt = False
        #: How many results of each layer of the network were saturated in the last run.
        self.saturated: tuple[int, ...] = ()
        #: How often a network was loaded: each time all states of sequences were lost.
        self.loads = 0
        #: The design that the accelerator reports; its board is ``"none"``.
        self.design = self._identify()

    def load(self, packed: PackedNetwork) -> None:
        """Make `packed` resident, in place of what was there.

        Raises
        ------
        DeviceError
            If the accelerator fails or refuses; nothing is resident then.
        """
        self._recover_if_needed()
        self._resident = None
        self.loads += 1
        with self._in_step():
            self._client.load(packed)
        self._engine.release_buffers()
        self._resident = packed

    def make_resident(self, packed: PackedNetwork) -> None:
        """Load `packed` unless it is resident, and the bitstream again if it must be."""
        self._recover_if_needed()
        resident = self._resident
        # Some of its layers are the same network.
        if resident is None or resident.layers is not packed.layers:
            self.load(packed)

    def run(
        self,
        packed: PackedNetwork,
        codes: Codes,
        stopped: Callable[[], bool] = lambda: False,
        steps: Schedule | None = None,
    ) -> Codes | None:
        """Take a batch through `packed`, which is loaded first unless it is resident.

        While the accelerator works on a packet, the next one is written and the last answer read.

        Parameters
        ----------
        packed
            Packed for :attr:`design`.
        codes
            int16, shape (batch, inputs).
        stopped
            Asked before each packet.
        steps
            Of which sequences the vectors are the steps; None: each stands for itself.

        Returns
        -------
        ndarray of int16, shape (vectors that give an output, outputs)
            Or None if `stopped` said so; what was under way has been waited for.
        """
        given = len(codes) if steps is None else steps.tags.given
        outputs = np.empty((given, packed.outputs), np.int16)
        self.saturated = (0,) * len(packed.ran)
        if not len(codes):
            return outputs
        self.make_resident(packed)
        with self._in_step():
            complete = self._stream(packed, codes, outputs, stopped, steps)
        return outputs if complete else None

    def set_state(
        self, packed: PackedNetwork, state: SequenceState, sequence: int, lane: int
    ) -> None:
        """Put where one of the sequences of a state stands into a lane; `packed` is resident."""
        with self._in_step():
            self._client.set_state(packed, state, sequence, lane)

    def counters(self) -> Counters:
        """Read what the kernel counted during the last packet of vectors."""
        self._recover_if_needed()
        with self._in_step():
            return self._client.counters(self.design.pes)

    def check_transfers(self, packed: PackedNetwork) -> None:
        """Refuse a network whose load, or whose single vector, no transfer of the DMA holds.

        Raises
        ------
        DoesNotFitError
            Says what is too long, and by how much.
        """
        load = HEADER.beats + NETWORK.beats + len(packed.sections) + TRAILER.beats
        most = self._engine.max_transfer
        problems = Problems("the network does not fit the DMA's length register")
        for what, size in (
            ("load packet", load * BEAT_BYTES),
            ("run of one vector", packed.run_packet_bytes(1, tagged=packed.network.recurrent)),
            ("answer of one vector", answer_bytes(packed.answer_beats(1))),
        ):
            if not problems.require(
                size <= most,
                f"{what}: needs {size} bytes, a transfer holds {most} ({size - most} too many); "
                "build the bitstream with a wider c_sg_length_width",
            ):
                problems.shortages.append(Shortage("c_sg_length_width", size, most, most))
        problems.raise_as(DoesNotFitError)

    @property
    def registers(self) -> Mapping[str, int]:
        """The kernel's registers by name."""
        return self._engine.registers

    def _stream(
        self,
        packed: PackedNetwork,
        codes: Codes,
        outputs: Codes,
        stopped: Callable[[], bool],
        steps: Schedule | None,
    ) -> bool:
        """Send `codes` in packets, one ahead of the answers; False if stopped in between."""
        engine = self._engine
        under_way: Callable[[memoryview], tuple[int, ...]] | None = None
        complete = True

        def read(answer: memoryview) -> None:
            assert under_way is not None
            self.saturated = tuple(map(sum, zip(self.saturated, under_way(answer), strict=True)))

        read_to = 0
        for number, part in enumerate(self._parts(packed, len(codes), steps)):
            if stopped():
                complete = False
                break
            tell("running", part.start, len(codes), "vectors")
            tags = None if steps is None else steps.tags_of(part)
            sequence = self._client.next_sequence()
            size = packed.run_packet_bytes(len(codes[part]), tagged=tags is not None)
            slot = number % 2
            # Written while the packet before is under way; its own answer is read below.
            packed.write_run_packet(codes[part], engine.request(slot, size), sequence, tags)
            answer = engine.finish() if under_way is not None else None
            given = len(codes[part]) if tags is None else tags.given
            engine.start(slot, size, answer_bytes=answer_bytes(packed.answer_beats(given)))
            if answer is not None:
                read(answer)
            here = outputs[read_to : read_to + given]
            read_to += given
            under_way = partial(read_run_answer, packed, outputs=here, sequence=sequence)
        if under_way is not None:
            read(engine.finish())
        return complete

    def _parts(
        self, packed: PackedNetwork, vectors: int, steps: Schedule | None
    ) -> Iterator[slice]:
        """Split a batch by what a packet, and its answer, may hold."""
        room = min(self._buffer_bytes, self._engine.max_transfer)
        tagged = steps is not None
        empty, one = (packed.run_packet_bytes(each, tagged=tagged) for each in (0, 1))
        request = max(1, (room - empty) // (one - empty))
        answer = (room - answer_bytes(packed.answer_beats(0))) // BEAT_BYTES // packed.output_beats
        answer = max(1, answer)
        if steps is not None:
            yield from steps.parts(request, answer)
            return
        most = min(request, answer)
        for start in range(0, vectors, most):
            yield slice(start, start + most)

    def _identify(self) -> Design:
        design = self._client.identify()
        registers = self._engine.registers
        for name, expected in (("design_id", design.id), ("format_version", VERSION)):
            if registers[name] != expected:
                raise DeviceError(
                    f"register {name} must be {expected:#x}, not {registers[name]:#x}: "
                    "is the .hwh the bitstream's?"
                )
        return design

    @contextlib.contextmanager
    def _in_step(self) -> Iterator[None]:
        """Leave it in doubt whether the accelerator is in step unless all goes well."""
        # Any exception on the way counts, an interrupt from the keyboard too.
        self._in_doubt = True
        try:
            yield
        except BaseException as error:
            if self._engine.busy:
                self._engine.abort()
            elif isinstance(error, AnswerError) and error.status is not None:
                # A sound answer: in step, but whether the network is still there is not known.
                self._in_doubt, self._resident = False, None
            raise
        self._in_doubt = False

    def _recover_if_needed(self) -> None:
        """Bring the accelerator back to a known state: the same design, without a network."""
        if not self._in_doubt:
            return
        self._resident = None
        self._engine.restart()
        if self._identify() != self.design:
            raise DeviceError(
                f"{self._engine.bitfile} now holds another design: open a new Accelerator"
            )
        self._in_doubt = False
