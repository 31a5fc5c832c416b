"""What every activation of a layer does in every PE, cycle by cycle: the cycle model, watched.

The times are those of :mod:`eie.hls.model.cycles`, whose classes do all of the work here; these
ones look on and write down. A trace is therefore as exact as the model, and counts as it does: an
iteration of a loop is over in the cycle in which it begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from eie.hls.model.broadcast_times import Broadcast
from eie.hls.model.cycles import Kernel
from eie.hls.model.fifo_times import Stream, StreamArray, StreamBundle, Times
from eie.hls.model.gather_times import Gather
from eie.hls.model.memory_image import ResidentLayer
from eie.hls.model.pe_times import Pes
from eie.hls.model.resident_network import ResidentNetwork
from eie.hls.model.turns import Turn
from eie.hls.spec.counters import Counters
from eie.hls.spec.dataflow import DEPTHS
from eie.hls.spec.design import Design

__all__ = ["NEVER", "LayerTrace", "Steps", "trace_layer"]

#: Stands for a cycle that does not come: a column without entries waits for no multiplier.
NEVER = -1

Cycles = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """One layer of a run of one vector: cycles count from the first beat of the run's header.

    A *token* is an activation that is not zero, in the order in which they are broadcast. A layer
    whose last word of activations is zero has one more behind them, its end.
    """

    #: int64, shape (tokens,): column of each, `NEVER` for an end without activation.
    columns: Cycles
    #: int64, shape (tokens,): its value.
    values: Cycles
    #: int64, shape (words,): when the control unit sends each word of activations on.
    words: Cycles
    #: int64, shape (tokens,): when the leading-non-zero detection sends it.
    sent: Cycles
    #: int64, shape (tokens, pes): when it is written to each PE's queue.
    queued: Cycles
    #: bool, same shape: whether the queue was full, and held the broadcast up.
    waited: npt.NDArray[np.bool_]
    #: int64, same shape: when the column fetch takes it, and looks the column's pointers up.
    fetched: Cycles
    #: int64, same shape: when the column goes to the multiplier's queue, or `NEVER`.
    offered: Cycles
    #: int64, same shape: when the multiplier takes it off that queue, or `NEVER`.
    taken: Cycles
    #: int64, shape (entries met, 4): cycle, PE, token and number of the entry within its column,
    #: in order of cycles. A padding entry is one, too.
    entries: Cycles
    #: int64, shape (local rows, pes): when each row is written back.
    written: Cycles
    #: int64, shape (words of results,): when the collector has each word, padding rows included.
    collected: Cycles
    #: Counters of the whole run, as :func:`~eie.hls.model.cycles.count_cycles` gives them.
    counters: Counters

    @property
    def first(self) -> int:
        """Cycle in which the layer's first word is sent to be searched."""
        return int(self.words[0])

    @property
    def last(self) -> int:
        """Cycle in which its last results are collected."""
        return int(self.collected[-1])


def trace_layer(
    design: Design,
    network: ResidentNetwork,
    activations: Sequence[npt.NDArray[np.int16]],
    layer: int = 0,
) -> LayerTrace:
    """Count the cycles of a run of one vector, and write down what one layer does.

    Parameters
    ----------
    design
        The hardware.
    network
        The resident network.
    activations
        For each layer the activations that it takes, int16 of shape (1, columns).
    layer
        Number of the layer, from 0.
    """
    notes = _Notes()
    counters = _WatchedKernel(design, network, notes, layer).run(activations)
    values = activations[layer][0, : network.layers[layer].columns].astype(np.int64)
    columns = np.flatnonzero(values).astype(np.int64)
    if len(columns) < len(notes.sent):
        columns = np.append(columns, NEVER)
    return LayerTrace(
        columns=columns,
        values=np.where(columns == NEVER, 0, values[columns]),
        words=np.array(notes.words),
        sent=np.array(notes.sent),
        queued=np.stack(notes.queued),
        waited=np.stack(notes.waited),
        fetched=np.stack(notes.fetched),
        offered=np.stack(notes.offered),
        taken=np.stack(notes.taken),
        entries=_in_order(notes.entries),
        written=np.stack(notes.written),
        collected=np.array(notes.collected),
        counters=counters,
    )


