"""The engines of a network on a design: opened when they are first asked for, closed together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.partials import temporary_folder
from eie.hls.boundary.progress import tell
from eie.hls.boundary.text import shown
from eie.hls.boundary.warning import warn
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design, target_board
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.host.network import Network
from eie.host.network.sequence_state import SequenceState
from eie.host.packing.tiling import plan_passes
from eie.host.protocol.lane_states import Stream
from eie.host.protocol.saturation import Saturation
from eie.host.protocol.sequence_session import SequenceSession
from eie.host.run.batch import emulate, simulate

if TYPE_CHECKING:
    from eie.host.board.driver import Accelerator
    from eie.host.board.sequences import BoardSequences
    from eie.host.protocol.engine import Engine as EngineOfBoard

__all__ = ["Engine", "Engines", "check_engine"]

#: What a network runs on: numpy, the generated C++, or a board (emulated if there is none).
Engine = Literal["emulator", "c++", "board"]

#: Seconds that an emulated board may take for a packet: the C++ of large designs is slow.
_TIMEOUT = 600.0

Codes = npt.NDArray[np.int16]


def check_engine(engine: str) -> None:
    """Refuse an engine that does not exist.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if engine not in get_args(Engine):
        names = ", ".join(map(repr, get_args(Engine)))
        raise InputError(f"engine must be one of {names}, not {shown(engine)}")


