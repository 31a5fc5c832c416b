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
from eie.host.network.graph import chains_of, cuts_of, part_of
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
    groups of rows, of nearly equal weight, as few as will do. Layers that share their sums are
    dealt out together; those that hold results for one another stay in one pass, and a recurrent
    network is one.

    Raises
    ------
    DoesNotFitError
        If not even a few rows of a layer fit: says what is too small.
    """
    problems = Problems(f"the network does not fit the design ({counted(design.pes, 'PE')})")
    require_accumulators(network, design, problems)
    problems.raise_as(DoesNotFitError)
    layers = network.layers
    if network.recurrent:
        # Its state is in the accelerator, and would not outlive another load.
        whole = Pass(pack(network, design, assignment=assignment), np.arange(network.outputs))
        return Plan(network, design, ((whole,),))
    ends = (*cuts_of(layers), len(layers))
    stages: list[tuple[Pass, ...]] = []
    start = 0
    while start < len(layers):
        tell("planning passes", start, len(layers), "layers")
        stop, packed = _longest_group(network, start, ends, design, assignment)
        if packed is None:
            stop = next(end for end in ends if end > start)
            part = part_of(layers, start, stop)
            stages.append(_tiles(part, design, assignment))
        else:
            stages.append((Pass(packed, np.arange(packed.network.outputs)),))
        start = stop
    return Plan(network, design, tuple(stages))


def _longest_group(
    network: Network, start: int, ends: Sequence[int], design: Design, assignment: Assignment
) -> tuple[int, PackedNetwork | None]:
    """Pack as many layers from `start` on as fit together; None if not even the first do."""
    layers = network.layers
    room = design.pes * design.entries_per_pe
    found, packed = start, None
    for stop in ends:
        if stop <= start:
            continue
        if sum(part.nonzeros for part in layers[start:stop]) > room:
            break
        whole = start == 0 and stop == len(layers)
        group = network if whole else _network(part_of(layers, start, stop))
        try:
            packed = pack(group, design, assignment=assignment)
        except DoesNotFitError:
            break
        found = stop
    return found, packed


def _tiles(layers: tuple[Layer, ...], design: Design, assignment: Assignment) -> tuple[Pass, ...]:
    """Deal the rows of a layer, or of layers that share their sums, out to a few passes."""
    if len(chains_of(layers)) > 1:
        raise _not_cut(layers, design, assignment)
    rows = layers[0].rows
    weights = sum(np.bincount(layer.indices, minlength=rows) for layer in layers)
    order = np.argsort(-weights, kind="stable")
    # What is wrong with even the smallest share is not the number of rows.
    most = -(-rows // design.row_alignment)
    pack(_rows_of(layers, np.sort(order[::most])), design, assignment=assignment)
    local_rows = design.local_rows(rows)
    tiles = max(
        2,
        -(-sum(layer.nonzeros for layer in layers) // (design.pes * design.entries_per_pe)),
        -(-local_rows // min(design.rows_per_pe, design.biases_per_pe)),
    )
    for count in range(tiles, most + 1):
        try:
            return tuple(_tile_passes(layers, order, count, design, assignment))
        except DoesNotFitError as error:
            last = error
    raise last


def _not_cut(layers: tuple[Layer, ...], design: Design, assignment: Assignment) -> DoesNotFitError:
    """Say why layers cannot be cut into passes, and what of them does not fit."""
    try:
        pack(_network(layers), design, assignment=assignment)
    except DoesNotFitError as error:
        names = f"{layers[0].name!r} to {layers[-1].name!r}"
        return DoesNotFitError(
            f"layers {names} hold results for one another and must be resident together: {error}",
            error.shortages,
        )
    # They fit but for the sum of their weights, and that is what packing counts.
    raise AssertionError("layers that fit are not cut")


def _rows_of(layers: tuple[Layer, ...], rows: npt.NDArray[np.int64]) -> Network:
    return _network(tuple(layer.select_rows(rows) for layer in layers))


def _tile_passes(
    layers: tuple[Layer, ...],
    order: npt.NDArray[np.int64],
    count: int,
    design: Design,
    assignment: Assignment,
) -> Iterator[Pass]:
    for tile in range(count):
        tell(f"packing layer {printable(layers[-1].name)}", tile, count, "passes")
        rows = np.sort(order[tile::count])
        yield Pass(pack(_rows_of(layers, rows), design, assignment=assignment), rows)


def _network(layers: tuple[Layer, ...]) -> Network:
    """Make a network of some layers; it has no golden vectors of its own."""
    return Network(tuple(layers))
