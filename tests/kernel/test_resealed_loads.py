"""Loads with a right CRC and wrong sections: kernel and emulator refuse the same ones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from eie.hls.spec.packets import LAYER, NETWORK, Kind, Status, build_packet, iterate_sections
from eie.host.packing.packer import pack

BAD = Status.BAD_CONTENTS


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


def load(packed, sections, layers=2, **network: int) -> bytes:
    # Nothing is held in it, so all other fields are zero.
    fields = dict.fromkeys((field.name for field in NETWORK.fields), 0)
    fields |= {"network_id": packed.network_id, "layers": layers}
    start = NETWORK.build(**fields | network)
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


def test_every_number_that_contradicts_its_neighbours(twin, packed, sections):
    """Each by one, by a power of two and to its ends."""
    for field in NETWORK.fields:
        if field.name in ("network_id", "layers"):
            continue
        for value in other_values(0, field.bits):
            assert twin.status(load(packed, sections, **{field.name: value})) is BAD
    assert twin.status(load(packed, sections, network_id=0)) is BAD
    for number, field in itertools.product(range(2), LAYER.fields):
        start = 1 + number * LAYER.beats
        fields = LAYER.parse(sections[0][start:])
        for value in other_values(fields[field.name], field.bits):
            layers = sections[0].copy()
            layers[start : start + LAYER.beats] = LAYER.build(**fields | {field.name: value})
            changed = fields | {field.name: value}
            fits = allowed(packed.design, number, fields, changed, field.name)
            status = twin.status(load(packed, [layers, *sections[1:]]))
            assert status is (Status.OK if fits else BAD), (number, field.name, value)
    assert twin.run(packed, np.ones((1, 20), np.int16)).shape == (1, 9)


def allowed(design, number: int, before, changed, name: str) -> bool:
    """Whether a layer of the two with another number contradicts nothing."""
    value = changed[name]
    if name in ("low", "high"):
        low, high = (int(np.array(changed[each], "<u2").astype("<i2")) for each in ("low", "high"))
        plain = high == 0x7FFF and low in (-0x8000, 0)
        return low <= high if design.bounds else plain
    if (number, name) == (0, "columns"):
        # Inputs whose pointers take the same words: a column more has no entries.
        return value > 0 and design.pointers_of(value) == design.pointers_of(before[name])
    if (number, name) == (1, "rows"):
        return value > 0 and design.local_rows(value) == before["local_rows"]
    most = {"shift": 39, "rounding": design.bounds}
    # A run may begin with the second layer or end with the first, if the load says so.
    most |= {"begins": 1} if number else {"ends": 1}
    return value <= most.get(name, -1)


def other_values(value: int, bits: int) -> list[int]:
    powers = [value ^ 1 << bit for bit in range(0, bits, 3)]
    return sorted({value + 1, abs(value - 1), *powers, 0, (1 << bits) - 1} - {value})


@pytest.mark.parametrize("place", [1, 2, 3, 4, -3, -2, -1])
def test_beats_that_contradict_the_design(twin, packed, sections, place):
    """In every kind of section: any of a beat's bits that makes it unsound does so in both."""
    for spot, bit in itertools.product((1, -1), range(0, 64, 5)):
        changed = sections[place].copy()
        changed[spot] = int(changed[spot]) ^ 1 << bit
        altered = [*sections]
        altered[place] = changed
        status = twin.status(load(packed, altered))
        assert status in (Status.OK, BAD)
        assert twin.status(packed.run_packet(np.ones((1, 20), np.int16))) is (
            Status.OK if status is Status.OK else Status.NO_NETWORK
        )


def test_gaps_that_are_not_zero(twin, packed, sections):
    for place, bit in itertools.product(range(len(sections)), (8, 15)):
        changed = [section.copy() for section in sections]
        changed[place][0] = int(changed[place][0]) ^ 1 << bit
        assert twin.status(load(packed, changed)) is Status.BAD_SECTION
