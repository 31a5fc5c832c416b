"""The engines of a network on a design: opened when they are first asked for, closed together."""

from __future__ import annotations

import os
import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import EieWarning, InputError
from eie.hls.boundary.partials import temporary_folder
from eie.hls.boundary.text import shown
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design, target_board
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.host.network import Network
from eie.host.run.batch import emulate, simulate

if TYPE_CHECKING:
    from eie.host.board.driver import Accelerator

__all__ = ["Engine", "Engines", "check_engine"]

#: What a network runs on: numpy, the generated C++, or a board (emulated if there is none).
Engine = Literal["emulator", "c++", "board"]

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
    """The engines of one network on one design."""

    def __init__(
        self,
        network: Network,
        design: Design,
        bitstream: str | os.PathLike[str] | None = None,
    ) -> None:
        #: Of the board that this runs on, opened when it is first asked for; None without a board.
        self.bitstream = bitstream
        self._network = network
        self._design = design
        self._kernel: CompiledKernel | None = None
        self._accelerator: Accelerator | None = None
        self._open = ExitStack()
        self._told = False

    def run(self, codes: Codes, engine: str, *, stacklevel: int) -> npt.NDArray[Any]:
        """Run int16 codes on an engine, and give output codes; what is saturated is warned of."""
        check_engine(engine)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if engine == "emulator":
                outputs = emulate(self._network, self._design, codes, report=False).outputs
            elif engine == "c++":
                kernel = self.compiled()
                outputs = simulate(self._network, self._design, kernel, codes, report=False).outputs
            else:
                outputs = self._on_board(codes)
        # Again: eie's own as of the caller's line, others as they were.
        for each in caught:
            if issubclass(each.category, EieWarning):
                warnings.warn(each.message, each.category, stacklevel=stacklevel)
            else:
                warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
        return outputs

    @property
    def is_compiled(self) -> bool:
        """Whether the C++ is compiled and running."""
        return self._kernel is not None

    def compiled(self) -> CompiledKernel:
        """Generate and compile the design with g++, once."""
        if self._kernel is None:
            from eie.host.project.generate import generate

            with ExitStack() as stack:
                project = generate(
                    self._design, stack.enter_context(temporary_folder()) / "project"
                )
                self._kernel = stack.enter_context(CompiledKernel(project))
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
        self._kernel = self._accelerator = None
        self._open.close()

    def _on_board(self, codes: Codes) -> Codes:
        if self._accelerator is None and self.bitstream is not None:
            self.open(self.bitstream)
        if self._accelerator is not None:
            return self._accelerator.run(codes)
        from eie.host.board.driver import Accelerator
        from eie.host.board_emulator import EmulatedBoard

        if not self._told:
            self._told = True
            warnings.warn(
                "no bitstream was given, so the board is an emulated one: the real pynq package "
                "and driver, with the numpy emulator behind; on a board, open('eie.bit')",
                EieWarning,
                stacklevel=2,
            )
        # For this call alone, since it is pynq's active device as long as it is there.
        board = EmulatedBoard(target_board(self._design), lambda: Emulator(self._design))
        with board, Accelerator(board.bitfile) as accelerator:
            accelerator.load(self._network)
            return accelerator.run(codes)
