"""Layers that hold and add: what is valid of them, and what they compute, without eie's own code.

But for sigmoid, tanh and the steps of cells, whose definition is in integers: they are taken from
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.spec import cell
from fuzz.verdict import require

Layers = list[dict[str, Any]]
Wide = npt.NDArray[np.int64]
#: By recurrent layer: results of the step before, and what the cell keeps; shape (vectors, units).
States = dict[int, tuple[npt.NDArray[Any], npt.NDArray[Any]]]

#: What a layer of a file of version 3 may say besides, and what it means not to.
OPTIONS: dict[str, Any] = {
    "low": None, "high": 32767, "slope": 0, "half_even": False, "accumulate": False, "source": None,
}  # fmt: skip
_BOUNDED = ("none", "relu")
_RECURRENT = ("lstm", "gru")
_TABLED = ("sigmoid", "tanh", *_RECURRENT)


def complete(layer: Mapping[str, Any]) -> dict[str, Any]:
    """Give a layer with all options."""
    whole = OPTIONS | dict(layer)
    lowest = 0 if layer["activation"] == "relu" else -32768
    # A ReLU from the lowest code on is one from 0 on.
    if whole["low"] is None or (lowest == 0 and whole["low"] == -32768):
        whole["low"] = lowest
    return whole


def check_options(layer: dict[str, Any], bias: list[int]) -> None:
    """Check what a layer says besides sizes, weights and fracs; it is complete."""
    kind = layer["activation"]
    require(
        isinstance(kind, str) and kind in (*_BOUNDED, "leaky_relu", *_TABLED),
        f"other activation: {kind!r}",
    )
    for name in ("low", "high", "slope"):
        require(type(layer[name]) is int, f"{name} is no integer")
    for name in ("low", "high"):
        require(-32768 <= layer[name] <= 32767, f"{name} out of range")
    for name in ("half_even", "accumulate"):
        require(type(layer[name]) is bool, f"{name} is no bool")
    source = layer["source"]
    require(source is None or (type(source) is int and source >= -1), "no source")
    require(layer["low"] <= layer["high"], "bounds crossed")
    if kind not in _BOUNDED:
        require((layer["low"], layer["high"]) == (-32768, 32767), "bounds of a function")
    require(kind != "relu" or layer["low"] == 0, "another low of a ReLU")
    if kind == "leaky_relu":
        require(1 <= layer["slope"] <= 65535, "slope out of range")
    else:
        require(layer["slope"] == 0, "a slope of no LeakyReLU")
    require(kind not in _TABLED or layer["output_frac"] == 15, "another frac of a function")
    require(kind not in _RECURRENT or layer["rows"] % 4 == 0, "rows that are no units")
    if layer["accumulate"]:
        sums = layer["input_frac"] + layer["weight_frac"]
        require(layer["output_frac"] == sums, "another frac of sums")
        require(kind == "none" and not layer["half_even"], "an ending of open sums")
        require((layer["low"], layer["high"]) == (-32768, 32767), "bounds of open sums")
        require(not any(bias), "biases of open sums")
    else:
        require(0 <= shift_of(layer) <= 47, "other shift")


def shift_of(layer: Mapping[str, Any]) -> int:
    """How far sums are shifted at write-back."""
    written = 11 if layer["activation"] in _TABLED else layer["output_frac"]
    shift: int = layer["input_frac"] + layer["weight_frac"] - written
    return shift


def check_graph(layers: Layers) -> None:
    """Check what layers take, and what they add to; they are complete."""
    used = set()
    for index, layer in enumerate(layers):
        source = layer["source"]
        own = layer["activation"] in _RECURRENT
        require(own == (source == index), "a state of no recurrent layer, or none of one")
        if index == 0:
            require(source is None, "a first layer with a source")
            continue
        before = layers[index - 1]
        require(source is not None or not before["accumulate"], "open sums are taken")
        giver = index - 1 if source is None else source
        require(giver <= index, "a source that is not there yet")
        if giver == -1:
            width, frac = layers[0]["columns"], layers[0]["input_frac"]
        else:
            require(not layers[giver]["accumulate"], "a source that gives nothing")
            width, frac = results_of(layers[giver]), layers[giver]["output_frac"]
        require(layer["columns"] == width, "layers of sizes that do not meet")
        require(layer["input_frac"] == frac, "fracs that do not meet")
        if giver != index:
            used.add(giver)
    require(not layers[-1]["accumulate"], "sums that nobody ends")
    end = layers[-1]
    for index, layer in reversed(list(enumerate(layers))):
        if layer["accumulate"]:
            require(layer["rows"] == end["rows"], "sums of other rows")
            sums = [each["input_frac"] + each["weight_frac"] for each in (layer, end)]
            require(sums[0] == sums[1], "sums of other fracs")
        else:
            end = layer
            require(index == len(layers) - 1 or index in used, "results that nobody takes")


def results_of(layer: Mapping[str, Any]) -> int:
    """How many results a layer gives."""
    rows: int = layer["rows"]
    return rows // 4 if layer["activation"] in _RECURRENT else rows


def is_recurrent(layers: Layers) -> bool:
    """Whether vectors are steps of sequences."""
    return any(layer["activation"] in _RECURRENT for layer in layers)


def compute_layers(
    layers: Layers,
    weights: list[Wide],
    bias: list[Wide],
    inputs: Wide,
    states: States | None = None,
) -> Wide:
    """Outputs by dense products: `weights` of shape (columns, rows) for each layer.

    Vectors of a recurrent network are steps of one sequence each, which `states` takes further.
    """
    states = {} if states is None else states
    given = {-1: inputs}
    for index, layer in enumerate(layers):
        if layer["activation"] in _RECURRENT:
            units = (len(inputs), results_of(layer))
            given[index], _ = states.setdefault(index, (np.zeros(units), np.zeros(units)))
    sums: Wide | int = 0
    for index, layer in enumerate(layers):
        giver = index - 1 if layer["source"] is None else layer["source"]
        sums = sums + given[giver].astype(np.int64) @ weights[index]
        if layer["accumulate"]:
            continue
        codes = _end(sums + bias[index], layer)
        if layer["activation"] in _RECURRENT:
            gates = codes.astype(np.int16).reshape(len(inputs), 4, -1).transpose(0, 2, 1)
            step = cell.lstm_step if layer["activation"] == "lstm" else cell.gru_step
            states[index] = step(gates, states[index][1].astype(np.int32))
            codes, _ = states[index]
        given[index] = codes
        sums = 0
    return given[len(layers) - 1]


def _end(sums: Wide, layer: Mapping[str, Any]) -> Wide:
    unit = 2 ** shift_of(layer)
    whole, rest = sums // unit, sums % unit
    up = 2 * rest >= unit if unit > 1 else rest > 0
    if layer["half_even"]:
        up = up & ~((2 * rest == unit) & (whole % 2 == 0))
    whole = whole + up
    kind = layer["activation"]
    if kind in _BOUNDED:
        return whole.clip(layer["low"], layer["high"])
    cut = whole.clip(-32768, 32767)
    if kind == "leaky_relu":
        return np.where(cut < 0, (cut * layer["slope"] + 2**15) // 2**16, cut)
    return cut if kind in _RECURRENT else getattr(cell, kind)(cut).astype(np.int64)
