"""A design out of the results of an exploration; nothing is evaluated for it."""

from __future__ import annotations

import json

import pytest

from eie.hls.boundary.errors import InputError
from eie.hls.spec.design import Design
from eie.host.search.explore import Grid, explore, pick
from eie.host.search.explore.exploration import Exploration
from eie.host.search.fit import fit

AXES = {"pes": (2, 4, 8, 16), "queue_depth": (8, 32), "memory": ("bram",)}


@pytest.fixture(scope="module")
def network(random_network):
    return random_network(60, 50, 20, density=0.2, golden=1, magnitude=900)


def explored(network, folder, monkeypatch, **keywords) -> Exploration:
    def here(function, shared, items, **_):
        for item in items:
            yield item, function(shared, item)

    monkeypatch.setattr("eie.host.search.explore.exploration.fan_out", here)
    found = explore(network, Grid.of(["pynq-z2"], AXES), folder, **keywords)
    found.save(folder)
    return found


def test_the_number_is_that_of_the_table_and_the_first_is_fits(network, tmp_path, monkeypatch):
    found = explored(network, tmp_path, monkeypatch)
    rows = (tmp_path / "pareto.txt").read_text().splitlines()[1:]
    for number, result in enumerate(found.front, 1):
        assert pick(tmp_path, number) == Design(**result.design)
        assert rows[number - 1].split()[:3] == [
            f"{number}", "pynq-z2", f"{result.design['pes']}"
        ]  # fmt: skip
    assert pick(tmp_path, 1) == fit(network, "pynq-z2").design


def test_the_goal_orders_the_front(network, tmp_path, monkeypatch):
    fast = explored(network, tmp_path, monkeypatch)
    small = explored(network, tmp_path, monkeypatch, goal="area")
    assert small.evaluated == 0
    assert small.front == tuple(reversed(fast.front))
    assert json.loads((tmp_path / "pareto.json").read_text())["goal"] == "area"
    # Throughput asks for more, and what was evaluated without is evaluated again, once.
    batch = explored(network, tmp_path, monkeypatch, goal="throughput")
    assert batch.evaluated == len(batch.results)
    assert all(each.batch_us for each in batch.results)
    assert "us in a batch" in batch.as_text()
    assert explored(network, tmp_path, monkeypatch, goal="throughput").evaluated == 0
    assert pick(tmp_path, 1) == Design(**batch.front[0].design)


def test_results_read_well(network, tmp_path, monkeypatch):
    found = explored(network, tmp_path, monkeypatch)
    assert str(found) == found.as_text()
    assert "<table>" in found._repr_html_()
    lines = str(found.front[0]).splitlines()
    assert lines[0].split() == ["board", "pynq-z2"]
    assert f"{found.front[0].cycles} cycles" in str(found.front[0])


@pytest.mark.parametrize("number", [0, -1, 99])
def test_numbers_that_the_table_has_not_are_refused(number, network, tmp_path, monkeypatch):
    explored(network, tmp_path, monkeypatch)
    with pytest.raises(InputError, match=r"must be 1 to \d+, as in .*pareto.txt"):
        pick(tmp_path, number)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot read .*pareto.json"),
        ("", "must be the front of an exploration"),
        ("[" * 50_000, "must be the front of an exploration"),
        ("{}", "must be the front of an exploration"),
        ('{"format": "eie front 1", "front": 3}', "must be the front of an exploration"),
        ('{"format": "eie front 1", "front": [3]}', "must be the front of an exploration"),
        ('{"format": "eie front 1", "front": []}', "has no design to pick"),
        ('{"format": "eie front 1", "front": [{}]}', "design 1 is damaged"),
        ('{"format": "eie front 1", "front": [{"design": 3}]}', "design 1 is damaged"),
        ('{"format": "eie front 1", "front": [{"design": {"pes": 3}}]}', "power of two"),
    ],
)
def test_files_that_are_no_front_are_refused(text, message, tmp_path):
    if text is not None:
        (tmp_path / "pareto.json").write_text(text)
    with pytest.raises(InputError, match=message):
        pick(tmp_path, 1)
