"""A layer on the paper's machine, and on our kernel, by their cycle models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.layers import CLOCK_MHZ, INDEX_BITS, PES, QUEUE_DEPTH
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.matrix_format import EncodedLayer, encode
from eie.host.network import Layer, Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack
from eie.host.packing.row_assignment import Assignment, assign_rows
from eie.host.protocol.client import Session
from eie.host.search.fit import fit

__all__ = [
    "KERNEL_INDEX_BITS",
    "KERNEL_QUEUE_DEPTH",
    "Work",
    "encoded_for",
    "kernel_session",
    "pack_for_kernel",
    "paper_design",
    "work_met",
]

#: What an FPGA allows at next to no cost: deeper queues, and zero counts without padding.
KERNEL_QUEUE_DEPTH, KERNEL_INDEX_BITS = 32, 6


@dataclass(frozen=True)
class Work:
    """What the active columns of an encoded layer hold."""

    #: Weights and padding entries in them, over all PEs.
    entries: int
    #: Weights among those.
    weights: int
    #: Entries of the PE that has most.
    busiest: int


def paper_design(network: Network) -> Design:
    """The paper's array, with memories as large as the network needs."""
    return fit(
        network,
        assignment="natural",
        pes=PES,
        index_bits=INDEX_BITS,
        queue_depth=QUEUE_DEPTH,
        clock_mhz=CLOCK_MHZ,
    ).design


def encoded_for(layer: Layer, pes: int, assignment: Assignment = "natural") -> EncodedLayer:
    """Encode a layer with the paper's 4-bit zero counts for any number of PEs."""
    return encode(
        assign_rows(layer, pes, assignment)[layer.indices],
        layer.column_of_entry().astype(np.int64),
        layer.codes,
        columns=layer.columns,
        pes=pes,
        index_bits=INDEX_BITS,
    )


def work_met(layer: Layer, encoded: EncodedLayer, active: npt.NDArray[np.intp]) -> Work:
    """Count what the columns `active` hold."""
    of_pe = encoded.lengths()[:, active].sum(axis=1)
    return Work(
        entries=int(of_pe.sum()),
        weights=int(np.diff(layer.indptr)[active].sum()),
        busiest=int(of_pe.max()),
    )


def pack_for_kernel(network: Network) -> PackedNetwork:
    """Pack a network for our kernel with the paper's number of PEs: what `eie emulate` would run.

    Rows are dealt out by their work, queues are deeper, and zero counts need no padding.
    """
    design = fit(
        network, pes=PES, index_bits=KERNEL_INDEX_BITS, queue_depth=KERNEL_QUEUE_DEPTH
    ).design
    return pack(network, design)


def kernel_session(packed: PackedNetwork) -> tuple[Emulator, Session]:
    """The emulator with the network resident, and the session that talks to it."""
    emulator = Emulator(packed.design)
    return emulator, Session(emulator, packed)
