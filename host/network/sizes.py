"""Bytes of a network, in the words that everybody uses for them.

What counts is what is loaded onto the chip (:attr:`eie.host.packing.tiling.Plan.loaded_bytes`),
which depends on the design. Where there is no design yet, the file's own bytes are told, as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from eie.hls.spec.cell import GATES
from eie.host.network.graph import chains_of
from eie.host.network.layer import Layer

__all__ = ["WithLayers", "file_text", "float32_bytes", "loaded_text", "model_rows", "model_weights"]


class WithLayers(Protocol):
    """A network, of which the layers alone count here."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """As the network's."""


def model_rows(layers: Sequence[Layer]) -> tuple[int, ...]:
    """Rows that the matrix of each layer has in the model.

    A GRU has three gates; here it takes four, since its candidate is made of two sums, and of
    either matrix the rows of one gate are empty.
    """
    found: list[int] = []
    for chain in chains_of(layers):
        gates = 3 if layers[chain[-1]].activation == "gru" else GATES
        found += (layers[index].rows * gates // GATES for index in chain)
    return tuple(found)


def model_weights(layers: Sequence[Layer]) -> tuple[int, ...]:
    """Weights that each layer has in the model, zeros included."""
    rows = model_rows(layers)
    return tuple(each * layer.columns for each, layer in zip(rows, layers, strict=True))


def float32_bytes(network: WithLayers) -> int:
    """Bytes of all weights and biases of the layers as float32, zeros included."""
    return 4 * (sum(model_weights(network.layers)) + sum(model_rows(network.layers)))


def loaded_text(network: WithLayers, loaded: int) -> str:
    """Say how many bytes are loaded onto the chip, beside those of the model."""
    return f"{loaded:,} bytes are loaded onto the chip, {_ratio(network, loaded)}"


def file_text(network: WithLayers, size: int) -> str:
    """Say how many bytes the network's file has, beside those of the model."""
    return (
        f"{size:,} bytes in the file, {_ratio(network, size)}; how many are loaded onto a chip "
        "depends on its PEs"
    )


def _ratio(network: WithLayers, after: int) -> str:
    before = float32_bytes(network)
    ratio = before / after
    how = f"{ratio:.1f} times smaller" if ratio >= 1 else f"{1 / ratio:.1f} times larger"
    return f"{how} than {before:,} of float32"
