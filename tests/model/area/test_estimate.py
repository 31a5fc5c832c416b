from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.model.area import bram18_of, estimate, shortages, uram_of
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design

SETTINGS = settings(max_examples=200, deadline=None, derandomize=True, database=None)
DEPTHS, WIDTHS = st.integers(1, 1 << 18), st.integers(1, 300)


@pytest.mark.parametrize(
    ("depth", "width", "count"),
    [
        # Each shape of the memory, exactly full, and one too many either way.
        (16384, 1, 1), (16385, 1, 2), (16384, 2, 2),
        (8192, 2, 1), (8193, 2, 2), (8192, 3, 2),
        (4096, 4, 1), (4097, 4, 2), (4096, 5, 2),
        (2048, 9, 1), (2049, 9, 2), (2048, 10, 2),
        (1024, 18, 1), (1025, 18, 2), (1024, 19, 2),
        (512, 36, 1), (513, 36, 2), (512, 37, 2),
        (1, 1, 1), (1, 36, 1), (1, 37, 2), (1, 256, 8),
        # Memories of the kernel.
        (512, 56, 2), (512, 64, 2), (1024, 64, 4), (1024, 16, 1), (1024, 13, 1), (256, 256, 8),
        (4096, 56, 14), (32768, 1, 2), (512, 40, 2),
    ],
)  # fmt: skip
def test_block_rams_of_known_memories(depth, width, count):
    assert bram18_of(depth, width) == count


@pytest.mark.parametrize(
    ("depth", "width", "count"),
    [(1, 1, 1), (4096, 72, 1), (4097, 72, 2), (4096, 73, 2), (4096, 64, 1), (8192, 144, 4)],
)
def test_ultra_rams_of_known_memories(depth, width, count):
    assert uram_of(depth, width) == count


@SETTINGS
@given(DEPTHS, WIDTHS)
def test_no_shape_tried_one_by_one_takes_fewer(depth, width):
    shapes = {16384: 1, 8192: 2, 4096: 4, 2048: 9, 1024: 18, 512: 36}
    tried = []
    for rows, bits in shapes.items():
        count = sum(1 for _ in itertools.product(range(0, depth, rows), range(0, width, bits)))
        tried.append(count)
    assert bram18_of(depth, width) == min(tried)


@SETTINGS
@given(DEPTHS, WIDTHS, st.integers(0, 5000), st.integers(0, 40))
def test_a_larger_memory_never_takes_fewer(depth, width, deeper, wider):
    for count in (bram18_of, uram_of):
        assert count(depth, width) <= count(depth + deeper, width + wider)
        assert count(depth, width) * {bram18_of: 18 * 1024, uram_of: 72 * 4096}[count] >= (
            depth * width
        )


def test_every_memory_of_a_design_by_hand():
    design = Design(pes=8)
    memories = {memory.name: memory for memory in estimate(design).memories}
    assert {name: (m.depth, m.width, m.count, m.kind) for name, m in memories.items()} == {
        "sparse matrix": (1024, 64, 8, "bram"),
        "column pointers (two banks)": (1024, 14, 16, "bram"),
        "biases": (256, 40, 8, "lutram"),
        "accumulators (two banks)": (64, 40, 16, "lutram"),
        # Up to 64 rows, 256 biases, a shift, whether there is a ReLU, bounds of one bit, ties.
        "layers of a PE": (8, 7 + 8 + 6 + 1 + 2 + 1, 8, "lutram"),
        "codebooks": (128, 16, 8, "lutram"),
        # A word, which layer it is of, and three marks; whose it is: a lane, and two marks.
        "hidden vectors": (256, 256 + 3 + 2 + 3, 1, "bram"),
        # Columns, results, first pointer, rows; places of held words, function and slope: a bit.
        "layers": (8, 17 + 25 + 24 + 17 + 4, 1, "lutram"),
        # Beats of inputs and of outputs; whether one may begin or end, whether it is recurrent.
        "layers of a run": (8, 15 + 23 + 3, 1, "lutram"),
        "saturated values": (8, 48, 1, "lutram"),
        "design record (constant)": (22, 32, 1, "lutram"),
    }
    needed = estimate(design)
    assert needed.bram18 == 8 * 4 + 16 + 8
    assert needed.bram36 == 28
    # A PE multiplies in one slice and shifts in two; three products of 32 bits in four slices each,
    # and lanes by stride.
    assert (needed.uram, needed.dsp) == (0, 8 * 3 + 12 + 1)
    assert memories["sparse matrix"].kibibits == 8 * 64


