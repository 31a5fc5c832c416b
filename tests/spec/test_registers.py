from __future__ import annotations

import itertools

import pytest

from eie.hls.model.emulator import Emulator
from eie.hls.spec.registers import CONTROL, PORTS, REGISTERS, offset_of


def test_offsets_rise_by_whole_words():
    offsets = [register.offset for register in REGISTERS]
    assert offsets == sorted(set(offsets))
    assert all(offset % 4 == 0 for offset in offsets)


def test_an_output_leaves_room_for_its_valid_flag():
    offsets = [register.offset for register in PORTS]
    assert min(after - before for before, after in itertools.pairwise(offsets)) == 16


def test_control_is_where_vitis_puts_it():
    assert [(r.name, r.offset) for r in CONTROL] == [
        ("CTRL", 0x00),
        ("GIER", 0x04),
        ("IP_IER", 0x08),
        ("IP_ISR", 0x0C),
    ]


def test_a_register_is_found_by_name():
    assert {r.name: r.offset for r in REGISTERS} == {r.name: offset_of(r.name) for r in REGISTERS}
    with pytest.raises(KeyError):
        offset_of("nothing")


def test_an_engine_has_every_register_of_the_kernel(design):
    assert list(Emulator(design).registers) == [port.name for port in PORTS]
