"""Cycles of the paper's machine, against a simulation that goes through every cycle."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.model.paper import paper_cycles
from eie.host.packing.packer import pack
from eie.host.run.batch import emulate
from eie.host.run.report import paper_report

SETTINGS = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def simulate(lengths: np.ndarray, depth: int) -> int:
    """Cycles of one vector: in each cycle every PE works on one entry, and one is broadcast."""
    pes, columns = lengths.shape
    queues: list[deque[int]] = [deque() for _ in range(pes)]
    left = [0] * pes
    sent = cycle = 0
    while sent < columns or any(queues) or any(left):
        for pe in range(pes):
            if left[pe] == 0 and queues[pe]:
                # An empty column is seen to be one in a cycle of its own.
                left[pe] = max(1, queues[pe].popleft())
            if left[pe]:
                left[pe] -= 1
        # What leaves a queue in this cycle makes room in it; what enters is taken in the next.
        if sent < columns and all(len(queue) < depth for queue in queues):
            for pe in range(pes):
                queues[pe].append(int(lengths[pe, sent]))
            sent += 1
        cycle += 1
    return cycle


@st.composite
def loads(draw: st.DrawFn) -> np.ndarray:
    pes, columns = draw(st.sampled_from([1, 2, 4, 7])), draw(st.integers(0, 30))
    random = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    return random.poisson(draw(st.sampled_from([0.2, 1.0, 4.0])), (pes, columns))


@SETTINGS
@given(loads(), st.sampled_from([1, 2, 3, 8, 32]))
def test_cycles_are_those_of_the_slow_simulation(lengths, depth):
    assert paper_cycles(lengths, depth) == simulate(lengths, depth)


@SETTINGS
@given(loads())
def test_a_deeper_queue_never_takes_longer(lengths):
    cycles = [paper_cycles(lengths, depth) for depth in (1, 2, 8, 32, 1000)]
    assert cycles == sorted(cycles, reverse=True)
    assert cycles[-1] >= lengths.sum(axis=1).max(initial=0)


def test_by_hand():
    # The broadcast takes the first cycle; then the slowest PE's entries follow without a gap.
    assert paper_cycles(np.array([[3, 1, 2], [1, 1, 1]]), 8) == 1 + 6
    # An empty column takes a cycle.
    assert paper_cycles(np.array([[0, 0, 0]]), 8) == 1 + 3
    assert paper_cycles(np.zeros((4, 0), np.int64), 8) == 0
    # Where the queue holds one activation, PE 1 gets its third only when PE 0 starts its second.
    lengths = np.array([[9, 9, 1, 1], [1, 1, 9, 9]])
    assert paper_cycles(lengths, 8) == 1 + 20
    assert paper_cycles(lengths, 1) == 1 + 28


def test_the_papers_queue_is_deep_enough():
    random = np.random.default_rng(0)
    lengths = random.binomial(64, 0.09, (64, 1500))
    at = {depth: paper_cycles(lengths, depth) for depth in (1, 8, 32)}
    ideal = lengths.sum() / 64
    assert at[1] > 1.25 * ideal
    assert at[8] < 1.2 * ideal
    assert at[32] <= at[8]


@pytest.mark.parametrize("pes", [1, 8])
def test_the_paper_mode_counts_the_papers_machine(pes, random_network, roomy, reference):
    network = random_network(60, 80, 20, density=0.1)
    inputs = np.random.default_rng(0).integers(-900, 900, (3, 60)).astype(np.int16)
    inputs[:, ::3] = 0
    design = roomy(pes)
    result = emulate(network, design, inputs, paper=True)
    assert np.array_equal(result.outputs, reference(network, inputs))
    assert result.report.machine == "paper"
    packed = pack(network, design, assignment="natural")
    hidden = reference_hidden(network, inputs, reference)
    for part, taken, layer in zip(
        packed.layers, (inputs, hidden), result.report.layers, strict=True
    ):
        lengths = part.encoded.lengths()
        assert layer.cycles == sum(simulate(lengths[:, v != 0], 8) for v in taken)
        assert layer.padding_entries == part.encoded.padding
    assert result.report.total_cycles == sum(layer.cycles for layer in result.report.layers)
    saturated = [layer.saturated for layer in result.report.layers]
    again = paper_report(packed, [inputs, hidden.astype(np.int16)], saturated)
    assert again == result.report


def reference_hidden(network, inputs, reference):
    none = np.zeros((0, inputs.shape[1]), np.int16), np.zeros((0, network.layers[0].rows), np.int16)
    return reference(type(network)(network.layers[:1], *none), inputs)
