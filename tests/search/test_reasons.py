"""Why a design was chosen: as data, and in words that rest on it."""

from __future__ import annotations

import pytest

from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.boundary.voice import as_command
from eie.hls.model.area import demands, estimate
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.packer import pack
from eie.host.search.explain import no_design
from eie.host.search.fit import Fit, NoDesignError, fit
from eie.host.search.paper import paper_design
from eie.host.search.reasons import (
    Alternative,
    LimitOfLatency,
    LimitOfSize,
    LimitOfSpeed,
    MorePes,
    Tie,
    Way,
)


@pytest.fixture(scope="module")
def network(random_network) -> Network:
    return random_network(100, 120, 30, density=0.1, magnitude=300, golden=1)


@pytest.fixture(scope="module")
def found(network) -> Fit:
    return fit(network, "kv260")


def of(found: Fit, kind):
    return [each for each in found.reasons if isinstance(each, kind)]


def test_what_limits_the_size_is_what_is_closest_to_its_budget(found):
    (limit,) = of(found, LimitOfSize)
    every = demands(found.estimate, BOARDS["kv260"])
    assert {limit.scarcest, *limit.others} == set(every)
    assert limit.scarcest.takes / limit.scarcest.allowed == max(
        each.takes / max(each.allowed, 1) for each in every
    )
    assert limit.lut == found.estimate.lut
    assert "judged by the expected value of" in found.explain()


def test_what_limits_the_speed_is_a_share_of_the_cycles(found):
    (limit,) = of(found, LimitOfSpeed)
    assert limit.cycles == found.chosen.cycles
    assert limit.paths[limit.path] == max(limit.paths.values()) <= limit.cycles
    assert limit.paths["input"] == 25


def test_why_not_twice_the_pes(network):
    found = fit(network, "pynq-z2")
    (more,) = of(found, MorePes)
    assert (more.pes, more.why) == (2 * found.design.pes, "short")
    with pytest.raises(DoesNotFitError):
        fit(network, "pynq-z2", pes=more.pes)
    for shortage in more.shortages:
        assert shortage.needed > shortage.allowed
        assert f"why not {more.pes} PEs: " in found.explain()
        assert str(shortage) in found.explain()


@pytest.mark.parametrize(
    ("keywords", "why"),
    [({"pes": 4}, "fixed"), ({"goal": "area"}, "no better"), ({"latency_us": 1e6}, "no better")],
)
def test_why_not_twice_the_pes_where_they_fit(keywords, why, network):
    found = fit(network, "kv260", **keywords)
    (more,) = of(found, MorePes)
    assert more.why == why
    if why == "no better":
        assert more.decided_by == "the smallest share of the board"
        assert found.design.pes == 1


def test_there_are_no_more_pes_than_the_range_has(random_network):
    network = random_network(40, 600, density=0.3, golden=1, magnitude=300)
    found = fit(network, "rfsoc4x2", lut_budget=1, lut_edge="low")
    assert found.design.pes == 256
    assert of(found, MorePes) == [MorePes(512, "range")]
    assert "why not 512 PEs: a design has at most 256" in found.explain()


def test_ties_name_values_that_are_as_good_and_what_broke_them(found, network):
    ties = of(found, Tie)
    assert {"queue_depth"} <= {tie.parameter for tie in ties}
    for tie in ties:
        assert tie.chosen == getattr(found.design, tie.parameter)
        assert tie.broken_by
        for other in tie.others:
            rival = fit(network, "kv260", pes=found.design.pes, **{tie.parameter: other})
            assert rival.chosen.cycles == found.chosen.cycles


def test_alternatives_have_another_number_of_pes(found, network):
    alternatives = {each.goal: each.candidate for each in of(found, Alternative)}
    assert set(alternatives) == {"latency", "throughput", "area"}
    assert all(each.design.pes != found.design.pes for each in alternatives.values())
    assert alternatives["area"].design == fit(network, "kv260", goal="area").design


def test_a_limit_says_whether_it_is_met(network):
    for limit in (1e-3, 1e3):
        (reason,) = of(fit(network, "kv260", latency_us=limit), LimitOfLatency)
        assert reason.met is (limit == 1e3)
        assert reason.limit_us == limit


def test_an_error_has_shortages_and_ways_as_data(network):
    with pytest.raises(NoDesignError) as caught:
        fit(network, "pynq-z2", pes=64)
    error = caught.value
    assert error.ways == (Way("other pes", (("pes", 16),)), Way("larger board"))
    assert error.shortages == error.found.shortages
    assert (error.found.board, error.found.closest.pes) == ("pynq-z2", 64)
    assert dict(error.found.fixed) == {"pes": 64}
    with pytest.raises(NoDesignError) as caught:
        fit(network, "pynq-z2", layers=1, pes=4)
    assert caught.value.ways == (
        Way("give", (("layers", 2),)),
        Way("leave out", (("layers", None),)),
    )


def test_passes_are_worded_for_whoever_reads(random_network):
    network = random_network(2000, 1500, density=0.5, seed=3, magnitude=100)
    with pytest.raises(NoDesignError) as caught:
        fit(network, "pynq-z2", pes=4)
    assert Way("passes") in caught.value.ways
    assert "(passes=True)" in str(caught.value)
    with as_command():
        assert no_design(caught.value.found) == str(caught.value).replace("passes=True", "--passes")


def test_packing_says_what_is_short_as_data(network):
    design = fit(network, pes=4).design.replace(layers=1, rows_per_pe=8)
    with pytest.raises(DoesNotFitError) as caught:
        pack(network, design)
    short = {each.resource: (each.needed, each.allowed) for each in caught.value.shortages}
    assert short == {"layers": (2, 1), "rows_per_pe": (32, 8)}
    assert len(caught.value.problems) == 2


def test_the_papers_machine_takes_pes_and_queues_of_a_design(found, network):
    paper = paper_design(network, found.design)
    for name in ("pes", "index_bits", "queue_depth", "clock_mhz"):
        assert getattr(paper, name) == getattr(found.design, name)
    pack(network, paper, assignment="natural")


def test_a_fit_reads_well(found):
    assert str(found) == found.explain()
    assert "<table>" in found._repr_html_()
    assert isinstance(found.design, Design)
    assert found.estimate == estimate(found.design)
