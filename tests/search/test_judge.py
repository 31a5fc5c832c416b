"""One judge: what fit chooses is what exploring puts first, for every goal."""

from __future__ import annotations

import itertools

import pytest

from eie.hls.boundary.errors import InputError
from eie.hls.model.area import estimate
from eie.hls.spec.design import Design
from eie.host.search.explore.evaluation import evaluate, groups
from eie.host.search.explore.grid import Grid
from eie.host.search.explore.pareto import pareto_front
from eie.host.search.fit import fit
from eie.host.search.judge import GOALS, Judge, Merit

#: Sizes, density and share of the weights' magnitudes of networks that are not alike.
NETWORKS = {
    "small": ((20, 30, 10), 0.5),
    "deep": ((48, 40, 33), 0.2),
    "tiny": ((3, 5), 1.0),
}
LARGER = {"wide": ((784, 120, 10), 0.1), "dense": ((200, 300), 0.9)}
BOARDS = ["pynq-z2", "kv260"]


def explored(network, *boards, batch=False, **axes):
    """Results of the grid that exploring takes unless it is told otherwise."""
    found = []
    for group in groups(list(Grid.of(boards, axes))):
        found += evaluate(network, group, "balanced", batch=batch)
    return found


def agree(network, goals, *, batch):
    results = explored(network, *BOARDS, batch=batch, abreast=(1, 2, 4))
    for board, goal in itertools.product(BOARDS, goals):
        # Of several vectors abreast fit thinks where they can gain: in a batch.
        of_board = [
            each
            for each in results
            if each.board == board and (goal == "throughput" or each.design["abreast"] == 1)
        ]
        front = pareto_front(of_board, Judge(goal))
        chosen = fit(network, board, goal=goal)
        assert chosen.design == Design(**front[0].design), (board, goal)
        assert chosen.chosen.cycles == front[0].cycles


@pytest.mark.parametrize(
    "name",
    # Half a minute each; one of them, and the smallest, at every run.
    [pytest.param(name, marks=pytest.mark.slow if name == "small" else ()) for name in NETWORKS],
)
def test_fit_chooses_what_exploring_puts_first(name, random_network):
    sizes, density = NETWORKS[name]
    agree(random_network(*sizes, density=density, golden=1, magnitude=500), GOALS, batch=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGER)
def test_fit_chooses_what_exploring_puts_first_of_larger_networks(name, random_network):
    sizes, density = LARGER[name]
    network = random_network(*sizes, density=density, golden=1, magnitude=500)
    agree(network, ("latency", "area"), batch=False)


def test_a_limit_of_latency_gives_the_smallest_that_meets_it(random_network):
    network = random_network(60, 50, 20, density=0.3, golden=1, magnitude=500)
    results = [each for each in explored(network, "kv260") if each.fits]
    times = sorted({each.latency_us for each in results})
    for limit in (times[0], times[len(times) // 3], times[-1], times[0] / 2):
        found = fit(network, "kv260", latency_us=limit)
        meeting = [each for each in results if each.latency_us <= limit]
        if meeting:
            assert found.chosen.merit.share == min(each.share for each in meeting)
            assert found.chosen.merit.latency_us <= limit
        else:
            assert found.chosen.merit.latency_us == times[0]
            assert "no design that fits meets" in found.explain()
            assert "the latency closest to the limit" in found.explain()


def test_a_budget_of_luts_is_kept(random_network):
    network = random_network(200, 150, 20, density=0.3, golden=1, magnitude=500)
    unlimited = fit(network, "kv260", lut_budget=1)
    for budget, most in ((0.3, 0.3 * 117_120), (45_000, 45_000)):
        found = fit(network, "kv260", lut_budget=budget)
        assert found.estimate.lut.expected <= most
        faster = [
            each
            for each in unlimited.candidates
            if each.cycles is not None and each.cycles < found.chosen.cycles
        ]
        assert faster
        assert all(estimate(each.design).lut.expected > most for each in faster)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"goal": "speed"}, "goal must be one of latency, throughput, area, not 'speed'"),
        ({"latency_us": 0}, "latency_us must be a number of microseconds above 0, not 0"),
        ({"latency_us": float("nan")}, "latency_us must be .*, not nan"),
        ({"lut_budget": 0}, "lut_budget must be a share up to 1 or a number of LUTs"),
        ({"lut_budget": float("inf")}, "lut_budget must be .* not inf"),
        ({"lut_edge": "middle"}, "lut_edge must be one of low, expected, high, not 'middle'"),
    ],
)
def test_goals_that_are_none_are_refused(keywords, message, random_network):
    with pytest.raises(InputError, match=message):
        fit(random_network(8, 8), "kv260", **keywords)


@pytest.mark.parametrize(
    "keywords", [{"goal": "area"}, {"latency_us": 5}, {"lut_budget": 0.5}, {"lut_edge": "low"}]
)
def test_goals_without_a_board_are_refused(keywords, random_network):
    with pytest.raises(InputError, match="must be given with a board"):
        fit(random_network(8, 8), **keywords)


def merit(latency: float = 1.0, batch: float | None = 1.0, **parameters: int) -> Merit:
    design = Design(**{"pes": 4, "board": "zcu104", "entries_per_pe": 65536, **parameters})
    return Merit.of(design, latency, batch)


@pytest.mark.parametrize(
    ("goal", "better", "worse", "by"),
    [
        ("latency", merit(1), merit(2), "the lowest latency"),
        ("throughput", merit(2, 1), merit(1, 2), "the highest throughput"),
        ("area", merit(2, pes=2), merit(1, pes=8), "the smallest share of the board"),
        ("area", merit(1), merit(2), "the lowest latency"),
        ("latency", merit(layers=8), merit(layers=9), "the fewest bits of memory"),
        ("latency", merit(queue_depth=32), merit(queue_depth=4), "the deepest queue_depth"),
        ("latency", merit(result_depth=32), merit(result_depth=4), "the deepest result_depth"),
    ],
)
def test_the_judge_says_what_decided(goal, better, worse, by):
    judge = Judge(goal)
    assert judge.key(better) < judge.key(worse)
    assert judge.decided_by(better, worse).better.startswith(by)


def test_no_two_designs_are_equal():
    merits = [
        merit(pes=pes, index_bits=bits, clock_mhz=clock)
        for pes, bits, clock in itertools.product((2, 4), (3, 4, 5), (100, 200))
    ]
    for goal in GOALS:
        assert len({Judge(goal).key(each) for each in merits}) == len(merits)
    with pytest.raises(ValueError, match="the same design"):
        Judge().decided_by(merits[0], merits[0])


def test_one_figure_of_luts_for_designs_too_large_to_fit(random_network):
    """Fit sizes what it shows as exactly as exploring does."""
    network = random_network(100, 120, 30, density=0.1, golden=1, magnitude=500)
    results = explored(network, "pynq-z2", queue_depth=(32, 64))
    by_design = {tuple(each.design.items()): each for each in results}
    exact = [
        each for each in fit(network, "pynq-z2").candidates if each.shortages and not each.at_least
    ]
    assert {each.design.pes for each in exact} >= {32, 64, 128}
    for each in exact:
        same = by_design[tuple(each.design.parameters().items())]
        assert each.shortages == same.shortages
