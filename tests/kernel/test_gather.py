"""Nodes of the gather tree, each alone: results put side by side."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PROPERTY = settings(max_examples=25, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def project(project_of, small):
    return project_of(small)


@PROPERTY
@pytest.mark.parametrize("sources", [1, 2, 4])
@pytest.mark.parametrize("bits", [17, 68])
@given(data=st.data())
def test_gather_puts_results_side_by_side(
    project, drive, kinds, results, sources, bits, data
) -> None:
    """Element r of the output holds results 4 r to 4 r + 3, taken from each source in turn."""
    inputs = {f"in_{source}": [] for source in range(sources)}
    expected = []
    for rows in data.draw(st.lists(st.integers(1, 6), max_size=4), "elements of each layer"):
        count = rows * 4 // sources
        layer = [
            data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=count, max_size=count))
            for _ in range(sources)
        ]
        for source, values in enumerate(layer):
            inputs[f"in_{source}"] += [
                [kind, *results.fields_of(value, bits)] for kind, value in results.marked(values)
            ]
        in_turn = [value for values in zip(*layer, strict=True) for value in values]
        wide = [
            sum(value << bits * place for place, value in enumerate(in_turn[row : row + 4]))
            for row in range(0, 4 * rows, 4)
        ]
        expected += results.marked(wide)
    end = [kinds["End"], *results.fields_of(0, bits)]
    stalls = results.stalls(data, [*inputs, "out"])
    got = drive(
        project,
        "gather.cpp",
        {name: [*stream, end] for name, stream in inputs.items()},
        f"gather_{sources}<{bits}>",
        stalls=stalls,
    )
    out = [(kind, results.value_of(fields)) for kind, *fields in got["out"]]
    assert out[:-1] == expected
    assert out[-1][0] == kinds["End"]


@pytest.mark.parametrize(
    ("node", "sources", "bits"), [("gather_4<17>", 4, 17), ("gather_1<68>", 1, 68)]
)
def test_gather_takes_an_element_of_each_source_a_cycle(
    project, drive, kinds, results, node, sources, bits
) -> None:
    elements = [[kind, *results.fields_of(value, bits)] for kind, value in results.marked([7] * 40)]
    end = [kinds["End"], *results.fields_of(0, bits)]
    inputs = {f"in_{source}": [*elements, end] for source in range(sources)}
    assert drive(project, "gather.cpp", inputs, node)["cycles"] == [[40 + 1]]
