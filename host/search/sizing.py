"""Size a design for a network: capacities that hold it, and what there is too little of.

PEs and zero runs are given; :mod:`eie.host.search.fit` chooses them. What is left of each memory
block goes to capacity, so that later networks fit too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from eie.hls.boundary.errors import Shortage
from eie.hls.model.area import LutBudget
from eie.hls.spec.boards import Board
from eie.hls.spec.design import RANGES, Design
from eie.hls.spec.packets import ACTIVATIONS_PER_WORD
from eie.host.network import Network
from eie.host.network.graph import goes_back
from eie.host.packing.held_memory import lay_out
from eie.host.packing.packed_layer import needs_bounds, needs_cell, waiting_activations
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import accumulator_bits_needed
from eie.host.search.reasons import Way
from eie.host.search.sparing import spared

__all__ = [
    "beyond",
    "bounds_for",
    "cell_units_for",
    "may_be_compact",
    "needed_accumulators",
    "needs_of",
    "result_depth_for",
    "size_on_board",
    "steps_of",
    "ways_out",
    "with_capacities",
]

#: Results that may wait in a PE, at most: a shift register of a bit for each 32 (UG474).
_RESULT_DEPTH = 256
#: Vectors that there should be room for between layers: more bring next to nothing
#: (``python -m benchmarks.small_networks --vectors-in-flight``).
_VECTORS_UNDER_WAY = 3
#: Lengths of columns are compact up to this many bits.
_LENGTH_BITS = 8


def size_on_board(
    packed: PackedNetwork,
    board: Board | None,
    accumulators: dict[str, int],
    fixed: dict[str, Any],
    lut_budget: LutBudget | float | None = None,
) -> tuple[Design, tuple[Shortage, ...]]:
    """Give a packed network a design on `board`, and say what board or design have too little of.

    Parameters
    ----------
    packed
        The network, encoded for as many PEs and as long zero runs as are fixed.
    board
        The board, or None for a design without one.
    accumulators
        What :func:`needed_accumulators` gave: slow to prove, and the same for every design.
    fixed
        Parameters that are not to be chosen; board, PEs and zero runs among them.
    lut_budget
        How LUTs are judged, as :func:`eie.hls.model.area.demands` has it.
    """
    design = packed.design.replace(**fixed)
    design = design.replace(**_shape(packed, fixed))
    needs = needs_of(design, packed.network, _entries(packed)) | accumulators
    sized = with_capacities(design, needs, fixed)
    lacking = beyond(needs, fixed) + _too_long(packed, sized) + _without_cell(packed, sized)
    if board is not None:
        sized, over = spared(sized, board, fixed, lut_budget)
        lacking += over
    return sized, lacking


def _shape(packed: PackedNetwork, fixed: dict[str, Any]) -> dict[str, int]:
    """Kind of pointers and depth of the results' queues that suit a network, unless fixed."""
    # At least one bit: a network without weights has pointers too.
    bits = max(1, _length_bits(packed))
    rows = packed.layers[-1].local_rows
    shape = {
        "length_bits": bits if bits <= _LENGTH_BITS and may_be_compact(fixed) else 0,
        "result_depth": result_depth_for(rows),
        # A cell unit takes one vector at a time.
        "cell_units": 0
        if fixed.get("abreast", 1) > 1
        else cell_units_for(packed.network, packed.design.pes),
        "bounds": bounds_for(packed.network),
    }
    return {name: fixed.get(name, value) for name, value in shape.items()}


def bounds_for(network: Network) -> int:
    """1 if a layer has bounds besides a ReLU, or rounds ties to even; else 0."""
    return int(any(map(needs_bounds, network.layers)))


def cell_units_for(network: Network, pes: int) -> int:
    """Cell units that suit a network: so many that they take an eighth of the PEs' time, or four.

    None if no layer has a function that they compute.
    """
    units = 0
    for chain in network.chains:
        end = network.layers[chain[-1]]
        if needs_cell(end):
            work = sum(network.layers[index].nonzeros for index in chain) // pes
            wanted = next((n for n in (1, 2, 4) if 8 * end.results <= n * work), 4)
            units = max(units, wanted)
    return units


def may_be_compact(fixed: dict[str, Any]) -> bool:
    """Whether a fixed number of pointers, if there is one, makes whole words of compact ones."""
    return int(fixed.get("pointers_per_pe", 0)) % 8 == 0


def needed_accumulators(network: Network) -> dict[str, int]:
    """The width of accumulators: the same for every design, and slow to prove."""
    bits = max(
        int(accumulator_bits_needed(*(network.layers[index] for index in chain)).max())
        for chain in network.chains
    )
    return {"accumulator_bits": bits}


