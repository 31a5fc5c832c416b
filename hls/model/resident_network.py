"""A network in the accelerator's memories, and what a run makes of it and of what is held.

Vectors are computed many at once where none depends on what another leaves. Those of a run with
tags are the steps of sequences: of each lane one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.progress import tell
from eie.hls.model.layer_chain import LayerChain, chains_of
from eie.hls.model.memory_image import GATES, ResidentLayer
from eie.hls.spec import cell
from eie.hls.spec.design import Design
from eie.hls.spec.packets import ACTIVATIONS_PER_BEAT, ACTIVATIONS_PER_WORD, Function

__all__ = ["Held", "ResidentNetwork", "ResidentRun", "RunOrder", "Tags"]

Codes = npt.NDArray[np.int16]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tags:
    """The tags of a run's vectors, each of shape (batch,)."""

    #: int64.
    lanes: Indices
    #: bool.
    starts: npt.NDArray[np.bool_]
    #: bool.
    outputs: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RunOrder:
    """What a run is to do with its vectors."""

    #: The layer that takes them, and how many they go through.
    first: int
    layers: int
    #: Of a run with tags.
    tags: Tags | None = None


@dataclass(frozen=True, eq=False)
class ResidentRun:
    """What a batch gave, layer by layer of those that it went through."""

    order: RunOrder
    #: int16, shape (batch, columns) for each layer: what it took. Zeros for a vector that gives no
    #: output, in layers behind the last recurrent one.
    taken: list[Codes]
    #: int16, shape (outputs, ...): whole output vectors. Their last beat is filled up with the
    #: results of padding rows, 0 but for loads that no packer makes.
    outputs: Codes
    #: Results of each layer that were saturated.
    saturated: list[int]


@dataclass(frozen=True, eq=False)
class Held:
    """The memory of held activations, and the states of recurrent layers, which share its places.

    They keep what they hold from run to run, and from load to load.
    """

    #: int16, shape (words, 16).
    words: Codes
    #: int32, shape (words, 16).
    states: npt.NDArray[np.int32]

    @classmethod
    def of(cls, design: Design) -> Held:
        """As it is after power-up: all zero."""
        shape = (design.held_words, ACTIVATIONS_PER_WORD)
        return cls(np.zeros(shape, np.int16), np.zeros(shape, np.int32))


