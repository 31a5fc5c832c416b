"""Bytes of a network, in the words that everybody uses for them.

What counts is what is loaded onto the chip (:attr:`eie.host.packing.tiling.Plan.loaded_bytes`),
which depends on the design. Where there is no design yet, the file's own bytes are told, as such.
"""

from __future__ import annotations

from typing import Protocol

from eie.host.network.layer import Layer

__all__ = ["WithLayers", "file_text", "float32_bytes", "loaded_text"]


class WithLayers(Protocol):
    """A network, of which the layers alone count here."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """As the network's."""


def float32_bytes(network: WithLayers) -> int:
    """Bytes of all weights and biases of the layers as float32, zeros included."""
    return sum(4 * layer.rows * (layer.columns + 1) for layer in network.layers)


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
