"""Bounds of boards and layers."""

from __future__ import annotations

import pytest

from eie.hls.model.area import EDGES, estimate
from eie.hls.model.roofline import LayerBounds, LayerWork, _smallest, layer_bounds, pe_limits
from eie.hls.spec.boards import BOARDS


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_limits_are_the_largest_that_the_budgets_allow(board):
    limits = pe_limits(board)
    # Three slices a PE, and 13 once.
    counts = [1 << power for power in range(9)]
    assert limits.dsp == max(n for n in counts if 3 * n + 13 <= 0.8 * board.dsp)
    assert limits.lut[0] >= limits.lut[1] >= limits.lut[2]
    for part, pes in enumerate(limits.lut):
        for count, fits in ((pes, True), (2 * pes, False)):
            if 1 <= count <= 256:
                sparing = _smallest(count, board).replace(spare_luts=1, counters=0)
                takes = estimate(sparing).lut.at(EDGES[part])
                assert (takes <= int(0.7 * board.lut)) == fits
    for count, fits in ((limits.memory, True), (2 * limits.memory, False)):
        if 1 <= count <= 256:
            assert (estimate(_smallest(count, board)).bram36 <= 0.8 * board.bram36) == fits
    assert limits.pes == min(limits.lut[1], limits.memory, limits.dsp)
    assert (
        limits.pes
        == {"LUT": limits.lut[1], "BRAM": limits.memory, "DSP": limits.dsp}[limits.binding]
    )


@pytest.mark.parametrize(
    ("work", "pes", "cycles", "binding"),
    [
        (LayerWork(4096, 4096, 1446, 533_000), 64, 533_000 / 64, "PEs"),
        (LayerWork(4096, 600, 4096, 245_760), 64, 4096, "broadcast"),
        (LayerWork(4097, 16, 10, 100), 64, 1025, "input"),
        (LayerWork(16, 4097, 10, 100), 1, 1025, "output"),
    ],
)
def test_the_longest_path_binds(work, pes, cycles, binding):
    bounds = layer_bounds(work, pes)
    assert isinstance(bounds, LayerBounds)
    assert (bounds.cycles, bounds.binding) == (cycles, binding)
