"""How layers hang together: what each takes, and which of them share their sums.

A *chain* is a run of layers that add to the same sums: all but its last accumulate. Every layer
that is alone is a chain of one. What a chain takes was there before it began, but for what its
first layer takes as it arrives (docs/decisions/0024-layers-that-hold-and-add.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eie.hls.boundary.errors import Problems
from eie.hls.boundary.text import shown
from eie.host.network.layer import INPUT, Layer

__all__ = [
    "beginnings",
    "chains_of",
    "check_graph",
    "cuts_of",
    "giver_of",
    "goes_back",
    "held_sources",
    "part_of",
    "taken",
]


def chains_of(layers: Sequence[Layer]) -> tuple[range, ...]:
    """Indices of the layers of each chain, in order."""
    chains, start = [], 0
    for index, layer in enumerate(layers):
        if not layer.accumulate or index + 1 == len(layers):
            chains.append(range(start, index + 1))
            start = index + 1
    return tuple(chains)


def giver_of(layers: Sequence[Layer], index: int) -> int:
    """Index of the layer whose results the layer at `index` takes; :data:`INPUT` for the input."""
    source = layers[index].source
    return index - 1 if source is None else source


def taken(layers: Sequence[Layer], giver: int) -> tuple[int, int]:
    """Give length and fraction bits of what the layer at `giver` gives, or of the input."""
    if giver == INPUT:
        return layers[0].columns, layers[0].input_frac
    return layers[giver].results, layers[giver].output_frac


def held_sources(layers: Sequence[Layer]) -> tuple[int, ...]:
    """Whose results are held, in order; :data:`INPUT` stands for the network's input."""
    return tuple(sorted({layer.source for layer in layers if layer.source is not None}))


def beginnings(layers: Sequence[Layer]) -> tuple[int, ...]:
    """Layers that a part of the network may begin with: what comes before is not taken behind."""
    found = []
    for chain in chains_of(layers):
        first = chain[0]
        sources = [layer.source for layer in layers[first:] if layer.source is not None]
        if layers[first].source is None and (first == 0 or min(sources, default=first) >= first):
            found.append(first)
    return tuple(found)


def goes_back(layers: Sequence[Layer], index: int) -> bool:
    """Whether results of the layer at `index` are taken by any, and not only given to the host."""
    if layers[index].accumulate:
        return False
    return index + 1 < len(layers) or index in held_sources(layers)


def cuts_of(layers: Sequence[Layer]) -> tuple[int, ...]:
    """Where the layers may be cut in two that run one after the other: indices of first layers.

    A chain stays whole, and what is held is not carried across, but for what the last layer before
    gives: that is the input of the part behind.
    """
    found = []
    for chain in chains_of(layers)[1:]:
        first = chain[0]
        takes = [layer.source for layer in layers[first:] if layer.source is not None]
        if layers[first].source in (None, first - 1) and min(takes, default=first) >= first - 1:
            found.append(first)
    return tuple(found)


def part_of(layers: Sequence[Layer], start: int, stop: int) -> tuple[Layer, ...]:
    """Give the layers between two cuts as a network's own: sources count from the part's first."""
    part = []
    for index, layer in enumerate(layers[start:stop]):
        source = layer.source
        if source is not None and start:
            source = None if index == 0 else source - start
        part.append(layer if source == layer.source else replace(layer, source=source))
    return tuple(part)


def check_graph(layers: Sequence[Layer], problems: Problems) -> None:
    """Check what layers take, and that layers that share sums can.

    Parameters
    ----------
    layers
        At least one, each right in itself.
    problems
        Where everything goes that is wrong.
    """
    for index in range(len(layers)):
        if _check_source(layers, index, problems):
            _check_taken(layers, index, problems)
    last = layers[-1]
    problems.require(
        not last.accumulate,
        f"layer {shown(last.name)} is the last and must not accumulate: no layer ends its sums",
    )
    for chain in chains_of(layers):
        end = layers[chain[-1]]
        for layer in [layers[index] for index in chain[:-1]]:
            _check_shared_sums(layer, end, problems)
    if not problems.found:
        _check_all_taken(layers, problems)


def _check_source(layers: Sequence[Layer], index: int, problems: Problems) -> bool:
    """Check that there is what a layer takes; say whether there is."""
    layer = layers[index]
    name, source = shown(layer.name), layer.source
    problems.require(
        not layer.recurrent or source == index,
        f"layer {name} is an LSTM or a GRU and must take its own results, source {index}, not "
        f"{source}; what else it takes goes before it, in a layer that accumulates",
    )
    if index == 0:
        return problems.require(
            source is None,
            f"layer {name} is the first and must take what arrives, not source {source}",
        )
    before = layers[index - 1]
    if source is None:
        return problems.require(
            not before.accumulate,
            f"layer {name} must have a source: layer {shown(before.name)} before it accumulates "
            "and gives nothing",
        )
    if source > index or source >= len(layers):
        return problems.require(
            False,
            f"layer {name} must have a source from -1 to {index}, its own index, not {source}",
        )
    if source == index:
        return problems.require(
            layer.recurrent,
            f"layer {name} must be an LSTM or a GRU to take its own results, not "
            f"{layer.activation!r}",
        )
    return problems.require(
        source == INPUT or not layers[source].accumulate,
        f"layer {name} must not take the results of layer {shown(layers[source].name)}, which "
        "accumulates and gives none",
    )


def _check_taken(layers: Sequence[Layer], index: int, problems: Problems) -> None:
    layer, giver = layers[index], giver_of(layers, index)
    if index == 0:
        return
    of = "the network" if giver == INPUT else f"layer {shown(layers[giver].name)}"
    width, frac = taken(layers, giver)
    problems.require(
        layer.columns == width,
        f"layer {shown(layer.name)} takes {layer.columns} inputs, but {of} gives {width}",
    )
    problems.require(
        layer.input_frac == frac,
        f"layer {shown(layer.name)} reads {layer.input_frac} fraction bits, but {of} writes {frac}",
    )


def _check_shared_sums(layer: Layer, end: Layer, problems: Problems) -> None:
    """Check that a layer that accumulates and the layer that ends its sums have the same ones."""
    names = f"layer {shown(layer.name)} must have", f"as layer {shown(end.name)}, whose sums it"
    problems.require(
        layer.rows == end.rows,
        f"{names[0]} {end.rows} rows, {names[1]} adds to, not {layer.rows}",
    )
    problems.require(
        layer.sum_frac == end.sum_frac,
        f"{names[0]} {end.sum_frac} for input_frac + weight_frac, {names[1]} adds to, not "
        f"{layer.sum_frac}",
    )


def _check_all_taken(layers: Sequence[Layer], problems: Problems) -> None:
    """Check that no layer works for nothing."""
    givers = {
        giver_of(layers, index)
        for index in range(len(layers))
        if giver_of(layers, index) != index  # its own results alone are seen by nobody
    }
    for index, layer in enumerate(layers[:-1]):
        problems.require(
            layer.accumulate or index in givers,
            f"layer {shown(layer.name)} gives results that no layer takes; leave it out",
        )
