"""Loads whose CRC is right but whose sections are not what a packer makes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import PacketError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.hls.spec.packets import NETWORK, STATUS, Kind, Status, build_packet, iterate_sections
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


def status_of(packed, sections: list[np.ndarray], layers: int = 2) -> Status:
    start = NETWORK.build(
        network_id=packed.network_id,
        layers=layers,
        input_beats=packed.input_beats,
        output_beats=packed.output_beats,
    )
    answer = Emulator(packed.design).process(
        build_packet(Kind.LOAD, 1, np.concatenate([start, *sections]))
    )
    return Status(STATUS.parse(np.frombuffer(answer, "<u8")[2:])["status"])


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
        assert status_of(packed, sections_of(packed), layers) is Status.BAD_SECTION


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
    with pytest.raises(PacketError, match="contradict each other"):
        status_of(packed, sections)


def test_a_layer_with_fewer_rows_than_its_entries_is_refused(packed):
    sections = sections_of(packed)
    layers = sections[0].copy()
    layers[1] = int(layers[1]) - (3 << 32)
    sections[0] = layers
    with pytest.raises(PacketError, match="entries reach beyond the layer's 11 rows"):
        status_of(packed, sections)


@given(position=st.integers(0, 10_000), value=st.integers(0, 2**64 - 1))
@settings(max_examples=60, deadline=None)
def test_altered_contents_are_refused_or_taken_but_never_crash(packed, position, value):
    beats = np.concatenate(sections_of(packed))
    beats[position % len(beats)] = value
    try:
        status = status_of(packed, [beats])
    except PacketError as error:
        assert "contradict each other" in str(error)
    else:
        assert status in (Status.OK, Status.BAD_SECTION)
