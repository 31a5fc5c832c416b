"""What every layer of a network gives, as codes: exact integers in plain numpy.

No packets, PEs or passes are in it, so it is the same on every design; the engines give the same
bits, which tests hold them to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.model.sparse_product import SparseProduct
from eie.hls.spec.fixed_point import dequantize, write_back_counted
from eie.host.network import Network

__all__ = ["LayerActivations", "layer_activations"]


@dataclass(frozen=True, eq=False)
class LayerActivations:
    """What a layer gave for a batch.

    Attributes
    ----------
    name
        Of the layer.
    values
        float32, shape (batch, rows): outputs of the layer as real numbers.
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
    found = []
    for layer in network.layers:
        product = SparseProduct(
            layer.rows,
            layer.indptr,
            layer.indices.astype(np.int64),
            layer.codebook[layer.codes].astype(np.float64),
        )
        sums = product(codes) + layer.bias
        codes, saturated = write_back_counted(sums, layer.shift, relu=layer.relu)
        found.append(LayerActivations(layer.name, dequantize(codes, layer.output_frac), saturated))
    return tuple(found)
