"""A design that its board does not hold is told so wherever it is used."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from eie.hls.boundary.errors import BeyondBoardWarning, EieWarning, ToolError
from eie.hls.model.area import (
    EDGES,
    LutBudget,
    beyond_board,
    demands,
    estimate,
    shortages,
    warn_beyond_board,
)
from eie.hls.spec.boards import BOARDS, LUT_BUDGET
from eie.hls.spec.design import Design
from eie.hls.tools.vendor import run_hls
from eie.host.project.generate import generate
from eie.host.run.batch import emulate
from eie.host.search.fit import fit

TOO_LARGE = Design(pes=128, board="pynq-z2")


def test_the_warning_has_the_figures_in_words_and_as_data():
    with pytest.warns(BeyondBoardWarning) as caught:
        warn_beyond_board(TOO_LARGE)
    (warned,) = caught
    assert warned.message.shortages == beyond_board(TOO_LARGE)
    assert warned.filename == __file__
    assert str(warned.message).startswith("the design is beyond the budget of PYNQ-Z2")
    for shortage in beyond_board(TOO_LARGE):
        assert str(shortage) in str(warned.message)


@pytest.mark.parametrize("board", ["pynq-z2", "none"])
def test_what_fits_and_what_has_no_board_is_not_warned_of(board):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_beyond_board(Design(pes=4 if board != "none" else 256, board=board))


def test_emulating_generating_and_building_warn(tmp_path, random_network):
    network = random_network(20, 10, golden=1)
    design = fit(network, pes=128).design.replace(board="pynq-z2")
    with pytest.warns(BeyondBoardWarning) as caught:
        emulate(network, design, np.zeros((1, 20), np.int16))
    assert caught[0].filename == __file__
    with pytest.warns(BeyondBoardWarning) as caught:
        generate(design, tmp_path / "project")
    assert caught[0].filename == __file__
    with pytest.warns(BeyondBoardWarning), pytest.raises(ToolError):
        run_hls(tmp_path / "project", path=str(tmp_path))


def test_a_project_of_another_board_is_not_replaced_without_a_word(tmp_path):
    generate(Design(pes=1, board="pynq-z2"), tmp_path / "p")
    with pytest.warns(EieWarning, match="was a project for board 'pynq-z2' and is one for"):
        generate(Design(pes=1, board="kv260"), tmp_path / "p")
    generate(Design(pes=2, board="kv260"), tmp_path / "p")  # the same board: nothing is said


def test_a_budget_of_luts_is_a_share_or_a_number():
    board, needed = BOARDS["kv260"], estimate(Design(pes=32))
    for budget, allowed in (
        (None, int(LUT_BUDGET * board.lut)),
        (0.5, board.lut // 2),
        (1, board.lut),
        (20_000, 20_000),
        (10**9, board.lut),
    ):
        *_, lut = demands(needed, board, budget)
        assert (lut.allowed, lut.takes) == (allowed, needed.lut.expected)
        assert bool(shortages(needed, board, budget)) == (needed.lut.expected > allowed)


@pytest.mark.parametrize("edge", EDGES)
def test_any_number_of_the_range_may_be_judged(edge):
    board, needed = BOARDS["zcu104"], estimate(Design(pes=32))
    takes = getattr(needed.lut, edge)
    for limit, fits in ((takes, True), (takes - 1, False)):
        *_, lut = demands(needed, board, LutBudget(limit, edge))
        assert (lut.takes, lut.allowed) == (takes, limit)
        assert (shortages(needed, board, LutBudget(limit, edge)) == ()) == fits


def test_an_estimate_is_a_table():
    lines = str(estimate(Design(pes=4))).splitlines()
    assert [line.split()[0] for line in lines] == ["BRAM36", "UltraRAM", "DSP", "LUT", "flip-flops"]
    assert estimate(Design(pes=4))._repr_html_().count("<tr>") == 6
