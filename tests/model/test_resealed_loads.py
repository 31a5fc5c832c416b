"""Loads whose CRC is right but whose sections are not what a packer makes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import write_back
from eie.hls.spec.packets import (
    LAYER,
    NETWORK,
    SECTION,
    STATUS,
    Kind,
    Status,
    build_packet,
    iterate_sections,
)
from eie.host.packing.packer import pack

DESIGN = Design(pes=2, entries_per_pe=512, pointers_per_pe=64)
DESIGNS = {
    "plain": DESIGN,
    "short": DESIGN.replace(length_bits=4),
    "long": DESIGN.replace(length_bits=6),
}


@pytest.fixture(scope="module", params=DESIGNS)
def packed(random_network, request):
    return pack(random_network(9, 14, 5, seed=3, density=0.4), DESIGNS[request.param])


def sections_of(packed) -> list[np.ndarray]:
    """Sections with their headers."""
    beats, found, position = packed.sections, [], 0
    for fields, _ in iterate_sections(beats):
        found.append(beats[position : position + 1 + fields["length"]])
        position += 1 + fields["length"]
    return found


def load_of(packed, sections: list[np.ndarray], **network: int) -> bytes:
    start = NETWORK.build(
        **{
            "network_id": packed.network_id,
            "layers": 2,
            "lanes": 0,
            "hold": 0,
            "hold_base": 0,
            "stride": 0,
            "reserved": 0,
        }
        | network
    )
    return build_packet(Kind.LOAD, 1, np.concatenate([start, *sections]))


def answer_of(packed, sections: list[np.ndarray], **network: int) -> tuple[Status, str]:
    """Status of a load, and what the emulator says is wrong with its contents."""
    emulator = Emulator(packed.design)
    answer = emulator.process(load_of(packed, sections, **network))
    status = Status(STATUS.parse(np.frombuffer(answer, "<u8")[2:])["status"])
    assert (emulator.resident is None) == (status is not Status.OK)
    assert bool(emulator.load_problems) == (status is Status.BAD_CONTENTS)
    return status, "; ".join(emulator.load_problems)


def status_of(packed, sections: list[np.ndarray], **network: int) -> Status:
    return answer_of(packed, sections, **network)[0]


def with_layer(packed, number: int, **changes: int) -> list[np.ndarray]:
    """The sections with other fields in a LAYER record."""
    sections = sections_of(packed)
    layers = sections[0].copy()
    start = SECTION.beats + number * LAYER.beats
    record = layers[start : start + LAYER.beats]
    record[:] = LAYER.build(**LAYER.parse(record) | changes)
    sections[0] = layers
    return sections


def test_as_packed_it_is_good(packed):
    assert status_of(packed, sections_of(packed)) is Status.OK


@pytest.mark.parametrize("number", range(8))
def test_a_missing_section_is_refused(packed, number):
    sections = sections_of(packed)
    del sections[number]
    assert status_of(packed, sections) is Status.BAD_SECTION


@pytest.mark.parametrize("number", range(8))
def test_a_section_twice_is_refused(packed, number):
    sections = sections_of(packed)
    sections.insert(number, sections[number])
    assert status_of(packed, sections) is Status.BAD_SECTION


@pytest.mark.parametrize("number", range(7))
def test_sections_out_of_order_are_refused(packed, number):
    sections = sections_of(packed)
    sections[number], sections[number + 1] = sections[number + 1], sections[number]
    assert status_of(packed, sections) is Status.BAD_SECTION


def test_a_wrong_number_of_layers_is_refused(packed):
    for layers in (0, 1, 3, 9, 1 << 31):
        assert status_of(packed, sections_of(packed), layers=layers) is Status.BAD_SECTION


@pytest.mark.parametrize(
    ("beat", "value"),
    [(0, 1), (0, 1 << 20), (1, 0), (1, 3), (1, 0x10), (3, 0x0100000000000000)],
)
def test_compact_pointers_that_do_not_fit_together_are_refused(random_network, beat, value):
    packed = pack(random_network(9, 14, 5, seed=3, density=0.4), DESIGNS["long"])
    sections = sections_of(packed)
    # Pointers of PE 0, behind the section's own beat: base, lengths, base, lengths. Nine columns
    # leave seven places of the second word empty.
    pointers = sections[2].copy()
    assert pointers[1 + beat] != value
    pointers[1 + beat] = value
    sections[2] = pointers
    status, problems = answer_of(packed, sections)
    assert status is Status.BAD_CONTENTS
    assert "pointers of PE 0 must" in problems


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("network_id", [0]),
        ("lanes", [1, 17, 255]),  # of no words
        ("stride", [1, 2**16 - 1]),  # in no lanes
        ("hold", [1, 2, 255]),
        ("hold_base", [1, 2**16 - 1]),
        ("reserved", [1, 2**16 - 1]),
    ],
)
def test_a_network_that_contradicts_its_layers_is_refused(packed, name, values):
    for value in values:
        status, problems = answer_of(packed, sections_of(packed), **{name: value})
        assert status is Status.BAD_CONTENTS
        said = {"hold": "held inputs must lie|hold must", "stride": "lanes of .* words must"}
        assert re.search(said.get(name, name), problems), problems


@pytest.mark.parametrize(
    ("number", "name", "values"),
    [
        (0, "columns", [0, 65537, 2**32 - 1]),
        (1, "columns", [0, 13, 15, 2**32 - 1]),
        (0, "rows", [0, 13, 15, 2**32 - 1]),
        (1, "rows", [0, 17, 32, 2**32 - 1]),  # 5 rows are padded to 16
        (0, "pointer_base", [1, 2**24, 2**32 - 1]),
        (1, "pointer_base", [0, 1, 6, 2**24]),
        (0, "bias_base", [1, 2**17]),
        (1, "bias_base", [0, 7, 9, 2**17]),
        (0, "local_rows", [0, 7, 9, 2**17]),
        (1, "local_rows", [0, 7, 9, 2**17]),
        (0, "shift", [40, 47, 63, 64, 255]),  # of accumulators with 40 bits
        (1, "rounding", [2, 255]),
        (0, "function", [1, 5, 6, 255]),  # without cell units
        (0, "accumulate", [1, 2, 255]),
        (1, "accumulate", [1, 2, 255]),
        (0, "source", [1, 2, 255]),
        (1, "source", [1, 2, 255]),
        (0, "source_base", [1, 65535]),
        (0, "hold", [1, 2, 255]),
        (1, "hold_base", [1, 65535]),
        (0, "begins", [0, 2, 255]),
        (1, "ends", [0, 2, 255]),
    ],
)
def test_a_layer_that_contradicts_its_neighbours_is_refused(packed, number, name, values):
    for value in values:
        status, problems = answer_of(packed, with_layer(packed, number, **{name: value}))
        assert status is Status.BAD_CONTENTS, (name, value)
        # A number that its neighbours are held against may be named by theirs.
        assert re.search(
            f"{name} of layer {number}|of layer 1[, ]|{name} must|results of layer {number}",
            problems,
        ), problems


def test_a_shift_up_to_the_accumulators_bits_is_taken(packed):
    for value in (0, 39):
        assert status_of(packed, with_layer(packed, 0, shift=value)) is Status.OK


def test_bounds_that_cross_are_refused(random_network):
    design = DESIGN.replace(bounds=1)
    packed = pack(random_network(9, 14, 5, seed=3, density=0.4), design)
    for low, high in ((1, 0), (0, 0x8000), (0x7FFF, 0x7FFE), (0xFFFF, 0xFFFE)):
        status, problems = answer_of(packed, with_layer(packed, 1, low=low, high=high))
        assert status is Status.BAD_CONTENTS
        assert "low of layer 1 must not be above its high" in problems
    assert status_of(packed, with_layer(packed, 1, low=0xFFFF, high=0xFFFF)) is Status.OK


def test_a_layer_larger_than_the_design_is_refused(random_network):
    packed = pack(random_network(9, 20, 5, seed=3, density=0.4), DESIGN)
    for name, held, most in (("rows_per_pe", 15, 15), ("hidden_activations", 16, 8)):
        emulator = Emulator(DESIGN.replace(**{name: held}))
        emulator.process(packed.load_packet())
        assert f"local_rows of layer 0 must be at most {most}, not 16" in emulator.load_problems


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("step", [-1, 1])
def test_a_section_of_another_length_is_refused(packed, number, step):
    sections = sections_of(packed)
    body = sections[number][1:]
    longer = np.zeros(len(body) + step, "<u8")
    longer[: len(body)] = body[: len(longer)]
    head = SECTION.parse(sections[number]) | {"length": len(longer)}
    sections[number] = np.concatenate([SECTION.build(**head), longer])
    assert status_of(packed, sections) is Status.BAD_CONTENTS


def test_a_gap_that_is_not_zero_is_refused(packed):
    sections = sections_of(packed)
    sections[3] = sections[3].copy()
    sections[3][0] = int(sections[3][0]) | 1 << 8
    assert status_of(packed, sections) is Status.BAD_SECTION


@pytest.mark.parametrize("bias", [1 << 39, -(1 << 39) - 1, 1 << 62, -(1 << 63)])
def test_a_bias_that_would_be_cut_off_is_refused(packed, bias):
    sections = sections_of(packed)
    sections[3] = sections[3].copy()
    sections[3].view("<i8")[2] = bias
    status, problems = answer_of(packed, sections)
    assert status is Status.BAD_CONTENTS
    assert problems == "biases of PE 0 must fit accumulators of 40 bits"


def test_a_weight_for_code_0_is_refused(packed):
    sections = sections_of(packed)
    sections[1] = sections[1].copy()
    sections[1][5] = int(sections[1][5]) | 7
    status, problems = answer_of(packed, sections)
    assert status is Status.BAD_CONTENTS
    assert "first weight of every codebook" in problems


@pytest.mark.parametrize("index_bits", [3, 6])
def test_an_entry_of_more_bits_is_refused(random_network, index_bits):
    design = DESIGN.replace(index_bits=index_bits)
    packed = pack(random_network(9, 14, 5, seed=3, density=0.4), design)
    sections = sections_of(packed)
    sections[4] = sections[4].copy()
    sections[4][1] = int(sections[4][1]) | 1 << 4 + index_bits
    status, problems = answer_of(packed, sections)
    assert status is Status.BAD_CONTENTS
    assert f"entries of PE 0 must have {4 + index_bits} bits" in problems


@pytest.mark.parametrize(
    ("spot", "value"), [(0, 2**32 - 1), (1, 200), (3, 1), (11, 2**31), (19, 513), (19, 0)]
)
def test_plain_pointers_that_fall_or_lead_beyond_are_refused(random_network, spot, value):
    packed = pack(random_network(9, 14, 5, seed=3, density=0.4), DESIGN)
    sections = sections_of(packed)
    sections[2] = sections[2].copy()
    pointers = sections[2][1:].view("<u4")
    assert pointers[spot] != value
    pointers[spot] = value
    assert status_of(packed, sections) is Status.BAD_CONTENTS


def test_entries_that_lead_out_of_the_rows_are_dropped(packed):
    """No packer makes them, and nothing forbids them: they change nothing but cycles."""
    sections = sections_of(packed)
    emulator = Emulator(packed.design)
    inputs = packed.run_packet(np.full((1, 9), 100, np.int16))
    for place in (4, 7):
        sections[place] = sections[place].copy()
        lanes = sections[place][1:].view("<u1")
        lanes[:] = 0x1F  # weight 1 behind 15 zeros: row 15 of 8
    assert emulator.process(load_of(packed, sections))[-16] == Status.OK
    outputs = np.frombuffer(emulator.process(inputs), "<i2")[8:-8]
    layer = packed.layers[1].layer
    nothing = write_back(layer.bias, layer.write_back)
    assert np.array_equal(outputs[packed.layers[1].slot_of_row], nothing)


@given(position=st.integers(0, 10_000), value=st.integers(0, 2**64 - 1))
@settings(max_examples=60, deadline=None)
def test_altered_contents_are_refused_or_taken_and_nothing_else(packed, position, value):
    beats = np.concatenate(sections_of(packed))
    beats[position % len(beats)] = value
    assert status_of(packed, [beats]) in (Status.OK, Status.BAD_SECTION, Status.BAD_CONTENTS)
