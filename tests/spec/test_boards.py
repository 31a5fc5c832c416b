from __future__ import annotations

import dataclasses

import pytest

from eie.hls.boundary.errors import InputError
from eie.hls.spec.boards import BOARDS, find_board

#: Look-up tables, flip-flops, block RAMs of 36 Kib, UltraRAMs and DSP slices, by part.
RESOURCES = {
    "xc7z020clg400-1": (53_200, 106_400, 140, 0, 220),
    "xczu3eg-sbva484-1-i": (70_560, 141_120, 216, 0, 360),
    "xczu3eg-sfvc784-2-e": (70_560, 141_120, 216, 0, 360),
    "xck26-sfvc784-2LV-c": (117_120, 234_240, 144, 64, 1_248),
    "xczu7ev-ffvc1156-2-e": (230_400, 460_800, 312, 96, 1_728),
    "xczu48dr-ffvg1517-2-e": (425_280, 850_560, 1_080, 80, 4_272),
}


def test_every_board_has_the_resources_of_its_part():
    for board in BOARDS.values():
        values = (board.lut, board.ff, board.bram36, board.uram, board.dsp)
        assert values == RESOURCES[board.part]
    assert {board.part for board in BOARDS.values()} == set(RESOURCES)


def test_only_the_zynq_7000_has_the_old_processing_system():
    for board in BOARDS.values():
        assert (board.family == "zynq7") == board.part.startswith("xc7z")


def test_a_board_is_found_by_the_name_it_bears():
    for name in BOARDS:
        assert find_board(name).name == name


def test_an_unknown_board_is_refused_with_a_list_of_those_there_are():
    with pytest.raises(InputError) as caught:
        find_board("pynq-z3")
    assert str(caught.value) == f"board must be one of {', '.join(BOARDS)}, not 'pynq-z3'"


def test_boards_cannot_be_changed():
    with pytest.raises(TypeError):
        BOARDS["mine"] = BOARDS["kv260"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        BOARDS["kv260"].dsp = 1_000_000
