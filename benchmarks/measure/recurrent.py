"""NT-LSTM as the recurrent layer that it is: cycles of a step, alone and in lanes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.measure.our_kernel import KERNEL_INDEX_BITS, KERNEL_QUEUE_DEPTH
from benchmarks.paper.layers import PaperLayer
from benchmarks.paper.patterns import uniform
from benchmarks.results import Row, Rows
from eie.hls.model.emulator import Emulator
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.host.network import Layer, Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack
from eie.host.packing.run_tags import RunTags
from eie.host.protocol.client import Session
from eie.host.search.fit import fit

#: Numbers of PEs, of units of the cell a cycle, and of sequences under way.
ARRAYS, CELL_UNITS, LANES = (16, 64), (1, 2, 4), (1, 2, 4, 8)
#: Boards whose LUTs allow 16 PEs or more.
FITTED = ("kv260", "zcu104", "rfsoc4x2")
#: Steps of the two runs whose difference is what a step costs.
_FEW, _MORE = 2, 6
#: Fraction bits of the sums of the gates.
_SUM_FRAC = 22

Codes = npt.NDArray[np.int16]


def run(layers: Sequence[PaperLayer]) -> Rows:
    """Count a step of the layer, of as many sequences at a time as lanes, all of one length.

    ``board`` is the one whose design `fit` chose, or ``"no board"``. ``met`` are the entries that
    a step meets, weights and padding, over the PEs, ``heaviest`` those of the PE that has most over
    their mean, and ``cycles`` those of a step.
    """
    (layer,) = (each for each in layers if each.name == "NT-LSTM")
    units = layer.outputs // 4
    network = lstm(units, layer.weight_density)
    for pes in ARRAYS:
        for cell_units in CELL_UNITS:
            packed = pack(network, _design(units, pes, cell_units))
            for lanes in LANES:
                yield {"board": "no board"} | _row(packed, lanes)
    for board in FITTED:
        packed = pack(network, fit(network, board).design)
        for lanes in LANES:
            if lanes <= packed.held.lanes:
                yield {"board": BOARDS[board].title} | _row(packed, lanes)


def lstm(units: int, density: float) -> Network:
    """Make an LSTM of as many inputs as units, uniform random weights, without golden vectors."""
    random = np.random.default_rng([0, zlib.crc32(b"NT-LSTM units")])
    accumulates = {"input_frac": 11, "activation": "none", "output_frac": _SUM_FRAC}
    recurs = {"input_frac": 15, "activation": "lstm", "output_frac": 15, "source": 1}
    return Network(
        (
            _matrix("weight_ih", units, density, random, accumulate=True, **accumulates),
            _matrix("weight_hh", units, density, random, **recurs),
        ),
        metadata={"origin": "random pattern, seed 0"},
    )


def _matrix(
    name: str, units: int, density: float, random: np.random.Generator, **more: object
) -> Layer:
    indptr, indices = uniform(4 * units, units, density, random)
    codebook = random.integers(-300, 301, 16).astype(np.int16)
    codebook[0] = 0
    return Layer(
        name=name,
        rows=4 * units,
        columns=units,
        indptr=indptr,
        indices=indices,
        codes=random.integers(1, 16, len(indices), np.uint8),
        codebook=codebook,
        bias=np.zeros(4 * units, np.int64),
        weight_frac=_SUM_FRAC - int(str(more["input_frac"])),
        **more,  # type: ignore[arg-type]
    )


def _design(units: int, pes: int, cell_units: int) -> Design:
    """Give an array that the layer fits into, with room for the most lanes."""
    rows = 4 * units // pes + 16
    return Design(
        pes=pes,
        index_bits=KERNEL_INDEX_BITS,
        queue_depth=KERNEL_QUEUE_DEPTH,
        entries_per_pe=max(1024, (1 << 19) // pes),
        pointers_per_pe=2048,
        rows_per_pe=rows,
        biases_per_pe=2 * rows,
        layers=2,
        # What two vectors leave there at once.
        hidden_activations=2048,
        held_activations=8192,
        cell_units=cell_units,
        result_depth=32,
    )


def _row(packed: PackedNetwork, lanes: int) -> Row:
    design = packed.design
    few, more = _counted(packed, lanes)
    steps = (_MORE - _FEW) * lanes
    busy = (more.busy - few.busy) / steps
    return {
        "pes": design.pes,
        "cell_units": design.cell_units,
        "clock_mhz": design.clock_mhz,
        "lanes": lanes,
        "weights": sum(layer.nonzeros for layer in packed.network.layers),
        "met": float(busy.mean()),
        "heaviest": float(busy.max() / busy.mean()),
        "cycles": (more.cycles - few.cycles) / steps,
    }


def _counted(packed: PackedNetwork, lanes: int) -> Iterator[Counters]:
    """Count runs of few steps and of more, of as many sequences as lanes, in turn."""
    emulator = Emulator(packed.design)
    session = Session(emulator, packed)
    random = np.random.default_rng(0)
    for steps in (_FEW, _MORE):
        vectors = steps * lanes
        codes = random.integers(1, 2048, (vectors, packed.network.inputs)).astype(np.int16)
        place = np.arange(vectors)
        session.run(codes, RunTags(place % lanes, place < lanes, np.ones(vectors, bool)))
        yield emulator.last_counters
