"""A whole test set through the model: LeNet-300-100 on 16 PEs, and its time beside numpy's."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.measure.timing import side_by_side
from benchmarks.results import Rows
from eie.hls.boundary.errors import ToolError
from eie.hls.model import cycle_counts, cycles
from eie.hls.model.compiled.library import compile_model
from eie.hls.model.emulator import Emulator
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.network import Layer, Network
from eie.host.packing.packer import pack
from eie.host.protocol.client import Session
from eie.host.run.batch import emulate
from eie.host.search.fit import fit

#: Vectors of MNIST's test set, and so many of them in numpy.
VECTORS, IN_NUMPY = 10_000, 50
PES = 16
#: Inputs and outputs of each layer, and the share of weights that Deep Compression keeps, rounded.
SIZES, DENSITIES = (784, 300, 100, 10), (0.10, 0.10, 0.25)
#: Share of MNIST's pixels that are not black, about.
ACTIVE = 0.2
#: The emulated board, and vectors of a run: few enough for one packet, whose counters are read.
BOARD, AT_ONCE = "pynq-z2", 500

Codes = npt.NDArray[np.int16]


def network() -> Network:
    """LeNet-300-100 with seeded random weights of these densities."""
    random = np.random.default_rng(0)
    layers = []
    for number, (columns, rows) in enumerate(itertools.pairwise(SIZES)):
        codes = random.integers(1, 16, (rows, columns))
        codebook = np.rint(random.normal(0, 600, 16)).astype(np.int16)
        codebook[0] = 0
        layers.append(
            Layer.from_dense_codes(
                f"fc{number + 1}",
                (codes * (random.random(codes.shape) < DENSITIES[number])).astype(np.uint8),
                codebook=codebook,
                bias=random.integers(-100_000, 100_000, rows),
                activation="none" if number == len(SIZES) - 2 else "relu",
                input_frac=8,
                weight_frac=12,
                output_frac=8,
            )
        )
    return Network(tuple(layers), metadata={"origin": "random, seed 0"})


def inputs(vectors: int) -> Codes:
    """Pixels of 0 to 255, int16 of shape (vectors, 784), as many black as in MNIST."""
    random = np.random.default_rng(1)
    pixels = random.integers(1, 256, (vectors, SIZES[0]))
    return (pixels * (random.random(pixels.shape) < ACTIVE)).astype(np.int16)


def run(_: Sequence[object] = (), *, vectors: int = VECTORS, in_numpy: int = IN_NUMPY) -> Rows:
    """Measure outputs, cycles and counters of `vectors`, twice; and counting alone, side by side.

    ``emulator`` is ``eie.emulate`` with a report, ``board`` the driver on the emulated board with
    the counters of each packet read. ``count`` gives the times of counting `in_numpy` vectors by
    the compiled model and by numpy's. Both must agree in every number.
    """
    net, codes = network(), inputs(vectors)
    design = fit(net, pes=PES).design
    try:
        compile_model()  # once, and not in what is measured
    except ToolError as error:
        raise ToolError(f"the speed of the compiled model needs a compiler: {error}") from error
    begin = time.perf_counter()
    result = emulate(net, design, codes)
    seconds = time.perf_counter() - begin
    assert result.counters is not None
    row = {"vectors": vectors, "pes": PES, "cycles": result.counters.cycles}
    yield {"what": "emulator", **row, "seconds": round(seconds, 3)}
    begin = time.perf_counter()
    outputs, counted = on_board(net, design, codes)
    seconds = time.perf_counter() - begin
    if not np.array_equal(outputs, result.outputs):
        raise AssertionError("emulator and emulated board give different outputs")
    yield {"what": "board", **row, "cycles": counted.cycles, "seconds": round(seconds, 3)}
    yield from _side_by_side(net, design, codes[:in_numpy])


def on_board(net: Network, design: Design, codes: Codes) -> tuple[Codes, Counters]:
    """Take a batch through the driver on an emulated board; outputs, and counters in all."""
    outputs, counters = [], []
    board = EmulatedBoard(BOARD, lambda: Emulator(design))
    with board, Accelerator(board.bitfile) as accelerator:
        accelerator.load(net)
        for start in range(0, len(codes), AT_ONCE):
            outputs.append(accelerator.run(codes[start : start + AT_ONCE]))
            counters.append(accelerator.counters())
    return np.concatenate(outputs), Counters.total(counters)


def _side_by_side(net: Network, design: Design, codes: Codes) -> Rows:
    emulator = Emulator(design)
    Session(emulator, pack(net, design)).run(codes)
    assert emulator.resident is not None
    run = design, emulator.resident, emulator.last_activations[:-1]
    fast, slow = cycle_counts.count_cycles(*run), cycles.count_cycles(*run)
    if not fast.same_as(slow) or fast.layer_cycles != slow.layer_cycles:
        raise AssertionError("compiled model and numpy's count differently")
    times = side_by_side(
        {
            "compiled": lambda: cycle_counts.count_cycles(*run),
            "numpy": lambda: cycles.count_cycles(*run),
        },
        repeats=5,
    )
    for what, timing in times.items():
        seconds = timing.best_us / 1e6  # what else runs only adds, most to the longer one
        row = {"vectors": len(codes), "pes": PES, "cycles": fast.cycles}
        yield {"what": what, **row, "seconds": round(seconds, 5)}
