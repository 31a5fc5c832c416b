"""Cycles of a run on the generated kernel, without running it.

The model follows the kernel's processes (``templates/kernel``) one by one, in the time of
:mod:`eie.hls.model.fifo_times`, and gives the counters that the kernel keeps: total cycles, and for
each PE the cycles with an entry (busy) and without one before its last (starved), and the
activations that found its queue full. They equal those of the C++ simulation. Both count
iterations of pipelined loops; neither knows how many cycles a pipeline takes to fill, nor what a
stalling one holds back while its input is empty: a few cycles that only a synthesised kernel can
tell.

Where vectors go abreast, a turn is one of a group of them (:mod:`eie.hls.spec.group_order`).
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.progress import tell
from eie.hls.model.broadcast_times import Broadcast
from eie.hls.model.cell_times import Cell
from eie.hls.model.fifo_times import Stream
from eie.hls.model.gather_times import Gather
from eie.hls.model.input_times import Inputs
from eie.hls.model.layer_shares import Shares
from eie.hls.model.memory_image import ResidentLayer
from eie.hls.model.pe_times import Pes
from eie.hls.model.resident_network import ResidentNetwork, RunOrder
from eie.hls.model.turns import Turn, TurnPlan, longest_back
from eie.hls.spec.counters import Counters
from eie.hls.spec.dataflow import DEPTHS
from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    ACTIVATIONS_PER_BEAT,
    ACTIVATIONS_PER_WORD,
    HEADER,
    HELD_LATENCY,
    RUN,
)

__all__ = ["Kernel", "count_cycles"]

_STREAM_DEPTH = DEPTHS["stream"].elements
_INPUT_DEPTH = DEPTHS["input"].elements
_COMMAND_DEPTH = DEPTHS["command"].elements
_OUTPUT_DEPTH = DEPTHS["output"].elements
_BEATS_PER_WORD = ACTIVATIONS_PER_WORD // ACTIVATIONS_PER_BEAT


def count_cycles(
    design: Design,
    network: ResidentNetwork,
    taken: Sequence[npt.NDArray[np.int16]],
    order: RunOrder | None = None,
) -> Counters:
    """Count the cycles of a run.

    Parameters
    ----------
    design
        The hardware.
    network
        The resident network.
    taken
        For each layer that the run goes through the activations it takes, int16 of shape (batch,
        columns).
    order
        Which layers, and the vectors' tags; all of them, and none, if None.
    """
    return Kernel(design, network, network.whole() if order is None else order).run(taken)


class Kernel:
    """Where each process of the kernel is in time, during one run packet.

    ``_NAME_at`` is the cycle that the process NAME has come to.
    """

    def __init__(self, design: Design, network: ResidentNetwork, order: RunOrder) -> None:
        self._network, self._order = network, order
        self._abreast, self._block = design.abreast, design.block_words
        self._longest = longest_back(network) * self._abreast
        # A design that is too small is counted as if it held the longest vector, or group of them.
        self._hidden_words = max(design.hidden_words, self._longest)
        # The receiver reads header and RUN record, a beat a cycle, and then takes the run on.
        self._taken_on = HEADER.beats + RUN.beats
        self._tokens = Stream(_STREAM_DEPTH)
        self._inputs = Inputs(self._tokens.write(self._taken_on) + 1, order.tags)
        self._control_activations_at = 0
        # Iterations until what was held last may be read.
        self._settling = 0
        self._vectors = Stream(_STREAM_DEPTH)
        self._join_abreast_at = 0
        self._groups = Stream(_STREAM_DEPTH)
        self._commands = Stream(_COMMAND_DEPTH)
        self._detect_nonzero_at = 0
        self._broadcast = Broadcast(design)
        self._pes = Pes(design)
        self._gather = Gather(design.pes, design.result_depth)
        self._cell = Cell(design.cell_units) if design.cell_units else None
        self._collect_at = 0
        self._hidden = Stream(self._hidden_words)
        self._outputs = Stream(_OUTPUT_DEPTH)
        # A cycle later the sender reads the answer's begin, and then sends the header.
        self._send_at = self._taken_on + 2 + HEADER.beats

    def run(self, taken: Sequence[npt.NDArray[np.int16]]) -> Counters:
        """Take a batch through all layers: for each the activations that it takes."""
        self._begin_run()
        first, layers = self._order.first, self._network.layers
        lengths = {first + i: layers[first + i].encoded.lengths() for i in range(len(taken))}
        shares = Shares(len(taken))
        batch = len(taken[0])
        done, groups = 0, -(-batch // self._abreast)
        for turn in self._turns(groups):
            vectors = slice(turn.vector * self._abreast, (turn.vector + 1) * self._abreast)
            if turn.finishes:
                self._hold_words(turn, 1)
            else:
                shares.begin(turn.layer - first, self._control_activations_at)
                number = turn.layer
                while True:
                    values = taken[number - first][vectors]
                    self._run_layer(number, lengths[number], values, turn)
                    if not layers[number].accumulates:
                        break
                    number += 1
                self._collect(layers[number], turn, len(values))
            if turn.ends:
                done += 1
                tell("counting cycles", min(done * self._abreast, batch), batch, "vectors")
        shares.begin(None, self._send_at)
        if batch:
            # The loop's last iteration hears that the last vector has ended.
            self._control_activations_at += 1
        self._end_run()
        return Counters(
            cycles=self._send_at - self._taken_on,
            busy=self._pes.busy,
            starved=self._pes.starved,
            full=self._broadcast.full,
            layer_cycles=tuple(shares.cycles),
        )

    def _turns(self, vectors: int) -> Iterator[Turn]:
        """Whose turn it is, of so many vectors or groups, as ``control_activations`` finds streams.

        What has come back goes on in the order in which it was sent. A new vector begins when it is
        time for it or nothing has come back, if `hidden` has room for what it may leave there and
        no other vector has its lane.
        """
        first, columns = self._order.first, self._network.layers[self._order.first].columns
        plan = TurnPlan(self._network, self._order)
        room, freed_room = self._hidden_words, 0
        # First cycle in which what the vector that ended last has freed is known to be free.
        freed_at, freed_lane = 0, -1
        busy: set[int] = set()
        hidden_turns = 0  # until a new vector has precedence
        returning: deque[tuple[int, int]] = deque()
        while self._inputs.begun < vectors or returning:
            back = self._hidden.readable() if returning else None
            if back is not None:
                back = max(back, self._control_activations_at)
            new = None
            vector = self._inputs.begun
            if vector < vectors and self._inputs.is_known(back, self._control_activations_at):
                lane = plan.lane(vector)
                if room >= self._longest and lane not in busy:
                    new = max(self._inputs.begins_at(columns), self._control_activations_at)
                    if room - freed_room < self._longest or (lane >= 0 and lane == freed_lane):
                        new = max(new, freed_at)
            # In the same cycle, a new vector has precedence only when it is time for it.
            lead = 0 if hidden_turns else 1
            if back is not None and (new is None or back + lead <= new):
                self._begin_turn(back)
                vector, before = returning.popleft()
                hidden_turns = max(hidden_turns - 1, 0)
                turn = plan.behind(vector, before)
                self._inputs.poll_tag(self._control_activations_at)
            else:
                assert new is not None
                self._begin_turn(new)
                room -= self._longest
                hidden_turns = plan.hidden_layers
                turn = plan.behind(vector, first - 1)
                self._inputs.begun += 1
                if plan.lanes:
                    busy.add(plan.lane(vector))
            yield turn
            if turn.ends:
                room += self._longest
                freed_room, freed_lane = self._longest, plan.lane(turn.vector)
                # An iteration hears of it, and the one behind that knows.
                freed_at = self._control_activations_at + 1
                busy.discard(freed_lane)
            else:
                returning.append((turn.vector, turn.last))

    def _begin_turn(self, at: int) -> None:
        """Iterations until cycle `at` have found nothing to do."""
        self._settling = max(0, self._settling - (at - self._control_activations_at))
        self._control_activations_at = at

    def _begin_run(self) -> None:
        """``control_activations`` passes the run's begin on, as every process down to the PEs."""
        at = self._tokens.read(self._control_activations_at)
        self._control_activations_at = self._vectors.write(at) + 1
        self._pass_word()
        self._send_token(in_layer=False)
        self._pes.begin_run()

    def _end_run(self) -> None:
        """``control_activations`` says that there are no more layers."""
        self._control_activations_at = self._vectors.write(self._control_activations_at) + 1
        self._pass_word()
        self._send_token(in_layer=False)
        self._pes.end_run()

    def _send_token(self, *, in_layer: bool = True) -> None:
        """``detect_nonzero`` sends a token down the tree to every PE."""
        written = self._broadcast.pass_token(self._detect_nonzero_at, self._pes, in_layer)
        self._detect_nonzero_at = written + 1

    def _pass_word(self, *, completes: bool = True) -> bool:
        """``detect_nonzero`` takes the next word; or ``join_abreast``, until a group is complete.

        Gives whether there is something to search.
        """
        if self._abreast == 1:
            self._detect_nonzero_at = self._vectors.read(self._detect_nonzero_at)
            return True
        self._join_abreast_at = self._vectors.read(self._join_abreast_at)
        if completes:
            self._join_abreast_at = self._groups.write(self._join_abreast_at)
            self._detect_nonzero_at = self._groups.read(self._detect_nonzero_at)
        self._join_abreast_at += 1
        return completes

    def _hold_words(self, turn: Turn, vectors: int) -> None:
        """What arrives is only held; or dropped, in a load that no packer makes."""
        for _ in range(turn.arriving * vectors):
            self._inputs.poll_tag(self._control_activations_at)
            self._control_activations_at = self._hidden.read(self._control_activations_at) + 1
            self._settling = HELD_LATENCY if turn.holds else max(0, self._settling - 1)

    def _run_layer(
        self,
        number: int,
        lengths: npt.NDArray[np.int64],
        values: npt.NDArray[np.int16],
        turn: Turn,
    ) -> None:
        """A layer takes `values` of the vectors of a group, shape (vectors, columns)."""
        layer = self._network.layers[number]
        arrives = number == turn.layer
        if arrives and layer.source is not None:
            self._hold_words(turn, len(values))
            arrives = False
        some = (values != 0).any(axis=0)
        words = _words(layer.columns)
        for vector, word in self._in_order(words, len(values)):
            first = word == vector == 0
            completes, last = vector == len(values) - 1, word == words - 1
            low = word * ACTIVATIONS_PER_WORD
            lanes = some[low : low + ACTIVATIONS_PER_WORD]
            at = self._control_activations_at
            if not arrives:
                if first:
                    at = self._settle()
                self._inputs.poll_tag(self._control_activations_at)
            elif turn.from_packet:
                at = self._inputs.read_word(at, len(lanes), first=first)
            else:
                self._inputs.poll_tag(self._control_activations_at)
                at = self._hidden.read(at)
            written = self._vectors.write(at)
            if completes and last and not layer.accumulates:
                written = self._commands.write(written)
            if arrives and turn.holds:
                self._settling = HELD_LATENCY
            else:
                self._settling = max(0, self._settling - 1)
            self._control_activations_at = written + 1
            if self._pass_word(completes=completes):
                accumulates = layer.accumulates if last else None
                self._search(np.flatnonzero(lanes), lengths[:, low:], accumulates)

    def _in_order(self, words: int, vectors: int) -> Iterator[tuple[int, int]]:
        """Words of a group in the order in which they travel: (vector, word)."""
        for start in range(0, words, self._block):
            block = range(start, min(start + self._block, words))
            yield from itertools.product(range(vectors), block)

    def _search(
        self,
        nonzero: npt.NDArray[np.intp],
        lengths: npt.NDArray[np.int64],
        accumulates: bool | None,
    ) -> None:
        """``detect_nonzero`` sends the columns of a word that are not zero.

        Parameters
        ----------
        nonzero
            Their lanes.
        lengths
            Of the word's columns and what follows, shape (pes, columns).
        accumulates
            Of a layer's last word, whether the next layer adds to its sums; None of others.
        """
        last = accumulates is not None
        for lane in nonzero[:-1] if last else nonzero:
            self._send_token()
            self._pes.take_activation(lengths[:, lane])
        if accumulates is not None:
            self._send_token()
            none = np.zeros(len(lengths), np.int64)
            self._pes.end_layer(
                lengths[:, nonzero[-1]] if len(nonzero) else none, accumulates=accumulates
            )
        elif not len(nonzero):
            self._detect_nonzero_at += 1

    def _settle(self) -> int:
        """Wait until what is held may be read; gives the cycle."""
        for _ in range(self._settling):
            self._inputs.poll_tag(self._control_activations_at)
            self._control_activations_at += 1
        self._settling = 0
        return self._control_activations_at

    def _collect(self, layer: ResidentLayer, turn: Turn, vectors: int) -> None:
        """Results of a group's layer through the gather tree, and a cell, to their place."""
        cell, commands = self._cell, self._commands
        keep = _words(layer.results)
        if cell is not None:
            words = layer.local_rows * layer.encoded.pes // ACTIVATIONS_PER_WORD
            cell.begin(commands, layer.function, words, keep)
            commands = cell.commands
        self._collect_at = commands.read(self._collect_at) + 1
        beats = -(-layer.results // ACTIVATIONS_PER_BEAT)
        come = 0
        for _ in self._pes.write_back(layer.local_rows * vectors, self._gather):
            for _ in range(self._gather.words_ready()):
                if cell is None:
                    self._collect_at = self._gather.read_word(self._collect_at)
                elif cell.take_word(self._gather.read_word):
                    self._collect_at = cell.words.read(self._collect_at)
                else:
                    continue
                word = come // (self._block * vectors) * self._block + come % self._block
                if word < keep:
                    in_word = min(_BEATS_PER_WORD, beats - word * _BEATS_PER_WORD)
                    self._place_word(turn, in_word)
                self._collect_at += 1
                come += 1

    def _place_word(self, turn: Turn, beats: int) -> None:
        """A word of results goes back, out, or both; the sender sends `beats` of it."""
        if turn.back:
            self._collect_at = self._hidden.write(self._collect_at)
        if turn.out:
            self._collect_at = self._outputs.write(self._collect_at)
            self._send_at = self._outputs.read(self._send_at) + beats


def _words(activations: int) -> int:
    return -(-activations // ACTIVATIONS_PER_WORD)
