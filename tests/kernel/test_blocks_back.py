"""The way back, each node alone: gather, merge and collect."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PROPERTY = settings(max_examples=25, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def project(project_of, small):
    return project_of(small)


def fields_of(value: int, bits: int) -> list[int]:
    """An integer as fields of 64 bits."""
    return [value >> low & (2**64 - 1) for low in range(0, bits, 64)]


def value_of(fields: list[int]) -> int:
    """An integer from its fields of 64 bits."""
    return sum(field << 64 * place for place, field in enumerate(fields))


def marked(values: list[int], kinds: dict[str, int]) -> list[tuple[int, int]]:
    """The results of a layer: (kind, value), the last one marked."""
    last = len(values) - 1
    return [(kinds["Last" if i == last else "Value"], value) for i, value in enumerate(values)]


def draw_stalls(data, stall_patterns, names):
    return {name: data.draw(stall_patterns, name) for name in names}


@PROPERTY
@pytest.mark.parametrize("sources", [1, 2, 4])
@pytest.mark.parametrize("bits", [16, 64])
@given(data=st.data())
def test_gather_puts_results_side_by_side(
    project, drive, kinds, stall_patterns, sources, bits, data
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
                [kind, *fields_of(value, bits)] for kind, value in marked(values, kinds)
            ]
        in_turn = [value for values in zip(*layer, strict=True) for value in values]
        wide = [
            sum(value << bits * place for place, value in enumerate(in_turn[row : row + 4]))
            for row in range(0, 4 * rows, 4)
        ]
        expected += marked(wide, kinds)
    end = [kinds["End"], *fields_of(0, bits)]
    stalls = draw_stalls(data, stall_patterns, [*inputs, "out"])
    got = drive(
        project,
        "gather.cpp",
        {name: [*stream, end] for name, stream in inputs.items()},
        f"gather_{sources}<{bits}>",
        stalls=stalls,
    )
    out = [(kind, value_of(fields)) for kind, *fields in got["out"]]
    assert out[:-1] == expected
    assert out[-1][0] == kinds["End"]


@PROPERTY
@pytest.mark.parametrize("sources", [2, 4])
@pytest.mark.parametrize("burst", [1, 4])
@given(data=st.data())
def test_merge_takes_bursts_in_turn(
    project, drive, kinds, stall_patterns, sources, burst, data
) -> None:
    inputs = {f"in_{source}": [] for source in range(sources)}
    expected = []
    word = st.integers(0, 2**256 - 1)
    for rounds in data.draw(st.lists(st.integers(1, 4), max_size=3), "rounds of each layer"):
        count = rounds * burst
        layer = [data.draw(st.lists(word, min_size=count, max_size=count)) for _ in inputs]
        for source, words in enumerate(layer):
            inputs[f"in_{source}"] += [
                [kind, *fields_of(value, 256)] for kind, value in marked(words, kinds)
            ]
        in_turn = [
            value
            for start in range(0, count, burst)
            for words in layer
            for value in words[start : start + burst]
        ]
        expected += marked(in_turn, kinds)
    end = [kinds["End"], 0, 0, 0, 0]
    got = drive(
        project,
        "gather.cpp",
        {name: [*stream, end] for name, stream in inputs.items()},
        f"merge_{sources}<{burst}>",
        stalls=draw_stalls(data, stall_patterns, [*inputs, "out"]),
    )
    out = [(kind, value_of(fields)) for kind, *fields in got["out"]]
    # A source's last word is the layer's last only when it is the last source's.
    assert out[:-1] == expected
    assert out[-1][0] == kinds["End"]


@pytest.mark.parametrize(
    ("node", "sources", "bits", "cycles"),
    [("gather_4<16>", 4, 16, 40), ("gather_1<64>", 1, 64, 40), ("merge_4<1>", 4, 256, 160)],
)
def test_a_result_a_cycle(project, drive, kinds, node, sources, bits, cycles) -> None:
    """Every node moves an element of each of its inputs, or an output, in every cycle."""
    results = [[kind, *fields_of(value, bits)] for kind, value in marked([7] * 40, kinds)]
    end = [kinds["End"], *fields_of(0, bits)]
    inputs = {f"in_{source}": [*results, end] for source in range(sources)}
    got = drive(project, "gather.cpp", inputs, node)
    ends = sources if node.startswith("merge") else 1
    assert got["cycles"] == [[cycles + ends]]


@PROPERTY
@given(data=st.data())
def test_collector_sends_words_where_commands_say_and_drops_padding(
    project, drive, kinds, stall_patterns, data
) -> None:
    commands, results = [], []
    expected = {"hidden": [], "outputs": []}
    for _ in range(data.draw(st.integers(0, 4), "commands")):
        to = data.draw(st.sampled_from(["hidden", "outputs"]))
        words = data.draw(st.integers(1, 6))
        keep = data.draw(st.integers(0, words))
        layer = marked(
            data.draw(st.lists(st.integers(0, 2**256 - 1), min_size=words, max_size=words)), kinds
        )
        layer = [[kind, *fields_of(value, 256)] for kind, value in layer]
        commands.append([kinds["ToHidden" if to == "hidden" else "ToOutput"], words, keep])
        results += layer
        expected[to] += layer[:keep]
    got = drive(
        project,
        "gather.cpp",
        {
            "commands": [*commands, [kinds["Stop"], 0, 0]],
            "results": [*results, [kinds["End"], 0, 0, 0, 0]],
        },
        "collect",
        stalls=draw_stalls(data, stall_patterns, ["commands", "results", "hidden", "outputs"]),
    )
    assert {name: got.get(name, []) for name in expected} == expected
