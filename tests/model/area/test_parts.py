"""The parts of the processes: that all are there, add up, and follow the design."""

from __future__ import annotations

import math
from collections import Counter
from importlib.resources import files

import pytest

from eie.hls.model.area import EDGES, estimate, part_rows
from eie.hls.model.area.blocks import kernel_blocks, surrounding_blocks
from eie.hls.model.area.cost import Cost
from eie.hls.model.area.estimate import family_of
from eie.hls.model.area.operator_table import operator_table
from eie.hls.model.area.published import PUBLISHED, spread
from eie.hls.spec.block_design import describe
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.dataflow import wire
from eie.hls.spec.design import Design

DESIGNS = [
    Design(pes=1),
    Design(pes=2, length_bits=4, board="kv260", memory="uram"),
    Design(pes=16, board="pynq-z2", index_bits=5),
    Design(pes=32, length_bits=8, spare_luts=1),
    Design(pes=128, board="rfsoc4x2"),
]


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: f"{design.pes} PEs")
def test_every_process_and_every_stream_is_counted(design):
    wiring = wire(design)
    blocks = kernel_blocks(design)
    processes = [each for each in blocks if each.name.split(" ")[0] not in ("stream", "control")]
    processes = [each for each in processes if not each.name.startswith("packets_in")]
    assert sum(each.count for each in processes) == len(wiring.processes)
    streams = {each.name: each.count for each in blocks if each.name.startswith("stream ")}
    assert streams == {f"stream {each.name}": each.count or 1 for each in wiring.streams}


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: f"{design.pes} PEs")
def test_parts_add_up_to_the_whole(design):
    needed, family = estimate(design), family_of(design)
    total = sum((row.all for row in needed.rows), Cost())
    assert needed.lut.parts == round(total.lut)
    assert needed.ff.parts == round(total.ff)
    # What the memories' own count says, from other numbers.
    assert total.bram18 == needed.bram18
    assert total.uram == needed.uram
    assert total.dsp == needed.dsp == 3 * design.pes + 3 * 4 + 1
    for block in (*kernel_blocks(design), *surrounding_blocks()):
        # What computes a value and the register that keeps it may have one name.
        assert max(Counter(each.name for each in block.parts).values()) <= 2
        *rows, last = part_rows(design, block.name)
        assert len(rows) == len(block.parts)
        assert last[4] == f"{block.cost(family).lut:,.0f}"


def test_every_operator_of_every_part_is_in_the_table():
    used = {
        part.operator
        for design in DESIGNS
        for block in (*kernel_blocks(design), *surrounding_blocks())
        for part in block.parts
    }
    assert used - {""} <= set(operator_table().parameters)


def test_a_process_has_a_file_of_its_name():
    folder = files("eie.hls.model.area") / "processes"
    kernel = files("eie.templates") / "kernel"
    headers = {each.name.split(".")[0] for each in kernel.iterdir()}
    ours = {each.name.removesuffix(".py") for each in folder.iterdir() if each.name[0] != "_"}
    assert ours - {"widths"} <= headers


def test_the_block_design_is_counted_cell_by_cell():
    counted = {each.name for each in surrounding_blocks()}
    cells = {each.cell.name for each in describe(BOARDS["pynq-z2"], 100).instances}
    # Wires, the processing system and the kernel itself.
    assert cells - counted == {"xlconcat_0", "processing_system7_0", "eie_0"}


@pytest.mark.parametrize("resource", ["lut", "ff"])
def test_the_range_is_no_narrower_than_published_designs(resource):
    by = spread(resource)
    ratios = [getattr(each, f"{resource}_ratio") for each in PUBLISHED]
    ratios = [ratio for ratio in ratios if ratio is not None]
    assert (by.low, by.high) == (min(ratios), max(ratios))
    assert by.low < by.expected < by.high
    needed = estimate(Design(pes=16))
    inside = sum(getattr(row.all, resource) for row in needed.rows if row.kernel)
    around = sum(getattr(row.all, resource) for row in needed.rows if not row.kernel)
    for edge in EDGES:
        takes = getattr(needed, resource).at(edge)
        assert math.isclose(takes, getattr(by, edge) * inside + around, abs_tol=50)


def test_at_least_three_designs_were_looked_at():
    assert len({each.block.name for each in PUBLISHED}) >= 3
    assert all(each.source and each.counted and each.lut > 0 for each in PUBLISHED)
