"""Pruned, weight-shared networks on PYNQ boards, after EIE (Han et al., ISCA 2016).

From a torch model to hardware in ten lines::

    import eie

    acc = eie.convert(model, board="pynq-z2", density=0.1, calibration=x)  # or a .pt2, a .npz
    print(acc.summary())             # layers, bytes, error, design, predicted time
    acc.predict(x)                   # real numbers in and out
    acc.predict(x, engine="c++")     # the same bits from the generated C++; or engine="board"
    acc.evaluate(x, y)               # accuracy of the model and of what was made of it
    acc.compare(x)                   # layer by layer, against the model
    acc.report("report.html")        # all of it, to look at
    acc.build()                      # the bitstream, where Vitis HLS and Vivado are installed
    acc.package("eie.zip")           # everything that a board needs

The steps one by one, and what each gives to the next::

    network = eie.compress(model, density=0.1, calibration=x)    # Network: torch is needed here
    network.save("net.npz")                                      # and not from here on
    design = eie.fit(network, "pynq-z2").design                  # Design: every hardware parameter
    eie.view(design, network).save("view.html")                  # the array, and a layer to step
    eie.generate(design, "project")                              # the HLS project, readable C++
    result = eie.emulate(network, design, x)                     # outputs and cycles, in numpy
    with eie.CompiledKernel("project") as kernel:                # g++
        result = eie.simulate(network, design, kernel, x)
    with eie.EmulatedBoard("pynq-z2", lambda: eie.Emulator(design)) as board:
        with eie.Accelerator(board.bitfile) as accelerator:      # or the .bit of a real board
            accelerator.load(network)
            accelerator.run(x)

A model of torch with convolutions, or whatever else the accelerator does not run, is cut:
``convert`` puts its head onto the accelerator and leaves the rest to torch on the host, and
``predict`` goes through both (docs/how-to/host-and-accelerator.md). ``acc.save(folder)`` keeps all
of it, and ``eie.AcceleratedModel.load(folder)`` reads it again.

To keep the accuracy, retrain first: `retrain` prunes, shares and rounds with your training in
between (docs/how-to/retrain.md), and ``convert(retrained.part, keep_weights=True)`` takes the
result. A loop of your own has `prune_linears` and `apply_masks`, then `share_linears` and
`freeze_codebooks`.

One convention for numbers: real numbers (float) in give real numbers (float32) out, and int16 in
are fixed-point codes and give int16 codes out. Inputs have the model's own shape, ``(n, 1, 28,
28)`` say, or are flat, ``(n, 784)``. What 16 bits cannot hold is cut off with a warning. All errors
are :class:`EieError`, all warnings :class:`EieWarning`.

Nothing is loaded before it is used, and torch only by what says so, so this runs on a board, too.
On the command line it is ``eie``, or ``python -m eie``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eie.hls.boundary.errors import EieError, EieWarning
    from eie.hls.model.emulator import Emulator
    from eie.hls.spec.boards import BOARDS
    from eie.hls.spec.design import Design
    from eie.hls.tools.compiled_kernel import CompiledKernel
    from eie.host.board.driver import Accelerator
    from eie.host.board_emulator import EmulatedBoard
    from eie.host.compress import (
        apply_masks,
        compress,
        freeze_codebooks,
        prune_linears,
        share_linears,
    )
    from eie.host.flow import AcceleratedModel, Comparison, Evaluation, convert
    from eie.host.network import Layer, Network
    from eie.host.network.input_codes import quantize_inputs
    from eie.host.network.loss_record import LossRecord
    from eie.host.project.generate import generate
    from eie.host.retrain import Retrained, Schedule, retrain
    from eie.host.run.batch import RunResult, emulate, simulate
    from eie.host.search.explore import explore
    from eie.host.search.fit import Fit, fit
    from eie.host.view import view

    __version__: str

#: Where each name is defined, in the order of the way.
_DEFINED_IN = {
    "convert": "eie.host.flow",
    "AcceleratedModel": "eie.host.flow",
    "Evaluation": "eie.host.flow",
    "Comparison": "eie.host.flow",
    "retrain": "eie.host.retrain",
    "Retrained": "eie.host.retrain",
    "Schedule": "eie.host.retrain",
    "prune_linears": "eie.host.compress",
    "apply_masks": "eie.host.compress",
    "share_linears": "eie.host.compress",
    "freeze_codebooks": "eie.host.compress",
    "compress": "eie.host.compress",
    "Network": "eie.host.network",
    "Layer": "eie.host.network",
    "LossRecord": "eie.host.network.loss_record",
    "BOARDS": "eie.hls.spec.boards",
    "fit": "eie.host.search.fit",
    "Fit": "eie.host.search.fit",
    "explore": "eie.host.search.explore",
    "Design": "eie.hls.spec.design",
    "view": "eie.host.view",
    "generate": "eie.host.project.generate",
    "quantize_inputs": "eie.host.network.input_codes",
    "emulate": "eie.host.run.batch",
    "Emulator": "eie.hls.model.emulator",
    "simulate": "eie.host.run.batch",
    "CompiledKernel": "eie.hls.tools.compiled_kernel",
    "RunResult": "eie.host.run.batch",
    "EmulatedBoard": "eie.host.board_emulator",
    "Accelerator": "eie.host.board.driver",
    "EieError": "eie.hls.boundary.errors",
    "EieWarning": "eie.hls.boundary.errors",
}
#: What cannot be imported without torch.
_OF_TORCH = ("eie.host.compress", "eie.host.retrain")

__all__ = [
    "BOARDS",
    "AcceleratedModel",
    "Accelerator",
    "Comparison",
    "CompiledKernel",
    "Design",
    "EieError",
    "EieWarning",
    "EmulatedBoard",
    "Emulator",
    "Evaluation",
    "Fit",
    "Layer",
    "LossRecord",
    "Network",
    "Retrained",
    "RunResult",
    "Schedule",
    "__version__",
    "apply_masks",
    "compress",
    "convert",
    "emulate",
    "explore",
    "fit",
    "freeze_codebooks",
    "generate",
    "prune_linears",
    "quantize_inputs",
    "retrain",
    "share_linears",
    "simulate",
    "view",
]


if not TYPE_CHECKING:  # type checkers know every name, and that there are no others

    def __getattr__(name: str) -> Any:
        """Load what is asked for, once."""
        value: Any
        if name == "__version__":
            from importlib.metadata import version

            value = version("eie")
        elif name in _DEFINED_IN:
            from importlib import import_module

            value = getattr(import_module(_DEFINED_IN[name]), name)
        else:
            raise AttributeError(f"module 'eie' has no attribute {name!r}")
        globals()[name] = value
        return value


def _show_designs_in_notebooks() -> None:
    """Let IPython draw a design's array. The design itself, which a board loads, knows no picture.

    Nothing is loaded before a design is shown.
    """
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is not None:

        def draw(design: Any) -> str:
            from eie.host.view import design_in_notebook

            return design_in_notebook(design)

        html = shell.display_formatter.formatters["text/html"]
        html.for_type_by_name("eie.hls.spec.design", "Design", draw)


_show_designs_in_notebooks()


def __dir__() -> list[str]:
    """Names that can be used here: without those of torch where it is not installed."""
    from importlib.util import find_spec

    missing = find_spec("torch") is None
    usable = [name for name, of in _DEFINED_IN.items() if not (missing and of in _OF_TORCH)]
    return ["__version__", *(name for name in globals() if name.startswith("__")), *usable]
