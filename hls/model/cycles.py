"""Cycles of a run on the generated kernel, without running it.

The model follows the kernel's processes (``templates/kernel``) one by one, in the time of
:mod:`eie.hls.model.fifo_times`, and gives the counters that the kernel keeps: total cycles, and for
each PE the cycles with an entry (busy) and without one before its last (starved), and the
activations that found its queue full. They equal those of the C++ simulation. Both count
iterations of pipelined loops; neither knows how many cycles a pipeline takes to fill, nor what a
stalling one holds back while its input is empty: a few cycles that only a synthesised kernel can
tell.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.progress import tell
from eie.hls.model.fifo_times import Stream, StreamBundle, Times
from eie.hls.model.gather_times import Gather
from eie.hls.model.memory_image import ResidentLayer, ResidentNetwork
from eie.hls.model.pe_times import Pes
from eie.hls.spec.counters import Counters
from eie.hls.spec.dataflow import DEPTHS, RADIX
from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    ACTIVATIONS_PER_BEAT,
    ACTIVATIONS_PER_WORD,
    HEADER,
    RUN,
)

__all__ = ["Kernel", "count_cycles"]

_STREAM_DEPTH = DEPTHS["stream"].elements
_FETCH_DEPTH = DEPTHS["fetch"].elements
_INPUT_DEPTH = DEPTHS["input"].elements
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
    return Kernel(design, network).run(activations)


class Kernel:
    """Where each process of the kernel is in time, during one run packet.

    ``_NAME_at`` is the cycle that the process NAME has come to.
    """

    def __init__(self, design: Design, network: ResidentNetwork) -> None:
        self._network = network
        # Words of the longest hidden vector, and of all that may wait; a design that is too small
        # is counted as if it held one.
        self._longest = max((_words(layer.columns) for layer in network.layers[1:]), default=0)
        self._hidden_words = max(design.hidden_words, self._longest)
        # The receiver reads header and RUN record, a beat a cycle, and then takes the run on.
        self._receive_at = HEADER.beats + RUN.beats
        self._tokens = Stream(_STREAM_DEPTH)
        self._inputs = Stream(_INPUT_DEPTH)
        self._control_activations_at = 0
        self._vectors = Stream(_STREAM_DEPTH)
        self._commands = Stream(_COMMAND_DEPTH)
        self._detect_nonzero_at = 0
        self._broadcast = _Broadcast(design)
        self._pes = Pes(design)
        self._gather = Gather(design.pes, design.result_depth)
        self._collect_at = 0
        self._hidden = Stream(self._hidden_words)
        self._outputs = Stream(_OUTPUT_DEPTH)
        # A cycle later the sender reads the answer's begin, and then sends the header.
        self._send_at = self._receive_at + 2 + HEADER.beats

    def run(self, activations: Sequence[npt.NDArray[np.int16]]) -> Counters:
        """Take a batch through all layers: for each the activations that it takes."""
        taken_on = self._receive_at
        self._receive_at = self._tokens.write(self._receive_at) + 1
        self._begin_run()
        layers = self._network.layers
        lengths = [layer.encoded.lengths() for layer in layers]
        shares = _Shares(len(layers))
        for vector, number in self._turns(len(activations[0])):
            shares.begin(number, self._control_activations_at)
            last = number == len(layers) - 1
            self._run_layer(layers[number], lengths[number], activations[number][vector], number)
            self._collect(layers[number], to_hidden=not last)
            if last:
                tell("counting cycles", vector + 1, len(activations[0]), "vectors")
        shares.begin(None, self._send_at)
        self._end_run()
        return Counters(
            cycles=self._send_at - taken_on,
            busy=self._pes.busy,
            starved=self._pes.starved,
            full=self._broadcast.full,
            layer_cycles=tuple(shares.cycles),
        )

    def _turns(self, vectors: int) -> Iterator[tuple[int, int]]:
        """Whose turn it is: (vector, layer), as ``control_activations`` finds its streams.

        What has come back goes on in the order in which it was sent. A new vector begins when it is
        time for it or nothing has come back, if `hidden` has room for what it may leave there.
        """
        layers = self._network.layers
        room = self._hidden_words
        turns = 0  # of hidden vectors, until a new one has precedence
        waiting = deque(range(vectors))
        returning: deque[tuple[int, int]] = deque()
        while waiting or returning:
            back = self._hidden.readable() if returning else None
            new = None
            if waiting and room >= self._longest:
                self._receive_word(layers[0].columns, first=True)
                new = self._inputs.readable()
            now = self._control_activations_at
            # In the same cycle, a new vector has precedence only when it is time for it.
            lead = 0 if turns else 1
            if back is not None and (new is None or max(back, now) + lead <= max(new, now)):
                self._control_activations_at = max(back, now)
                vector, number = returning.popleft()
                turns = max(turns - 1, 0)
            else:
                assert new is not None
                self._control_activations_at = max(new, now)
                vector, number = waiting.popleft(), 0
                room -= self._longest
                turns = len(layers) - 1
            yield vector, number
            if number < len(layers) - 1:
                returning.append((vector, number + 1))
            else:
                room += self._longest

    def _receive_word(self, activations: int, *, first: bool) -> None:
        """The receiver puts beats together to a word, unless the first word is there already."""
        if first and self._inputs.readable() is not None:
            return
        self._receive_at += -(-min(activations, ACTIVATIONS_PER_WORD) // ACTIVATIONS_PER_BEAT) - 1
        self._receive_at = self._inputs.write(self._receive_at) + 1

    def _begin_run(self) -> None:
        """``control_activations`` passes the run's begin on, as every process down to the PEs."""
        at = self._tokens.read(self._control_activations_at)
        self._control_activations_at = self._vectors.write(at) + 1
        self._detect_nonzero_at = self._vectors.read(self._detect_nonzero_at)
        self._send_token(in_layer=False)
        self._pes.begin_run()

    def _end_run(self) -> None:
        """``control_activations`` says that there are no more layers."""
        self._control_activations_at = self._vectors.write(self._control_activations_at) + 1
        self._detect_nonzero_at = self._vectors.read(self._detect_nonzero_at)
        self._send_token(in_layer=False)
        self._pes.end_run()

    def _send_token(self, *, in_layer: bool = True) -> None:
        """``detect_nonzero`` sends a token down the tree to every PE."""
        written = self._broadcast.pass_token(self._detect_nonzero_at, self._pes, in_layer)
        self._detect_nonzero_at = written + 1

    def _run_layer(
        self,
        layer: ResidentLayer,
        lengths: npt.NDArray[np.int64],
        values: npt.NDArray[np.int16],
        number: int,
    ) -> None:
        words = _words(layer.columns)
        source = self._hidden if number else self._inputs
        for word in range(words):
            first, last = word == 0, word == words - 1
            low = word * ACTIVATIONS_PER_WORD
            lanes = values[low : low + ACTIVATIONS_PER_WORD]
            if number == 0:
                self._receive_word(len(lanes), first=first)
            at = source.read(self._control_activations_at)
            written = self._vectors.write(at)
            if last:
                written = self._commands.write(written)
            self._control_activations_at = written + 1
            self._detect_nonzero_at = self._vectors.read(self._detect_nonzero_at)
            *nonzero, final = *np.flatnonzero(lanes), None if last else -1
            if last and nonzero:
                nonzero, final = nonzero[:-1], nonzero[-1]
            for lane in nonzero:
                self._send_token()
                self._pes.take_activation(lengths[:, low + lane])
            if last:
                self._send_token()
                self._pes.end_layer(
                    np.zeros(len(lengths), np.int64) if final is None else lengths[:, low + final]
                )
            elif not nonzero:
                self._detect_nonzero_at += 1

    def _collect(self, layer: ResidentLayer, *, to_hidden: bool) -> None:
        """Results of a layer through the gather tree to their place."""
        self._collect_at = self._commands.read(self._collect_at) + 1
        keep = _words(layer.rows)
        beats = -(-layer.rows // ACTIVATIONS_PER_BEAT)
        word = 0
        for _ in self._pes.write_back(layer.local_rows, self._gather):
            for _ in range(self._gather.words_ready()):
                self._collect_at = self._gather.read_word(self._collect_at)
                if word < keep and to_hidden:
                    self._collect_at = self._hidden.write(self._collect_at)
                elif word < keep:
                    self._collect_at = self._outputs.write(self._collect_at)
                    in_word = min(_BEATS_PER_WORD, beats - word * _BEATS_PER_WORD)
                    self._send_at = self._outputs.read(self._send_at) + in_word
                self._collect_at += 1
                word += 1


class _Shares:
    """A run's cycles, shared out among its layers.

    Each has those from its first word, in any of the vectors, to the next first word of any layer,
    or to the last output.
    """

    def __init__(self, layers: int) -> None:
        self.cycles = [0] * layers
        self._layer: int | None = None
        self._since = 0

    def begin(self, layer: int | None, cycle: int) -> None:
        """A layer's first word is taken in `cycle`, or with None the run ends."""
        if self._layer is not None:
            self.cycles[self._layer] += cycle - self._since
        self._layer, self._since = layer, cycle


def _words(activations: int) -> int:
    return -(-activations // ACTIVATIONS_PER_WORD)


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
        self._streams.append(StreamBundle(pes, _FETCH_DEPTH))
        counts = [1, *nodes[:-1]]
        self._children = [below // count for count, below in zip(counts, nodes, strict=True)]
        self._times = [np.zeros(count, np.int64) for count in counts]
        self.full: Times = np.zeros(pes, np.int64)

    def pass_token(self, time: int, pes: Pes, in_layer: bool) -> int:
        """Pass a token from ``detect_nonzero`` to the fetches; returns when it was written."""
        written = self._streams[0].write(np.array([time]))
        *inner, leaves = range(len(self._children))
        for level in inner:
            self._pass_level(level)
        full = self._pass_level(leaves)
        if in_layer:
            self.full += full
        pes.fetch = self._streams[-1].read(pes.fetch)
        return int(written[0])

    def _pass_level(self, level: int) -> npt.NDArray[np.bool_]:
        """All nodes of a level pass a token on; returns which children had no room at once."""
        children = self._children[level]
        taken = self._streams[level].read(self._times[level])
        offered = taken.repeat(children)
        below = self._streams[level + 1]
        full = below.full(offered)
        # One child after the other, so the last one's time is the node's.
        self._times[level] = below.write_in_turn(offered, children)[children - 1 :: children] + 1
        return full
