"""Kernels that were changed: only what was changed takes more or less."""

from __future__ import annotations

import dataclasses

import pytest

from eie.hls.model.area import estimate
from eie.hls.model.area.cost import Cost
from eie.hls.model.area.part import Block, part
from eie.hls.model.area.rewriting import Rule, rewritten, times, wider
from eie.hls.model.area.savings import SAVINGS, estimate_without
from eie.hls.spec.design import Design

DESIGN = Design(pes=16, board="pynq-z2", length_bits=3, entries_per_pe=2048, accumulator_bits=36)
DESIGNS = [
    DESIGN,
    DESIGN.replace(pes=1, length_bits=0),
    DESIGN.replace(pes=64, board="kv260", memory="uram", hidden_activations=8192),
    DESIGN.replace(rows_per_pe=256, biases_per_pe=512, abreast=2),
]
BLOCKS = (
    Block("a", 2, (part("sum", "add", width=8), part("mask", "mask", 3, width=4))),
    Block("b", 1, (part("sum", "add", width=8),)),
)


def test_a_rule_changes_its_part_in_its_blocks_and_no_other():
    first, second = rewritten(BLOCKS, [Rule("a", "sum", wider(-10)), Rule("a|b", "sum", times(4))])
    assert first.parts == (part("sum", "add", 4, width=1), BLOCKS[0].parts[1])
    assert second.parts == (part("sum", "add", 4, width=8),)
    more = rewritten(BLOCKS, [Rule("b", "", lambda last: (dataclasses.replace(last, name="new"),))])
    assert more == (BLOCKS[0], Block("b", 1, (*BLOCKS[1].parts, part("new", "add", width=8))))


@pytest.mark.parametrize("rule", [Rule("a", "other", times(2)), Rule("c", "sum", times(2))])
def test_a_rule_without_a_part_is_an_error(rule):
    with pytest.raises(LookupError, match="no part"):
        rewritten(BLOCKS, [rule])


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: f"{design.pes} PEs")
def test_every_change_finds_its_parts_and_all_together_save_most(design):
    assert estimate_without(design, []) == estimate(design)
    together = estimate_without(design, [each for each in SAVINGS if each.beside])
    for saving in SAVINGS:
        alone = estimate_without(design, [saving])
        assert together.lut.parts < alone.lut.parts
        total = sum((row.all for row in alone.rows), Cost())
        assert alone.dsp == total.dsp
        assert saving.lines > 0 or saving.design(design) != design
        assert saving.price
