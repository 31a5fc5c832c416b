"""Nodes of the merge tree, each alone: words put one after another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PROPERTY = settings(max_examples=25, deadline=None, derandomize=True)
#: An activation and, above it, whether it was saturated; 16 of them to a word.
RESULT_BITS = 16 + 1
WORD_BITS = 16 * RESULT_BITS


@pytest.fixture(scope="module")
def project(project_of, small):
    return project_of(small)


@PROPERTY
@pytest.mark.parametrize("sources", [2, 4])
@pytest.mark.parametrize("burst", [1, 4])
@given(data=st.data())
def test_merge_takes_bursts_in_turn(project, drive, kinds, results, sources, burst, data) -> None:
    inputs = {f"in_{source}": [] for source in range(sources)}
    expected = []
    word = st.integers(0, 2**WORD_BITS - 1)
    for rounds in data.draw(st.lists(st.integers(1, 4), max_size=3), "rounds of each layer"):
        count = rounds * burst
        layer = [data.draw(st.lists(word, min_size=count, max_size=count)) for _ in inputs]
        for source, words in enumerate(layer):
            inputs[f"in_{source}"] += [
                [kind, *results.fields_of(value, WORD_BITS)]
                for kind, value in results.marked(words)
            ]
        in_turn = [
            value
            for start in range(0, count, burst)
            for words in layer
            for value in words[start : start + burst]
        ]
        expected += results.marked(in_turn)
    end = [kinds["End"], *results.fields_of(0, WORD_BITS)]
    got = drive(
        project,
        "merge.cpp",
        {name: [*stream, end] for name, stream in inputs.items()},
        f"merge_{sources}<{burst}>",
        stalls=results.stalls(data, [*inputs, "out"]),
    )
    out = [(kind, results.value_of(fields)) for kind, *fields in got["out"]]
    # A source's last word is the layer's last only when it is the last source's.
    assert out[:-1] == expected
    assert out[-1][0] == kinds["End"]


def test_merge_gives_a_word_a_cycle(project, drive, kinds, results) -> None:
    words = [
        [kind, *results.fields_of(value, WORD_BITS)] for kind, value in results.marked([7] * 40)
    ]
    end = [kinds["End"], *results.fields_of(0, WORD_BITS)]
    inputs = {f"in_{source}": [*words, end] for source in range(4)}
    # Each source's end takes a cycle, too.
    assert drive(project, "merge.cpp", inputs, "merge_4<1>")["cycles"] == [[4 * 40 + 4]]
