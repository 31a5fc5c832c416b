"""The kernel with lanes, cycle by cycle: what :mod:`eie.hls.model.lane_cycles` is held against.

Every process is a generator that does what its header in ``templates/kernel`` says, an iteration
between two ``yield``s, and blocks on streams as C simulation does: what is written in a cycle can
be read from the next one on, and so for places that are freed. Nothing of the model's recurrences
is used here; of a network only how many entries each PE has in each column, and which activations
are not zero. As slow as it looks: for small networks, and arrays of at most 16 PEs, which have no
merge.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LANES_OF_WORD, BEAT = 16, 4
Process = Generator[None, None, None]


@dataclass
class Clock:
    """The common clock; processes of a cycle run in any order."""

    now: int = 0


@dataclass
class Fifo:
    """A bounded stream."""

    clock: Clock
    depth: int
    _held: deque[tuple[int, Any]] = field(default_factory=deque)
    _freed: deque[int] = field(default_factory=deque)

    def ready(self) -> bool:
        """Whether the oldest element can be read in this cycle."""
        return bool(self._held) and self._held[0][0] < self.clock.now

    def room(self) -> bool:
        """Whether an element can be written in this cycle: places freed in it do not count."""
        while self._freed and self._freed[0] < self.clock.now:
            self._freed.popleft()
        return len(self._held) + len(self._freed) < self.depth

    def take(self) -> Any:
        """Read an element that is ready."""
        self._freed.append(self.clock.now)
        return self._held.popleft()[1]

    def put(self, element: Any) -> None:
        """Write an element for which there is room."""
        self._held.append((self.clock.now, element))

    def read(self) -> Generator[None, None, Any]:
        """Read, waiting for an element."""
        while not self.ready():
            yield
        return self.take()

    def write(self, element: Any) -> Process:
        """Write, waiting for room."""
        while not self.room():
            yield
        self.put(element)


@dataclass(frozen=True)
class Shape:
    """A network for the oracle: layers as (columns, rows, local rows, lengths (pes, columns))."""

    pes: int
    layers: tuple[tuple[int, int, int, np.ndarray], ...]
    lanes: int
    queue_depth: int
    result_depth: int
    write_latency: int
    hidden_words: int


@dataclass
class Told:
    """What the oracle counts."""

    cycles: int
    busy: list[int]
    starved: list[int]


def simulate(shape: Shape, activations: list[np.ndarray]) -> Told:
    """Take a batch through the kernel; activations are those that each layer takes."""
    return _Machine(shape, activations).run()


def words_of(activations: int) -> int:
    return -(-activations // LANES_OF_WORD)


class _Machine:
    def __init__(self, shape: Shape, activations: list[np.ndarray]) -> None:
        assert shape.pes <= LANES_OF_WORD
        self.shape, self.clock = shape, Clock()
        lanes = shape.lanes
        vectors = len(activations[0])
        self.groups = [range(n, min(n + lanes, vectors)) for n in range(0, vectors, lanes)]
        self.activations = activations
        self.longest = lanes * max((words_of(each[0]) for each in shape.layers[1:]), default=0)

        def fifo(depth: int) -> Fifo:
            return Fifo(self.clock, depth)

        self.tokens, self.inputs, self.vectors, self.joined = fifo(2), fifo(31), fifo(2), fifo(2)
        self.commands, self.outputs = fifo(8), fifo(31)
        self.room = max(lanes * shape.hidden_words, self.longest)
        self.hidden = fifo(self.room)
        self.activation = fifo(2)
        self.branches = [fifo(2) for _ in range(shape.pes // 4)] if shape.pes > 4 else []
        self.queues = [fifo(8) for _ in range(shape.pes)]
        self.works = [fifo(shape.queue_depth) for _ in range(shape.pes)]
        self.results = [fifo(shape.result_depth) for _ in range(shape.pes)]
        self.beats = [fifo(2) for _ in range(max(1, shape.pes // 4))]
        self.words = fifo(2)
        self.busy, self.starved = [0] * shape.pes, [0] * shape.pes
        self.first_cycle = self.last_cycle = 0

    def run(self) -> Told:
        processes = [
            self.receive(), self.control(), self.detect(), self.collect(), self.send(),
            *self.broadcast(), *self.gather(),
        ]  # fmt: skip
        if self.shape.lanes > 1:
            processes.append(self.join())
        for pe in range(self.shape.pes):
            processes += [self.fetch(pe), self.multiply(pe)]
        running = processes
        while running:
            running = [each for each in running if next(each, self) is None]
            self.clock.now += 1
            assert self.clock.now < 1_000_000, "deadlock"
        return Told(self.last_cycle - self.first_cycle, self.busy, self.starved)

    # Words of a group in the order in which they travel: (vector's place in the group, word).
    def order(self, activations: int, lanes: int) -> Iterator[tuple[int, int]]:
        return ((lane, word) for word in range(words_of(activations)) for lane in range(lanes))

    def receive(self) -> Process:
        for _ in range(2 + 2):  # header, RUN record
            yield
        self.first_cycle = self.clock.now
        yield from self.tokens.write("run")
        yield
        columns = self.shape.layers[0][0]
        for group in self.groups:
            for _, word in self.order(columns, len(group)):
                rest = columns - word * LANES_OF_WORD
                for _ in range(-(-min(LANES_OF_WORD, rest) // BEAT) - 1):
                    yield
                yield from self.inputs.write((group, word))
                yield

    def control(self) -> Process:
        layers = self.shape.layers
        yield from self.tokens.read()
        yield from self.vectors.write("run")
        yield
        room, turns, ended = self.room, 0, 0
        to_start, to_end = len(self.groups), len(self.groups)
        while to_end:
            fresh = to_start and room >= self.longest and self.inputs.ready()
            # What ended an iteration ago is known from the next one on.
            room, to_end, ended = room + ended * self.longest, to_end - ended, 0
            if not fresh and not self.hidden.ready():
                yield
                continue
            if fresh and (turns == 0 or not self.hidden.ready()):
                source, number, turns = self.inputs, 0, len(layers) - 1
                to_start, room = to_start - 1, room - self.longest
            else:
                source, number = self.hidden, None
                turns = max(turns - 1, 0)
            left = None
            while left != 0:
                element = yield from source.read()
                group, word = element[:2]
                if left is None:
                    number = 0 if number == 0 else element[2] + 1
                    left = words_of(layers[number][0]) * len(group)
                left -= 1
                yield from self.vectors.write((group, number, word))
                if left == 0:
                    yield from self.commands.write((group, number))
                yield
            if number == len(layers) - 1:
                ended = 1
        yield from self.vectors.write("done")
        yield from self.commands.write("done")

    def join(self) -> Process:
        element = None
        while element != "done":
            element = yield from self.vectors.read()
            if not isinstance(element, str):
                for _ in range(len(element[0]) - 1):
                    yield
                    element = yield from self.vectors.read()
            yield from self.joined.write(element)
            yield

    def detect(self) -> Process:
        source = self.joined if self.shape.lanes > 1 else self.vectors
        element = None
        while element != "done":
            element = yield from source.read()
            if isinstance(element, str):
                yield from self.activation.write((element, None))
                yield
                continue
            group, number, word = element
            columns = self.shape.layers[number][0]
            values = self.activations[number][list(group)]
            low = word * LANES_OF_WORD
            met = [
                column
                for column in range(low, min(low + LANES_OF_WORD, columns))
                if values[:, column].any()
            ]
            last = word == words_of(columns) - 1
            if not met and not last:
                yield
            for column in met[:-1] if last else met:
                yield from self.activation.write(("column", (number, column)))
                yield
            if last:
                column = met[-1] if met else None
                yield from self.activation.write(("last", (number, column, len(group))))
                yield

    def broadcast(self) -> list[Process]:
        def node(source: Fifo, children: list[Fifo]) -> Process:
            kind = None
            while kind != "done":
                token = yield from source.read()
                kind = token[0]
                for child in children:
                    yield from child.write(token)
                yield

        if not self.branches:
            return [node(self.activation, self.queues)]
        leaves = [
            node(branch, self.queues[4 * n : 4 * n + 4]) for n, branch in enumerate(self.branches)
        ]
        return [node(self.activation, self.branches), *leaves]

    def fetch(self, pe: int) -> Process:
        kind = None
        while kind != "done":
            kind, data = yield from self.queues[pe].read()
            length = 0
            if kind in ("column", "last") and data[1] is not None:
                length = int(self.shape.layers[data[0]][3][pe, data[1]])
            if kind != "column" or length:
                yield from self.works[pe].write((kind, data, length))
            yield

    def multiply(self, pe: int) -> Process:
        work, results = self.works[pe], self.results[pe]
        yield from work.read()
        yield
        token, left, last, rows, of_layer = None, 0, False, 0, 0
        wait, done = 0, False
        while not done:
            ends = token is not None and token[0] != "column"
            over = token is not None and token[0] == "done"
            layer_ends = False
            # A bank is another layer's when its zeros are in the memory.
            if token is not None and not left and not (ends and (rows or wait)):
                kind, data, left = token
                token = None
                done, last = kind == "done", kind == "last"
                if last:
                    of_layer = self.shape.layers[data[0]][2] * data[2]
                    layer_ends = left == 0
            if token is None and not done and work.ready():
                token = work.take()
            if left:
                left -= 1
                self.busy[pe] += 1
                layer_ends = last and left == 0
            elif not over:
                self.starved[pe] += 1
            wait = max(wait - 1, 0)
            if rows and not wait:
                yield from results.write(None)
                rows -= 1
                if not rows:
                    wait = self.shape.write_latency - 1
            if layer_ends:
                rows, wait = of_layer, self.shape.write_latency + 1
            yield

    def gather(self) -> list[Process]:
        def node(sources: list[Fifo], out: Fifo) -> Process:
            for turn in itertools.count(1):
                for source in sources:
                    yield from source.read()
                if turn * len(sources) % 4 == 0:
                    yield from out.write(None)
                yield

        results, size = self.results, min(4, self.shape.pes)
        nodes = [
            node(results[size * n : size * n + size], beats) for n, beats in enumerate(self.beats)
        ]
        # They wait for good when all is done.
        return [_until(self, each) for each in (*nodes, node(self.beats, self.words))]

    def collect(self) -> Process:
        while (command := (yield from self.commands.read())) != "done":
            group, number = command
            rows, local_rows = self.shape.layers[number][1:3]
            yield
            words = local_rows * self.shape.pes // LANES_OF_WORD
            for word in range(words):
                for _ in group:
                    yield from self.words.read()
                    if word < words_of(rows):
                        to = self.hidden if number < len(self.shape.layers) - 1 else self.outputs
                        yield from to.write((group, word, number))
                    yield

    def send(self) -> Process:
        while self.clock.now < self.first_cycle + 2 + 2 or not self.first_cycle:
            yield
        rows = self.shape.layers[-1][1]
        for group in self.groups:
            for _, word in self.order(rows, len(group)):
                yield from self.outputs.read()
                for _ in range(-(-min(LANES_OF_WORD, rows - word * LANES_OF_WORD) // BEAT)):
                    yield
        self.last_cycle = self.clock.now


def _until(machine: _Machine, process: Process) -> Process:
    """A process that is stopped when the last output is out."""
    while not machine.last_cycle:
        next(process)
        yield
