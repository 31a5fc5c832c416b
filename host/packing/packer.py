"""Pack a network for a design: deal rows to PEs, encode them, prove that everything fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DoesNotFitError, Problems, Shortage
from eie.hls.boundary.progress import tell
from eie.hls.boundary.text import counted
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN, write_back_steps
from eie.hls.spec.matrix_format import decode, encode
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD
from eie.host.network import INPUT, Layer, Network
from eie.host.network.graph import giver_of, goes_back
from eie.host.packing.held_memory import MAX_STRIDE
from eie.host.packing.packed_layer import (
    PackedLayer,
    needs_bounds,
    needs_cell,
    waiting_activations,
)
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.row_assignment import Assignment, assign_chain, order_inputs

__all__ = [
    "accumulator_bits_needed",
    "encode_network",
    "knows_activity",
    "pack",
    "require_accumulators",
    "unpack",
]


def pack(network: Network, design: Design, *, assignment: Assignment = "balanced") -> PackedNetwork:
    """Pack `network` for `design`.

    Parameters
    ----------
    network
        The network.
    design
        The hardware to pack for.
    assignment
        How rows are dealt to PEs; ``"natural"`` is the paper's.

    Notes
    -----
    Rows are dealt by the work that calibration expects of them, where it is known
    (:attr:`~eie.host.network.Layer.activity`). The fullest PE may then hold some per cent more
    entries than if all weights counted alike; where the design has no room for that, they do.

    Raises
    ------
    DoesNotFitError
        If a memory or the accumulators are too small: says for each by how much, and which
        parameter would help.
    """
    packed = encode_network(network, design, assignment)
    try:
        _check_fits(packed)
    except DoesNotFitError:
        if not knows_activity(network):
            raise
        packed = encode_network(network, design, assignment, by_activity=False)
        _check_fits(packed)
    return packed


def knows_activity(network: Network) -> bool:
    """Whether it is known of any layer how often its inputs are active."""
    return any(layer.activity is not None for layer in network.layers)


def encode_network(
    network: Network,
    design: Design,
    assignment: Assignment = "balanced",
    *,
    by_activity: bool = True,
) -> PackedNetwork:
    """Pack without asking whether it fits: what :func:`pack` and the fitting of designs share.

    Without `by_activity` every weight counts alike where rows are dealt out.
    """
    chains = network.chains
    orders = {INPUT: order_inputs(network.inputs, assignment)}
    rows: list[npt.NDArray[np.int64]] = []
    for number, chain in enumerate(chains):
        tell(f"dealing rows to {counted(design.pes, 'PE')}", number, len(chains), "layers")
        layers_of_chain = [network.layers[i] for i in chain]
        slots, places = assign_chain(
            layers_of_chain, design.pes, assignment, by_activity=by_activity
        )
        rows += [slots] * len(chain)
        orders[chain[-1]] = places
    layers: list[PackedLayer] = []
    pointer_base = bias_base = 0
    entry_base = np.zeros(design.pes, np.int64)
    for index, layer in enumerate(network.layers):
        slot_of_column = orders[giver_of(network.layers, index)]
        encoded = encode(
            rows[index][layer.indices],
            slot_of_column[layer.column_of_entry()],
            layer.codes,
            columns=layer.columns,
            pes=design.pes,
            index_bits=design.index_bits,
        )
        packed = PackedLayer(
            layer,
            encoded,
            rows[index],
            slot_of_column,
            orders.get(index, rows[index]),
            pointer_base,
            bias_base,
            design.local_rows(layer.rows),
            entry_base,
        )
        layers.append(packed)
        pointer_base += design.pointers_of(layer.columns)
        bias_base += packed.local_biases
        entry_base = entry_base + np.diff(encoded.pe_starts)
    return PackedNetwork(design, network, tuple(layers))


def unpack(packed: PackedNetwork) -> Network:
    """Give the network back from its packed form: the exact inverse of :func:`pack`."""
    layers = []
    for part in packed.layers:
        slots, columns, codes = decode(part.encoded)
        row_of_slot = np.argsort(part.slot_of_row)
        column_of_slot = np.argsort(part.slot_of_column)
        rows, columns = row_of_slot[slots], column_of_slot[columns]
        order = np.lexsort((rows, columns))
        counts = np.bincount(columns, minlength=part.layer.columns)
        layers.append(
            replace(
                part.layer,
                indptr=np.concatenate([[0], np.cumsum(counts)]),
                indices=rows[order].astype(np.int32),
                codes=codes[order],
                bias=_bias(part),
            )
        )
    return replace(packed.network, layers=tuple(layers))


def _bias(part: PackedLayer) -> npt.NDArray[np.int64]:
    if part.layer.accumulate:
        return np.zeros(part.layer.rows, np.int64)
    return part.biases().T.ravel()[part.slot_of_row]


def accumulator_bits_needed(*chain: Layer) -> npt.NDArray[np.int64]:
    """Bits that each row's accumulator takes for any input: the overflow proof.

    The largest and smallest sums are reached when every activation is at its extreme with the
    sign of its weight; partial sums lie between them, in all layers of the chain. Then comes the
    bias, and write-back step by step (:func:`eie.hls.spec.fixed_point.write_back_steps`), each of
    which rises with the sum.

    The rows that fill up a layer's last word stay 0, and 0 goes through write-back as well: no row
    takes less than that. So the half that rounding adds always fits by itself. The bounds stay
    below 2**53, so float64 sums are exact.

    Parameters
    ----------
    chain
        The layers that share their sums, in order; the last one ends them.

    Returns
    -------
    ndarray of int64, shape (rows,)
        Width of a signed integer that holds everything the accumulator can become.
    """
    end = chain[-1]
    high, low = np.zeros(end.rows, np.int64), np.zeros(end.rows, np.int64)
    for layer in chain:
        weights = layer.codebook.astype(np.float64)
        positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
        high += _per_row(layer, positive * CODE_MAX + negative * CODE_MIN)
        low += _per_row(layer, positive * CODE_MIN + negative * CODE_MAX)
    largest, smallest = np.maximum(high + end.bias, 0), np.minimum(low + end.bias, 0)
    for step in write_back_steps(largest, end.shift):
        high = np.maximum(high, step)
    for step in write_back_steps(smallest, end.shift):
        low = np.minimum(low, step)
    magnitude = np.maximum(high, -low - 1)
    # frexp's exponent is the bit length for integers below 2**53.
    return np.frexp(magnitude.astype(np.float64))[1].astype(np.int64) + 1


def _per_row(layer: Layer, of_code: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Sum what each weight's code gives over every row."""
    return np.bincount(layer.indices, of_code[layer.codes], layer.rows).astype(np.int64)


