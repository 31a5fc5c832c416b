"""What a design does without where a board has too few LUTs, and no sooner."""

from __future__ import annotations

import dataclasses

import pytest

from eie.hls.boundary.voice import as_command
from eie.hls.model.area import LUTS, estimate, shortages
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design
from eie.host.packing.packer import pack
from eie.host.search.fit import fit
from eie.host.search.reasons import Spared
from eie.host.search.sparing import SPARED, spared

BOARD = BOARDS["kv260"]
#: Block RAM spares more than counters here, but for many rows, which are in it anyway.
DESIGN = Design(pes=16, board="kv260", rows_per_pe=128)
MANY_ROWS = DESIGN.replace(rows_per_pe=256, biases_per_pe=512)


def luts(design: Design, **changes: int) -> int:
    return estimate(design.replace(**changes)).lut.expected


@pytest.mark.parametrize(
    ("design", "changes"),
    [
        (DESIGN, {}),
        (DESIGN, {"spare_luts": 1}),
        (DESIGN, {"spare_luts": 1, "counters": 0}),
        (MANY_ROWS, {"spare_luts": 1}),
        (MANY_ROWS, {"counters": 0}),
        (MANY_ROWS, {"spare_luts": 1, "counters": 0}),
    ],
)
def test_the_mildest_that_fits_is_taken(design, changes):
    budget = luts(design, **changes)
    assert spared(design, BOARD, {}, budget) == (design.replace(**changes), ())


@pytest.mark.parametrize("name", SPARED)
def test_what_is_fixed_stays(name):
    fixed = {name: DESIGN.parameters()[name]}
    (other,) = {*SPARED} - {name}
    sparing = {other: SPARED[other]}
    budget = luts(DESIGN, **sparing)
    assert spared(DESIGN, BOARD, fixed, budget) == (DESIGN.replace(**sparing), ())
    found, lacking = spared(DESIGN, BOARD, fixed, budget - 1000)
    assert (found, [each.resource for each in lacking]) == (DESIGN.replace(**sparing), [LUTS])
    as_it_is = {**fixed, other: DESIGN.parameters()[other]}
    assert spared(DESIGN, BOARD, as_it_is, budget)[0] == DESIGN


def test_nothing_is_spared_where_something_else_is_short():
    board = dataclasses.replace(BOARD, bram36=10)
    found, lacking = spared(DESIGN, board, {}, 1000)
    assert found == DESIGN
    assert lacking == shortages(estimate(DESIGN), board, 1000)
    assert len(lacking) == 2


def test_block_ram_is_not_taken_where_there_is_none_left():
    """So that a design is never chosen that lacks it, while LUTs are enough without counters."""
    board = dataclasses.replace(BOARD, bram36=int(estimate(DESIGN).bram36 / 0.8) + 1)
    found, lacking = spared(DESIGN, board, {}, luts(DESIGN, counters=0))
    assert (found, lacking) == (DESIGN.replace(counters=0), ())


@pytest.fixture(scope="module")
def network(random_network):
    """Give one of LeNet-300-100's shape, a tenth of its weights."""
    return random_network(784, 300, 100, 10, density=0.1, magnitude=300, golden=1)


def test_a_pynq_z2_holds_16_pes_for_lenet(network):
    found = fit(network, "pynq-z2")
    design = found.design
    assert (design.pes, design.spare_luts, design.counters) == (16, 1, 0)
    assert pack(network, design).design == design
    reasons = [each for each in found.reasons if isinstance(each, Spared)]
    allowed = int(0.7 * BOARDS["pynq-z2"].lut)
    assert found.estimate.lut.expected <= allowed
    assert [(each.parameter, each.value, each.otherwise) for each in reasons] == [
        ("spare_luts", 1, 0), ("counters", 0, 1),
    ]  # fmt: skip
    for each in reasons:
        assert each.allowed == allowed < each.takes
        assert each.takes == luts(design, **{each.parameter: each.otherwise})
    with as_command():
        text = found.explain()
    assert "LUTs spared: PEs do not count; with counters (--counters 1) the design would" in text
    assert "are in block RAM; in LUTs (--spare-luts 0) the design would take" in text


def test_who_wants_counters_gets_fewer_pes(network):
    found = fit(network, "pynq-z2", counters=1)
    assert (found.design.pes, found.design.counters) == (8, 1)
    assert not [each for each in found.reasons if isinstance(each, Spared)]
