"""What every layer of a network gives, as real numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.model.sparse_product import SparseProduct
from eie.hls.spec.fixed_point import dequantize
from eie.host.network import Layer, Network
from eie.host.run.layer_results import layer_results

__all__ = ["LayerActivations", "layer_activations"]


@dataclass(frozen=True, eq=False)
class LayerActivations:
    """What a layer gave for a batch.

    Attributes
    ----------
    name
        Of the layer.
    values
        float32, shape (batch, results): outputs of the layer as real numbers; (batch, 0) of one
        whose sums the next layer adds to.
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
    results, saturated = layer_results(network, codes, _sparse_product)
    return tuple(
        LayerActivations(layer.name, dequantize(given, layer.output_frac), count)
        for layer, given, count in zip(network.layers, results, saturated, strict=True)
    )


def _sparse_product(layer: Layer, taken: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    product = SparseProduct(
        layer.rows,
        layer.indptr,
        layer.indices.astype(np.int64),
        layer.codebook[layer.codes].astype(np.float64),
    )
    return product(taken)
