"""Cycles of a run on the generated kernel, without running it.

The model follows the kernel's processes (``templates/kernel``) one by one, in the time of
:mod:`eie.hls.model.fifo_times`, and gives the counters that the kernel keeps: total cycles, and for
each PE the cycles with an entry (busy), without one while a layer was under way (starved), and with
a full activation queue (full). They equal those of the C++ simulation. Both count iterations of
pipelined loops; neither knows how many cycles a pipeline takes to fill, nor what a stalling one
holds back while its input is empty: a few cycles that only a synthesised kernel can tell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.progress import tell
from eie.hls.model.fifo_times import Stream, StreamArray, StreamBundle, Times
from eie.hls.model.memory_image import ResidentLayer, ResidentNetwork
from eie.hls.spec.counters import Counters
from eie.hls.spec.dataflow import DEPTHS, RADIX
from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    ACTIVATIONS_PER_BEAT,
    ACTIVATIONS_PER_WORD,
    HEADER,
    RUN,
)

__all__ = ["count_cycles", "vector_ends"]

_STREAM_DEPTH = DEPTHS["stream"].elements
_WORK_DEPTH = DEPTHS["work"].elements
_COMMAND_DEPTH = DEPTHS["command"].elements
_OUTPUT_DEPTH = DEPTHS["output"].elements
_BEATS_PER_WORD = ACTIVATIONS_PER_WORD // ACTIVATIONS_PER_BEAT


def count_cycles(
    design: Design, network: ResidentNetwork, activations: Sequence[npt.NDArray[np.int16]]
) -> Counters:
    """Count the cycles of a run.

    Parameters
    ----------
    design
        The hardware.
    network
        The resident network.
    activations
        For each layer the activations it takes, int16 of shape (batch, columns).
    """
    return _Kernel(design, network).run(activations)


def vector_ends(
    design: Design, network: ResidentNetwork, activations: Sequence[npt.NDArray[np.int16]]
) -> tuple[int, ...]:
    """Cycles of a run until the last output of each of its vectors; takes what `count_cycles` does.

    The last is the run's ``cycles``, and the first those of the first vector alone.
    """
    kernel = _Kernel(design, network)
    kernel.run(activations)
    return tuple(kernel.ends)


class _Kernel:
    """Where each process of the kernel is in time, during one run packet.

    ``_NAME_at`` is the cycle that the process NAME has come to.
    """

    def __init__(self, design: Design, network: ResidentNetwork) -> None:
        self._design = design
        self._network = network
        # The receiver reads header and RUN record, a beat a cycle, and then takes the run on.
        self._receive_at = HEADER.beats + RUN.beats
        self._tokens = Stream(_STREAM_DEPTH)
        self._control_activations_at = 0
        self._vectors = Stream(_STREAM_DEPTH)
        self._commands = Stream(_COMMAND_DEPTH)
        self._detect_nonzero_at = 0
        self._broadcast = _Broadcast(design)
        self._pes = _Pes(design.pes)
        self._gather = _Gather(design.pes, design.result_depth)
        self._collect_at = 0
        self._hidden = Stream(_STREAM_DEPTH)
        self._outputs = Stream(_OUTPUT_DEPTH)
        # A cycle later the sender reads the answer's begin, and then sends the header.
        self._send_at = self._receive_at + 2 + HEADER.beats
        #: Cycles until the last output of each vector.
        self.ends: list[int] = []

    def run(self, activations: Sequence[npt.NDArray[np.int16]]) -> Counters:
        taken_on = self._receive_at
        self._receive()
        self._control_activations_at = self._tokens.read(self._control_activations_at)
        self._pass_token()
        layers = self._network.layers
        lengths = [layer.encoded.lengths() for layer in layers]
        layer_cycles = [0] * len(layers)
        for vector in range(len(activations[0])):
            tell("counting cycles", vector, len(activations[0]), "vectors")
            for number, layer in enumerate(layers):
                begin = self._control_activations_at
                values = activations[number][vector]
                last = number == len(layers) - 1
                self._run_layer(layer, lengths[number], values, first=number == 0, last=last)
                layer_cycles[number] += (
                    self._send_at if last else self._control_activations_at
                ) - begin
            self.ends.append(self._send_at - taken_on)
        return Counters(
            cycles=self._send_at - taken_on,
            busy=self._pes.busy,
            starved=self._pes.starved,
            full=self._broadcast.full,
            layer_cycles=tuple(layer_cycles),
        )

    def _receive(self) -> None:
        self._receive_at = self._tokens.write(self._receive_at) + 1

    def _pass_token(self) -> None:
        """``control_activations`` sends a token, which every process down to the PEs passes on."""
        self._control_activations_at = self._vectors.write(self._control_activations_at) + 1
        self._detect_nonzero_at = self._vectors.read(self._detect_nonzero_at)
        self._send_token()
        self._pes.take_token()

    def _send_token(self) -> None:
        """``detect_nonzero`` sends a token down the tree to every PE."""
        written = self._broadcast.pass_token(self._detect_nonzero_at, self._pes)
        self._detect_nonzero_at = written + 1

    def _run_layer(
        self,
        layer: ResidentLayer,
        lengths: npt.NDArray[np.int64],
        values: npt.NDArray[np.int16],
        *,
        first: bool,
        last: bool,
    ) -> None:
        self._pass_token()  # the layer's begin
        for word in range(-(-layer.columns // ACTIVATIONS_PER_WORD)):
            lanes = values[word * ACTIVATIONS_PER_WORD : (word + 1) * ACTIVATIONS_PER_WORD]
            self._send_word(len(lanes), from_packet=first)
            self._detect_nonzero_at = self._vectors.read(self._detect_nonzero_at)
            nonzero = np.flatnonzero(lanes)
            if len(nonzero) == 0:
                self._detect_nonzero_at += 1
            for lane in nonzero:
                self._send_token()
                self._pes.take_activation(lengths[:, word * ACTIVATIONS_PER_WORD + lane])
        # The layer's end, and in the same cycle the command to ``collect``.
        written = self._vectors.write(self._control_activations_at)
        self._detect_nonzero_at = self._vectors.read(self._detect_nonzero_at)
        self._send_token()
        self._pes.take_layer_end()
        self._control_activations_at = self._commands.write(written) + 1
        self._collect(layer, to_hidden=not last)

    def _send_word(self, activations: int, *, from_packet: bool) -> None:
        """``control_activations`` sends a word: the packet's, a beat a cycle, or a memory's."""
        if from_packet:
            for beat in range(-(-activations // ACTIVATIONS_PER_BEAT)):
                self._receive()
                if beat:
                    self._control_activations_at += 1
                self._control_activations_at = self._tokens.read(self._control_activations_at)
        self._control_activations_at = self._vectors.write(self._control_activations_at) + 1

    def _collect(self, layer: ResidentLayer, *, to_hidden: bool) -> None:
        """Results of a layer through the gather tree to their place."""
        self._collect_at = self._commands.read(self._collect_at) + 1
        keep = -(-layer.rows // ACTIVATIONS_PER_WORD)
        beats = -(-layer.rows // ACTIVATIONS_PER_BEAT)
        word = 0
        for _ in range(layer.local_rows):
            self._pes.write_back(self._gather)
            for _ in range(self._gather.words_ready()):
                self._collect_at = self._gather.read_word(self._collect_at)
                if word < keep and to_hidden:
                    self._collect_at = self._hidden.write(self._collect_at)
                    self._control_activations_at = (
                        self._hidden.read(self._control_activations_at) + 1
                    )
                elif word < keep:
                    self._collect_at = self._outputs.write(self._collect_at)
                    in_word = min(_BEATS_PER_WORD, beats - word * _BEATS_PER_WORD)
                    self._send_at = self._outputs.read(self._send_at) + in_word
                self._collect_at += 1
                word += 1


class _Broadcast:
    """The tree from ``detect_nonzero`` to the queues: all nodes of a level at once."""

    def __init__(self, design: Design) -> None:
        pes = design.pes
        nodes = [pes]
        while nodes[0] > RADIX:
            nodes.insert(0, -(-nodes[0] // RADIX))
        # Streams into the root, between levels, and last the queues.
        self._streams = [StreamBundle(1, _STREAM_DEPTH)]
        self._streams += [StreamBundle(count, _STREAM_DEPTH) for count in nodes[:-1]]
        self._streams.append(StreamBundle(pes, design.queue_depth))
        counts = [1, *nodes[:-1]]
        self._children = [below // count for count, below in zip(counts, nodes, strict=True)]
        self._times = [np.zeros(count, np.int64) for count in counts]
        self.full: Times = np.zeros(pes, np.int64)

    def pass_token(self, time: int, pes: _Pes) -> int:
        """Pass a token from ``detect_nonzero`` to the fetches; returns when it was written."""
        written = self._streams[0].write(np.array([time]))
        *inner, leaves = range(len(self._children))
        for level in inner:
            self._pass_level(level)
        offered, accepted = self._pass_level(leaves)
        self.full += accepted
        self.full -= offered
        pes.fetch = self._streams[-1].read(pes.fetch)
        return int(written[0])

    def _pass_level(self, level: int) -> tuple[Times, Times]:
        """All nodes of a level pass a token on; when it was offered to each child, and accepted."""
        children = self._children[level]
        taken = self._streams[level].read(self._times[level])
        offered = taken.repeat(children)
        accepted = self._streams[level + 1].write(offered)
        times = np.maximum.reduce(accepted.reshape(-1, children), axis=1)
        times += 1
        self._times[level] = times
        return offered, accepted


class _Pes:
    """Column fetch and multiplier of every PE."""

    def __init__(self, pes: int) -> None:
        #: Cycle in which each fetch reads its next token, or has just read one.
        self.fetch: Times = np.zeros(pes, np.int64)
        self._work = StreamArray(pes, _WORK_DEPTH)
        self._multiplier: Times = np.zeros(pes, np.int64)
        self.busy: Times = np.zeros(pes, np.int64)
        self.starved: Times = np.zeros(pes, np.int64)

    def take_token(self) -> None:
        """The fetch passes on a token that the multiplier waits for, outside of a layer."""
        self.fetch = self._work.write(self.fetch) + 1
        self._multiplier = self._work.read(self._multiplier) + 1

    def take_activation(self, lengths: npt.NDArray[np.int64]) -> None:
        """An activation meets a column of `lengths` entries, one number for each PE."""
        met = np.flatnonzero(lengths)
        if len(met):
            self.fetch[met] = self._work.write(self.fetch[met], met)
            begin = self._work.read(self._multiplier[met], met)
            self.starved[met] += begin - self._multiplier[met]
            self.busy[met] += lengths[met]
            self._multiplier[met] = begin + lengths[met]
        self.fetch += 1

    def take_layer_end(self) -> None:
        """The multiplier finds the layer at its end."""
        self.fetch = self._work.write(self.fetch) + 1
        end = self._work.read(self._multiplier)
        self.starved += end - self._multiplier
        # Between the token and the first row lies the end of the iteration that found it.
        self._multiplier = end + 1

    def write_back(self, gather: _Gather) -> None:
        """Every PE sends its result of the next row."""
        self._multiplier = gather.take(self._multiplier) + 1


class _Gather:
    """The tree from the PEs' results to one stream of words in order of rows."""

    def __init__(self, pes: int, result_depth: int) -> None:
        self._levels = []
        count = pes
        for depth in (result_depth, _STREAM_DEPTH):
            self._levels.append(_GatherLevel(count, depth))
            count = max(1, count // RADIX)
        self._words = StreamArray(count, _STREAM_DEPTH)
        self._merge = _Merge(count)
        self._words_ready = 0

    def take(self, times: Times) -> Times:
        """Take a result from every PE at `times`; returns when each was written."""
        first, second = self._levels
        written = first.streams.write(times)
        beats = first.step()
        if beats is not None:
            first.finish(second.streams.write(beats))
            words = second.step()
            if words is not None:
                second.finish(self._words.write(words))
                self._words_ready = len(words)
        return written

    def words_ready(self) -> int:
        """Words completed by the last :meth:`take`; all of them must be read before the next."""
        ready, self._words_ready = self._words_ready, 0
        return ready

    def read_word(self, time: int) -> int:
        """Read the next word in cycle `time` or as soon as it is there; returns when."""
        return self._merge.read(self._words, time)


class _GatherLevel:
    """Nodes that make one element of four: of four sources at once, or of fewer in rounds."""

    def __init__(self, sources: int, depth: int) -> None:
        self.streams = StreamArray(sources, depth)
        self._group = min(sources, RADIX)
        self._rounds = RADIX // self._group
        self._round = 0
        self._times: Times = np.zeros(sources // self._group, np.int64)

    def step(self) -> Times | None:
        """One iteration of every node; when it completes an element, the times of its writing."""
        sources = np.arange(len(self._times)) * self._group
        times = self._times
        # A node reads its sources one after another within one iteration.
        for source in range(self._group):
            times = self.streams.read(times, sources + source)
        self._round = (self._round + 1) % self._rounds
        if self._round == 0:
            self._times = times
            return times
        self._times = times + 1
        return None

    def finish(self, written: Times) -> None:
        """The element got out at `written`, which ends the iteration."""
        self._times = written + 1


class _Merge:
    """Nodes that put words of several streams one after another; a tree for more than four."""

    def __init__(self, words: int) -> None:
        self._count = words
        inner = words // RADIX if words > RADIX else 0
        self._inner_times = [0] * inner
        self._inner = [Stream(_STREAM_DEPTH) for _ in range(inner)]
        self._root_time = 0
        self._root = Stream(_STREAM_DEPTH)
        self._next = 0

    def read(self, words: StreamArray, time: int) -> int:
        """Read the next word of `words` in order, through the tree; returns when."""
        word = self._next
        self._next = (word + 1) % self._count
        if self._count == 1:
            return self._take(words, word, time)
        if self._inner:
            node = word // RADIX
            taken = self._take(words, word, self._inner_times[node])
            self._inner_times[node] = self._inner[node].write(taken) + 1
            taken = self._inner[node].read(self._root_time)
        else:
            taken = self._take(words, word, self._root_time)
        self._root_time = self._root.write(taken) + 1
        return self._root.read(time)

    @staticmethod
    def _take(words: StreamArray, word: int, time: int) -> int:
        return int(words.read(np.array([time]), np.array([word]))[0])
