"""The model's C++, compiled with what the contract says of the kernel, and its functions.

The numpy model is the specification. Where there is no compiler it does all of the work, some
hundred times slower where cycles are counted.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.resources
from collections.abc import Sequence
from ctypes import POINTER, c_int64, c_void_p

from eie.hls.boundary.errors import SlowModelWarning, ToolError
from eie.hls.boundary.warning import warn
from eie.hls.compiler.shared_library import load_library
from eie.hls.spec.cell import GATES
from eie.hls.spec.dataflow import DEPTHS, RADIX
from eie.hls.spec.packets import (
    ACTIVATIONS_PER_BEAT,
    ACTIVATIONS_PER_WORD,
    HEADER,
    HELD_LATENCY,
    RUN,
)

__all__ = [
    "DesignOfRun",
    "LayerOfRun",
    "OrderOfRun",
    "WriteBack",
    "compile_model",
    "model_library",
    "sources",
    "warn_of_numpy",
]

_MAIN = "library.cpp"


class DesignOfRun(ctypes.Structure):
    """What of a design decides its cycles, as `run.h` takes it: attributes of the design."""

    _fields_ = tuple(
        (name, c_int64)
        for name in (
            "pes",
            "queue_depth",
            "result_depth",
            "write_latency",
            "hidden_words",
            "cell_units",
            "abreast",
            "block_words",
        )
    )


class LayerOfRun(ctypes.Structure):
    """A layer, and what it takes in a run, as `run.h` takes it."""

    _fields_ = (
        ("columns", c_int64),
        ("rows", c_int64),
        ("results", c_int64),
        ("local_rows", c_int64),
        ("accumulates", c_int64),
        ("takes_held", c_int64),
        ("holds", c_int64),
        ("recurrent", c_int64),
        ("function", c_int64),
        ("lengths", c_void_p),
        ("activations", c_void_p),
        ("stride", c_int64),
    )


class OrderOfRun(ctypes.Structure):
    """What a run is to do with its vectors, as `run.h` takes it."""

    _fields_ = (
        ("vectors", c_int64),
        ("lanes", c_int64),
        ("longest", c_int64),
        ("hidden_layers", c_int64),
        ("last_recurrent", c_int64),
        ("lane_of", c_void_p),
        ("gives", c_void_p),
    )


class WriteBack(ctypes.Structure):
    """A layer's write-back as `weights.h` takes it."""

    _fields_ = tuple(
        (name, c_int64) for name in ("shift", "low", "high", "half_even", "accumulator_bits")
    )


#: Result and parameters of each function of `library.cpp`.
_FUNCTIONS = {
    "eie_run_new": (
        c_void_p,
        [POINTER(DesignOfRun), c_int64, POINTER(LayerOfRun), POINTER(OrderOfRun)],
    ),
    "eie_run_free": (None, [c_void_p]),
    "eie_run_advance": (c_int64, [c_void_p, c_int64]),
    "eie_run_counters": (None, [c_void_p, POINTER(c_int64), *[c_void_p] * 4]),
    "eie_weights_new": (c_void_p, [c_int64] * 2 + [c_void_p] * 3),
    "eie_weights_free": (None, [c_void_p]),
    "eie_weights_run": (
        c_int64,
        [c_void_p, POINTER(WriteBack), c_void_p, c_void_p, *[c_int64] * 3, c_void_p],
    ),
}


def sources() -> dict[str, str]:
    """Text of the C++ files by name, with the header of constants that only the contract has."""
    folder = importlib.resources.files(__package__)
    texts = {
        file.name: file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith((".h", ".cpp"))
    }
    return texts | {"constants.h": _constants()}


def compile_model(flags: Sequence[str] = ()) -> ctypes.CDLL:
    """Compile and load the library, or load the one that is kept.

    Raises
    ------
    ToolError
        If there is no compiler, or it fails.
    """
    library = load_library("model", sources(), _MAIN, flags=flags)
    for name, (result, parameters) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, parameters
    return library


def model_library() -> ctypes.CDLL | None:
    """Give the library, None where it cannot be had."""
    return _loaded()[0]


@functools.cache
def warn_of_numpy() -> None:
    """Say, once in this process, that and why the model is slow.

    Warns
    -----
    SlowModelWarning
        If there is no library.
    """
    library, reason = _loaded()
    if library is None:
        warn(
            f"the model runs in numpy, which is exact but slow, since {reason}: install g++ (on "
            "Debian and Ubuntu: apt install g++), or set CXX",
            SlowModelWarning,
        )


@functools.cache
def _loaded() -> tuple[ctypes.CDLL | None, str]:
    """The library, and why there is none."""
    try:
        return compile_model(), ""
    except ToolError as error:
        return None, str(error).splitlines()[0].rstrip(":")


def _constants() -> str:
    """Header with the figures of the kernel that no design changes."""
    of_streams = {depth.name: depth.elements for depth in DEPTHS.values()}
    sizes = {"kRadix": RADIX, **of_streams}
    counts = {
        "kActivationsPerBeat": ACTIVATIONS_PER_BEAT,
        "kActivationsPerWord": ACTIVATIONS_PER_WORD,
        "kBeatsPerWord": ACTIVATIONS_PER_WORD // ACTIVATIONS_PER_BEAT,
        "kGates": GATES,
        "kHeaderBeats": HEADER.beats,
        "kHeldLatency": HELD_LATENCY,
        # The receiver reads header and RUN record, a beat a cycle, and then takes the run on.
        "kReceivedBeats": HEADER.beats + RUN.beats,
    }
    lines = ["#pragma once", "#include <cstddef>", "#include <cstdint>", "namespace model {"]
    lines += [f"constexpr std::size_t {name} = {value};" for name, value in sizes.items()]
    lines += [f"constexpr std::int64_t {name} = {value};" for name, value in counts.items()]
    return "\n".join([*lines, "}  // namespace model", ""])
