"""The process of functions alone: its numbers are those of numpy, its cycles those of the model."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.model.cell_times import Cell
from eie.hls.model.fifo_times import Stream
from eie.hls.project.generator import render_sources
from eie.hls.spec import cell
from eie.hls.spec.dataflow import DEPTHS
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import CODE_MAX, CODE_MIN
from eie.hls.spec.packets import Function

PROPERTY = settings(max_examples=20, deadline=None, derandomize=True)
LANES = 16
#: A result and the mark of a saturated one, in a word of 16.
RESULT_BITS = 17
#: Held words of the designs here, and those of a lane.
HELD_WORDS, LANE_WORDS = 24, 6
RECURRENT = (Function.LSTM, Function.GRU)
#: PEs, by which gates are dealt, and units a cycle.
GRID = [(1, 1), (2, 2), (4, 4), (8, 1), (16, 2), (64, 4)]


@pytest.fixture(scope="module")
def program(tmp_path_factory, build):
    """Give program(pes, units, *sources): a driver of this folder, compiled for such a design."""
    folders = {}

    def make(pes: int, units: int, *sources: str):
        if (pes, units) not in folders:
            folder = tmp_path_factory.mktemp("cell")
            design = Design(pes=pes, cell_units=units, held_activations=HELD_WORDS * LANES)
            parts = ("kernel/", "simulation/", "blocks/", "Makefile")
            for name, text in render_sources(design, parts).items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            folders[pes, units] = folder
        return build(folders[pes, units], sources, ["-Iblocks"])

    return make


# The arithmetic ---------------------------------------------------------------------------------


def test_every_sum_and_a_million_units_as_in_numpy(program) -> None:
    """States over all 24 bits, gates over all 16, a third of them near 0; each end with each."""
    random = np.random.default_rng(3)
    sums = np.arange(CODE_MIN, CODE_MAX + 1).astype(np.int16)
    units = np.zeros(1_000_000, np.dtype([("gates", np.int16, 4), ("state", np.int32)]))
    gates = random.integers(CODE_MIN, CODE_MAX + 1, units["gates"].shape)
    units["gates"] = np.where(random.random(gates.shape) < 0.3, gates >> 5, gates)
    states = random.integers(-(1 << 23), 1 << 23, len(units))
    units["state"] = np.where(random.random(len(units)) < 0.3, states >> 6, states)
    ends = np.array([CODE_MIN, CODE_MIN + 1, -1, 0, 1, CODE_MAX])
    state_ends = np.array([-(1 << 23), -(1 << 22), -1, 0, 1, 1 << 22, (1 << 23) - 1])
    grid = np.stack(np.meshgrid(*[ends] * 4, state_ends, indexing="ij"), -1).reshape(-1, 5)
    units["gates"][: len(grid)], units["state"][: len(grid)] = grid[:, :4], grid[:, 4]
    sizes = np.array([len(sums), len(units)], np.int64)
    done = subprocess.run(
        [str(program(8, 1, "cell_units.cpp"))],
        input=sizes.tobytes() + sums.tobytes() + units.tobytes(),
        capture_output=True,
        check=True,
    )
    of_sums = np.frombuffer(done.stdout, np.int16, 3 * len(sums)).reshape(-1, 3)
    assert (of_sums[:, 0] == cell.sigmoid(sums)).all()
    assert (of_sums[:, 1] == cell.tanh(sums)).all()
    slopes = sums.view(np.uint16).astype(np.int64)
    assert of_sums[:, 2].tolist() == [
        int(cell.leaky_relu(sums[place : place + 1], int(slope))[0])
        for place, slope in enumerate(slopes)
    ]
    fields = [("h", np.int16), ("state", np.int32)]
    of_units = np.frombuffer(
        done.stdout, np.dtype([("lstm", fields), ("gru", fields)]), offset=of_sums.nbytes
    )
    for name, step in (("lstm", cell.lstm_step), ("gru", cell.gru_step)):
        results, after = step(units["gates"], units["state"])
        assert (of_units[name]["h"] == results).all()
        assert (of_units[name]["state"] == after).all()


# The process ------------------------------------------------------------------------------------


@dataclass
class Layer:
    """What the PEs send for a vector, and what the cell is told."""

    function: Function
    #: Values, or units of a recurrent layer.
    results: int
    #: Words with padding rows only, behind the others.
    padding: int = 0
    #: Held word where its results begin.
    state: int = 0
    start: bool = True
    slope: int = 0
    #: Codes and marks of all rows, padding rows too.
    codes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int16))
    marks: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def rows(self) -> int:
        return self.results * (4 if self.function in RECURRENT else 1)

    @property
    def keep(self) -> int:
        return -(-self.results // LANES)

    @property
    def words(self) -> int:
        return -(-self.rows // LANES) + self.padding

    def fill(self, random: np.random.Generator) -> Layer:
        """Any codes, with ends among them, and marks."""
        codes = random.integers(CODE_MIN, CODE_MAX + 1, self.words * LANES)
        shift = random.integers(0, 6, len(codes))
        self.codes = (codes >> shift).astype(np.int16)
        self.codes[random.random(len(codes)) < 0.05] = CODE_MAX
        self.codes[random.random(len(codes)) < 0.05] = CODE_MIN
        self.marks = (random.random(len(codes)) < 0.3).astype(np.int64)
        return self

    def command(self, words: int) -> list[int]:
        """Fields of a Command about so many words."""
        spare = -self.results % LANES
        to = [5, 1, 0, 1, self.state // LANE_WORDS, int(self.start), 1]  # up to the vector's tag
        return [0, words, self.keep, spare, *to, self.function, self.slope, self.state]

    def word_fields(self, word: int) -> list[int]:
        """A word as the gather tree gives it: the last one is marked so."""
        place = slice(word * LANES, (word + 1) * LANES)
        marked = self.codes[place].astype(int) % 65536 | self.marks[place] << 16
        packed = sum(int(each) << RESULT_BITS * lane for lane, each in enumerate(marked))
        return [int(word == self.words - 1), *_fields(packed, LANES * RESULT_BITS)]

    def expected(self, states: np.ndarray, pes: int) -> list[list[tuple[int, int]]]:
        """Words of (value, mark); `states` by held activation, changed.

        Padding rows go through the function as well, as far as their words go on.
        """
        lanes = self.keep * LANES
        if self.function in RECURRENT:
            units = min(self.words * LANES // 4, lanes)
            place = slice(self.state * LANES, self.state * LANES + units)
            before = np.zeros(units, np.int32) if self.start else states[place]
            slots = cell.gate_slots(units, pes)
            step = cell.lstm_step if self.function is Function.LSTM else cell.gru_step
            values, states[place] = step(self.codes[slots], before)
            marks = self.marks[slots].any(axis=1)
        else:
            codes, marks = self.codes[:lanes], self.marks[:lanes]
            values = {
                Function.LINEAR: lambda: codes,
                Function.SIGMOID: lambda: cell.sigmoid(codes),
                Function.TANH: lambda: cell.tanh(codes),
                Function.LEAKY_RELU: lambda: cell.leaky_relu(codes, self.slope),
            }[self.function]()
        words = np.zeros((lanes, 2), int)
        words[: len(values)] = np.stack([values, marks], 1)
        return [[tuple(each) for each in word] for word in words.reshape(-1, LANES, 2).tolist()]


def _fields(value: int, bits: int) -> list[int]:
    return [value >> low & (2**64 - 1) for low in range(0, bits, 64)]


def _results(fields: list[int]) -> list[tuple[int, int]]:
    """Values and marks of a word."""
    word = sum(part << 64 * place for place, part in enumerate(fields))
    results = [word >> RESULT_BITS * lane for lane in range(LANES)]
    return [((result & 0xFFFF) - 2 * (result & 0x8000), result >> 16 & 1) for result in results]


@dataclass
class Times:
    """First cycles in which things happen, in order."""

    commands: list[int]
    words: list[int]
    took_commands: list[int]
    took_words: list[int]

    @classmethod
    def of(cls, layers: list[Layer], random: np.random.Generator, gap: int) -> Times:
        """Any times with `gap` cycles between two at most; also for the end of the packet."""
        counts = (
            len(layers) + 1,
            sum(layer.words for layer in layers) + 1,
            len(layers) + 1,
            sum(layer.keep for layer in layers) + 1,
        )
        return cls(*(np.cumsum(random.integers(0, gap + 1, count)).tolist() for count in counts))


def run(program, layers: list[Layer], times: Times):
    """Commands and words that the cell gives, each with its cycle; one packet."""
    lines = []

    def say(what: str, cycle: int, fields=()) -> None:
        lines.append(" ".join([what, *(f"{each:x}" for each in (cycle, *fields))]))

    words = iter(times.words)
    for cycle, layer in zip(times.commands, layers, strict=False):
        say("command", cycle, layer.command(layer.words))
        for word in range(layer.words):
            say("word", next(words), layer.word_fields(word))
    say("command", times.commands[-1], [2, *[0] * 13])  # kStop
    say("word", next(words), [2, *_fields(0, LANES * RESULT_BITS)])  # kEnd
    for cycle in times.took_commands:
        say("took_command", cycle)
    for cycle in times.took_words:
        say("took_word", cycle)
    done = subprocess.run(
        [str(program)],
        input="\n".join([*lines, "run", ""]),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    commands, given = [], []
    for line in done.stdout.splitlines():
        what, *numbers = line.split()
        cycle, *fields = (int(number, 16) for number in numbers)
        (commands if what == "command" else given).append((cycle, fields))
    return commands, given


def modelled(units: int, layers: list[Layer], times: Times) -> tuple[list[int], list[int]]:
    """Cycles in which the collector gets its commands and words, as the model has them."""
    here = Cell(units)
    commands, words = Stream(DEPTHS["command"].elements), Stream(DEPTHS["stream"].elements)
    at = {"command": 0, "word": 0, "took_command": 0, "took_word": 0}
    first = {
        "command": iter(times.commands),
        "word": iter(times.words),
        "took_command": iter(times.took_commands),
        "took_word": iter(times.took_words),
    }
    taken: tuple[list[int], list[int]] = ([], [])

    def happens(what: str, move) -> int:
        cycle = move(max(at[what], next(first[what])))
        at[what] = cycle + 1
        return cycle

    def read(cycle: int) -> int:
        happens("word", words.write)
        return words.read(cycle)

    for layer in layers:
        happens("command", commands.write)
        here.begin(commands, layer.function, layer.words, layer.keep)
        taken[0].append(happens("took_command", here.commands.read))
        for _ in range(layer.words):
            if here.take_word(read):
                taken[1].append(happens("took_word", here.words.read))
    return taken


def check(program, pes: int, units: int, layers: list[Layer], times: Times, states) -> None:
    commands, words = run(program, layers, times)
    passed = [layer.command(layer.keep) for layer in layers]
    assert [fields for _, fields in commands[:-1]] == passed
    expected = [each for layer in layers for each in layer.expected(states, pes)]
    assert [_results(fields[1:]) for _, fields in words[:-1]] == expected
    assert commands[-1][1][0] == words[-1][1][0] == 2  # kStop, kEnd
    cycles = ([cycle for cycle, _ in commands[:-1]], [cycle for cycle, _ in words[:-1]])
    assert cycles == modelled(units, layers, times)


@pytest.mark.parametrize(("pes", "units"), GRID)
@PROPERTY
@given(data=st.data())
def test_any_layers_as_in_numpy_and_in_the_cycles_of_the_model(program, pes, units, data) -> None:
    """All functions in any order and lane, with padding rows and stalls wherever there can be."""
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), "codes"))
    layers = []
    # Of each held word, the function whose states lie there: others start anew.
    owners = [None] * HELD_WORDS
    for _ in range(data.draw(st.integers(1, 6), "layers")):
        function = data.draw(st.sampled_from(Function), "function")
        lane = data.draw(st.integers(0, HELD_WORDS // LANE_WORDS - 1), "lane")
        state = lane * LANE_WORDS + data.draw(st.integers(0, 2), "base")
        results = data.draw(st.integers(1, 40), "results")
        layer = Layer(function, results, data.draw(st.integers(0, 3), "padding"), state)
        held = slice(state, state + layer.keep)
        if function in RECURRENT:
            mine = owners[held] == [(function, state, results)] * layer.keep
            layer.start = not mine or data.draw(st.booleans(), "start")
            owners[held] = [(function, state, results)] * layer.keep
        layer.slope = data.draw(st.integers(0, 65535), "slope")
        layers.append(layer.fill(random))
    times = Times.of(layers, random, data.draw(st.integers(0, 5), "gap"))
    states = np.zeros(HELD_WORDS * LANES, np.int32)
    check(program(pes, units, "cell.cpp"), pes, units, layers, times, states)


@pytest.mark.parametrize("function", RECURRENT)
@pytest.mark.parametrize(("pes", "units"), [(8, 1), (64, 4)])
def test_sequences_in_several_lanes_keep_their_states(program, pes, units, function) -> None:
    """Twenty steps of three sequences in turn, of which one starts anew in the middle.

    Each fills its lane, and words of padding come behind: they must not reach the next one's.
    """
    random = np.random.default_rng(5)
    layers = []
    for turn in range(20):
        for lane in range(3):
            layer = Layer(function, LANE_WORDS * LANES, 3, lane * LANE_WORDS)
            layer.start = turn == 0 or (turn, lane) == (9, 1)
            layers += [layer.fill(random), Layer(Function.LINEAR, 20).fill(random)]
    times = Times.of(layers, random, 0)
    states = np.zeros(HELD_WORDS * LANES, np.int32)
    check(program(pes, units, "cell.cpp"), pes, units, layers, times, states)
    assert np.count_nonzero(states) > 280


@pytest.mark.parametrize(("pes", "units"), [(8, 1), (16, 2), (64, 4)])
def test_cycles_of_a_word(program, pes, units) -> None:
    """A word a cycle without a function; of any other as many units a cycle as there are."""
    random = np.random.default_rng(6)
    for function, cycles in ((Function.LINEAR, 1), (Function.TANH, 4 // units)):
        layers = [Layer(function, 64 * LANES).fill(random)]
        _, words = run(program(pes, units, "cell.cpp"), layers, Times.of(layers, random, 0))
        assert words[63][0] - words[0][0] == 63 * cycles
    layers = [Layer(Function.LSTM, 16 * LANES).fill(random)]
    _, words = run(program(pes, units, "cell.cpp"), layers, Times.of(layers, random, 0))
    assert words[15][0] - words[0][0] == 15 * LANES // units


def test_the_block_has_every_field_in_its_place(program) -> None:
    """A word of results with a mark and one of padding, a command, and the end of the packet."""
    done = subprocess.run(
        [str(program(16, 2, "cell_top.cpp", "blocks/cell.cpp"))],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    half = sum(1 << 14 << RESULT_BITS * lane for lane in range(LANES)) | 1 << 16
    word = " ".join(f"{each:x}" for each in _fields(half, LANES * RESULT_BITS))
    assert done.stdout.splitlines() == [
        f"results_out 0 {word}",
        "results_out 2 0 0 0 0 0",
        "commands_out 0 1 1 3 5 1 0 1 1 1 1 2 1234 3",
        "commands_out 2 0 0 0 0 1 0 0 1 1 1 0 0 0",
    ]
