"""The host's side: a prepared engine, calls noted, clocked and left out; the page's section."""

from __future__ import annotations

from collections import Counter
from unittest import mock

import numpy as np
import pynq
import pytest

from benchmarks.measure import interception
from benchmarks.measure.driver_call import (
    ALONE,
    BOARD,
    PreparedEngine,
    measure_call,
    run_noted,
    same_again,
)
from benchmarks.measure.host import BATCHES, SMALL, packed_network, vectors
from benchmarks.measure.interception import (
    INTO_DEVICE,
    INTO_PYNQ,
    Attribution,
    made_again,
    mapped,
    noting,
    replaced,
    without_pynq,
)
from benchmarks.measure.timing import Environment
from benchmarks.page.render import page
from benchmarks.results import Part, Results, Row
from eie.hls.model.emulator import Emulator
from eie.hls.spec.block_design import DMA
from eie.hls.spec.packets import parse_packet
from eie.host.board.driver import Accelerator
from eie.host.board_emulator import EmulatedBoard
from eie.host.board_emulator.device import EmulatedDevice


@pytest.fixture(scope="module")
def packed():
    return packed_network(20)


@pytest.fixture(scope="module")
def codes(packed):
    return vectors(packed, 2)


@pytest.fixture
def expected(packed, codes):
    emulator = Emulator(packed.design)
    emulator.process(packed.load_packet())
    return packed.read_outputs(
        parse_packet(emulator.process(packed.run_packet(codes))).payload[:-1]
    )


@pytest.fixture
def board(packed):
    with EmulatedBoard(BOARD, lambda: PreparedEngine(packed.design)) as board:
        yield board


def test_the_prepared_engine_answers_as_the_emulator_does(packed, codes):
    prepared, emulator = PreparedEngine(packed.design), Emulator(packed.design)
    packets = [packed.load_packet(), packed.run_packet(codes, 1), packed.run_packet(codes, 2)]
    packets += [packed.run_packet(codes[:1], 3), packed.run_packet(codes[:1], 70_000)]
    other = packed_network(24)
    packets += [packed.run_packet(codes, 4), other.load_packet(), packed.run_packet(codes, 5)]
    for packet in packets:
        assert prepared.process(packet) == emulator.process(packet)


def test_the_prepared_engine_does_not_work(packed, codes):
    prepared = PreparedEngine(packed.design)
    prepared.process(packed.load_packet())
    answers = [prepared.process(packed.run_packet(codes * factor)) for factor in (1, 0)]
    assert answers[0] == answers[1]


def test_the_real_driver_takes_the_prepared_engine(board, packed, codes, expected):
    with Accelerator(board.bitfile) as accelerator:
        accelerator.load(packed.network)
        for _ in range(3):
            assert np.array_equal(accelerator.run(codes), expected)


def test_pynq_can_be_left_out_of_a_run(packed, codes, expected):
    with run_noted(packed, codes) as (accelerator, calls):
        again, left_out, crossed = same_again(accelerator, codes), without_pynq(calls), []
        with replaced(noting(crossed, INTO_DEVICE)), replaced(left_out):
            for _ in range(3):
                assert np.array_equal(again(), expected)
        assert not crossed, "what is eie's own must not reach the device"
        assert np.array_equal(accelerator.run(codes), expected)


def test_calls_are_noted_and_can_be_made_again(packed, codes, expected):
    with run_noted(packed, codes) as (accelerator, calls):
        counts = Counter((owner, name) for owner, name, _ in calls)
        # A channel's DMASR, address (two halves) and length; both DMASR, and the length.
        assert counts[pynq.MMIO, "write_reg"] == counts[EmulatedDevice, "write_registers"] == 8
        assert counts[pynq.MMIO, "read"] == counts[EmulatedDevice, "read_registers"] == 3
        for name in ("flush", "invalidate"):
            assert counts[pynq.buffer.PynqBuffer, name] == counts[EmulatedDevice, name] == 1
        assert counts[pynq.Overlay, "is_loaded"] >= 1
        noted = Counter()
        assert {owner for owner, _ in counts} == {*INTO_PYNQ, *INTO_DEVICE}
        crossed = []
        with replaced(noting(crossed, INTO_DEVICE)):
            for owner in INTO_PYNQ:
                made_again(calls, owner)()
        noted = Counter((owner, name) for owner, name, _ in crossed)
        assert noted == {key: of for key, of in counts.items() if key[0] is EmulatedDevice}
        made_again(calls, EmulatedDevice)()
        mapped(calls)()
        assert np.array_equal(accelerator.run(codes), expected)


