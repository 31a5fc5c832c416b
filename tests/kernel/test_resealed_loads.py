"""Loads with a right CRC and wrong sections: kernel and emulator refuse the same ones."""

from __future__ import annotations

import numpy as np
import pytest

from eie.hls.spec.packets import NETWORK, Kind, Status, build_packet, iterate_sections
from eie.host.packing.packer import pack


@pytest.fixture(scope="module")
def twin(twin_of, small):
    return twin_of(small)


@pytest.fixture(scope="module")
def packed(random_network, small):
    return pack(random_network(20, 30, 9, magnitude=900), small)


@pytest.fixture(scope="module")
def sections(packed) -> list[np.ndarray]:
    found, position = [], 0
    for fields, _ in iterate_sections(packed.sections):
        found.append(packed.sections[position : position + 1 + fields["length"]])
        position += 1 + fields["length"]
    return found


def load(packed, sections, layers=2) -> bytes:
    start = NETWORK.build(
        network_id=packed.network_id,
        layers=layers,
        input_beats=packed.input_beats,
        output_beats=packed.output_beats,
    )
    return build_packet(Kind.LOAD, 1, np.concatenate([start, *sections]))


def test_missing_doubled_and_swapped_sections(twin, packed, sections):
    assert twin.status(load(packed, sections)) is Status.OK
    for number in range(len(sections)):
        missing = sections[:number] + sections[number + 1 :]
        doubled = [*sections[: number + 1], *sections[number:]]
        swapped = [
            *sections[:number],
            *sections[number : number + 2][::-1],
            *sections[number + 2 :],
        ]
        for wrong in (missing, doubled, *([swapped] if number + 1 < len(sections) else [])):
            assert twin.status(load(packed, wrong)) is Status.BAD_SECTION
    assert twin.status(load(packed, sections)) is Status.OK


def test_a_wrong_number_of_layers(twin, packed, sections):
    for layers in (0, 1, 3, 257, 512, 1 << 31):
        assert twin.status(load(packed, sections, layers)) is Status.BAD_SECTION
    assert twin.status(load(packed, sections)) is Status.OK


def test_a_run_after_a_refused_load_is_refused(twin, packed, sections):
    inputs = np.ones((1, 20), np.int16)
    assert twin.status(load(packed, sections[:-1])) is Status.BAD_SECTION
    assert twin.status(packed.run_packet(inputs)) is Status.NO_NETWORK
    assert twin.run(packed, inputs).shape == (1, 9)
