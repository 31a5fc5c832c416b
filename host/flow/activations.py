"""What every layer of a network gives, as real numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.model.sparse_product import SparseProduct
from eie.hls.spec.fixed_point import dequantize
from eie.host.network import Layer, Network
from eie.host.run.layer_results import Product, layer_results, sequence_results

__all__ = ["LayerActivations", "layer_activations", "sequence_activations"]


@dataclass(frozen=True, eq=False)
class LayerActivations:
    """What a layer gave for a batch.

    Attributes
    ----------
    name
        Of the layer.
    values
        float32, shape (batch, results), of sequences (steps, results): outputs of the layer as real
        numbers; (batch, 0) of one whose sums the next layer adds to.
    saturated
        Those that 16 bits could not hold.
    """

    name: str
    values: npt.NDArray[np.float32]
    saturated: int


def layer_activations(
    network: Network, codes: npt.NDArray[np.int16]
) -> tuple[LayerActivations, ...]:
    """Take int16 codes of shape (batch, inputs) through the network, and keep what layers give."""
    return _activations(network, *layer_results(network, codes, _sparse_product()))


def sequence_activations(
    network: Network, sequences: Sequence[npt.NDArray[np.int16]]
) -> tuple[LayerActivations, ...]:
    """Take sequences of codes, each (steps, inputs), through a recurrent network from zero.

    What layers give is kept for all steps, one sequence behind the other.
    """
    return _activations(network, *sequence_results(network, sequences, _sparse_product()))


def _activations(
    network: Network, results: Sequence[npt.NDArray[np.int16]], saturated: Sequence[int]
) -> tuple[LayerActivations, ...]:
    return tuple(
        LayerActivations(layer.name, dequantize(given, layer.output_frac), count)
        for layer, given, count in zip(network.layers, results, saturated, strict=True)
    )


def _sparse_product() -> Product:
    """Make a product that brings each layer's matrix into its form once."""
    products: dict[int, SparseProduct] = {}

    def product(layer: Layer, taken: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
        if id(layer) not in products:
            products[id(layer)] = SparseProduct(
                layer.rows,
                layer.indptr,
                layer.indices.astype(np.int64),
                layer.codebook[layer.codes].astype(np.float64),
            )
        return products[id(layer)](taken)

    return product
