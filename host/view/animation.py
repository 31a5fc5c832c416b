"""What the player plays: one layer of a network on a design, from the trace of the cycle model.

Nothing is invented for the picture: cycles are those of :mod:`eie.hls.model.trace`, entries are
read from the memories as the load left them, and results are the emulator's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import InputError
from eie.hls.boundary.text import counted
from eie.hls.model.emulator import Emulator
from eie.hls.model.memory_image import ResidentLayer
from eie.hls.model.trace import LayerTrace, Steps, trace_layer
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.network.graph import giver_of
from eie.host.packing.packed_layer import PackedLayer
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.run_tags import RunTags
from eie.host.packing.tiling import Pass, Plan
from eie.host.protocol.client import Session

__all__ = ["CYCLES", "MATRIX_SIDE", "PES", "Animation", "animate", "playable_layers"]

#: Cycles that are played at most, from the layer's first word on.
CYCLES = 600
#: PEs that are shown at most.
PES = 8
#: Rows and columns up to which the matrix is drawn.
MATRIX_SIDE = 64

Codes = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Animation:
    """A layer that can be played."""

    #: Name of the layer, and its number from 0.
    name: str
    number: int
    #: Its size.
    inputs: int
    outputs: int
    #: Cycles that the layer takes, and those that are played.
    cycles: int
    played: int
    #: PEs of the design, and those that are shown.
    pes: int
    shown: int
    #: Activations that are not zero.
    active: int
    #: Entries that they meet.
    entries: int
    #: Passes that the network takes on the design, and the one that is played, from 0.
    passes: int
    played_pass: int
    #: Where the input comes from, for people.
    origin: str
    #: What the player gets, of plain lists, numbers and texts.
    data: dict[str, Any]

    @property
    def limits(self) -> tuple[str, ...]:
        """Say what is left out: a sentence each."""
        found = []
        if self.played < self.cycles:
            found.append(
                f"The layer takes {self.cycles:,} cycles; the first {self.played} are played."
            )
        if self.shown < self.pes:
            found.append(f"Of {self.pes} PEs the first {self.shown} are shown.")
        if not self.data["matrix"]:
            found.append(
                f"The matrix is drawn up to {MATRIX_SIDE} rows and columns, and this one has "
                f"{self.outputs} x {self.inputs}."
            )
        if self.passes > 1:
            found.append(
                f"The network is larger than the design: it runs in {self.passes} passes, of which "
                f"number {self.played_pass + 1} is played."
            )
        return tuple(found)


def animate(plan: Plan, codes: Codes, *, layer: int = 0, origin: str = "") -> Animation:
    """Run one vector, or the last step of a sequence, and write down a layer's every cycle.

    Parameters
    ----------
    plan
        How a network runs on a design.
    codes
        int16 codes of one vector, shape (inputs,); of a recurrent network the steps of a sequence,
        shape (steps, inputs), of which the last is played.
    layer
        Number of the layer, from 0.
    origin
        Where the vector comes from, for people.

    Raises
    ------
    InputError
        If the network has no such layer, or it is none of :func:`playable_layers`.
    """
    network, design = plan.network, plan.design
    if not 0 <= layer < len(network.layers):
        raise InputError(
            f"layer must be 0 to {len(network.layers) - 1}, as the network has "
            f"{counted(len(network.layers), 'layer')}, not {layer}"
        )
    if layer not in playable_layers(network):
        raise InputError(
            f"layer must be one that gives results of its own sums to the next one, which layer "
            f"{layer}, {network.layers[layer].name!r}, does not: several layers add to the same "
            "sums, or a cell makes results of them, or the next layer takes others; of that the "
            "player has no steps"
        )
    place, wanted, within = _pass_of(plan.stages, layer)
    emulator = Emulator(design)
    seen: list[tuple[Any, list[Codes]]] = []

    def run_pass(packed: PackedNetwork, values: Codes) -> Codes:
        session = Session(emulator, packed)
        if network.recurrent:
            before = len(values) - 1
            if before:
                session.run(values[:-1], RunTags.of_sequence(before, start=True))
            outputs = session.run(values[-1:], RunTags.of_sequence(1, start=not before))
        else:
            outputs = session.run(values)
        if packed is wanted.packed:
            seen.append((emulator.resident, emulator.last_activations))
        return outputs

    plan.run(network.check_inputs(codes.reshape(-1, network.inputs)), run_pass)
    resident, activations = seen[0]
    trace = trace_layer(design, resident, activations[:-1], within)
    packed = wanted.packed.layers[within]
    data = _data(design, packed, wanted, trace, resident.layers[within], activations[within + 1])
    return Animation(
        name=network.layers[layer].name,
        number=layer,
        inputs=packed.layer.columns,
        outputs=packed.layer.rows,
        cycles=trace.last - trace.first + 1,
        played=data["cycles"],
        pes=design.pes,
        shown=len(data["pes"]),
        active=int((trace.columns >= 0).sum()),
        entries=len(trace.entries),
        passes=len(plan.passes),
        played_pass=place,
        origin=origin,
        data=data,
    )


def playable_layers(network: Network) -> tuple[int, ...]:
    """Give the layers whose sums are theirs alone, and whose results the next layer takes."""
    found = []
    for (index, *others), after in zip(network.chains, (*network.chains[1:], None), strict=True):
        taken = after is None or giver_of(network.layers, after[0]) == index
        if not others and taken and not network.layers[index].recurrent:
            found.append(index)
    return tuple(found)


def _pass_of(stages: tuple[tuple[Pass, ...], ...], layer: int) -> tuple[int, Pass, int]:
    """The first pass with some of a layer: its number, itself, and the layer's number in it."""
    number = 0
    for stage in stages:
        held = len(stage[0].packed.layers)
        if layer < held:
            return number, stage[0], layer
        layer, number = layer - held, number + len(stage)
    raise AssertionError("every layer is in a pass")


