"""The paper's figures of power and energy."""

from __future__ import annotations

import pytest

from eie.hls.model.energy import (
    BRAM18_ACCESS_PJ,
    PE_MILLIWATTS,
    PLATFORM_WATTS,
    MemoryReads,
    array_watts,
    bram_microjoules,
    microjoules,
)
from eie.hls.spec.design import Design


def test_the_modules_add_up_to_the_papers_pe():
    # The paper prints 9.157 mW; its modules, rounded to a microwatt each, add up to 9.158.
    assert sum(PE_MILLIWATTS.values()) == pytest.approx(9.157, abs=0.0015)
    assert f"{array_watts(64):.2f}" == "0.59"
    assert array_watts(256) == 4 * array_watts(64)


def test_the_papers_frames_for_a_joule():
    # Table V, FC7: frames a second and W; the paper's EIE does 81,967 at 0.59 W.
    frames = {"CPU": 162, "GPU": 4_115, "mobile GPU": 173}
    for name, watts in {"CPU": 73.0, "GPU": 159.0, "mobile GPU": 5.1}.items():
        assert PLATFORM_WATTS[name] == watts
        ratio = (81_967 / array_watts(64)) / (frames[name] / watts)
        assert ratio > 1000
    assert microjoules(array_watts(64), 1e6 / 81_967) == pytest.approx(7.15, abs=0.01)


def test_reading_block_ram_is_counted_by_blocks():
    low, high = BRAM18_ACCESS_PJ
    assert (low, high) == (17.5, 32.5)
    # Eight entries of a byte are 64 bits: two BRAM18s side by side.
    design = Design(pes=64, index_bits=4, entries_per_pe=8192)
    assert bram_microjoules(design, MemoryReads(1_000_000, 0)) == pytest.approx((35.0, 65.0))
    # Two banks of 14 bits: a BRAM18 each, as deep as it may be.
    assert bram_microjoules(design, MemoryReads(0, 1_000_000)) == pytest.approx((35.0, 65.0))
    # Four entries of 9 bits are 36: one. A base of 14 bits and eight lengths of 5 bits: one, two.
    narrow = design.replace(index_bits=5, length_bits=5)
    assert bram_microjoules(narrow, MemoryReads(1_000_000, 0)) == pytest.approx((17.5, 32.5))
    assert bram_microjoules(narrow, MemoryReads(0, 1_000_000)) == pytest.approx((52.5, 97.5))
