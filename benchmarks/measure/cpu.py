"""The nine layers on this machine's processor: dense and sparse, one vector and 64."""

from __future__ import annotations

import operator
import os
import warnings
from collections.abc import Callable
from dataclasses import asdict
from functools import partial

import numpy as np
import numpy.typing as npt
import scipy.sparse
import torch

from benchmarks.measure.timing import Action, side_by_side
from benchmarks.paper.layers import PaperLayer
from benchmarks.paper.patterns import PATTERNS, inputs, network
from benchmarks.results import Rows
from eie.host.network import Layer

#: Vectors at a time.
BATCHES = (1, 64)
#: What is compared, all in float32.
CONTENDERS = ("torch dense", "torch CSR", "scipy CSR")


def run(layer: PaperLayer) -> Rows:
    """Measure all contenders side by side; times are those of the whole batch.

    torch has one thread, and as many as there are cores.
    """
    weights = network(layer, PATTERNS["uniform"]).layers[0]
    matrix, before = csr(weights), torch.get_num_threads()
    for batch in BATCHES:
        vectors = inputs(layer, batch).astype(np.float32)
        columns = np.ascontiguousarray(vectors.T) if batch > 1 else vectors[0]
        contenders: dict[str, Action] = {}
        prepare: dict[str, Action] = {}
        with torch.inference_mode():
            for name, compute in torch_products(weights, matrix, vectors).items():
                for threads in sorted({1, os.cpu_count() or 1}):
                    contenders[f"{name}/{threads}"] = compute
                    prepare[f"{name}/{threads}"] = partial(torch.set_num_threads, threads)
            contenders["scipy CSR/1"] = partial(operator.matmul, matrix, columns)
            timings = side_by_side(contenders, prepare=prepare)
        torch.set_num_threads(before)
        for key, timing in timings.items():
            name, count = key.split("/")
            yield {"batch": batch, "contender": name, "threads": int(count)} | asdict(timing)


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
        sparse = torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr),
            torch.from_numpy(matrix.indices),
            torch.from_numpy(matrix.data),
            size=matrix.shape,
            check_invariants=True,
        )
    batch = torch.from_numpy(vectors)
    if len(vectors) == 1:
        return {"torch dense": lambda: dense @ batch[0], "torch CSR": lambda: sparse @ batch[0]}
    columns = batch.T.contiguous()
    return {
        "torch dense": lambda: torch.nn.functional.linear(batch, dense),
        "torch CSR": lambda: sparse @ columns,
    }
