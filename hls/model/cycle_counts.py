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
from eie.hls.model.compiled.cycles import CompiledRun, CountedLayer
from eie.hls.model.compiled.library import model_library, warn_of_numpy
from eie.hls.model.memory_image import ResidentNetwork
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design

__all__ = ["count_cycles"]

#: Vectors from which it is said that numpy counts: fewer are no wait.
_MANY = 64

Activations = Sequence[npt.NDArray[np.int16]]


def count_cycles(design: Design, network: ResidentNetwork, activations: Activations) -> Counters:
    """Count the cycles of a run; parameters are those of :func:`eie.hls.model.cycles.count_cycles`.

    Warns
    -----
    SlowModelWarning
        If there are many vectors and no compiler.
    """
    library = model_library()
    if library is not None:
        return _run(library, design, network, activations).counters
    _say_so(activations)
    return cycles.count_cycles(design, network, activations)


def _run(
    library: ctypes.CDLL, design: Design, network: ResidentNetwork, activations: Activations
) -> CompiledRun:
    layers = [
        CountedLayer(
            layer.columns,
            layer.rows,
            layer.local_rows,
            np.ascontiguousarray(layer.encoded.lengths().T, np.int32),
        )
        for layer in network.layers
    ]
    return CompiledRun(library, design, layers, activations)


def _say_so(activations: Activations) -> None:
    if len(activations[0]) >= _MANY:
        warn_of_numpy()
