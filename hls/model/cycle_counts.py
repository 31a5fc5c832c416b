"""Cycles of a run by the fastest way there is: in C++ where it compiles, else in numpy.

Both give the same numbers (tests compare them with ``==``); :mod:`eie.hls.model.cycles` is the
specification.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from eie.hls.model import cycles
from eie.hls.model.compiled.cycles import CompiledRun, CountedLayer, CountedOrder
from eie.hls.model.compiled.library import model_library, warn_of_numpy
from eie.hls.model.resident_network import ResidentNetwork, RunOrder
from eie.hls.model.turns import TurnPlan, longest_back
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.hls.spec.packets import Function

__all__ = ["count_cycles"]

#: Vectors from which it is said that numpy counts: fewer are no wait.
_MANY = 64

Activations = Sequence[npt.NDArray[np.int16]]


def count_cycles(
    design: Design,
    network: ResidentNetwork,
    taken: Activations,
    order: RunOrder | None = None,
) -> Counters:
    """Count the cycles of a run; parameters are those of :func:`eie.hls.model.cycles.count_cycles`.

    Warns
    -----
    SlowModelWarning
        If there are many vectors and no compiler.
    """
    library = model_library()
    if library is not None:
        order = network.whole() if order is None else order
        return _run(library, design, network, taken, order).counters
    _say_so(taken)
    return cycles.count_cycles(design, network, taken, order)


def _run(
    library: ctypes.CDLL,
    design: Design,
    network: ResidentNetwork,
    taken: Activations,
    order: RunOrder,
) -> CompiledRun:
    layers = []
    for index in range(order.first, order.first + order.layers):
        layer = network.layers[index]
        arriving = network.layers[index - 1].hold if index else network.hold
        layers.append(
            CountedLayer(
                layer.columns,
                layer.rows,
                layer.results,
                layer.local_rows,
                layer.accumulates,
                layer.source is not None,
                arriving is not None,
                layer.recurrent,
                layer.function is not Function.LINEAR,
                np.ascontiguousarray(layer.encoded.lengths().T, np.int32),
            )
        )
    tags = order.tags
    counted = CountedOrder(
        network.lanes,
        longest_back(network),
        TurnPlan(network, order).hidden_layers,
        network.last_recurrent - order.first if network.recurrent else -1,
        None if tags is None else np.ascontiguousarray(tags.lanes, np.int64),
        None if tags is None else np.ascontiguousarray(tags.outputs, np.uint8),
    )
    return CompiledRun(library, design, layers, counted, taken)


def _say_so(activations: Activations) -> None:
    if len(activations[0]) >= _MANY:
        warn_of_numpy()
