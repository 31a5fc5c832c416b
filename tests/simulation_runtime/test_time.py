"""Cycles: what a FIFO of a given depth can do, polling, stalls."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from types import ModuleType

import pytest

Scenario = Callable[..., dict[str, str]]


@pytest.mark.parametrize("consumer_first", [0, 1])
@pytest.mark.parametrize(
    ("depth", "idle", "cycles", "high_water", "writer_waits", "reader_waits"),
    [
        # Depth 1 passes an element every second cycle, depth 2 one in each.
        (1, 0, 200, 1, 99, 100),
        (2, 0, 101, 2, 0, 1),
        (8, 0, 101, 2, 0, 1),
        # A consumer of three cycles an element sets the pace, and the FIFO fills: element i is
        # read in cycle 1 + 3 i, the last one written in cycle 2 + 3 (99 - depth).
        (1, 2, 301, 1, 197, 1),
        (2, 2, 301, 2, 194, 1),
        (8, 2, 301, 8, 176, 1),
    ],
)
def test_depth_sets_throughput(
    scenario: Scenario,
    depth: int,
    idle: int,
    cycles: int,
    high_water: int,
    writer_waits: int,
    reader_waits: int,
    consumer_first: int,
) -> None:
    result = scenario("pass_elements", depth, 100, idle, consumer_first)
    assert result == {
        "cycles": str(cycles),
        "now": str(cycles),
        "link.written": "100",
        "link.read": "100",
        "link.high_water": str(high_water),
        "link.writer_waits": str(writer_waits),
        "link.reader_waits": str(reader_waits),
    }


@pytest.mark.parametrize("links", [1, 2, 10])
def test_each_stream_of_a_chain_adds_a_cycle(scenario: Scenario, links: int) -> None:
    assert scenario("chain", links, 50)["cycles"] == str(50 + links)


def test_polling_sees_an_element_one_cycle_after_its_write(scenario: Scenario) -> None:
    result = scenario("poll")
    # Cycle; empty(); read_nb(); value. Written in cycles 2, 4 and 5.
    assert result["seen"] == "0e--1 1e--1 2e--1 3-r2 4e--1 5-r4 6-r5 "
    assert result["link.reader_waits"] == "4"


def test_polling_sees_a_slot_one_cycle_after_its_read(scenario: Scenario) -> None:
    result = scenario("offer")
    # Depth 2. Read in cycles 3 and 5, then in 10 and 11.
    assert result["seen"] == "0-w 1-w 2f- 3f- 4-w 5f- 6-w "
    assert result["values"] == "0 1 4 6 "


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 2), (1, 10), (9, 10), (0, 3)])
def test_ports_pause_in_the_cycles_of_their_pattern(
    scenario: Scenario, reference: ModuleType, numerator: int, denominator: int
) -> None:
    count, seed = 40, 11
    result = scenario("stall", seed, numerator, denominator, count)

    def ready_cycles(port_seed: int) -> list[str]:
        ready = (
            cycle
            for cycle in itertools.count()
            if not reference.stalls(port_seed, numerator, denominator, cycle)
        )
        return [str(cycle) for cycle in itertools.islice(ready, count)]

    assert result["reads"].split() == ready_cycles(seed)
    assert result["writes"].split() == ready_cycles(seed + 1)
    assert result["size"] == str(count)


def test_splitmix64_is_the_published_generator(reference: ModuleType) -> None:
    # The first outputs for seed 1234567 that implementations of the generator are checked with.
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [reference.splitmix64(1234567, i) for i in range(3)] == expected
