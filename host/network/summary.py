"""What a network says of itself in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import NetworkFileError
from eie.hls.boundary.text import counted, printable
from eie.host.network.graph import giver_of, held_sources
from eie.host.network.input_shape import shape_text
from eie.host.network.layer import INPUT, Layer
from eie.host.network.loss_record import LossRecord
from eie.host.network.sizes import float32_bytes, model_weights
from eie.host.network.table import Table

__all__ = [
    "Described",
    "activity_text",
    "error_text",
    "network_table",
    "sizes_text",
    "taken_text",
    "weights_text",
]


class Described(Protocol):
    """What of a :class:`~eie.host.network.Network` is described here."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """As the network's."""

    @property
    def feature_fracs(self) -> npt.NDArray[np.int64] | None:
        """As the network's."""

    @property
    def golden_inputs(self) -> npt.NDArray[np.int16]:
        """As the network's."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """As the network's."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """As the network's."""


def network_table(network: Described) -> Table:
    """Lay out the layers of a network, and what is known of it."""
    bits = "fraction bits in, weights, out"
    head: tuple[str, ...] = ("layer", "size", "kept", "activation", bits)
    weights = model_weights(network.layers)
    rows = [
        _row(network, number, layer, weights[number]) for number, layer in enumerate(network.layers)
    ]
    if held_sources(network.layers):
        head = (*head[:1], "takes", *head[1:])
        rows = [
            (name, taken_text(network.layers, number), *rest)
            for number, (name, *rest) in enumerate(rows)
        ]
    notes = [
        f"inputs of shape {shape_text(network.input_shape)}; {weights_text(network)}",
        f"error: {error_text(network)}",
        counted(len(network.golden_inputs), "golden vector"),
        activity_text(network),
    ]
    return Table(f"{counted(len(network.layers), 'layer')}", head, rows, notes)


def sizes_text(network: Described) -> str:
    """Say how many values go from layer to layer: "5-LSTM 8-3"."""
    first, *_ = network.layers
    names = [str(first.columns)]
    for layer in network.layers:
        if not layer.accumulate:
            kind = f"{layer.activation.upper()} " if layer.recurrent else ""
            names.append(f"{kind}{layer.results}")
    return "-".join(names)


def weights_text(network: Described) -> str:
    """Say how many of the weights are kept, and what all of them would take in float32."""
    kept = sum(layer.nonzeros for layer in network.layers)
    weights = sum(model_weights(network.layers))
    return f"{kept:,} of {weights:,} weights kept, of {float32_bytes(network):,} bytes in float32"


def activity_text(network: Described) -> str:
    """Say how often inputs of the layers are active, and that rows are dealt to PEs by it."""
    known = [layer for layer in network.layers if layer.activity is not None]
    if not known:
        return "activity of inputs: not known, so every weight counts alike where rows go to PEs"
    shares = ", ".join(
        f"{printable(layer.name)}: {100 * float(layer.activity.mean(dtype=np.float64)):.0f} %"
        for layer in known
        if layer.activity is not None
    )
    return f"activity of inputs in calibration, by which rows go to PEs: {shares}"


def error_text(network: Described) -> str:
    """Say how far the outputs are from the model's, as far as that is known."""
    unknown = "not known: compressed without calibration"
    try:
        record = LossRecord.of(network)
    except NetworkFileError:
        return unknown
    return unknown if record is None or record.error is None else str(record.error)


def taken_text(layers: Sequence[Layer], number: int) -> str:
    """Say whose results a layer takes."""
    giver = giver_of(layers, number)
    if giver == number:
        return "itself, a step before"
    return "the input" if giver == INPUT else layers[giver].name


def _row(network: Described, number: int, layer: Layer, weights: int) -> tuple[object, ...]:
    inputs = str(layer.input_frac)
    if number == 0 and network.feature_fracs is not None:
        inputs = f"{network.feature_fracs.min()} to {network.feature_fracs.max()}"
    return (
        layer.name,
        f"{layer.columns} -> {layer.rows}",
        f"{layer.nonzeros:,} ({100 * layer.nonzeros / weights:.1f} %)",
        layer.ending,
        f"{inputs}, {layer.weight_frac}, {layer.output_frac}",
    )
