"""The comparison of vectors abreast, and of rows dealt by activity, on one small network each."""

from __future__ import annotations

from benchmarks import activity, lanes, small_networks
from eie.hls.model.area import beyond_board
from eie.hls.spec.boards import BOARDS
from eie.host.compress.activity import with_activity
from eie.host.search.fit_whole import WholeSearch


def test_every_board_is_in_a_row_of_its_part():
    titles = [title for titles, _ in lanes.boards() for title in titles.split(", ")]
    assert titles == [board.title for board in BOARDS.values()]


def test_the_best_design_with_groups_is_within_the_budget_and_counted_as_it_is():
    case = next(each for each in lanes.cases(small=True) if each.name == "jets")
    batch, board = lanes.Batch(case), BOARDS["ultra96-v2"]
    fixed = {"index_bits": 4, "queue_depth": 32}
    search = WholeSearch(case.network, board, "balanced", fixed, abreast=lanes.ABREAST)
    sized = search.sized([8])
    one, two = (
        lanes.best(batch, [each for each in sized if each.design.abreast == abreast])
        for abreast in (1, 2)
    )
    assert one is not None
    assert two is not None
    assert one.design.pes == two.design.pes == 8
    assert not beyond_board(two.design)
    assert two.vectors_a_second > 1.4 * one.vectors_a_second
    # The kernel's own model, from another path.
    found = small_networks.batch(small_networks.NETWORKS[2], 8)
    assert one.cycles == found.cycles(one.design)


def test_rows_dealt_by_activity_even_the_work_of_unseen_vectors_out():
    case = activity.synthetic(small_networks.NETWORKS[0])
    known = with_activity(case.network, case.calibration)
    assert all(layer.activity is None for layer in case.network.layers)
    before, after = (activity.deal(each, case.held_out[:64], 8) for each in (case.network, known))
    assert after.largest_layer < before.largest_layer
    assert after.heaviest < before.heaviest
