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
from eie.host.network import Layer, Network
from eie.host.packing.packed_network import PackedLayer, PackedNetwork
from eie.host.packing.row_assignment import Assignment, assign_rows, order_inputs

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
    layers: list[PackedLayer] = []
    slot_of_column = order_inputs(network.inputs, assignment)
    pointer_base = bias_base = 0
    entry_base = np.zeros(design.pes, np.int64)
    for number, layer in enumerate(network.layers):
        tell(f"dealing rows to {counted(design.pes, 'PE')}", number, len(network.layers), "layers")
        activity = layer.activity if by_activity else None
        slot_of_row = assign_rows(layer, design.pes, assignment, activity)
        encoded = encode(
            slot_of_row[layer.indices],
            slot_of_column[layer.column_of_entry()],
            layer.codes,
            columns=layer.columns,
            pes=design.pes,
            index_bits=design.index_bits,
        )
        local_rows = design.local_rows(layer.rows)
        layers.append(
            PackedLayer(
                layer,
                encoded,
                slot_of_row,
                slot_of_column,
                pointer_base,
                bias_base,
                local_rows,
                entry_base,
            )
        )
        slot_of_column = slot_of_row
        pointer_base += design.pointers_of(layer.columns)
        bias_base += local_rows
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
            Layer(
                name=part.layer.name,
                rows=part.layer.rows,
                columns=part.layer.columns,
                indptr=np.concatenate([[0], np.cumsum(counts)]),
                indices=rows[order].astype(np.int32),
                codes=codes[order],
                codebook=part.layer.codebook,
                bias=part.biases().T.ravel()[part.slot_of_row],
                activation=part.layer.activation,
                input_frac=part.layer.input_frac,
                weight_frac=part.layer.weight_frac,
                output_frac=part.layer.output_frac,
                activity=part.layer.activity,
            )
        )
    return replace(packed.network, layers=tuple(layers))


def accumulator_bits_needed(layer: Layer) -> npt.NDArray[np.int64]:
    """Bits that each row's accumulator takes for any input: the overflow proof.

    The largest and smallest sums are reached when every activation is at its extreme with the
    sign of its weight; partial sums lie between them. Then comes the bias, and write-back step by
    step (:func:`eie.hls.spec.fixed_point.write_back_steps`), each of which rises with the sum.

    The rows that fill up a layer's last word stay 0, and 0 goes through write-back as well: no row
    takes less than that. So the half that rounding adds always fits by itself. The bounds stay
    below 2**53, so float64 sums are exact.

    Returns
    -------
    ndarray of int64, shape (rows,)
        Width of a signed integer that holds everything the accumulator can become.
    """
    weights = layer.codebook.astype(np.float64)
    positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)

    def per_row(of_code: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        return np.bincount(layer.indices, of_code[layer.codes], layer.rows).astype(np.int64)

    high = per_row(positive * CODE_MAX + negative * CODE_MIN)
    low = per_row(positive * CODE_MIN + negative * CODE_MAX)
    largest, smallest = np.maximum(high + layer.bias, 0), np.minimum(low + layer.bias, 0)
    for step in write_back_steps(largest, layer.shift, relu=layer.relu):
        high = np.maximum(high, step)
    for step in write_back_steps(smallest, layer.shift, relu=layer.relu):
        low = np.minimum(low, step)
    magnitude = np.maximum(high, -low - 1)
    # frexp's exponent is the bit length for integers below 2**53.
    return np.frexp(magnitude.astype(np.float64))[1].astype(np.int64) + 1


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
        last.bias_base + last.local_rows,
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
    hidden = packed.layers[:-1]
    if hidden:
        longest = max(hidden, key=lambda part: part.local_rows)
        at_most(
            longest.local_rows * design.pes,
            "hidden_activations",
            f"activations of layer {longest.layer.name!r}, padding rows included",
            "raise hidden_activations",
        )
    require_accumulators(network, design, problems)
    problems.raise_as(DoesNotFitError)


def require_accumulators(network: Network, design: Design, problems: Problems) -> None:
    """Note every layer with a row whose sums the accumulators of `design` may not hold."""
    for layer in network.layers:
        bits = accumulator_bits_needed(layer)
        row = int(np.argmax(bits))
        has = design.accumulator_bits
        if not problems.require(
            int(bits[row]) <= has,
            f"row {row} of layer {layer.name!r} can reach sums of {bits[row]} bits, "
            f"the accumulator has {has}; raise accumulator_bits",
        ):
            problems.shortages.append(Shortage("accumulator_bits", int(bits[row]), has, has))
