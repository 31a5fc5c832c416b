"""Exploring designs: grid, exact results, resuming, front, command."""

from __future__ import annotations

import itertools
import json
import operator
from pathlib import Path

import pytest

from eie.hls.boundary.errors import InputError
from eie.hls.model.area import estimate, shortages
from eie.hls.spec.boards import BOARDS
from eie.hls.spec.design import Design
from eie.host.cli.main import main
from eie.host.run.batch import emulate
from eie.host.search.explore import Grid, explore, pareto_front, parse_values
from eie.host.search.explore.builds import build_front
from eie.host.search.explore.evaluation import evaluate, groups
from eie.host.search.explore.fan_out import fan_out
from eie.host.search.explore.result import PointResult

AXES = {"pes": (2, 4), "queue_depth": (2, 32), "index_bits": (4, 5), "memory": ("bram",)}


@pytest.fixture(scope="module")
def network(random_network):
    return random_network(121, 150, 40, density=0.2, golden=1, magnitude=900)


@pytest.fixture(scope="module")
def explored(network, tmp_path_factory):
    """One exploration by two processes, and where it is."""
    folder = tmp_path_factory.mktemp("explored")
    grid = Grid.of(["pynq-z2", "none"], AXES)
    return explore(network, grid, folder, workers=2), folder, grid


def test_every_point_has_the_cycles_of_its_design(explored, network):
    found, _, grid = explored
    assert [result.key for result in found.results] == [point.key for point in grid]
    assert len(found.results) == found.evaluated == 16
    for point, result in zip(grid, found.results, strict=True):
        design = Design(**result.design)
        for name, value in point.values:
            assert getattr(design, name) == value
        assert design.board == point.board == result.board
        report = emulate(network, design, network.golden_inputs[:1]).report
        assert result.cycles == report.total_cycles
        assert result.allowance == report.allowance_cycles
        assert result.latency_us == round(report.allowed_us, 3)
        needs = estimate(design)
        assert (result.bram36, result.uram, result.dsp) == (needs.bram36, needs.uram, needs.dsp)
        if point.board != "none":
            assert result.fits == (not shortages(needs, BOARDS[point.board]))


