"""Times on this machine's processor: of the nine layers, and of the tool beside scipy."""

from __future__ import annotations

import contextlib
import operator
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial

import numpy as np
import numpy.typing as npt
import scipy.sparse
import torch

from benchmarks.measure.our_kernel import OnKernel, pack_for_kernel
from benchmarks.measure.timing import Action, side_by_side
from benchmarks.paper.layers import PES, PaperLayer
from benchmarks.paper.patterns import PATTERNS, inputs, network
from benchmarks.results import Rows
from eie.hls.boundary.partials import temporary_folder
from eie.hls.model import cycles
from eie.hls.model.paper import paper_cycles
from eie.hls.spec.design import Design
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.host.network import Layer
from eie.host.packing.packer import pack
from eie.host.project.generate import generate

#: Vectors at a time.
BATCHES = (1, 64)


def cpu(layer: PaperLayer) -> Rows:
    """Measure a layer by torch, with one thread and with all cores', and by scipy, in float32."""
    weights = network(layer, PATTERNS["uniform"]).layers[0]
    matrix = csr(weights)
    for batch in BATCHES:
        vectors = inputs(layer, batch).astype(np.float32)
        columns = np.ascontiguousarray(vectors.T) if batch > 1 else vectors[0]
        contenders: dict[str, Action] = {}
        within = {}
        with torch.inference_mode():
            for name, compute in torch_products(weights, matrix, vectors).items():
                for threads in sorted({1, os.cpu_count() or 1}):
                    contenders[f"{name}/{threads}"] = compute
                    within[f"{name}/{threads}"] = partial(_threads, threads)
            contenders["scipy CSR/1"] = partial(operator.matmul, matrix, columns)
            timings = side_by_side(contenders, within=within)
        for key, timing in timings.items():
            name, count = key.split("/")
            yield {"batch": batch, "contender": name, "threads": int(count)} | asdict(timing)


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    yield
    torch.set_num_threads(before)


def csr(layer: Layer) -> scipy.sparse.csr_array:
    """A layer as scipy's CSR matrix of float32, shape (rows, columns)."""
    values = layer.codebook[layer.codes].astype(np.float32)
    # 32-bit indices are what scipy chooses by itself for matrices of this size.
    indices, indptr = layer.indices.astype(np.int32), layer.indptr.astype(np.int32)
    shape = (layer.rows, layer.columns)
    return scipy.sparse.csc_array((values, indices, indptr), shape=shape).tocsr()


def torch_products(
    layer: Layer, matrix: scipy.sparse.csr_array, vectors: npt.NDArray[np.float32]
) -> dict[str, Callable[[], torch.Tensor]]:
    """Give torch's products of a layer and vectors of shape (batch, columns), dense and CSR.

    Those of a batch are (batch, rows) for the dense one, (rows, batch) for the other.
    """
    dense = torch.from_numpy(layer.dense_weights().astype(np.float32))
    with warnings.catch_warnings():
        # torch calls its CSR tensors a beta feature.
        warnings.filterwarnings("ignore", message="Sparse", category=UserWarning)
        arrays = map(torch.from_numpy, (matrix.indptr, matrix.indices, matrix.data))
        sparse = torch.sparse_csr_tensor(*arrays, size=matrix.shape, check_invariants=True)
    batch = torch.from_numpy(vectors)
    if len(vectors) == 1:
        return {"torch dense": lambda: dense @ batch[0], "torch CSR": lambda: sparse @ batch[0]}
    columns, linear = batch.T.contiguous(), torch.nn.functional.linear
    return {"torch dense": lambda: linear(batch, dense), "torch CSR": lambda: sparse @ columns}


def beside_scipy(layer: PaperLayer) -> Rows:
    """Measure the functional emulation of a layer for 64 PEs, and scipy's product; medians.

    The emulator takes packets and gives packets.
    """
    net = network(layer, PATTERNS["uniform"])
    kernel, matrix = OnKernel(pack_for_kernel(net)), csr(net.layers[0])
    one, many = inputs(layer), inputs(layer, BATCHES[1])
    vector, columns = one[0].astype(np.float32), many.T.astype(np.float32, order="C")
    times = side_by_side(
        {"emulator_us": lambda: kernel.run(one), "scipy_us": lambda: matrix @ vector}
    )
    times |= side_by_side(
        {"emulator_batch_us": lambda: kernel.run(many), "scipy_batch_us": lambda: matrix @ columns}
    )
    yield {name: timing.median_us for name, timing in times.items()}


def tool(layer: PaperLayer) -> Rows:
    """Measure packing, emulating and counting cycles of a layer for 64 PEs; medians.

    Models count the cycles of one vector: the kernel's compiled and in numpy, and the paper's.
    """
    net = network(layer, PATTERNS["uniform"])
    packed = pack_for_kernel(net)
    kernel, one = OnKernel(packed), inputs(layer)
    active = np.flatnonzero(one[0])
    lengths = packed.layers[0].encoded.lengths()[:, active]
    design = packed.design
    models: dict[str, Action] = {
        "kernel_model_us": lambda: kernel.cycles(one),
        "numpy_model_us": lambda: kernel.cycles(one, count=cycles.count_cycles),
        "paper_model_us": lambda: paper_cycles(lengths, design.queue_depth),
        "pack_us": lambda: pack(net, design),
    }
    times = side_by_side(models, repeats=5, seconds=5.0)
    met = int(np.diff(net.layers[0].indptr)[active].sum())
    row = {"weights": net.layers[0].nonzeros, "activations": len(active), "weights_met": met}
    (beside,) = beside_scipy(layer)
    yield row | beside | {name: timing.median_us for name, timing in times.items()}


def build(_: object = None, *, pes: int = PES) -> Rows:
    """Generate a design and compile it by g++ -O1, three times; medians."""
    seconds = []
    for _ in range(3):
        with temporary_folder() as folder:
            project = folder / "project"
            start = time.perf_counter()
            generate(Design(pes=pes), project)
            between = time.perf_counter()
            CompiledKernel(project).close()
            seconds.append((between - start, time.perf_counter() - between))
    generated, compiled = np.median(seconds, axis=0).tolist()
    yield {
        "pes": pes,
        "generate_seconds": round(generated, 3),
        "compile_seconds": round(compiled, 2),
    }