def test_clocks_tell_whose_time_a_call_is(board):
    now = 0.0

    def taking(seconds, method):
        def slow(*arguments):
            nonlocal now
            now += seconds
            return method(*arguments)

        return slow

    with (
        mock.patch.object(interception, "perf_counter", lambda: now),
        mock.patch.object(Attribution, "_cost_of_a_clock", lambda _: (0.25, 0.5)),
        mock.patch.object(
            EmulatedDevice, "read_registers", taking(5.0, EmulatedDevice.read_registers)
        ),
        mock.patch.object(pynq.MMIO, "read", taking(3.0, pynq.MMIO.read)),
    ):
        attribution = Attribution()
        overlay = pynq.Overlay(str(board.bitfile))
        with replaced(attribution.clocks):
            registers = pynq.MMIO(overlay.ip_dict[DMA.name]["phys_addr"], 0x1000)
            attribution.measure(taking(2.0, lambda: registers.read(0)), 4)
            attribution.measure(taking(20.0, lambda: registers.read(0)), 4)
        registers.read(0)
    # A clock takes a quarter of a second of what it shows, and half a second of what is around it:
    # pynq's has the device's clock inside of it.
    timings = attribution.timings()
    best = [timings[side].best_us for side in ("eie", "pynq", "device")]
    assert best == [1.5e6, 2.25e6, 4.75e6]
    assert sum(best) == 8.5e6
    assert timings["eie"].median_us == (1.5e6 + 19.5e6) / 2


def test_nothing_stays_patched(packed, codes):
    before = {name: vars(EmulatedDevice)[name] for name in ("read_registers", "flush")}
    reads = pynq.MMIO.read
    timings, accesses = measure_call(packed, codes)
    assert {name: vars(EmulatedDevice)[name] for name in before} == before
    assert pynq.MMIO.read is reads
    assert set(timings) >= {"run", *ALONE}
    assert accesses == {"run": (3, 8)}


def test_the_part_measures_all_that_is_compared(results, small_layers):
    rows = results.parts["host"].rows
    by_name = {layer.name: layer for layer in small_layers}
    middle, long = by_name["Alex-7"].inputs, by_name["VGG-6"].inputs
    cases = [(SMALL, 1), (middle, 1), *((middle, batch) for batch in BATCHES), (long, 1)]
    for group in ("write", "read"):
        for width, batch in cases:
            wanted = {"group": group, "width": width, "batch": batch}
            found = [row for row in rows if row.items() >= wanted.items()]
            assert [row["what"] for row in found] == ["int16", "float32", "crc", "memcpy"]
            assert len({row["size"] for row in found}) == 1
    (run,) = (row for row in rows if (row["group"], row["what"]) == ("call", "run"))
    assert (run["reads"], run["writes"]) == (3, 8)
    for driver in ("eie", "pynq"):
        transfer, device = (
            row for row in rows if row["group"] == "transfer" and row["what"].startswith(driver)
        )
        assert transfer["reads"] and transfer["writes"] and device["what"] == f"{driver}: device"


def _made_up() -> list[Row]:
    def row(group: str, what: str, best: float, reads: int = 0, writes: int = 0) -> Row:
        row = {"group": group, "what": what, "width": SMALL, "batch": 1, "size": 160}
        return row | {"median_us": 2 * best, "best_us": best, "reads": reads, "writes": writes}

    rows = []
    for group, times in (("write", (8.0, 32.0, 2.0, 0.5)), ("read", (16.0, 20.0, 4.0, 1.0))):
        whats = ("int16", "float32", "crc", "memcpy")
        rows += [row(group, what, time) for what, time in zip(whats, times, strict=True)]
    rows += [row("call", "run", 100.0, 3, 8), row("call", "run, float32", 123.0)]
    rows += [row("call", side, time) for side, time in zip(ALONE, (60, 20, 30), strict=True)]
    alone = {"eie": 40, "registers": 5, "buffers": 3, "overlay": 2, "device": 25}
    assert set(alone) == {part for parts in ALONE.values() for part in parts}
    alone["mapped registers"] = 3.5
    rows += [row("call", f"alone: {part}", time) for part, time in alone.items()]
    rows += [row("transfer", "eie", 60.0, 3, 8), row("transfer", "eie: device", 20.0)]
    rows += [row("transfer", "pynq", 80.0, 14, 6), row("transfer", "pynq: device", 30.0)]
    return rows


def test_the_section_says_what_the_rows_say():
    environment = Environment("a processor", 2, 0.5, "Python 3")
    text = page(Results(1, {"host": Part(1.0, environment, _made_up())}))
    text = " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())
    for line in (
        "| packet written, 1 x 64 | 160 | 320 | 20 | 16 | 25 % | 5 | 64 |",
        "| answer read, 1 x 64 | 160 | 160 | 10 | 16 | 25 % | 8 | 20 |",
        "| eie | 60.0 | 40.0 |",
        "| pynq | 20.0 | 10.0 |",
        "| emulated device and prepared answer | 30.0 | 25.0 |",
        "| all three | 110.0 | 75.0 |",
        "| eie and pynq | 80.0 | 50.0 |",
        "| pynq's share of these two | 25 % | 20 % |",
        "A call takes 100 µs, and 123 µs from float32 to float32",
        "3 registers are read and 8 written",
        "All three together are 10.0 % more than the call without clocks",
        "All three together are 75 % of the call",
        "the same calls into the device take 20 % longer within a call",
        "take 5.0 µs by the hook and 3.5 µs into mapped memory",
        "| eie: start, finish | 3 | 8 | 60.0 | 20.0 | 40.0 |",
        "| pynq: transfer, wait, twice | 14 | 6 | 80.0 | 30.0 | 50.0 |",
        "Ours takes 0.75 times pynq's time, and 0.80 times without the device's",
        "It touches 11 registers instead of 20",
        "0.5 (host)",
    ):
        assert line in text
