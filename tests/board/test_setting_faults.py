"""Faults are set by fields that are there, to values that fit them."""

import pytest

from eie.hls.boundary.errors import InputError
from eie.host.board.dma import DmaStatus
from eie.host.board_emulator import EmulatedBoard, Faults


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hang", True),
        ("slow", 3),
        ("reset", 0),
        ("reset", None),
        ("mm2s_error", DmaStatus.SLAVE_ERROR | DmaStatus.DECODE_ERROR),
        ("mm2s_error", None),
    ],
)
def test_what_fits_is_taken_once(name, value):
    faults = Faults()
    setattr(faults, name, value)
    assert faults.take(name) == value
    assert faults == Faults()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("hangg", True, "fault must be one of mm2s_error, .*, not 'hangg'"),
        ("hang", 1, "fault hang must be True or False, not 1"),
        ("download_error", None, "must be True or False, not None"),
        ("slow", True, "fault slow must be an integer of at least 0, not True"),
        ("stall", -1, "at least 0, not -1"),
        ("truncate_request", 0, "truncate_request must be an integer of at least 1, not 0"),
        ("reset", 1.5, r"at least 0, not 1\.5"),
        ("slow", None, "at least 0, not None"),
        (
            "mm2s_error",
            True,
            r"mm2s_error must be a DmaStatus of eie\.host\.board\.dma, .*not True",
        ),
        ("s2mm_error", "DMAIntErr", "must be a DmaStatus"),
        ("s2mm_error", DmaStatus(0), "must be a DmaStatus"),
    ],
)
def test_what_does_not_fit_is_refused(name, value, message):
    faults = Faults()
    with pytest.raises(InputError, match=message):
        setattr(faults, name, value)
    assert faults == Faults()


def test_a_board_has_a_bitfile_in_its_with_statement_alone():
    board = EmulatedBoard("kv260", lambda: None)
    for _ in range(2):
        with pytest.raises(InputError, match="an emulated board must be in a with statement"):
            _ = board.bitfile
        with board:
            bitfile = board.bitfile
            assert bitfile.is_file()
        assert not bitfile.exists()
