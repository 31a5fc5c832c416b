"""The host's side: engines that do nothing, calls noted and clocked, and the page's section."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pynq
import pytest

from benchmarks import borders as clocks
from benchmarks.borders import Borders
from benchmarks.host_calls import BOARD, MADE_AGAIN, SIDES, measure_call
from benchmarks.host_speed import BATCHES, SMALL, HostRow, packed_network, vectors
from benchmarks.measuring import Environment, each_side_by_side
from benchmarks.null_engine import NullEngine
from benchmarks.page import page
from benchmarks.recording import device_calls, made_again, mapped, pynq_calls
from benchmarks.results import Part, Results
from benchmarks.still_overlay import StillOverlay
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
    with EmulatedBoard(BOARD, lambda: NullEngine(packed.design)) as board:
        yield board


def test_the_null_engine_answers_as_the_emulator_does(packed, codes):
    null, emulator = NullEngine(packed.design), Emulator(packed.design)
    packets = [packed.load_packet(), packed.run_packet(codes, 1), packed.run_packet(codes, 2)]
    packets += [packed.run_packet(codes[:1], 3), packed.run_packet(codes[:1], 70_000)]
    other = packed_network(24)
    packets += [packed.run_packet(codes, 4), other.load_packet(), packed.run_packet(codes, 5)]
    for packet in packets:
        assert null.process(packet) == emulator.process(packet)


def test_the_null_engine_does_not_work(packed, codes):
    null = NullEngine(packed.design)
    null.process(packed.load_packet())
    answers = [null.process(packed.run_packet(codes * factor)) for factor in (1, 0)]
    assert answers[0] == answers[1]


def test_the_real_driver_takes_the_null_engine(board, packed, codes, expected):
    with Accelerator(board.bitfile) as accelerator:
        accelerator.load(packed.network)
        for _ in range(3):
            assert np.array_equal(accelerator.run(codes), expected)


def test_a_still_overlay_is_all_that_the_driver_needs(packed, codes, expected):
    still = StillOverlay(NullEngine(packed.design))
    with (
        pynq_calls() as noted,
        noted.noted(),
        still.installed(),
        Accelerator(still.bitfile) as accelerator,
    ):
        accelerator.load(packed.network)
        number = accelerator._link._sequence
        assert np.array_equal(accelerator.run(codes), expected)
        still.keep_still()
        for _ in range(3):
            accelerator._link._sequence = number
            assert np.array_equal(accelerator.run(codes), expected)
    assert not noted.counts, "what is eie's own must not call pynq"


def test_calls_are_noted_and_can_be_made_again(board, packed, codes, expected):
    with (
        pynq_calls() as into_pynq,
        device_calls() as into_device,
        Accelerator(board.bitfile) as accelerator,
    ):
        accelerator.load(packed.network)
        accelerator.run(codes)
        with into_pynq.noted(), into_device.noted():
            assert np.array_equal(accelerator.run(codes), expected)
        # A channel's DMASR, address (two halves) and length; both DMASR, and the length.
        assert (into_device.counts["write_registers"], into_pynq.counts["write_reg"]) == (8, 8)
        assert (into_device.counts["read_registers"], into_pynq.counts["read"]) == (3, 3)
        assert (into_device.counts["flush"], into_pynq.counts["flush"]) == (1, 1)
        assert (into_device.counts["invalidate"], into_pynq.counts["invalidate"]) == (1, 1)
        counted = into_device.counts.total()
        with into_device.noted():
            made_again(into_pynq.all())()
        assert into_device.counts.total() == 2 * counted
        made_again(into_device.all())()
        made_again(mapped(into_pynq))()
        assert np.array_equal(accelerator.run(codes), expected)
    assert len(into_pynq.all()) == into_pynq.counts.total()
    kinds = ("registers", "buffers", "overlay")
    assert sum(len(into_pynq.of(kind)) for kind in kinds) == len(into_pynq.all())


def test_clocks_at_the_borders_tell_whose_time_it_is(board):
    now = 0.0

    def taking(seconds, method):
        def slow(*arguments):
            nonlocal now
            now += seconds
            return method(*arguments)

        return slow

    with (
        mock.patch.object(clocks, "perf_counter", lambda: now),
        mock.patch.object(clocks, "_cost_of_a_clock", lambda: (0.25, 0.5)),
        mock.patch.object(
            EmulatedDevice, "read_registers", taking(5.0, EmulatedDevice.read_registers)
        ),
        mock.patch.object(pynq.MMIO, "read", taking(3.0, pynq.MMIO.read)),
    ):
        borders = Borders()
        overlay = pynq.Overlay(str(board.bitfile))
        borders.install()
        registers = pynq.MMIO(overlay.ip_dict[DMA.name]["phys_addr"], 0x1000)
        borders.measure(taking(2.0, lambda: registers.read(0)), 4)
        borders.measure(taking(20.0, lambda: registers.read(0)), 4)
        borders.remove()
        registers.read(0)
    # A clock takes a quarter of a second of what it shows, and half a second of what is around it:
    # pynq's has the device's clock inside of it.
    best = borders.best()
    assert (best.eie, best.pynq, best.device) == (1.5e6, 2.25e6, 4.75e6)
    assert best.total == 8.5e6
    assert borders.median().eie == (1.5e6 + 19.5e6) / 2
    borders.forget()
    with pytest.raises(ValueError):
        borders.best()


def test_nothing_stays_patched(packed, codes):
    before = {name: vars(EmulatedDevice)[name] for name in ("read_registers", "flush")}
    reads = pynq.MMIO.read
    measured = measure_call(packed, codes)
    assert {name: vars(EmulatedDevice)[name] for name in before} == before
    assert pynq.MMIO.read is reads
    assert set(measured) >= {"run", *SIDES}


def test_short_calls_are_measured_in_a_row():
    calls: list[str] = []
    timings = each_side_by_side(
        {"a": lambda: calls.append("a")}, begin=lambda: calls.append("begin"), repeats=3
    )
    assert calls[:3] == ["a", "a", "begin"]
    assert len(calls) > 100
    assert timings["a"].best_us <= timings["a"].median_us


def test_the_part_measures_all_that_is_compared(results, small_layers):
    rows = results.rows("host")
    by_name = {layer.name: layer for layer in small_layers}
    middle, long = by_name["Alex-7"].inputs, by_name["VGG-6"].inputs
    for group in ("write", "read"):
        for case in (
            (SMALL, 1),
            (middle, 1),
            (middle, BATCHES[0]),
            (middle, BATCHES[1]),
            (long, 1),
        ):
            found = [row for row in rows if (row.group, row.width, row.batch) == (group, *case)]
            assert [row.what for row in found] == ["int16", "float32", "crc", "memcpy"]
            assert len({row.size for row in found}) == 1
    (run,) = (row for row in rows if (row.group, row.what) == ("call", "run"))
    assert (run.reads, run.writes) == (3, 8)
    for driver in ("eie", "pynq"):
        transfer, device = (
            row for row in rows if row.group == "transfer" and row.what.startswith(driver)
        )
        assert transfer.reads and transfer.writes and device.what == f"{driver}: device"


def _made_up() -> list[HostRow]:
    def row(group: str, what: str, best: float, reads: int = 0, writes: int = 0) -> HostRow:
        return HostRow(group, what, SMALL, 1, 160, 2 * best, best, reads, writes)

    rows = []
    for group, times in (("write", (8.0, 32.0, 2.0, 0.5)), ("read", (16.0, 20.0, 4.0, 1.0))):
        whats = ("int16", "float32", "crc", "memcpy")
        rows += [row(group, what, time) for what, time in zip(whats, times, strict=True)]
    rows += [row("call", "run", 100.0, 3, 8), row("call", "run, float32", 123.0)]
    rows += [row("call", side, time) for side, time in zip(SIDES, (60, 20, 30), strict=True)]
    alone = {"eie": 40, "registers": 5, "buffers": 3, "overlay": 2, "device": 25}
    assert set(alone) == {part for parts in MADE_AGAIN.values() for part in parts}
    alone["mapped registers"] = 3.5
    rows += [row("call", f"alone: {part}", time) for part, time in alone.items()]
    rows += [row("transfer", "eie", 60.0, 3, 8), row("transfer", "eie: device", 20.0)]
    rows += [row("transfer", "pynq", 80.0, 14, 6), row("transfer", "pynq: device", 30.0)]
    return rows


def test_the_section_says_what_the_rows_say():
    environment = Environment("a processor", 2, 0.5, "Python 3")
    text = page(Results(1, {"host": Part(environment, 1.0, tuple(_made_up()))}))
    text = " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())
    for line in (
        "| packet written, 1 x 64 | 160 | 320 | 20 | 16 | 25 % | 5 | 64 |",
        "| answer read, 1 x 64 | 160 | 160 | 10 | 16 | 25 % | 8 | 20 |",
        "| eie | 60.0 | 40.0 |",
        "| pynq | 20.0 | 10.0 |",
        "| emulated device and null kernel | 30.0 | 25.0 |",
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