def needs_of(design: Design, network: Network, entries: int) -> dict[str, int]:
    """What a network takes that has `entries` entries in its fullest PE, by parameter."""
    layers = network.layers
    local_rows = [design.local_rows(layer.rows) for layer in layers]
    biases = [rows for rows, layer in zip(local_rows, layers, strict=True) if not layer.accumulate]
    waiting = [
        waiting_activations(layer, design)
        for index, layer in enumerate(layers)
        if goes_back(layers, index)
    ]
    return {
        "entries_per_pe": entries,
        "pointers_per_pe": sum(design.pointers_of(layer.columns) for layer in layers),
        "rows_per_pe": max(local_rows),
        "biases_per_pe": sum(biases),
        "layers": len(layers),
        "hidden_activations": max(waiting, default=0),
        "held_activations": lay_out(network, 0).stride * ACTIVATIONS_PER_WORD * design.abreast,
    }


def steps_of(design: Design) -> dict[str, int]:
    """What capacities are rounded up to multiples of, by parameter: the words of a memory block."""
    return {
        "entries_per_pe": (4096 if design.memory == "uram" else 512) * design.entries_per_word,
        "pointers_per_pe": 2048,
        "rows_per_pe": 64,
        "biases_per_pe": 64,
        "layers": 1,
        "hidden_activations": 8192,
        "held_activations": 8192,
        "accumulator_bits": 4,
    }


def result_depth_for(rows: int) -> int:
    """Depth of the results' queues that suits `rows` rows in a PE."""
    return max(2, min(_round_up(rows, 32), _RESULT_DEPTH))


def with_capacities(design: Design, needs: dict[str, int], fixed: dict[str, Any]) -> Design:
    """Give `design` capacities of at least `needs`, as far as its parameters' ranges go."""
    steps = steps_of(design)
    least = {"layers": 8, "accumulator_bits": 32}
    sizes = {
        name: min(_round_up(max(needed, least.get(name, 1)), steps[name]), RANGES[name][1])
        for name, needed in needs.items()
    }
    for name in ("hidden_activations", "held_activations"):
        sizes[name] = _room_for_several(name, needs[name], sizes[name])
    if not needs["held_activations"]:
        sizes["held_activations"] = 0
    return design.replace(**{**sizes, **fixed})


def _room_for_several(name: str, longest: int, one: int) -> int:
    """Activations that wait or are held: of a few vectors at once, but at most twice one's.

    Those between layers then have two blocks of RAM, as when source and destination had a memory
    each.
    """
    room = _round_up(_VECTORS_UNDER_WAY * longest, one)
    return max(one, min(room, 2 * one, RANGES[name][1]))


def beyond(needs: dict[str, int], fixed: dict[str, Any]) -> tuple[Shortage, ...]:
    """Capacities that would have to be larger than they are fixed to, or than any design's."""
    limits = {name: fixed.get(name, RANGES[name][1]) for name in needs}
    return tuple(
        Shortage(name, needed, limits[name], limits[name])
        for name, needed in needs.items()
        if needed > limits[name]
    )


def ways_out(
    lacking: tuple[Shortage, ...], fixed: dict[str, Any], *otherwise: Way
) -> tuple[Way, ...]:
    """What to do about what is lacking: let go of what is fixed, and `otherwise`.

    `otherwise` helps where a board or every design has too little, not where a parameter is fixed
    too small.
    """
    of_fixed = [shortage for shortage in lacking if shortage.resource in fixed]
    ways = []
    for shortage in of_fixed:
        name = shortage.resource
        if shortage.needed <= RANGES[name][1]:
            ways.append(Way("give", ((name, shortage.needed),)))
        elif name == "length_bits":
            # Lengths of no bits are plain pointers, which have no longest column.
            ways.append(Way("give", ((name, 0),)))
    if of_fixed:
        ways.append(Way("leave out", tuple((each.resource, None) for each in of_fixed)))
    if len(of_fixed) < len(lacking):
        ways += otherwise
    return tuple(ways)


def _too_long(packed: PackedNetwork, design: Design) -> tuple[Shortage, ...]:
    """Whether a column is longer than the lengths of compact pointers can say."""
    needed, has = _length_bits(packed), design.length_bits
    return (Shortage("length_bits", needed, has, has),) if has and needed > has else ()


def _without_cell(packed: PackedNetwork, design: Design) -> tuple[Shortage, ...]:
    """Whether layers have functions or bounds, and the design nothing that computes them."""
    layers = packed.network.layers
    missing = []
    if design.cell_units == 0 and any(map(needs_cell, layers)):
        missing.append(Shortage("cell_units", 1, 0, 0))
    if design.bounds == 0 and any(map(needs_bounds, layers)):
        missing.append(Shortage("bounds", 1, 0, 0))
    return tuple(missing)


def _length_bits(packed: PackedNetwork) -> int:
    """Bits of the longest column's length in any PE."""
    return max(int(part.encoded.lengths().max(initial=0)) for part in packed.layers).bit_length()


def _entries(packed: PackedNetwork) -> int:
    """Entries of the fullest PE."""
    last = packed.layers[-1]
    return int((last.entry_base + np.diff(last.encoded.pe_starts)).max())


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