def _check_fits(packed: PackedNetwork) -> None:
    design, network = packed.design, packed.network
    problems = Problems(f"the network does not fit the design ({counted(design.pes, 'PE')})")

    def at_most(needed: int, parameter: str, what: str, helps: str) -> None:
        held = getattr(design, parameter)
        if not problems.require(
            needed <= held,
            f"{what}: needs {needed}, holds {held} ({needed - held} too many); {helps}",
        ):
            problems.shortages.append(Shortage(parameter, needed, held, held))

    last = packed.layers[-1]
    entries = last.entry_base + np.diff(last.encoded.pe_starts)
    fullest = int(np.argmax(entries))
    at_most(
        int(entries[fullest]),
        "entries_per_pe",
        f"entries of PE {fullest}",
        "raise entries_per_pe, or pes to spread the weights",
    )
    at_most(
        last.pointer_base + design.pointers_of(last.layer.columns),
        "pointers_per_pe",
        "column pointers of each PE",
        "raise pointers_per_pe; more PEs do not help",
    )
    at_most(
        last.bias_base + last.local_biases,
        "biases_per_pe",
        "biases of each PE",
        "raise biases_per_pe, or pes to spread the rows",
    )
    if design.length_bits:
        fullest_column = max(packed.layers, key=lambda part: part.encoded.lengths().max())
        most = int(fullest_column.encoded.lengths().max())
        has = design.length_bits
        if not problems.require(
            most < 1 << has,
            f"a column of layer {fullest_column.layer.name!r} has {most} entries in a PE, a "
            f"length of {has} bits counts to {(1 << has) - 1}; "
            + (
                f"raise length_bits to {most.bit_length()}"
                if most < 256
                else "set length_bits to 0 for plain pointers, or raise pes"
            ),
        ):
            problems.shortages.append(Shortage("length_bits", most.bit_length(), has, has))
    widest = max(packed.layers, key=lambda part: part.local_rows)
    at_most(
        widest.local_rows,
        "rows_per_pe",
        f"local rows of layer {widest.layer.name!r}",
        "raise rows_per_pe, or pes to spread the rows",
    )
    at_most(len(packed.layers), "layers", "layers", "raise layers")
    back = [layer for index, layer in enumerate(network.layers) if goes_back(network.layers, index)]
    if back:
        longest = max(back, key=lambda layer: waiting_activations(layer, design))
        at_most(
            waiting_activations(longest, design),
            "hidden_activations",
            f"activations of layer {longest.name!r}, padding rows included",
            "raise hidden_activations",
        )
    at_most(
        packed.held.stride * ACTIVATIONS_PER_WORD * design.abreast,
        "held_activations",
        "activations that layers hold for later ones",
        "raise held_activations",
    )
    problems.require(
        packed.held.stride < MAX_STRIDE,
        f"held words of a vector: needs {packed.held.stride}, a packet's fields count to "
        f"{MAX_STRIDE - 1}; let layers hold less",
    )
    functions = [layer for layer in network.layers if needs_cell(layer)]
    one = "" if design.abreast == 1 else f" and abreast to 1, not {design.abreast}"
    if functions and not problems.require(
        design.cell_units > 0,
        f"layer {functions[0].name!r} has the function {functions[0].activation!r} and the design "
        f"no cell unit; set cell_units to 1, 2 or 4{one}",
    ):
        problems.shortages.append(Shortage("cell_units", 1, 0, 0))
    bounded = [layer for layer in network.layers if needs_bounds(layer)]
    if bounded and not problems.require(
        design.bounds > 0,
        f"layer {bounded[0].name!r} ends in {bounded[0].ending!r} and the design has neither "
        "bounds but a ReLU's nor ties to even; set bounds to 1",
    ):
        problems.shortages.append(Shortage("bounds", 1, 0, 0))
    require_accumulators(network, design, problems)
    problems.raise_as(DoesNotFitError)


def require_accumulators(network: Network, design: Design, problems: Problems) -> None:
    """Note every layer with a row whose sums the accumulators of `design` may not hold."""
    for chain in network.chains:
        layer = network.layers[chain[-1]]
        bits = accumulator_bits_needed(*(network.layers[index] for index in chain))
        row = int(np.argmax(bits))
        has = design.accumulator_bits
        if not problems.require(
            int(bits[row]) <= has,
            f"row {row} of layer {layer.name!r} can reach sums of {bits[row]} bits, "
            f"the accumulator has {has}; raise accumulator_bits",
        ):
            problems.shortages.append(Shortage("accumulator_bits", int(bits[row]), has, has))
