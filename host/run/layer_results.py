"""What every layer of a network gives, as codes: exact integers in plain numpy.

No packets, PEs or passes are in it, so it is the same on every design; the engines give the same
bits, which tests hold them to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from eie.hls.spec import cell
from eie.hls.spec.fixed_point import bound, write_back_steps
from eie.host.network import INPUT, Layer, Network
from eie.host.network.graph import giver_of

__all__ = ["Product", "States", "dense_product", "layer_results", "sequence_results"]

Codes: TypeAlias = npt.NDArray[np.int16]
#: Of recurrent layers by index: results of the step before, and what the cell keeps.
States: TypeAlias = dict[int, tuple[Codes, npt.NDArray[np.int32]]]
#: Sums of a layer's products, int64 of shape (batch, rows), of what it takes.
Product: TypeAlias = Callable[[Layer, Codes], npt.NDArray[np.int64]]


def dense_product(layer: Layer, taken: Codes) -> npt.NDArray[np.int64]:
    """Give the product of a dense matrix of integers: for small layers."""
    return taken.astype(np.int64) @ layer.dense_weights().astype(np.int64).T


def layer_results(
    network: Network,
    inputs: Codes,
    product: Product = dense_product,
    states: States | None = None,
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
    states
        Where the sequences stand whose step each vector is; becomes where they stand then. With
        nothing in it, or None, each vector is the first of a sequence.

    Returns
    -------
    results
        For each layer int16, shape (batch, results); of one that accumulates (batch, 0).
    saturated
        Of each layer, how many of its results come from sums that 16 bits could not hold.
    """
    layers = network.layers
    states = {} if states is None else states
    given = {INPUT: inputs}
    results: list[Codes] = []
    saturated: list[int] = []
    sums = np.zeros((), np.int64)
    for index, layer in enumerate(layers):
        giver = giver_of(layers, index)
        if giver == index:
            shape = (len(inputs), layer.results)
            states.setdefault(index, (np.zeros(shape, np.int16), np.zeros(shape, np.int32)))
            given[index] = states[index][0]
        sums = sums + product(layer, given[giver])
        if layer.accumulate:
            results.append(np.empty((len(inputs), 0), np.int16))
            saturated.append(0)
            continue
        rule = layer.write_back
        *_, rounded = write_back_steps(sums + layer.bias, rule.shift, half_even=rule.half_even)
        codes, marks = bound(rounded, rule)
        if layer.recurrent:
            codes, marks = _gates(layer, codes), _gates(layer, marks).any(axis=2)
            step = cell.lstm_step if layer.activation == "lstm" else cell.gru_step
            states[index] = step(codes, states[index][1])
            given[index] = states[index][0]
        else:
            given[index] = _function(layer, codes)
        results.append(given[index])
        saturated.append(int(np.count_nonzero(marks)))
        sums = np.zeros((), np.int64)
    return results, saturated


def sequence_results(
    network: Network, sequences: Sequence[Codes], product: Product = dense_product
) -> tuple[list[Codes], list[int]]:
    """Take sequences of codes through a network, each from a state of zero.

    Parameters
    ----------
    network
        A recurrent one.
    sequences
        int16, each of shape (steps, inputs); at least one.
    product
        How a layer's matrix is applied.

    Returns
    -------
    results
        For each layer int16, shape (steps of all sequences, results), one behind the other.
    saturated
        Of each layer, how many of its results come from sums that 16 bits could not hold.
    """
    lengths = np.array([len(each) for each in sequences])
    # The longest first, so that those still under way are always the first ones.
    order = np.argsort(-lengths, kind="stable")
    first = np.cumsum(lengths) - lengths
    given = [np.empty((int(lengths.sum()), layer.results), np.int16) for layer in network.layers]
    given = [
        each[:, :0] if layer.accumulate else each
        for each, layer in zip(given, network.layers, strict=True)
    ]
    saturated = np.zeros(len(given), np.int64)
    states: States = {}
    for step in range(int(lengths.max())):
        under_way = order[: np.count_nonzero(lengths > step)]
        count = len(under_way)
        states = {index: (h[:count], kept[:count]) for index, (h, kept) in states.items()}
        vectors = np.stack([sequences[each][step] for each in under_way])
        results, cut = layer_results(network, vectors, product, states)
        saturated += cut
        for layer, found in zip(given, results, strict=True):
            layer[first[under_way] + step] = found
    return given, saturated.tolist()


def _function(layer: Layer, codes: Codes) -> Codes:
    """Apply what comes after write-back; a LeakyReLU is in it."""
    if layer.activation == "sigmoid":
        return cell.sigmoid(codes)
    if layer.activation == "tanh":
        return cell.tanh(codes)
    return codes


def _gates(layer: Layer, of_rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Order what rows have by units and their gates, shape (batch, units, 4)."""
    return of_rows.reshape(len(of_rows), cell.GATES, layer.results).transpose(0, 2, 1)
