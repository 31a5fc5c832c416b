"""How fast the tool itself is, measured beside scipy in the same run."""

from __future__ import annotations

import statistics
import tempfile
import timeit
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.measure.cpu import csr
from benchmarks.measure.kernel import OnKernel, pack_for_kernel
from benchmarks.measure.timing import Action, side_by_side
from benchmarks.paper.layers import PES, PaperLayer
from benchmarks.paper.patterns import PATTERNS, inputs, network
from benchmarks.results import Rows
from eie.hls.model.paper import paper_cycles
from eie.hls.spec.design import Design
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.host.packing.packer import pack
from eie.host.project.generate import generate

#: Vectors of the batch beside the single one.
BATCH = 64


def run(layer: PaperLayer) -> Rows:
    """Measure a layer with a uniform pattern, packed for 64 PEs; medians.

    ``pack_us`` is a load packet's contents from the network, ``emulator_us`` one vector, packets in
    and packets out, the models' times those of counting the cycles of one vector.
    """
    net = network(layer, PATTERNS["uniform"])
    packed = pack_for_kernel(net)
    kernel, matrix = OnKernel(packed), csr(net.layers[0])
    one, many = inputs(layer), inputs(layer, BATCH)
    vector, columns = one[0].astype(np.float32), many.T.astype(np.float32, order="C")
    active = np.flatnonzero(one[0])
    lengths = packed.layers[0].encoded.lengths()[:, active]
    single = side_by_side({"emulator": lambda: kernel.run(one), "scipy": lambda: matrix @ vector})
    batch = side_by_side({"emulator": lambda: kernel.run(many), "scipy": lambda: matrix @ columns})
    models: dict[str, Action] = {
        "kernel": lambda: kernel.cycles(one),
        "paper": lambda: paper_cycles(lengths, packed.design.queue_depth),
        "pack": lambda: pack(net, packed.design),
    }
    model = side_by_side(models, repeats=5, seconds=5.0)
    yield {
        "weights": net.layers[0].nonzeros,
        "activations": len(active),
        "weights_met": int(np.diff(net.layers[0].indptr)[active].sum()),
        "pack_us": model["pack"].median_us,
        "emulator_us": single["emulator"].median_us,
        "scipy_us": single["scipy"].median_us,
        "emulator_batch_us": batch["emulator"].median_us,
        "scipy_batch_us": batch["scipy"].median_us,
        "kernel_model_us": model["kernel"].median_us,
        "paper_model_us": model["paper"].median_us,
    }


def build(_: object = None, *, pes: int = PES) -> Rows:
    """Generate a design and compile it by g++ -O2, three times; medians."""
    generated, compiled = [], []
    for _ in range(3):
        with tempfile.TemporaryDirectory(prefix="eie-bench-") as folder:
            project = Path(folder) / "project"
            generated += timeit.repeat(
                partial(generate, Design(pes=pes), project), repeat=1, number=1
            )
            compiled += timeit.repeat(partial(compile_kernel, project), repeat=1, number=1)
    seconds = round(statistics.median(generated), 3), round(statistics.median(compiled), 2)
    yield {"pes": pes, "generate_seconds": seconds[0], "compile_seconds": seconds[1]}


def compile_kernel(project: Path) -> None:
    """Compile a generated project and load it once."""
    CompiledKernel(project).close()