@dataclass(frozen=True, eq=False)
class ResidentNetwork:
    """A network in the accelerator's memories."""

    network_id: int
    #: Lanes of held words, and words of each.
    lanes: int
    stride: int
    #: Held word of a lane in which an input vector begins; None if it is not held.
    hold: int | None
    layers: tuple[ResidentLayer, ...]
    #: Vectors that go through the layers together: each has held words of its own in their lane.
    abreast: int = 1

    @property
    def recurrent(self) -> bool:
        """Whether some layer is."""
        return any(layer.recurrent for layer in self.layers)

    @property
    def last_recurrent(self) -> int:
        """The last recurrent layer; 0 if there is none."""
        return max((i for i, layer in enumerate(self.layers) if layer.recurrent), default=0)

    def whole(self) -> RunOrder:
        """Order vectors through all layers, without tags."""
        return RunOrder(0, len(self.layers))

    def input_beats(self, first: int = 0) -> int:
        """Beats of a vector that layer `first` takes from a packet."""
        return -(-self.layers[first].columns // ACTIVATIONS_PER_BEAT)

    def output_beats(self, last: int = -1) -> int:
        """Beats of what layer `last` gives."""
        return -(-self.layers[last].results // ACTIVATIONS_PER_BEAT)

    @cached_property
    def _chains(self) -> dict[int, LayerChain]:
        return dict(chains_of(self.layers))

    def run(
        self, inputs: Codes, order: RunOrder | None = None, held: Held | None = None
    ) -> ResidentRun:
        """Take a batch through its layers.

        Parameters
        ----------
        inputs
            int16, shape (batch, columns of the first layer or more): what is more is what fills up
            the last beat.
        order
            Through which, and what each vector is; all of them if None.
        held
            What is held, and is changed; nothing if None.
        """
        order = self.whole() if order is None else order
        batch = _Batch(self, order, inputs, Held(*_no_words()) if held is None else held)
        for number, wave in enumerate(batch.waves()):
            if order.tags is not None:
                tell("computing steps", number, len(inputs), "steps")
            batch.take(wave)
        return batch.run()


def _no_words() -> tuple[Codes, npt.NDArray[np.int32]]:
    return np.zeros((0, ACTIVATIONS_PER_WORD), np.int16), np.zeros(
        (0, ACTIVATIONS_PER_WORD), np.int32
    )


class _Batch:
    """A run under way."""

    def __init__(
        self, network: ResidentNetwork, order: RunOrder, inputs: Codes, held: Held
    ) -> None:
        self._network, self._order, self._held = network, order, held
        self._inputs = _in_words(inputs, inputs.shape[1])
        batch = len(inputs)
        layers = network.layers[order.first : order.first + order.layers]
        tags = order.tags
        self._vectors = np.arange(batch)
        places = max(network.lanes, 1) * network.abreast
        self._places = self._vectors % places if tags is None else tags.lanes
        self._starts = np.ones(batch, np.bool_) if tags is None else tags.starts
        self._gives = np.ones(batch, np.bool_) if tags is None else tags.outputs
        self._end = order.first + order.layers - 1
        self._taken = [np.zeros((batch, layer.columns), np.int16) for layer in layers]
        width = network.output_beats(self._end) * ACTIVATIONS_PER_BEAT
        self._outputs = np.zeros((batch, width), np.int16)
        self._saturated = [0] * len(layers)

    def run(self) -> ResidentRun:
        """What it gave."""
        outputs = self._outputs if self._gives.all() else self._outputs[self._gives]
        return ResidentRun(self._order, self._taken, outputs, self._saturated)

    def waves(self) -> Iterator[Indices]:
        """Vectors that may be computed together, in order: those whose held words are apart."""
        if self._independent():
            if len(self._vectors):
                yield self._vectors
            return
        start, seen = 0, set[int]()
        for vector, place in enumerate(self._places.tolist()):
            if place in seen:
                yield self._vectors[start:vector]
                start, seen = vector, set()
            seen.add(place)
        if start < len(self._vectors):
            yield self._vectors[start:]

    def _independent(self) -> bool:
        """Whether no vector sees what another held: each holds before it takes, and none goes on.

        The words that it holds are those of one packer's making; of others each is looked at.
        """
        if self._network.lanes == 0:
            return True
        if self._order.tags is not None:
            return False
        held: set[int] = set()
        arriving: int | None = self._network.hold
        if self._order.first:
            arriving = self._network.layers[self._order.first - 1].hold
        width = self._network.layers[self._order.first].columns
        for index in range(self._order.first, self._end + 1):
            layer = self._network.layers[index]
            if arriving is not None:
                held.update(range(arriving, arriving + _words(width)))
            if layer.source is not None and not layer.recurrent:
                wanted = set(range(layer.source, layer.source + _words(layer.columns)))
                if not wanted <= held:
                    return False
            arriving, width = None if layer.accumulates else layer.hold, layer.results
        return True

    def take(self, wave: Indices) -> None:
        """Take the vectors `wave` through the layers."""
        network = self._network
        places = self._places[wave] * network.stride
        # Each vector has words of its own here, and leaves them in the order of vectors.
        words = _Words(self._held, places, network.stride)
        arriving = self._inputs[wave]
        first = self._order.first
        words.hold(network.layers[first - 1].hold if first else network.hold, arriving)
        while first <= self._end:
            if self._order.tags is None:
                done = first - self._order.first
                tell(f"computing {len(wave)} vectors", done, len(self._taken), "layers")
            chain = network._chains[first]
            last = first + len(chain.layers) - 1
            parts = []
            for index, layer in enumerate(chain.layers, first):
                part = self._activations(layer, arriving, words, wave)
                self._taken[index - self._order.first][wave] = part
                parts.append(part)
            results, count = self._results(chain, parts, words, self._starts[wave])
            self._saturated[last - self._order.first] += count
            gives = self._gives[wave]
            if last == self._end:
                width = self._outputs.shape[1]
                self._outputs[wave[gives]] = results[gives, :width]
            final = np.where(gives, last == self._end, last == network.last_recurrent)
            # Those that come back are held: all but the last layer's, and states.
            if chain.last.recurrent:
                words.hold(chain.last.hold, results)
            elif not final.all():
                words.hold(chain.last.hold, results, ~final)
            arriving = results
            if final.any():
                words.leave(final)
                stay = ~final
                wave, arriving, words = wave[stay], arriving[stay], words.of(stay)
                if not len(wave):
                    return
            first = last + 1

    def _activations(
        self, layer: ResidentLayer, arriving: Codes, words: _Words, wave: Indices
    ) -> Codes:
        if layer.source is None:
            return arriving[:, : layer.columns]
        taken = words.take(layer.source, layer.columns)
        if layer.recurrent:
            taken[self._starts[wave]] = 0
        return taken

    def _results(
        self,
        chain: LayerChain,
        parts: list[Codes],
        words: _Words,
        starts: npt.NDArray[np.bool_],
    ) -> tuple[Codes, int]:
        """Give a chain's results, in whole words, and how many were saturated."""
        activations = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        last = chain.last
        codes, count = chain.run(activations)
        if not last.recurrent:
            return _in_words(_apply(last, codes), last.results), count
        pes = last.encoded.pes
        units = min(codes.shape[1] // GATES, _words(last.results) * ACTIVATIONS_PER_WORD)
        slots = cell.gate_slots(units, pes)
        states = words.states(last.source or 0, units)
        states[starts] = 0
        step = cell.lstm_step if last.function is Function.LSTM else cell.gru_step
        results, after = step(codes[:, slots], states)
        words.keep_states(last.source or 0, after)
        if count:
            # A result is saturated if one of its gates is.
            _, marks = chain.run_marked(activations)
            count = int(np.count_nonzero(marks[:, slots].any(axis=2)[:, : last.results]))
        return _in_words(results, last.results), count


def _apply(layer: ResidentLayer, codes: Codes) -> Codes:
    """Apply a function of one code."""
    if layer.function is Function.SIGMOID:
        return cell.sigmoid(codes)
    if layer.function is Function.TANH:
        return cell.tanh(codes)
    if layer.function is Function.LEAKY_RELU:
        return cell.leaky_relu(codes, layer.slope)
    return codes


class _Words:
    """The held words of some vectors, a lane's each; they go back when the vector is done."""

    def __init__(self, held: Held, places: Indices, stride: int) -> None:
        self._held, self._places, self._stride = held, places, stride
        every = places[:, None] + np.arange(stride)
        self._words = held.words[every] if stride else np.zeros((len(places), 0, 16), np.int16)
        self._states = held.states[every] if stride else np.zeros((len(places), 0, 16), np.int32)

    def of(self, which: npt.NDArray[np.bool_]) -> _Words:
        """Give those of some of the vectors."""
        part = _Words.__new__(_Words)
        part._held, part._stride = self._held, self._stride
        part._places = self._places[which]
        part._words, part._states = self._words[which], self._states[which]
        return part

    def hold(
        self, base: int | None, codes: Codes, which: npt.NDArray[np.bool_] | None = None
    ) -> None:
        """Hold whole words from `base` on, those of all vectors or of some; None holds nothing."""
        if base is None:
            return
        words = codes.reshape(len(codes), -1, ACTIVATIONS_PER_WORD)
        if which is None:
            self._words[:, base : base + words.shape[1]] = words
        else:
            self._words[which, base : base + words.shape[1]] = words[which]

    def take(self, base: int, columns: int) -> Codes:
        """int16, shape (vectors, columns), a copy."""
        taken = self._words[:, base : base + _words(columns)]
        return taken.reshape(len(taken), -1)[:, :columns].copy()

    def states(self, base: int, units: int) -> npt.NDArray[np.int32]:
        """int32, shape (vectors, units), a copy."""
        taken = self._states[:, base : base + _words(units)]
        return taken.reshape(len(taken), -1)[:, :units].copy()

    def keep_states(self, base: int, states: npt.NDArray[np.int32]) -> None:
        """Keep the states of units."""
        flat = self._states.reshape(len(self._states), -1)
        first = base * ACTIVATIONS_PER_WORD
        room = flat.shape[1] - first
        flat[:, first : first + states.shape[1]] = states[:, :room]
        self._states = flat.reshape(self._states.shape)

    def leave(self, which: npt.NDArray[np.bool_]) -> None:
        """Put the words of vectors that are done back; of a lane's, the last one's stay."""
        done = np.flatnonzero(which)[::-1]
        _, last = np.unique(self._places[done], return_index=True)
        for vector in done[last]:
            place = self._places[vector]
            self._held.words[place : place + self._stride] = self._words[vector]
            self._held.states[place : place + self._stride] = self._states[vector]


def _in_words(codes: Codes, count: int) -> Codes:
    """Codes in the words that `count` of them take; zeros where there are fewer."""
    width = _words(count) * ACTIVATIONS_PER_WORD
    if codes.shape[1] >= width:
        return codes[:, :width]
    filled = np.zeros((len(codes), width), np.int16)
    filled[:, : codes.shape[1]] = codes
    return filled


def _words(activations: int) -> int:
    return -(-activations // ACTIVATIONS_PER_WORD)
