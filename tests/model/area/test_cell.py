"""The cell unit by its parts: what decision 31 says it takes."""

from __future__ import annotations

import pytest

from eie.hls.model.area.memories import memories_of
from eie.hls.model.area.operator_table import operator_table
from eie.hls.model.area.processes import cell
from eie.hls.spec.design import Design


@pytest.mark.parametrize(("units", "luts"), [(1, 2900), (2, 4400), (4, 7200)])
def test_a_unit_takes_eight_slices_and_five_tables(units, luts) -> None:
    """LUTs to the nearest hundred; states of 8,192 held activations are 12 BRAM18s or so beside."""
    design = Design(pes=64, cell_units=units, held_activations=8192)
    block = cell(design)
    cost = block.cost("xc7")
    states, tables = (
        each for each in memories_of(design) if each.name in ("cell states", "tanh (constant)")
    )
    assert cost.dsp == 8 * units
    assert tables.bram18 == 5 * units
    assert states.bram18 == {1: 12, 2: 12, 4: 11}[units]
    assert cost.bram18 == tables.bram18 + states.bram18
    assert round(cost.lut, -2) == luts
    assert {each.operator for each in block.parts} - {""} <= set(operator_table().parameters)


def test_without_units_there_is_no_memory_of_theirs() -> None:
    names = {each.name for each in memories_of(Design(pes=8, held_activations=512))}
    assert not names & {"cell states", "tanh (constant)"}
