"""How fast the tool itself is, measured beside scipy in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.cpu import csr
from benchmarks.layers import PES, PaperLayer
from benchmarks.machine import kernel_session, pack_for_kernel
from benchmarks.measuring import side_by_side
from benchmarks.patterns import PATTERNS, inputs, network
from eie.hls.boundary.partials import temporary_folder
from eie.hls.model.cycles import count_cycles
from eie.hls.model.paper import paper_cycles
from eie.hls.spec.design import Design
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.host.packing.packer import pack
from eie.host.project.generate import generate

__all__ = ["BATCH", "BuildRow", "SpeedRow", "run", "run_build"]

#: Vectors of the batch beside the single one.
BATCH = 64


@dataclass(frozen=True)
class SpeedRow:
    """Medians in microseconds for one layer with a uniform pattern, packed for 64 PEs."""

    layer: str
    weights: int
    #: Non-zero activations of the vector, and weights that they meet.
    activations: int
    weights_met: int
    #: A load packet's contents from the network: rows dealt out, encoded, checked.
    pack_us: float
    #: One vector through the emulator, packets in and packets out; and scipy's product.
    emulator_us: float
    scipy_us: float
    #: The same for a batch of 64.
    emulator_batch_us: float
    scipy_batch_us: float
    #: Cycle models of our kernel and of the paper's machine, for one vector.
    kernel_model_us: float
    paper_model_us: float


@dataclass(frozen=True)
class BuildRow:
    """From a design to a program that simulates it."""

    pes: int
    generate_seconds: float
    #: g++ -O2, one process for each source, all at once.
    compile_seconds: float


def run(layers: Sequence[PaperLayer]) -> Iterator[tuple[str, Sequence[SpeedRow]]]:
    """Measure every layer."""
    for layer in layers:
        yield layer.name, [measure(layer)]


def measure(layer: PaperLayer) -> SpeedRow:
    """Measure one layer."""
    net = network(layer, PATTERNS["uniform"])
    weights = net.layers[0]
    packed = pack_for_kernel(net)
    emulator, session = kernel_session(packed)
    resident = emulator.resident
    assert resident is not None
    one, many = inputs(layer), inputs(layer, BATCH)
    sent = packed.in_order_sent(one)
    matrix = csr(weights)
    vector, columns = one[0].astype(np.float32), many.T.astype(np.float32, order="C")
    active = np.flatnonzero(one[0])
    lengths = packed.layers[0].encoded.lengths()[:, active]
    single = side_by_side({"emulator": lambda: session.run(one), "scipy": lambda: matrix @ vector})
    batch = side_by_side({"emulator": lambda: session.run(many), "scipy": lambda: matrix @ columns})
    model = side_by_side(
        {
            "kernel": lambda: count_cycles(packed.design, resident, [sent]),
            "paper": lambda: paper_cycles(lengths, packed.design.queue_depth),
            "pack": lambda: pack(net, packed.design),
        },
        repeats=5,
        seconds=5.0,
    )
    return SpeedRow(
        layer=layer.name,
        weights=weights.nonzeros,
        activations=len(active),
        weights_met=int(np.diff(weights.indptr)[active].sum()),
        pack_us=model["pack"].median_us,
        emulator_us=single["emulator"].median_us,
        scipy_us=single["scipy"].median_us,
        emulator_batch_us=batch["emulator"].median_us,
        scipy_batch_us=batch["scipy"].median_us,
        kernel_model_us=model["kernel"].median_us,
        paper_model_us=model["paper"].median_us,
    )


def run_build(pes: int = PES) -> Iterator[tuple[str, Sequence[BuildRow]]]:
    """Generate and compile a design, three times."""
    generated, compiled = [], []
    for _ in range(3):
        with temporary_folder() as folder:
            project = folder / "project"
            generated.append(_seconds(partial(generate, Design(pes=pes), project)))
            compiled.append(_seconds(partial(_compile, project)))
    row = BuildRow(
        pes, round(statistics.median(generated), 3), round(statistics.median(compiled), 2)
    )
    yield f"{pes} PEs", [row]


def _compile(project: Path) -> None:
    CompiledKernel(project).close()


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
