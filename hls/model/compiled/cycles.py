"""Cycles of a run, counted in C++ (`kernel.h`): equal to :mod:`eie.hls.model.cycles`."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.progress import tell
from eie.hls.model.compiled.library import DesignOfRun, LayerOfRun, OrderOfRun
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.hls.spec.group_order import nonzero_of_groups

__all__ = ["CompiledRun", "CountedLayer", "CountedOrder"]

#: Seconds that a call of the library takes about: Ctrl-C is heard, and progress told, in between.
_CALL_SECONDS = 0.1
#: A call takes at most so many times the layers of vectors of the one before.
_GROWTH = 8

Activations = Sequence[npt.NDArray[np.int16]]


@dataclass(frozen=True, eq=False)
class CountedLayer:
    """What of a layer decides its cycles."""

    #: Inputs.
    columns: int
    #: Rows of its matrix.
    rows: int
    #: Codes that it gives.
    results: int
    #: Rows that each PE works on.
    local_rows: int
    #: Whether the next layer adds to its sums.
    accumulates: bool
    #: Whether it takes held words, and whether what arrives for it is held.
    takes_held: bool
    holds: bool
    #: Whether its results are the state that it takes.
    recurrent: bool
    #: Whether its results go through a function of the cell.
    function: bool
    #: int32, shape (columns, pes), contiguous: entries of each PE in each column.
    lengths: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class CountedOrder:
    """What of a run's order decides its cycles."""

    #: Lanes that vectors have; 0 if nothing is held.
    lanes: int
    #: Words of a vector's longest results that come back, and layers of the network whose results
    #: do.
    longest: int
    hidden_layers: int
    #: The last recurrent layer of those of the run; -1 if there is none.
    last_recurrent: int
    #: int64, shape (vectors,): lane of each vector; None without tags.
    lane_of: npt.NDArray[np.int64] | None = None
    #: uint8, shape (vectors,): whether it gives an output; None without tags.
    gives: npt.NDArray[np.uint8] | None = None


class CompiledRun:
    """A run packet in the library.

    Parameters
    ----------
    library
        Of :func:`eie.hls.model.compiled.library.compile_model`.
    design
        The hardware.
    layers
        Those that the run goes through.
    order
        What it does with its vectors.
    activations
        For each layer the activations it takes, int16 of shape (batch, columns).
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        design: Design,
        layers: Sequence[CountedLayer],
        order: CountedOrder,
        activations: Activations,
    ) -> None:
        for layer, values in zip(layers, activations, strict=True):
            shape = (len(activations[0]), layer.columns)
            if values.shape != shape or values.dtype != np.int16:
                raise ValueError(f"activations must be int16 {shape}, not {values.shape}")
        # The library reads what all of these hold.
        taken = [_with_neighbours(_of_groups(values, design.abreast)) for values in activations]
        given = [
            LayerOfRun(
                layer.columns,
                layer.rows,
                layer.results,
                layer.local_rows,
                layer.accumulates,
                layer.takes_held,
                layer.holds,
                layer.recurrent,
                layer.function,
                layer.lengths.ctypes.data,
                values.ctypes.data,
                values.strides[0] // values.itemsize,
            )
            for layer, values in zip(layers, taken, strict=True)
        ]
        vectors = len(activations[0])
        handle = library.eie_run_new(
            DesignOfRun(*(getattr(design, name) for name, *_ in DesignOfRun._fields_)),
            len(layers),
            (LayerOfRun * len(layers))(*given),
            OrderOfRun(
                vectors,
                order.lanes,
                order.longest,
                order.hidden_layers,
                order.last_recurrent,
                None if order.lane_of is None else order.lane_of.ctypes.data,
                None if order.gives is None else order.gives.ctypes.data,
            ),
        )
        if not handle:
            raise MemoryError("there is not enough memory to count cycles")
        try:
            _run(library, handle, vectors)
            #: What the run's counters say.
            self.counters = _counters(library, handle, design.pes, len(layers))
        finally:
            library.eie_run_free(handle)


def _run(library: ctypes.CDLL, handle: int, vectors: int) -> None:
    """Go on with a run until it is done, some tenth of a second at a time."""
    done, turns = 0, 1
    while done < vectors:
        tell("counting cycles", done, vectors, "vectors")
        begin = time.perf_counter()
        done = library.eie_run_advance(handle, turns)
        spent = max(time.perf_counter() - begin, 1e-6)
        turns = max(1, min(_GROWTH * turns, int(turns * _CALL_SECONDS / spent)))


def _of_groups(values: npt.NDArray[np.int16], abreast: int) -> npt.NDArray[np.int16]:
    """What the library takes: a column of a group is sent if one of its vectors has it."""
    return values if abreast == 1 else nonzero_of_groups(values, abreast).astype(np.int16)


def _with_neighbours(values: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """Activations of a vector side by side in memory, as the library reads them."""
    side_by_side = values.strides[1] == values.itemsize and values.strides[0] % 2 == 0
    return values if side_by_side else np.ascontiguousarray(values)


def _counters(library: ctypes.CDLL, handle: int, pes: int, layers: int) -> Counters:
    cycles = ctypes.c_int64()
    busy, starved, full = (np.zeros(pes, np.int64) for _ in range(3))
    layer_cycles = np.zeros(layers, np.int64)
    library.eie_run_counters(
        handle,
        ctypes.byref(cycles),
        *(array.ctypes.data for array in (busy, starved, full, layer_cycles)),
    )
    return Counters(cycles.value, busy, starved, full, tuple(layer_cycles.tolist()))