def test_what_is_there_is_not_evaluated_again(explored, network, tmp_path):
    found, folder, grid = explored
    again = explore(network, grid, folder, workers=1)
    assert (again.evaluated, again.results) == (0, found.results)
    # Half of the file, and the beginning of a line: a crash.
    lines = (folder / "points.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "points.jsonl").write_text("".join(lines[:9]) + lines[9][:20])
    rest = explore(network, grid, tmp_path, workers=1)
    assert (rest.evaluated, rest.results) == (8, found.results)
    assert len((tmp_path / "points.jsonl").read_text().splitlines()) == 17


@pytest.mark.parametrize("budget", [0.05, 0.2, 12_000, 1.0])
def test_a_budget_of_luts_asks_for_no_new_evaluation(budget, explored, network):
    found, folder, grid = explored
    again = explore(network, grid, folder, workers=1, lut_budget=budget)
    assert again.evaluated == 0
    for result, before in zip(again.results, found.results, strict=True):
        if result.board == "none":
            assert result == before
            continue
        needs = estimate(Design(**result.design))
        assert result.shortages == shortages(needs, BOARDS[result.board], budget)
    assert all(result.fits for result in again.front)


def test_a_limit_of_latency_asks_for_the_smallest_that_meets_it(explored, network):
    found, folder, grid = explored
    times = sorted(result.latency_us for result in found.results if result.board == "pynq-z2")
    limit = times[len(times) // 2]
    again = explore(network, grid, folder, workers=1, latency_us=limit)
    first = again.front[0]
    meeting = [each for each in again.results if each.board == "pynq-z2" and each.fits]
    meeting = [each for each in meeting if each.latency_us <= limit]
    assert first.share == min(each.share for each in meeting)
    assert first.latency_us <= limit
    assert "no design that fits takes" not in again.as_text()
    missed = explore(network, grid, folder, workers=1, latency_us=times[0] / 2)
    assert f"no design that fits takes at most {times[0] / 2:g} us" in missed.as_text()
    for wrong in ({"lut_budget": 0.0}, {"latency_us": -1.0}):
        with pytest.raises(InputError, match=f"{next(iter(wrong))} must be"):
            explore(network, grid, folder, workers=1, **wrong)


def test_results_of_something_else_are_refused(explored, random_network, tmp_path):
    _, folder, grid = explored
    other = random_network(10, 10, golden=1)
    with pytest.raises(InputError, match="holds results for another network"):
        explore(other, grid, folder, workers=1)
    (tmp_path / "points.jsonl").write_text("hello\n")
    with pytest.raises(InputError, match="must be a file of eie explore"):
        explore(other, grid, tmp_path, workers=1)


def test_a_damaged_line_is_named(explored, network, tmp_path):
    _, folder, grid = explored
    lines = (folder / "points.jsonl").read_text().splitlines(keepends=True)
    lines[3] = lines[3].replace('"key"', '"kex"')
    (tmp_path / "points.jsonl").write_text("".join(lines))
    with pytest.raises(InputError, match="line 4 is damaged"):
        explore(network, grid, tmp_path, workers=1)


def test_the_front_is_what_nothing_beats(explored):
    found, _, _ = explored
    assert found.front == tuple(pareto_front(found.results))
    for board in ("pynq-z2", "none"):
        front = [each for each in found.front if each.board == board]
        fitting = [each for each in found.results if each.board == board and each.fits]
        assert front
        for each in fitting:
            beaten = [
                other
                for other in front
                if other.latency_us <= each.latency_us and other.cost <= each.cost
            ]
            assert beaten
        for each in front:
            assert not any(
                (other.latency_us < each.latency_us and other.cost <= each.cost)
                or (other.latency_us <= each.latency_us and other.cost < each.cost)
                for other in fitting
            )


def of(cycles: int = 100, **parameters: object) -> PointResult:
    """A result whose block RAMs are its scarcest resource."""
    design = Design(**{"pes": 4, "board": "zcu104", "entries_per_pe": 65536, **parameters})
    return PointResult.of(json.dumps(sorted(parameters.items())), design, cycles, ())


@pytest.mark.parametrize(
    ("chosen", "others"),
    [
        # Up to 32 they take the same LUTs, and deeper is never slower.
        ({"queue_depth": 32}, [{"queue_depth": 16}, {"queue_depth": 8}]),
        ({"result_depth": 16}, [{"result_depth": 8}, {"result_depth": 4}]),
        ({"queue_depth": 16, "result_depth": 2}, [{"queue_depth": 8, "result_depth": 20}]),
        # Deeper than that they take more.
        ({"queue_depth": 8}, [{"queue_depth": 64}]),
        # Fewer bits, in as many block RAMs, are worth more than deeper queues.
        ({"queue_depth": 4, "layers": 8}, [{"queue_depth": 32, "layers": 9}]),
        ({"length_bits": 3}, [{"length_bits": 4}]),
        ({"clock_mhz": 100, "cycles": 100}, [{"clock_mhz": 200, "cycles": 200}]),
    ],
)
def test_of_equal_designs_the_tie_breakers_choose_one(chosen, others):
    results = [of(**chosen), *(of(**other) for other in others)]
    assert len({(each.latency_us, each.cost) for each in results}) == 1
    for order in itertools.permutations(results):
        assert pareto_front(order) == [results[0]]


def test_a_deeper_queue_is_shown_where_it_is_faster():
    shallow, deep = of(120, queue_depth=8), of(100, queue_depth=64)
    assert pareto_front([shallow, deep]) == [deep]


def test_groups_share_an_encoding_and_hold_every_point():
    points = list(Grid.of(["zcu104", "kv260"]))
    found = groups(points)
    assert sorted(point.key for group in found for point in group) == sorted(
        point.key for point in points
    )
    for group in found:
        assert len({(p.fixed()["pes"], p.fixed()["index_bits"]) for p in group}) == 1


def test_a_point_does_not_depend_on_its_group(network):
    points = list(Grid.of(["pynq-z2"], {**AXES, "pes": (4,), "index_bits": (4,)}))
    together = evaluate(network, points, "balanced")
    alone = [evaluate(network, [point], "balanced")[0] for point in points]
    assert together == alone


@pytest.mark.parametrize(
    ("text", "values"),
    [("8", (8,)), ("8,16", (8, 16)), ("8:32:8", (8, 16, 24, 32)), ("1:3,9", (1, 2, 3, 9))],
)
def test_values_are_numbers_and_ranges(text, values):
    assert parse_values(text, "queue_depth") == values


@pytest.mark.parametrize("text", ["", "a", "8:", "9:8", "1:9:0", "1:2:3:4", "8,,9"])
def test_other_values_are_refused(text):
    with pytest.raises(InputError, match="queue_depth must be numbers and ranges like"):
        parse_values(text, "queue_depth")


@pytest.mark.parametrize(
    ("boards", "axes", "message"),
    [
        (["pynq-z2"], {"pes": (3,)}, "power of two"),
        (["pynq-z2"], {"pes": (2, 512), "queue_depth": (1,)}, "pes must be .*not 512"),
        (["pynq-z2"], {"speed": (3,)}, "'speed' is not a parameter to sweep"),
        (["pynq-z2"], {"memory": ("uram",)}, "memory must include 'bram': pynq-z2 has no UltraRAM"),
        (["pynq-z2"], {"pes": ()}, "pes must have at least one value"),
        ([], {}, "at least one board"),
        (["pynq-z9"], {}, "pynq-z9"),
    ],
)
def test_impossible_grids_are_refused(boards, axes, message):
    with pytest.raises(InputError, match=message):
        Grid.of(boards, axes)


def test_boards_without_ultraram_have_no_such_points():
    grid = list(Grid.of(["pynq-z2", "kv260"]))
    uram = {point.board for point in grid if point.fixed()["memory"] == "uram"}
    assert uram == {"kv260"}


def test_the_command_writes_everything(network, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("EIE_PROGRESS", raising=False)  # which all tests turn off
    network.save(tmp_path / "net.npz")
    out = tmp_path / "out"
    command = ["explore", str(tmp_path / "net.npz"), "--board", "kv260", "--out", str(out)]
    command += ["--pes", "4,8", "--queue-depth", "8", "--index-bits", "4", "--workers", "1"]
    assert main(command) == 0
    printed = capsys.readouterr()
    assert "4 points, 4 of which fit; 4 evaluated" in printed.out
    assert "nothing was synthesised" in printed.out
    assert "4 of 4 points" in printed.err
    front = json.loads((out / "pareto.json").read_text())["front"]
    assert {each["board"] for each in front} == {"kv260"}
    assert len((out / "points.csv").read_text().splitlines()) == 5
    assert (out / "pareto.png").read_bytes()[:4] == b"\x89PNG"
    assert main(command) == 0
    assert "0 evaluated" in capsys.readouterr().out


def test_a_grid_of_which_nothing_fits_ends_in_advice(network, tmp_path, capsys):
    network.save(tmp_path / "net.npz")
    out = tmp_path / "out"
    command = ["explore", str(tmp_path / "net.npz"), "--board", "pynq-z2", "--out", str(out)]
    command += ["--pes", "256", "--queue-depth", "8", "--index-bits", "4", "--workers", "1"]
    assert main(command) == 2
    printed = capsys.readouterr()
    assert "1 point, 0 of which fit" in printed.out
    assert "no design fits; the closest, 256 PEs on pynq-z2, lacks:\n  - " in printed.out
    # Three slices a PE, three products of 32 bits in four each, and lanes by stride.
    assert "DSP: needs 781" in printed.out
    assert printed.err.splitlines()[-1] == (
        "eie: no design that was looked at holds this network: explore other values or a larger "
        "board, prune the network further, or choose a design that runs it in passes "
        "(eie fit --passes)"
    )
    assert (out / "points.csv").is_file()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--pes", "x"], "pes must be numbers and ranges"),
        (["--workers", "0"], "--workers must be at least 1"),
        (["--scheduler", "tcp://127.0.0.1:9"], "no Dask scheduler answers at 'tcp://127.0.0.1:9'"),
    ],
)
def test_bad_commands_are_refused(network, tmp_path, capsys, more, message):
    network.save(tmp_path / "net.npz")
    command = ["explore", str(tmp_path / "net.npz"), "--board", "kv260", "--out", str(tmp_path)]
    assert main([*command, "--wait", "1", *more]) == 2
    assert message in capsys.readouterr().err


def test_the_same_call_takes_a_running_scheduler():
    from distributed import LocalCluster

    alone = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(**alone) as cluster:
        found = sorted(fan_out(operator.mul, 2, [3, 1, 2], scheduler=cluster.scheduler_address))
        assert found == [(1, 2), (2, 4), (3, 6)]
    assert list(fan_out(operator.mul, 2, [])) == []


def test_builds_go_through_the_same_fan_out(explored, tmp_path):
    """Without Vitis each build says so, and the others go on."""
    found, _, _ = explored
    front = [each for each in found.front if each.board == "pynq-z2"][:2]
    builds = list(build_front(front, tmp_path / "builds", path=str(tmp_path)))
    assert len(builds) == len(front)
    for build in builds:
        assert not build.succeeded
        assert "vitis" in build.text.lower()
        assert (Path(build.project) / "design.toml").read_text() == build.design.to_toml()


def test_lengths_too_short_for_a_column_are_what_a_point_lacks(network):
    (point,) = Grid.of(
        ["pynq-z2"],
        {
            "pes": (2,),
            "queue_depth": (8,),
            "index_bits": (4,),
            "memory": ("bram",),
            "length_bits": (2,),
        },
    )
    (result,) = evaluate(network, [point], "balanced")
    assert not result.fits
    assert any(text.startswith("length_bits: needs") for text in result.lacks)


def test_results_are_on_the_disk_group_by_group(network, tmp_path, monkeypatch):
    """A group that was taken is in the file when the next one's results are asked for."""
    grid = Grid.of(["none"], AXES)
    sizes = []

    def one_after_the_other(function, shared, items, **_):
        for item in items:
            sizes.append(len((tmp_path / "points.jsonl").read_text().splitlines()))
            yield item, function(shared, item)

    monkeypatch.setattr("eie.host.search.explore.exploration.fan_out", one_after_the_other)
    explore(network, grid, tmp_path)
    # The first line says what was explored; two depths share PEs and zero runs.
    assert sizes == [1, 3, 5, 7]


@pytest.fixture
def drawn(explored, tmp_path, monkeypatch):
    """The axes of the plot: of boards, and of none."""
    from matplotlib.figure import Figure

    figures = []
    saved = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *a, **k: (figures.append(self), saved(self, *a, **k))
    )
    explored[0].save(tmp_path)
    return figures[0].axes


def test_designs_of_the_front_say_what_they_are(explored, drawn):
    found, _, _ = explored
    for axes, board in zip(drawn, ("pynq-z2", "none"), strict=True):
        front = [each.design for each in found.front if each.board == board]
        labels = [
            f"{each['pes']} PEs, runs {each['index_bits']}, queue {each['queue_depth']}, bram"
            for each in front
        ]
        texts = [text.get_text() for text in axes.texts]
        # The fastest has its label, and no two lie on each other.
        assert texts[0] == labels[0]
        assert set(texts) <= set(labels)
        boxes = [text.get_window_extent() for text in axes.texts]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_bits_and_shares_are_not_drawn_on_one_axis(explored, drawn):
    found, _, _ = explored
    of_board, of_none = drawn
    assert of_board.get_xlabel().startswith("largest share")
    assert of_none.get_xlabel() == "Mbit of memory"
    for axes, board in ((of_board, "pynq-z2"), (of_none, "none")):
        (line,) = axes.lines
        assert len(line.get_xdata()) == sum(each.board == board for each in found.front)