def _data(
    design: Design,
    packed: PackedLayer,
    of_pass: Pass,
    trace: LayerTrace,
    resident: ResidentLayer,
    results: Codes,
) -> dict[str, Any]:
    """Everything that the player shows; cycles count from the layer's first word."""
    layer = packed.layer
    shown = min(design.pes, PES)
    cycles = min(trace.last - trace.first + 1, CYCLES)
    steps = Steps.of(trace, resident)
    row_of_slot = np.full(packed.local_rows * design.pes, -1, np.int64)
    row_of_slot[packed.slot_of_row] = np.arange(layer.rows)
    is_last = of_pass.packed.layers[-1] is packed
    names = of_pass.rows if is_last and len(of_pass.rows) == layer.rows else np.arange(layer.rows)
    input_of_column = np.zeros(layer.columns, np.int64)
    input_of_column[packed.slot_of_column] = np.arange(layer.columns)
    drawn = max(layer.rows, layer.columns) <= MATRIX_SIDE
    return {
        "cycles": cycles,
        "depths": {"queue": "", "work": design.queue_depth},
        "inputs": layer.columns,
        "outputs": layer.rows,
        "shift": layer.shift,
        "relu": bool(layer.relu),
        "codebook": layer.codebook.tolist(),
        "tokens": [
            {
                "input": int(input_of_column[column]) if column >= 0 else -1,
                "value": int(value),
                "sent": int(sent - trace.first),
            }
            for column, value, sent in zip(trace.columns, trace.values, trace.sent, strict=True)
            if sent - trace.first < cycles
        ],
        "zeros": np.flatnonzero(_by_input(trace, input_of_column, layer.columns) == 0).tolist(),
        "collected": _cut(trace.collected - trace.first, cycles),
        "matrix": _matrix(packed, names) if drawn else [],
        "rows": names.tolist() if drawn else [],
        "pes": [
            _pe(pe, design, trace, steps, resident, row_of_slot, names, results[0], cycles)
            for pe in range(shown)
        ],
        "busy": [int(trace.counters.busy[pe]) for pe in range(shown)],
    }


def _by_input(
    trace: LayerTrace, input_of_column: npt.NDArray[np.int64], columns: int
) -> npt.NDArray[np.int64]:
    values = np.zeros(columns, np.int64)
    met = trace.columns >= 0
    values[input_of_column[trace.columns[met]]] = trace.values[met]
    return values


def _matrix(packed: PackedLayer, names: npt.NDArray[np.int64]) -> list[list[int]]:
    """Row, input, PE and weight of each non-zero."""
    layer, pes = packed.layer, packed.encoded.pes
    columns = layer.column_of_entry()
    return [
        [int(names[row]), int(column), int(packed.slot_of_row[row] % pes), int(weight)]
        for row, column, weight in zip(
            layer.indices, columns, layer.codebook[layer.codes], strict=True
        )
    ]


def _pe(
    pe: int,
    design: Design,
    trace: LayerTrace,
    steps: Steps,
    resident: ResidentLayer,
    row_of_slot: npt.NDArray[np.int64],
    names: npt.NDArray[np.int64],
    results: Codes,
    cycles: int,
) -> dict[str, Any]:
    first = trace.first
    sent = int((trace.sent - first < cycles).sum())
    mine = np.flatnonzero((trace.entries[:, 1] == pe) & (trace.entries[:, 0] - first < cycles))
    lengths = resident.encoded.lengths()[pe]
    slots = np.arange(resident.local_rows) * design.pes + pe
    rows = row_of_slot[slots]
    return {
        "pe": pe,
        # For each token: in the queue, fetched, in the multiplier's queue, taken off it.
        "queued": (trace.queued[:sent, pe] - first).tolist(),
        "waited": np.flatnonzero(trace.waited[:sent, pe]).tolist(),
        "fetched": (trace.fetched[:sent, pe] - first).tolist(),
        "offered": _shifted(trace.offered[:sent, pe], first),
        "taken": _shifted(trace.taken[:sent, pe], first),
        "lengths": [int(lengths[column]) if column >= 0 else 0 for column in trace.columns[:sent]],
        # For each entry: cycle, token, v, z, local row, product.
        "entries": np.stack(
            [
                trace.entries[mine, 0] - first,
                trace.entries[mine, 2],
                steps.codes[mine],
                steps.zeros[mine],
                steps.rows[mine],
                steps.products[mine],
            ],
            axis=1,
        ).tolist(),
        # For each local row: number of the output, bias, cycle of its write-back, result.
        "rows": [
            [
                int(names[row]) if row >= 0 else -1,
                int(resident.bias[slot]),
                int(cycle - first),
                int(results[slot]) if slot < len(results) else 0,
            ]
            for row, slot, cycle in zip(rows, slots, trace.written[:, pe], strict=True)
        ],
    }


def _shifted(cycles: npt.NDArray[np.int64], first: int) -> list[int]:
    return [int(each - first) if each >= 0 else -1 for each in cycles]


def _cut(cycles: npt.NDArray[np.int64], end: int) -> list[int]:
    return [int(each) for each in cycles if each < end]
