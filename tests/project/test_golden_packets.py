"""The packets that a generated project is tested with."""

from __future__ import annotations

import struct

import pytest

from eie.hls.boundary.errors import DesignError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import RUN, STATUS, Status, parse_packet
from eie.host.project.golden import golden_packets

DESIGNS = {
    "one PE": Design(pes=1),
    "usual": Design(pes=8, index_bits=3, queue_depth=2),
    "UltraRAM": Design(pes=4, memory="uram", index_bits=8),
    "narrow accumulators": Design(pes=2, accumulator_bits=24),
    "residual": Design(pes=4, held_activations=128, bounds=1),
    "abreast": Design(pes=32, abreast=4, held_activations=512),
    "cell": Design(pes=4, held_activations=128, cell_units=1),
    "small cell": Design(pes=1, held_activations=48, cell_units=4),
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


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("usual", "37, 53 relu, 29 relu, 11 none"),
        ("residual", "37, 21 relu, 37 none, 11 none"),
        ("abreast", "37, 21 relu, 37 none, 11 none"),
        ("cell", "37, 21 lstm, 21 gru, 11 tanh, 11 sigmoid, 11 leaky_relu"),
        ("small cell", "9, 5 lstm, 5 gru, 4 tanh, 4 sigmoid, 4 leaky_relu"),
    ],
)
def test_the_network_uses_what_the_design_has_and_is_said(name, said):
    text = golden_packets(DESIGNS[name])
    assert f"# {said}." in text.splitlines()
    runs = {name: request for name, request, _ in exchanges(text)}
    fields = RUN.parse(parse_packet(runs["run_dense"]).payload[: RUN.beats])
    # A group that is full, and one that is not.
    assert fields["batch"] == 2 * DESIGNS[name].abreast + 1


@pytest.mark.parametrize("name", ["cell", "small cell"])
def test_steps_go_on_from_states_of_runs_and_of_the_host(name):
    found = exchanges(golden_packets(DESIGNS[name]))
    payloads = {exchange: parse_packet(answer).payload for exchange, _, answer in found}
    statuses = {name: STATUS.parse(each[-1:])["status"] for name, each in payloads.items()}
    assert statuses["steps_without_state"] == Status.NO_STATE
    states = [name for name in statuses if name.startswith("state_of_")]
    assert states == ["state_of_layer_1", "state_of_layer_3"]
    steps = ["steps_of_a_sequence", "steps_that_go_on", "steps_from_given_state"]
    assert {statuses[name] for name in [*states, *steps]} == {Status.OK}


def test_the_same_design_gives_the_same_text():
    assert golden_packets(Design(pes=4)) == golden_packets(Design(pes=4))
    assert golden_packets(Design(pes=4)) != golden_packets(Design(pes=8))


def test_a_design_that_holds_nothing_is_refused():
    # One PE works on at least sixteen rows.
    with pytest.raises(DesignError, match="must hold at least one weight"):
        golden_packets(Design(pes=1, rows_per_pe=1))
