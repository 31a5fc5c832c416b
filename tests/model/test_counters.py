"""What the emulator counts. (Equality with the compiled kernel is tested in tests/kernel.)"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.hls.spec.packets import Kind
from eie.host.network import Layer, Network
from eie.host.packing.packer import pack
from eie.host.packing.row_assignment import order_inputs

SETTINGS = settings(max_examples=40, deadline=None, derandomize=True, database=None)
PES = st.sampled_from([1, 2, 4, 8, 32, 256])


@pytest.fixture(scope="session")
def count(talk):
    """Run a batch; gives the counters and what each layer took, by slot."""

    def run(network, design, inputs):
        packed = pack(network, design)
        talker = talk(design)
        talker.send(packed.load_packet())
        talker.send(packed.run_packet(inputs))
        return talker.emulator.last_counters, packed, talker

    return run


def codes(seed: int, batch: int, width: int, density: float) -> np.ndarray:
    random = np.random.default_rng(seed)
    values = random.integers(-2000, 2000, (batch, width))
    return (values * (random.random(values.shape) < density)).astype(np.int16)


@SETTINGS
@given(
    st.lists(st.integers(1, 60), min_size=2, max_size=4),
    PES,
    st.sampled_from([0.0, 0.2, 1.0]),
    st.integers(0, 3),
    st.integers(0, 99),
)
def test_busy_is_every_entry_met(random_network, roomy, count, sizes, pes, density, batch, seed):
    network = random_network(*sizes, seed=seed, magnitude=300)
    counters, packed, talker = count(network, roomy(pes), codes(seed, batch, sizes[0], density))
    met = np.zeros(pes, np.int64)
    for part, activations in zip(packed.layers, talker.emulator.last_activations[:-1], strict=True):
        met += part.encoded.lengths() @ np.count_nonzero(activations, axis=0)
    assert np.array_equal(counters.busy, met)
    assert (counters.starved >= 0).all()
    assert (counters.full >= 0).all()
    # A PE does one thing a cycle, and the whole run lasts at least as long as the busiest.
    assert (counters.busy + counters.starved).max() <= counters.cycles


def test_the_answer_to_counters_is_the_table_of_the_format(random_network, roomy, count):
    counters, packed, talker = count(random_network(300, 200), roomy(4), codes(0, 40, 300, 0.5))
    assert counters.busy.max() > 0xFFFF  # else the upper halves are not tested
    body = talker.ask(Kind.COUNTERS).body
    assert int(body[0]) == counters.cycles
    table = body[1:].view("<u2").reshape(8, 4).astype(np.int64)
    for row, values in enumerate((counters.busy, counters.starved, counters.full)):
        assert np.array_equal(table[2 * row] + (table[2 * row + 1] << 16), values)
    assert not table[6:].any()
    assert talker.emulator.registers["cycles"] == counters.cycles
    assert packed.design.pes == 4


def test_counters_are_those_of_the_last_run(random_network, roomy, talk):
    packed = pack(random_network(60, 40), roomy(4))
    talker = talk(packed.design)
    talker.send(packed.load_packet())
    taken = []
    for inputs in (codes(0, 3, 60, 1.0), codes(1, 1, 60, 0.1), codes(0, 3, 60, 1.0)):
        talker.send(packed.run_packet(inputs))
        taken.append(talker.ask(Kind.COUNTERS).body)
    assert np.array_equal(taken[0], taken[2])
    assert not np.array_equal(taken[0], taken[1])


def test_counters_outlive_the_next_load(random_network, roomy, talk):
    packed = pack(random_network(60, 40), roomy(4))
    talker = talk(packed.design)
    talker.send(packed.load_packet())
    talker.send(packed.run_packet(codes(0, 3, 60, 1.0)))
    before = talker.ask(Kind.COUNTERS).body
    talker.send(pack(random_network(10, 10), packed.design).load_packet())
    assert np.array_equal(talker.ask(Kind.COUNTERS).body, before)


def test_zeros_cost_a_cycle_a_word_and_no_entry(random_network, roomy, count):
    def cycles_of(columns: int) -> int:
        network = random_network(columns, 16)
        counters, *_ = count(network, roomy(4), np.zeros((1, columns), np.int16))
        assert not counters.busy.any()
        assert not counters.full.any()
        return counters.cycles

    # Sixteen activations are a word, which the packet brings in four beats.
    assert cycles_of(320) - cycles_of(160) == 10 * 4


def test_an_activation_without_weights_costs_no_multiplier_cycle(random_network, roomy, count):
    network = random_network(64, 32, density=0.0)
    counters, *_ = count(network, roomy(2), codes(0, 1, 64, 1.0))
    assert not counters.busy.any()


def test_layer_cycles_of_one_vector_add_up(random_network, roomy, count):
    counters, *_ = count(random_network(50, 60, 40, 10), roomy(4), codes(0, 1, 50, 0.5))
    assert len(counters.layer_cycles) == 3
    assert all(cycles > 0 for cycles in counters.layer_cycles)
    # What is left is the start of the run, before the first word.
    assert 0 <= counters.cycles - sum(counters.layer_cycles) < 10


@SETTINGS
@given(st.integers(0, 1000), st.sampled_from([1, 4, 16, 64]))
def test_a_deeper_queue_never_takes_longer(random_network, roomy, count, seed, pes):
    network = random_network(80, 64, seed=seed, density=0.15)
    inputs = codes(seed, 1, 80, 0.7)
    cycles = []
    for depth in (2, 4, 8, 32, 256):
        counters, *_ = count(network, roomy(pes, queue_depth=depth), inputs)
        cycles.append(counters.cycles)
    assert cycles == sorted(cycles, reverse=True)


def test_queues_that_are_too_short_hold_the_broadcast_up(roomy, count):
    # The inputs that are sent first meet the rows of PE 0 alone, the others all of the rest.
    sent = order_inputs(300, "balanced")
    kept = (np.arange(64)[:, None] % 16 == 0) == (sent < 150)
    layer = Layer.from_dense_codes("a", kept.astype(np.uint8), codebook=np.arange(16, dtype="i2"))
    network = Network((layer,))
    inputs = codes(0, 1, 300, 1.0)
    short, *_ = count(network, roomy(16, queue_depth=2), inputs)
    deep, *_ = count(network, roomy(16, queue_depth=256), inputs)
    assert short.full.sum() > 0
    assert deep.full.sum() == 0
    assert short.cycles > deep.cycles
    assert np.array_equal(short.busy, deep.busy)


def test_more_pes_share_the_work(random_network, count):
    network = random_network(300, 256, density=0.5)
    inputs = codes(0, 1, 300, 1.0)
    cycles = []
    for pes in (1, 2, 4, 8, 16):
        design = Design(pes=pes, entries_per_pe=1 << 16, rows_per_pe=256, accumulator_bits=48)
        cycles.append(count(network, design, inputs)[0].cycles)
    for one, two in itertools.pairwise(cycles):
        assert 1.7 < one / two < 2.1


def test_totals_add_everything_up():
    def counters(start: int) -> Counters:
        return Counters(
            start, np.array([start, 1]), np.array([start, 2]), np.array([start, 3]), (start, 4)
        )

    total = Counters.total([counters(10), counters(100)])
    assert total.cycles == 110
    assert total.busy.tolist() == [110, 2]
    assert total.starved.tolist() == [110, 4]
    assert total.full.tolist() == [110, 6]
    assert total.layer_cycles == (110, 8)


def test_counters_are_the_same_only_if_everything_is():
    def counters(**changes: object) -> Counters:
        values = {"busy": [1, 2], "starved": [3, 4], "full": [5, 6], **changes}
        cycles = values.pop("cycles", 9)
        return Counters(cycles, **{name: np.array(value) for name, value in values.items()})

    assert counters().same_as(counters())
    for other in ({"cycles": 8}, {"busy": [1, 3]}, {"starved": [3, 5]}, {"full": [6, 6]}):
        assert not counters().same_as(counters(**other))