def test_uram_holds_the_sparse_matrix_and_nothing_else():
    needed = estimate(Design(pes=8, memory="uram", entries_per_pe=32768))
    assert needed.uram == 8
    assert needed.bram18 == 16 * 1 + 8  # pointers of 16 bits, hidden vectors
    assert estimate(Design(pes=8, memory="uram", entries_per_pe=32776)).uram == 16


def test_large_biases_and_accumulators_move_to_block_ram():
    small = estimate(Design(pes=2, rows_per_pe=128, biases_per_pe=256))
    large = estimate(Design(pes=2, rows_per_pe=129, biases_per_pe=257))
    # Biases and two banks of accumulators, of 40 bits each.
    assert large.bram18 - small.bram18 == 2 * 3 * 2
    assert large.lut.parts < small.lut.parts


@pytest.mark.parametrize("abreast", [1, 4])
def test_block_ram_spares_luts_in_every_pe_and_in_both_queues_of_words(abreast):
    design = Design(pes=4, abreast=abreast, accumulator_bits=32)
    usual, sparing = estimate(design), estimate(design.replace(spare_luts=1))
    # Biases of 32 bits, two banks of a sum for each vector; words of 257 and 258 bits.
    banks = 2 * bram18_of(64, 32 * abreast)
    assert sparing.bram18 - usual.bram18 == 4 * (1 + banks) + 8 + 8
    assert sparing.lut.parts < usual.lut.parts
    assert sparing.dsp == usual.dsp


GROWING = {
    "pes": [1, 2, 4, 8, 16, 32, 64, 128, 256],
    "index_bits": [3, 4, 5, 6, 7, 8],
    "queue_depth": [2, 32, 33, 64, 256],
    "entries_per_pe": [8, 4096, 8192, 1 << 20],
    "pointers_per_pe": [2, 2048, 4096, 1 << 18],
    "layers": [1, 8, 64, 256],
    "hidden_activations": [1040, 8192, 16384, 1 << 16],
    "accumulator_bits": [24, 32, 40, 48],
}


@pytest.mark.parametrize("name", GROWING)
def test_more_of_anything_never_takes_less(name):
    # index_bits from 5 on halves the entries of a word, so the words get more but narrower.
    estimates = [estimate(Design(**{"pes": 4, name: value})) for value in GROWING[name]]
    for less, more in itertools.pairwise(estimates):
        assert less.bram18 <= more.bram18
        assert less.dsp <= more.dsp
        # An entry is one of fewer in its word then.
        if name != "index_bits":
            assert less.lut.parts <= more.lut.parts
            assert less.ff.parts <= more.ff.parts


def test_ranges_go_from_less_to_more():
    for pes in (1, 256):
        needed = estimate(Design(pes=pes))
        assert 0 < needed.lut.low < needed.lut.expected < needed.lut.high
        assert 0 < needed.ff.low < needed.ff.expected < needed.ff.high


def test_what_fits_has_no_shortage():
    assert shortages(estimate(Design(pes=2)), BOARDS["pynq-z1"]) == ()


def test_each_resource_is_short_beyond_its_share_and_not_before():
    board = BOARDS["kv260"]
    needed = estimate(Design(pes=4, memory="uram"))
    for change, name, takes in (
        ({"bram36": 40}, "BRAM36", needed.bram36),
        ({"uram": 5}, "UltraRAM", needed.uram),
        ({"dsp": 5}, "DSP", needed.dsp),
        ({"lut": 10000}, "LUT (estimated)", needed.lut.expected),
    ):
        (field, _), *_ = change.items()
        share = 0.7 if field == "lut" else 0.8
        enough = next(n for n in itertools.count(1) if int(share * n) >= takes)
        assert shortages(needed, dataclasses.replace(board, **{field: enough})) == ()
        (shortage,) = shortages(needed, dataclasses.replace(board, **{field: enough - 1}))
        allowed = int(share * (enough - 1))
        assert (shortage.resource, shortage.needed, shortage.allowed, shortage.available) == (
            name, takes, allowed, enough - 1,
        )  # fmt: skip
        assert str(shortage) == (
            f"{name}: needs {takes}, may use {allowed} of {enough - 1} ({takes - allowed} too many)"
        )