@dataclass
class _Notes:
    """What the watched parts write down while the layer has its turn: a line for each token."""

    on: bool = False
    words: list[int] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    queued: list[Times] = field(default_factory=list)
    waited: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    fetched: list[Times] = field(default_factory=list)
    offered: list[Times] = field(default_factory=list)
    taken: list[Times] = field(default_factory=list)
    entries: list[Cycles] = field(default_factory=list)
    written: list[Times] = field(default_factory=list)
    collected: list[int] = field(default_factory=list)


def _in_order(entries: list[Cycles]) -> Cycles:
    """All entries, by cycle and PE."""
    every = np.concatenate([*entries, np.zeros((0, 4), np.int64)])
    ordered: Cycles = every[np.lexsort((every[:, 1], every[:, 0]))]
    return ordered


class _WatchedStream(Stream):
    """A stream that tells of what is written to it."""

    def __init__(self, depth: int, notes: _Notes) -> None:
        super().__init__(depth)
        self._notes = notes

    def write(self, time: int) -> int:
        written = super().write(time)
        if self._notes.on:
            self._notes.words.append(written)
        return written


class _WatchedBundle(StreamBundle):
    """Streams that remember when they were last written."""

    last: Times

    def write(self, times: Times) -> Times:
        self.last = super().write(times)
        return self.last


class _WatchedArray(StreamArray):
    """Streams that remember when each was last written and read."""

    def __init__(self, count: int, depth: int) -> None:
        super().__init__(count, depth)
        self.last_written = np.full(count, NEVER, np.int64)
        self.last_read = np.full(count, NEVER, np.int64)

    def write(self, times: Times, where: npt.NDArray[np.intp] | None = None) -> Times:
        times = super().write(times, where)
        self.last_written[slice(None) if where is None else where] = times
        return times

    def read(self, times: Times, where: npt.NDArray[np.intp] | None = None) -> Times:
        times = super().read(times, where)
        self.last_read[slice(None) if where is None else where] = times
        return times


class _WatchedBroadcast(Broadcast):
    """The broadcast tree; tells of the tokens of the layer."""

    def __init__(self, design: Design, notes: _Notes) -> None:
        super().__init__(design)
        self._notes = notes
        self._queues = _WatchedBundle(design.pes, DEPTHS["fetch"].elements)
        self._streams[-1] = self._queues

    def pass_token(self, time: int, pes: Pes, in_layer: bool) -> int:
        full = self.full.copy()
        sent = super().pass_token(time, pes, in_layer)
        if self._notes.on:
            self._notes.sent.append(sent)
            self._notes.queued.append(self._queues.last)
            self._notes.waited.append(self.full > full)
            self._notes.fetched.append(pes.fetch.copy())
        return sent


class _WatchedPes(Pes):
    """The PEs; tells of columns and entries of the layer."""

    def __init__(self, design: Design, notes: _Notes) -> None:
        super().__init__(design)
        self._notes = notes
        self._watched = _WatchedArray(design.pes, design.queue_depth)
        self._work = self._watched

    def take_activation(self, lengths: npt.NDArray[np.int64]) -> None:
        super().take_activation(lengths)
        self._note(lengths, self._free - lengths, lengths != 0)

    def end_layer(self, lengths: npt.NDArray[np.int64], *, accumulates: bool = False) -> None:
        super().end_layer(lengths, accumulates=accumulates)
        self._note(lengths, self._poll, np.ones(len(lengths), np.bool_))

    def _note(
        self, lengths: npt.NDArray[np.int64], begins: Times, passed: npt.NDArray[np.bool_]
    ) -> None:
        """Note a token that was `passed` on to some multipliers, which begin it in iterations."""
        if not self._notes.on:
            return
        token = len(self._notes.offered)
        self._notes.offered.append(np.where(passed, self._watched.last_written, NEVER))
        self._notes.taken.append(np.where(passed, self._watched.last_read, NEVER))
        for number in range(int(lengths.max(initial=0))):
            pes = np.flatnonzero(lengths > number)
            cycles = self._clock.cycles(begins[pes] + number, pes)
            same = np.ones_like(pes)
            self._notes.entries.append(
                np.stack([cycles, pes, token * same, number * same], axis=1).astype(np.int64)
            )