class Engines:
    """The engines of one network on one design.

    `project` is a folder that was generated of the design; one is made where it is needed if there
    is none.
    """

    def __init__(
        self,
        network: Network,
        design: Design,
        bitstream: str | os.PathLike[str] | None = None,
        project: Path | None = None,
    ) -> None:
        #: Of the board that this runs on, opened when it is first asked for; None without a board.
        self.bitstream = bitstream
        self._network = network
        self._design = design
        self._project = project
        self._kernel: CompiledKernel | None = None
        self._accelerator: Accelerator | None = None
        #: The project that was compiled, as long as the engines are open.
        self._compiled: Path | None = None
        #: Engines on which a recurrent network is resident, with states, by name.
        self._sequences: dict[str, SequenceSession] = {}
        self._open = ExitStack()
        self._told = False

    def run(self, codes: Codes, engine: str) -> npt.NDArray[Any]:
        """Run int16 codes on an engine, and give output codes; what is saturated is warned of.

        Vectors of a recurrent network stand each for itself: they are sequences of one step.
        """
        check_engine(engine)
        if self._network.recurrent:
            steps = list(codes[:, np.newaxis])
            return np.concatenate(self.run_sequences(steps, engine, last=False, keep=False))
        outputs: Codes
        if engine == "emulator":
            outputs = emulate(self._network, self._design, codes, report=False).outputs
        elif engine == "c++":
            kernel = self.compiled()
            outputs = simulate(self._network, self._design, kernel, codes, report=False).outputs
        else:
            outputs = self._on_board(codes)
        return outputs

    def run_sequences(
        self,
        sequences: Sequence[Codes],
        engine: str,
        *,
        last: bool,
        keep: bool,
        state: SequenceState | None = None,
    ) -> list[Codes]:
        """Run sequences of a recurrent network on an engine, which keeps their states.

        Parameters
        ----------
        sequences, last, keep, state
            As :meth:`eie.host.protocol.sequence_session.SequenceSession.run` takes them.
        engine
            Name of the engine.

        Returns
        -------
        list of ndarray of int16
            For each sequence, shape (steps, outputs), or (1, outputs) with `last`.
        """
        on = self._sequences_on(engine)
        found = on.run(sequences, last=last, keep=keep, state=state)
        steps = sum(map(len, sequences))
        Saturation.of_run(self._network, steps, 0, on.saturated).warn(self._network)
        return found

    def step(self, stream: Stream | None, vector: Codes, engine: str) -> tuple[Stream, Codes]:
        """Take a step of a stream on an engine: one that begins if it is None."""
        return self._sequences_on(engine).step(stream, vector)

    def name_of(self, engine: Engine) -> str:
        """What an engine is, for people: of a board, whether it is an emulated one."""
        if engine == "board" and self.bitstream is None:
            return f"driver on an emulated board ({self._fabric})"
        return {"emulator": "numpy emulator", "c++": "generated C++", "board": "board"}[engine]

    @property
    def is_compiled(self) -> bool:
        """Whether the C++ is compiled and running."""
        return self._kernel is not None

    def compiled(self) -> CompiledKernel:
        """Compile the design's project with g++, once; generates it if there is none."""
        if self._kernel is None:
            with ExitStack() as stack:
                project = self._project
                if project is None:
                    from eie.host.project.generate import generate

                    tell("generating the project")
                    folder = stack.enter_context(temporary_folder())
                    project = generate(self._design, folder / "project")
                tell("compiling the project with g++")
                self._kernel = stack.enter_context(CompiledKernel(project))
                self._compiled = project
                self._open.push(stack.pop_all())
        return self._kernel

    def open(self, bitstream: str | os.PathLike[str]) -> Accelerator:
        """Load a bitstream on the board that this runs on, and the network into it."""
        from eie.host.board.driver import Accelerator

        if self._accelerator is not None:
            self._accelerator.close()
            self._accelerator = None
        accelerator = Accelerator(bitstream)
        self._open.callback(accelerator.close)
        accelerator.load(self._network)
        self._accelerator, self.bitstream = accelerator, bitstream
        return accelerator

    def close(self) -> None:
        """End what was opened; what is asked for afterwards is opened again."""
        self._kernel = self._accelerator = self._compiled = None
        self._sequences.clear()
        self._open.close()

    def _sequences_on(self, engine: str) -> SequenceSession | BoardSequences:
        """Give the engine with the network on it, and with the states of the last call."""
        check_engine(engine)
        if engine == "board":
            return self._board().sequences
        if engine not in self._sequences:
            packed = plan_passes(self._network, self._design).passes[0].packed
            on = self.compiled() if engine == "c++" else Emulator(self._design)
            self._sequences[engine] = SequenceSession(on, packed)
        return self._sequences[engine]

    def _board(self) -> Accelerator:
        """Give the board with the network loaded: an emulated one stays open for its states."""
        if self._accelerator is None and self.bitstream is not None:
            self.open(self.bitstream)
        if self._accelerator is None:
            from eie.host.board.driver import Accelerator
            from eie.host.board_emulator import EmulatedBoard

            self._tell_of_emulated_board()
            board = EmulatedBoard(target_board(self._design), self._engine_of_board)
            self._open.enter_context(board)
            accelerator = self._open.enter_context(Accelerator(board.bitfile, timeout=_TIMEOUT))
            accelerator.load(self._network)
            self._accelerator = accelerator
        return self._accelerator

    def _tell_of_emulated_board(self) -> None:
        if not self._told:
            self._told = True
            warn(
                "no bitstream was given, so the board is an emulated one: the real pynq package "
                f"and driver; {self._fabric}. On a board, open('eie.bit')"
            )

    @property
    def _fabric(self) -> str:
        """What an emulated board has in place of its fabric."""
        return "the fabric is " + (
            "the numpy emulator" if self._compiled is None else "the compiled C++"
        )

    def _on_board(self, codes: Codes) -> Codes:
        if self._accelerator is None and self.bitstream is not None:
            self.open(self.bitstream)
        if self._accelerator is not None:
            return self._accelerator.run(codes)
        from eie.host.board.driver import Accelerator
        from eie.host.board_emulator import EmulatedBoard

        self._tell_of_emulated_board()
        # For this call alone, since it is pynq's active device as long as it is there.
        board = EmulatedBoard(target_board(self._design), self._engine_of_board)
        with board, Accelerator(board.bitfile, timeout=_TIMEOUT) as accelerator:
            accelerator.load(self._network)
            return accelerator.run(codes)

    def _engine_of_board(self) -> EngineOfBoard:
        """Give what an emulated board has in place of its fabric."""
        if self._compiled is None:
            return Emulator(self._design)
        return CompiledKernel(self._compiled)
