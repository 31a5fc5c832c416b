"""What every layer of a network gives, as codes: exact integers in plain numpy.

No packets, PEs or passes are in it, so it is the same on every design; the engines give the same
bits, which tests hold them to. Each vector stands for itself: of a recurrent network it is the
first of a sequence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from eie.hls.spec import cell
from eie.hls.spec.fixed_point import write_back_counted
from eie.host.network import INPUT, Layer, Network
from eie.host.network.graph import giver_of

__all__ = ["Product", "dense_product", "layer_results"]

Codes: TypeAlias = npt.NDArray[np.int16]
#: Sums of a layer's products, int64 of shape (batch, rows), of what it takes.
Product: TypeAlias = Callable[[Layer, Codes], npt.NDArray[np.int64]]


def dense_product(layer: Layer, taken: Codes) -> npt.NDArray[np.int64]:
    """Give the product of a dense matrix of integers: for small layers."""
    return taken.astype(np.int64) @ layer.dense_weights().astype(np.int64).T


def layer_results(
    network: Network, inputs: Codes, product: Product = dense_product
) -> tuple[list[Codes], list[int]]:
    """Take codes through a network.

    Parameters
    ----------
    network
        The network.
    inputs
        int16, shape (batch, inputs).
    product
        How a layer's matrix is applied.

    Returns
    -------
    results
        For each layer int16, shape (batch, results); of one that accumulates (batch, 0).
    saturated
        Of each layer, how many of its sums 16 bits could not hold.
    """
    layers = network.layers
    given = {INPUT: inputs}
    results: list[Codes] = []
    saturated: list[int] = []
    sums = np.zeros((), np.int64)
    for index, layer in enumerate(layers):
        giver = giver_of(layers, index)
        if giver == index:
            given[index] = np.zeros((len(inputs), layer.results), np.int16)
        sums = sums + product(layer, given[giver])
        if layer.accumulate:
            results.append(np.empty((len(inputs), 0), np.int16))
            saturated.append(0)
            continue
        codes, count = write_back_counted(sums + layer.bias, layer.write_back)
        given[index] = _function(layer, codes)
        results.append(given[index])
        saturated.append(count)
        sums = np.zeros((), np.int64)
    return results, saturated


def _function(layer: Layer, codes: Codes) -> Codes:
    """Apply what comes after write-back; a LeakyReLU is in it."""
    if layer.activation == "sigmoid":
        return cell.sigmoid(codes)
    if layer.activation == "tanh":
        return cell.tanh(codes)
    if not layer.recurrent:
        return codes
    gates = codes.reshape(len(codes), cell.GATES, layer.results).transpose(0, 2, 1)
    step = cell.lstm_step if layer.activation == "lstm" else cell.gru_step
    results, _ = step(gates, np.zeros((len(codes), layer.results), np.int32))
    return results