class _WatchedGather(Gather):
    """The gather tree; tells of the rows and words of the layer."""

    def __init__(self, pes: int, result_depth: int, notes: _Notes) -> None:
        super().__init__(pes, result_depth)
        self._notes = notes

    def take(self, times: Times) -> Times:
        written = super().take(times)
        if self._notes.on:
            self._notes.written.append(written)
        return written

    def read_word(self, time: int) -> int:
        read = super().read_word(time)
        if self._notes.on:
            self._notes.collected.append(read)
        return read


class _WatchedKernel(Kernel):
    """The kernel; has notes taken while the layer has its turn."""

    def __init__(
        self, design: Design, network: ResidentNetwork, notes: _Notes, number: int
    ) -> None:
        super().__init__(design, network, network.whole())
        self._notes = notes
        self._number = number
        self._vectors = _WatchedStream(DEPTHS["stream"].elements, notes)
        self._broadcast = _WatchedBroadcast(design, notes)
        self._pes = _WatchedPes(design, notes)
        self._gather = _WatchedGather(design.pes, design.result_depth, notes)

    def _run_layer(
        self, number: int, lengths: npt.NDArray[np.int64], values: npt.NDArray[np.int16], turn: Turn
    ) -> None:
        self._notes.on = number == self._number
        super()._run_layer(number, lengths, values, turn)
        self._notes.on = False

    def _collect(self, layer: ResidentLayer, turn: Turn, vectors: int) -> None:
        # What layers that add to the same sums give is written back once, behind the last of them.
        self._notes.on = turn.layer <= self._number <= turn.last
        super()._collect(layer, turn, vectors)
        self._notes.on = False


@dataclass(frozen=True, eq=False)
class Steps:
    """What the multipliers do with the entries of a trace: one step an entry, in their order."""

    #: int64, shape (entries met,) each: local row, codebook index, zeros before it, product.
    rows: Cycles
    codes: Cycles
    zeros: Cycles
    products: Cycles

    @classmethod
    def of(cls, trace: LayerTrace, layer: ResidentLayer) -> Steps:
        """Look up what the entries of `trace` are in the memories of `layer`."""
        encoded = layer.encoded
        _, pes, tokens, numbers = trace.entries.T
        columns = trace.columns[tokens]
        first = encoded.pe_starts[pes] + encoded.pointers[pes, columns]
        zeros = (encoded.entries & ((1 << encoded.index_bits) - 1)).astype(np.int64)
        codes = (encoded.entries >> encoded.index_bits).astype(np.int64)
        # Rows that are passed up to each entry, itself included, from the first of its column on.
        passed = np.concatenate([[0], np.cumsum(zeros + 1)])
        at = first + numbers
        return cls(
            rows=passed[at + 1] - passed[first] - 1,
            codes=codes[at],
            zeros=zeros[at],
            products=layer.codebook[codes[at]].astype(np.int64) * trace.values[tokens],
        )

    def sums(self, trace: LayerTrace, layer: ResidentLayer) -> Cycles:
        """Add the products up, one after the other as they come.

        Returns
        -------
        ndarray of int64, shape (slots,)
            Sums before bias and write-back.
        """
        sums = np.zeros(len(layer.bias), np.int64)
        adds = self.codes != 0
        slots = self.rows * layer.encoded.pes + trace.entries[:, 1]
        np.add.at(sums, slots[adds], self.products[adds])
        return sums
