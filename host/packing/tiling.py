"""Networks larger than the chip: one pass after another, each with weights of its own.

A pass is a network in itself, resident for as long as a whole batch runs through it: several whole
layers, or some rows of one layer. Its outputs wait in the host's memory for the next pass. The
kernel knows nothing of it; what it costs is loading the weights for every batch, a beat of eight
(or four) entries a cycle at best, so large batches pay and single vectors do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DoesNotFitError, Problems
from eie.hls.boundary.progress import tell
from eie.hls.boundary.text import counted, printable
from eie.hls.spec.design import Design
from eie.hls.spec.packets import BEAT_BYTES, HEADER, NETWORK, TRAILER
from eie.host.network import Layer, Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack, require_accumulators
from eie.host.packing.row_assignment import Assignment

__all__ = ["Pass", "Plan", "plan_passes"]

Codes = npt.NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Pass:
    """What is resident at one time."""

    #: The weights of the pass, as a network of its own.
    packed: PackedNetwork
    #: int64, shape (outputs of the pass,), rising: which of its last layer's rows they are.
    rows: npt.NDArray[np.int64]

    @property
    def load_beats(self) -> int:
        """Beats of the pass's load packet: the cycles that loading it takes at least."""
        around = HEADER.beats + NETWORK.beats + TRAILER.beats
        return around + len(self.packed.sections)


@dataclass(frozen=True, eq=False)
class Plan:
    """How a network runs on a design: stages one after another, each of one pass or more.

    The passes of a stage take the same inputs, and each gives some of the stage's outputs.
    """

    network: Network
    design: Design
    stages: tuple[tuple[Pass, ...], ...]

    @property
    def passes(self) -> tuple[Pass, ...]:
        """All passes in order."""
        return tuple(each for stage in self.stages for each in stage)

    @property
    def load_cycles(self) -> int:
        """Cycles to load all passes, a beat a cycle: once for each batch if there are several."""
        return sum(each.load_beats for each in self.passes)

    @property
    def loaded_bytes(self) -> int:
        """Bytes that are loaded onto the chip: those of all passes, without the packets' frames.

        Entries with their padding, pointers, biases, codebooks and formats, in 64-bit words.
        """
        return BEAT_BYTES * sum(len(each.packed.sections) for each in self.passes)

    def run(self, inputs: Codes, run_pass: Callable[[PackedNetwork, Codes], Codes]) -> Codes:
        """Take a batch through all passes.

        Parameters
        ----------
        inputs
            int16 codes, shape (batch, inputs).
        run_pass
            Loads a packed network and takes a batch of codes through it.

        Returns
        -------
        ndarray of int16, shape (batch, outputs)
        """
        values = inputs
        for stage in self.stages:
            parts = [run_pass(each.packed, values) for each in stage]
            if len(parts) == 1:  # all rows, in their order
                (values,) = parts
                continue
            # Taking columns in their order is many times faster than assigning to them.
            order = np.argsort(np.concatenate([each.rows for each in stage]))
            values = np.take(np.concatenate(parts, axis=1), order, axis=1, mode="clip")
        return values

    def by_layer(self, counts: Sequence[Sequence[int]]) -> tuple[int, ...]:
        """Put what each pass counted of its layers together by the layers of the network.

        Parameters
        ----------
        counts
            For each pass in order a number for each of its layers; numbers of passes that share a
            layer's rows add up.
        """
        of_pass = iter(counts)
        layers: list[int] = []
        for stage in self.stages:
            parts = [next(of_pass) for _ in stage]
            layers += [sum(shares) for shares in zip(*parts, strict=True)]
        return tuple(layers)


def plan_passes(network: Network, design: Design, *, assignment: Assignment = "balanced") -> Plan:
    """Plan the passes of `network` on `design`: one if it fits.

    Whole layers stay together as long as they fit; a layer that does not fit is dealt out in
    groups of rows, of nearly equal weight, as few as will do.

    Raises
    ------
    DoesNotFitError
        If not even a few rows of a layer fit: says what is too small.
    """
    problems = Problems(f"the network does not fit the design ({counted(design.pes, 'PE')})")
    require_accumulators(network, design, problems)
    problems.raise_as(DoesNotFitError)
    layers = network.layers
    stages: list[tuple[Pass, ...]] = []
    start = 0
    while start < len(layers):
        tell("planning passes", start, len(layers), "layers")
        stop, packed = _longest_group(network, start, design, assignment)
        if packed is None:
            stages.append(_tiles(layers[start], design, assignment))
            stop = start + 1
        else:
            stages.append((Pass(packed, np.arange(packed.network.outputs)),))
        start = stop
    return Plan(network, design, tuple(stages))


def _longest_group(
    network: Network, start: int, design: Design, assignment: Assignment
) -> tuple[int, PackedNetwork | None]:
    """Pack as many layers from `start` on as fit together; None if not even the first does."""
    layers = network.layers
    room = design.pes * design.entries_per_pe
    stop, packed = start, None
    while stop < len(layers) and sum(part.nonzeros for part in layers[start : stop + 1]) <= room:
        whole = start == 0 and stop + 1 == len(layers)
        group = network if whole else _network(layers[start : stop + 1])
        try:
            packed = pack(group, design, assignment=assignment)
        except DoesNotFitError:
            break
        stop += 1
    return stop, packed


def _tiles(layer: Layer, design: Design, assignment: Assignment) -> tuple[Pass, ...]:
    """Deal the rows of a layer out to as few passes as will do."""
    order = np.argsort(-np.bincount(layer.indices, minlength=layer.rows), kind="stable")
    # What is wrong with even the smallest share is not the number of rows.
    most = -(-layer.rows // design.row_alignment)
    smallest = np.sort(order[::most])
    pack(_network((layer.select_rows(smallest),)), design, assignment=assignment)
    local_rows = design.local_rows(layer.rows)
    tiles = max(
        2,
        -(-layer.nonzeros // (design.pes * design.entries_per_pe)),
        -(-local_rows // min(design.rows_per_pe, design.biases_per_pe)),
    )
    for count in range(tiles, most + 1):
        try:
            return tuple(_tile_passes(layer, order, count, design, assignment))
        except DoesNotFitError as error:
            last = error
    raise last


def _tile_passes(
    layer: Layer,
    order: npt.NDArray[np.int64],
    count: int,
    design: Design,
    assignment: Assignment,
) -> Iterator[Pass]:
    for tile in range(count):
        tell(f"packing layer {printable(layer.name)}", tile, count, "passes")
        rows = np.sort(order[tile::count])
        packed = pack(_network((layer.select_rows(rows),)), design, assignment=assignment)
        yield Pass(packed, rows)


def _network(layers: tuple[Layer, ...]) -> Network:
    """Make a network of some layers; it has no golden vectors of its own."""
    return Network(tuple(layers))
