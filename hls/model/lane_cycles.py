"""Cycles of a kernel with lanes, which there is none of: the model that decided about them.

A lane is a vector. An entry is fetched and decoded once, and applied to the same input of as many
vectors as there are lanes; docs/decisions/0029 has the outcome. The kernel that is counted here is
the one of ``templates/kernel`` with these changes, and with one lane it is that kernel:

- Vectors go through the layers in *groups* of at most as many as there are lanes. Their words
  alternate wherever words travel: as many columns as the array works on at once (``row_alignment``)
  of the first vector, then the same columns of the second, and so on. So the host sends inputs, so
  results come back, and so outputs leave; ``hidden`` has a place for each lane.
- ``join_lanes``, between ``control_activations`` and ``detect_nonzero``, takes a word a cycle and
  puts those of the same columns side by side when it has the last lane's.
- ``detect_nonzero`` sends a column if any of the vectors has something there: a token has a value
  for each lane. A word that is zero in all lanes takes a cycle.
- The multiplier adds an entry to all lanes in one iteration.
- It writes one sum back an iteration: the rows of a word, lane after lane. Gathering and what is
  behind it are as they were.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from eie.hls.model.cycles import Kernel
from eie.hls.model.fifo_times import Stream
from eie.hls.model.memory_image import ResidentLayer
from eie.hls.model.resident_network import ResidentNetwork
from eie.hls.model.turns import Turn
from eie.hls.spec.counters import Counters
from eie.hls.spec.dataflow import DEPTHS
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_BEAT, ACTIVATIONS_PER_WORD

__all__ = ["count_lane_cycles", "groups_of"]

_STREAM_DEPTH = DEPTHS["stream"].elements
_BEATS_PER_WORD = ACTIVATIONS_PER_WORD // ACTIVATIONS_PER_BEAT

Codes = npt.NDArray[np.int16]


def groups_of(activations: Sequence[Codes], lanes: int) -> list[list[Codes]]:
    """Put vectors that are next to one another into groups.

    Parameters
    ----------
    activations
        For each layer the activations that it takes, int16 of shape (batch, columns).
    lanes
        Vectors of a group; the last one may have fewer.

    Returns
    -------
    list of list of ndarray
        For each layer and group int16, shape (lanes, columns).
    """
    return [
        [values[start : start + lanes] for start in range(0, len(values), lanes)]
        for values in activations
    ]


def count_lane_cycles(
    design: Design, network: ResidentNetwork, activations: Sequence[Codes], lanes: int
) -> Counters:
    """Count the cycles of a run.

    Parameters
    ----------
    design
        The hardware, of which a lane has the rows and the room between layers.
    network
        The resident network.
    activations
        For each layer the activations it takes, int16 of shape (batch, columns).
    lanes
        Vectors that share an entry; with one, the counters are those of
        :func:`eie.hls.model.cycles.count_cycles`.
    """
    groups = groups_of(activations, lanes)
    # The base takes a layer's vectors one by one, whatever they are.
    return _LaneKernel(design, network, lanes).run(cast("Sequence[Codes]", groups))


class _Joined(Stream):
    """``join_lanes`` with the streams before and behind it: words go in, groups come out."""

    def __init__(self) -> None:
        super().__init__(_STREAM_DEPTH)
        self._groups = Stream(_STREAM_DEPTH)
        self._at = 0

    def write(self, time: int, *, completes: bool = True) -> int:
        """Write a word, which is taken; if it `completes` a group, that goes on."""
        written = super().write(time)
        self._at = super().read(self._at)
        if completes:
            self._at = self._groups.write(self._at)
        self._at += 1
        return written

    def read(self, time: int) -> int:
        """Read a group in cycle `time` or as soon as it is there; returns when."""
        return self._groups.read(time)


class _LaneKernel(Kernel):
    """The kernel with lanes: what is a vector of the base is a group of vectors."""

    def __init__(self, design: Design, network: ResidentNetwork, lanes: int) -> None:
        super().__init__(design, network, network.whole())
        #: Words of a vector that the array works on at once: those of its rows.
        self._block = design.row_alignment // ACTIVATIONS_PER_WORD
        self._longest *= lanes
        self._hidden_words *= lanes
        self._hidden = Stream(self._hidden_words)
        self._joined = _Joined() if lanes > 1 else None
        if self._joined is not None:
            self._vectors = self._joined
        #: Vectors of the group whose layer runs.
        self._lanes = 1

    def _run_layer(
        self,
        number: int,
        lengths: npt.NDArray[np.int64],
        values: Codes,
        turn: Turn,
    ) -> None:
        layer = self._network.layers[number]
        self._lanes = len(values)
        words = _words(layer.columns)
        some = (values != 0).any(axis=0)
        for start in range(0, words, self._block):
            block = range(start, min(start + self._block, words))
            for lane, word in itertools.product(range(self._lanes), block):
                low = word * ACTIVATIONS_PER_WORD
                met = some[low : low + ACTIVATIONS_PER_WORD]
                if number == 0:
                    self._receive_word(len(met), first=word == lane == 0)
                completes, last = lane == self._lanes - 1, word == words - 1
                self._send_word(number, completes=completes, last=completes and last)
                if completes:
                    self._search(np.flatnonzero(met), lengths[:, low:], last=last)

    def _send_word(self, number: int, *, completes: bool, last: bool) -> None:
        """The control unit takes a word and sends it on."""
        source = self._hidden if number else self._inputs
        at = source.read(self._control_activations_at)
        if self._joined is None:
            written = self._vectors.write(at)
        else:
            written = self._joined.write(at, completes=completes)
        if last:
            written = self._commands.write(written)
        self._control_activations_at = written + 1

    def _search(
        self, nonzero: npt.NDArray[np.intp], lengths: npt.NDArray[np.int64], *, last: bool
    ) -> None:
        """``detect_nonzero`` sends the columns of a word, and the end of a layer behind its last.

        `lengths` are those of the word's columns and what follows, shape (pes, columns).
        """
        self._detect_nonzero_at = self._vectors.read(self._detect_nonzero_at)
        inner = nonzero[:-1] if last else nonzero
        for lane in inner:
            self._send_token()
            self._pes.take_activation(lengths[:, lane])
        if last:
            self._send_token()
            none = np.zeros(len(lengths), np.int64)
            self._pes.end_layer(lengths[:, nonzero[-1]] if len(nonzero) else none)
        elif not len(nonzero):
            self._detect_nonzero_at += 1

    def _collect(self, layer: ResidentLayer, turn: Turn) -> None:
        """Results of a group's layer through the gather tree: a block of words, lane by lane."""
        self._collect_at = self._commands.read(self._collect_at) + 1
        keep = _words(layer.rows)
        beats = -(-layer.rows // ACTIVATIONS_PER_BEAT)
        come = 0
        for _ in self._pes.write_back(layer.local_rows * self._lanes, self._gather):
            for _ in range(self._gather.words_ready()):
                self._collect_at = self._gather.read_word(self._collect_at)
                word = come // (self._block * self._lanes) * self._block + come % self._block
                if word < keep:
                    in_word = min(_BEATS_PER_WORD, beats - word * _BEATS_PER_WORD)
                    self._place_word(turn, in_word)
                self._collect_at += 1
                come += 1


def _words(activations: int) -> int:
    return -(-activations // ACTIVATIONS_PER_WORD)
