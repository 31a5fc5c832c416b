"""Bytes of a model before compression and after."""

from __future__ import annotations

from eie.host.network import Network

__all__ = ["compressed_bytes", "float32_bytes", "size_text"]


def float32_bytes(network: Network) -> int:
    """Bytes of all weights and biases of the layers as float32, zeros included."""
    return sum(4 * layer.rows * (layer.columns + 1) for layer in network.layers)


def compressed_bytes(network: Network) -> int:
    """Bytes of the compressed layers, whatever design holds them.

    A weight takes a byte (4 bits of code, 4 of the zero run before it), a column a pointer of two
    bytes, a row a bias of four, and a layer has 16 weights of two bytes. A design adds padding: for
    zero runs that are longer, and for memories of whole words.
    """
    return sum(
        layer.nonzeros + 2 * (layer.columns + 1) + 4 * layer.rows + 2 * layer.codebook.size
        for layer in network.layers
    )


def size_text(network: Network) -> str:
    """Say both and their ratio in a line."""
    before, after = float32_bytes(network), compressed_bytes(network)
    ratio = before / after
    how = f"{ratio:.1f} times smaller" if ratio >= 1 else f"{1 / ratio:.1f} times larger"
    return (
        f"{after:,} bytes before a design's padding and pointers for each PE, {how} than "
        f"{before:,} of float32"
    )
