"""Vectors abreast: each takes a product and sums of its own, and all else is shared."""

from __future__ import annotations

import pytest

from eie.hls.model.area import estimate
from eie.hls.model.area.cost import Cost
from eie.hls.model.area.processes.widths import token_bits
from eie.hls.spec.design import Design

DESIGN = Design(pes=16, board="pynq-z2", length_bits=3, entries_per_pe=2048, accumulator_bits=36)
DESIGNS = [
    DESIGN,
    DESIGN.replace(pes=1, length_bits=0, held_activations=1024),
    DESIGN.replace(pes=64, board="kv260", memory="uram", hidden_activations=8192),
    DESIGN.replace(rows_per_pe=256, biases_per_pe=512),
]
#: What is behind the sums, or in front of all vectors.
SHARED = ("gather", "merge", "take_crc", "add_crc", "stream results", "stream words", "axi")


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: f"{design.pes} PEs")
def test_vectors_add_products_and_sums(design):
    one = estimate(design)
    before = {row.name: row for row in one.rows}
    assert "join_abreast" not in before
    for abreast in (2, 4):
        found = estimate(design.replace(abreast=abreast))
        rows = {row.name: row for row in found.rows}
        assert rows.keys() - before.keys() == {"join_abreast", "stream groups"}
        assert found.dsp == one.dsp + (abreast - 1) * design.pes
        # What the memories' own count says, from other numbers.
        assert sum((row.all for row in found.rows), Cost()).bram18 == found.bram18
        sums = next(each for each in found.memories if each.name.startswith("accumulators"))
        assert (sums.width, sums.count) == (abreast * design.accumulator_bits, 2 * design.pes)
        assert all(rows[name] == row for name, row in before.items() if name.startswith(SHARED))
        pe = rows["multiply_accumulate"].one.lut
        assert before["multiply_accumulate"].one.lut < pe
        assert pe < abreast * before["multiply_accumulate"].one.lut


def test_tokens_are_as_wide_as_a_load_or_the_values_of_a_group():
    assert token_bits(DESIGN) == 68
    # First entry, entries that follow, values, layer, vectors behind the first, kind.
    assert token_bits(DESIGN.replace(abreast=2)) == 4 + max(64, 12 + 16 + 32 + 3 + 1)
    assert token_bits(DESIGN.replace(abreast=4)) == 4 + 12 + 16 + 64 + 3 + 2
