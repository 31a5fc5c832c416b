"""The packets that a generated project is tested with."""

from __future__ import annotations

import struct

import pytest

from eie.hls.boundary.errors import DesignError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import STATUS, Status, parse_packet
from eie.host.project.golden import golden_packets

DESIGNS = {
    "one PE": Design(pes=1),
    "usual": Design(pes=8, index_bits=3, queue_depth=2),
    "UltraRAM": Design(pes=4, memory="uram", index_bits=8),
    "narrow accumulators": Design(pes=2, accumulator_bits=24),
    "smallest": Design(
        pes=256, entries_per_pe=8, pointers_per_pe=2, rows_per_pe=1, biases_per_pe=1, layers=1,
        hidden_activations=16, accumulator_bits=24,
    ),
}  # fmt: skip


def exchanges(text: str) -> list[tuple[str, bytes, bytes]]:
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]

    def packet(words: list[str]) -> bytes:
        return b"".join(struct.pack("<Q", int(word, 16)) for word in words)

    found = []
    for exchange, request, answer in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        assert (exchange[0], request[0], answer[0]) == ("exchange", "request", "answer")
        found.append((exchange[1], packet(request[1:]), packet(answer[1:])))
    return found


@pytest.mark.parametrize("name", DESIGNS)
def test_the_answers_are_the_emulators(name):
    emulator = Emulator(DESIGNS[name])
    for exchange, request, answer in exchanges(golden_packets(DESIGNS[name])):
        assert emulator.process(request) == answer, exchange


@pytest.mark.parametrize("name", DESIGNS)
def test_good_and_bad_packets_are_among_them(name):
    statuses = {
        exchange: Status(STATUS.parse(parse_packet(answer).payload[-1:])["status"])
        for exchange, _, answer in exchanges(golden_packets(DESIGNS[name]))
    }
    assert statuses["run_without_network"] is Status.NO_NETWORK
    assert statuses["run_dense"] is Status.OK
    assert statuses["run_after_damaged_load"] is Status.NO_NETWORK
    assert statuses["run_again"] is Status.OK
    assert Status.BAD_LENGTH in statuses.values()


@pytest.mark.parametrize("name", DESIGNS)
def test_a_good_load_brings_back_what_a_bad_one_took(name):
    answers = {exchange: answer for exchange, _, answer in exchanges(golden_packets(DESIGNS[name]))}
    assert answers["run_again"] == answers["run_dense"]
    assert answers["run_after_refusals"] == answers["run_dense"]


def test_the_same_design_gives_the_same_text():
    assert golden_packets(Design(pes=4)) == golden_packets(Design(pes=4))
    assert golden_packets(Design(pes=4)) != golden_packets(Design(pes=8))


def test_a_design_that_holds_nothing_is_refused():
    # One PE works on at least sixteen rows.
    with pytest.raises(DesignError, match="must hold at least one weight"):
        golden_packets(Design(pes=1, rows_per_pe=1))
