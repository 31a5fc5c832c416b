"""The way back, each node alone: gather, merge and collect."""

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
@pytest.mark.parametrize("bits", [17, 68])
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
    word = st.integers(0, 2**WORD_BITS - 1)
    for rounds in data.draw(st.lists(st.integers(1, 4), max_size=3), "rounds of each layer"):
        count = rounds * burst
        layer = [data.draw(st.lists(word, min_size=count, max_size=count)) for _ in inputs]
        for source, words in enumerate(layer):
            inputs[f"in_{source}"] += [
                [kind, *fields_of(value, WORD_BITS)] for kind, value in marked(words, kinds)
            ]
        in_turn = [
            value
            for start in range(0, count, burst)
            for words in layer
            for value in words[start : start + burst]
        ]
        expected += marked(in_turn, kinds)
    end = [kinds["End"], *fields_of(0, WORD_BITS)]
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
    [("gather_4<17>", 4, 17, 40), ("gather_1<68>", 1, 68, 40), ("merge_4<1>", 4, WORD_BITS, 160)],
)
def test_a_result_a_cycle(project, drive, kinds, node, sources, bits, cycles) -> None:
    """Every node moves an element of each of its inputs, or an output, in every cycle."""
    results = [[kind, *fields_of(value, bits)] for kind, value in marked([7] * 40, kinds)]
    end = [kinds["End"], *fields_of(0, bits)]
    inputs = {f"in_{source}": [*results, end] for source in range(sources)}
    got = drive(project, "gather.cpp", inputs, node)
    ends = sources if node.startswith("merge") else 1
    assert got["cycles"] == [[cycles + ends]]


def stop_commands(kinds) -> list[int]:
    return [kinds["Stop"], 0, 0, 0, 0, 0]


@PROPERTY
@given(data=st.data())
def test_collector_sends_words_where_commands_say_and_drops_padding(
    project, drive, kinds, stall_patterns, data
) -> None:
    """Activations lose their marks, which are counted by layer but for lanes without a row."""
    commands, results = [], []
    expected = {"hidden": [], "outputs": []}
    saturated = {}
    lanes = st.lists(
        st.tuples(st.integers(0, 2**16 - 1), st.integers(0, 1)), min_size=16, max_size=16
    )
    for _ in range(data.draw(st.integers(1, 4), "commands")):
        to = data.draw(st.sampled_from(["hidden", "outputs"]))
        words = data.draw(st.integers(1, 6))
        keep = data.draw(st.integers(0, words))
        spare = data.draw(st.integers(0, 15))
        layer = data.draw(st.integers(0, 1))
        first = int(layer not in saturated)
        layer_lanes = data.draw(st.lists(lanes, min_size=words, max_size=words))
        kinds_of_words = [kind for kind, _ in marked(layer_lanes, kinds)]
        for kind, word in zip(kinds_of_words, layer_lanes, strict=True):
            packed = sum(
                (value | mark << 16) << RESULT_BITS * lane
                for lane, (value, mark) in enumerate(word)
            )
            results.append([kind, *fields_of(packed, WORD_BITS)])
        for place, word in enumerate(layer_lanes[:keep]):
            values = sum(value << 16 * lane for lane, (value, _) in enumerate(word))
            expected[to].append([kinds_of_words[place], *fields_of(values, 256)])
            counted = word[: 16 - spare] if place == keep - 1 else word
            saturated[layer] = saturated.get(layer, 0) + sum(mark for _, mark in counted)
        saturated.setdefault(layer, 0)
        to_kind = kinds["ToHidden" if to == "hidden" else "ToOutput"]
        commands.append([to_kind, words, keep, spare, layer, first])
    commands += [[kinds["RunEnd"], 2, 2, 0, 0, 0], [kinds["RunEnd"], 3, 3, 0, 0, 1]]
    expected["outputs"] += [
        *([kinds["Value"], saturated.get(layer, 0), 0, 0, 0] for layer in range(2)),
        # Of a run without vectors nothing that was counted before is told.
        *[[kinds["Value"], 0, 0, 0, 0]] * 3,
    ]
    got = drive(
        project,
        "gather.cpp",
        {
            "commands": [*commands, stop_commands(kinds)],
            "results": [*results, [kinds["End"], *fields_of(0, WORD_BITS)]],
        },
        "collect",
        stalls=draw_stalls(data, stall_patterns, ["commands", "results", "hidden", "outputs"]),
    )
    assert {name: got.get(name, []) for name in expected} == expected


def test_a_report_changes_no_count(project, drive, kinds) -> None:
    """It comes after the run, as a layer of results that are none."""
    word = [kinds["Last"], *fields_of(1 << 16, WORD_BITS)]
    plain = [kinds["Last"], *fields_of(7, WORD_BITS)]
    got = drive(
        project,
        "gather.cpp",
        {
            "commands": [
                [kinds["ToOutput"], 1, 1, 0, 0, 1],
                [kinds["ToOutput"], 1, 1, 0, 0, 0],
                [kinds["RunEnd"], 1, 1, 0, 0, 0],
                stop_commands(kinds),
            ],
            "results": [word, plain, [kinds["End"], *fields_of(0, WORD_BITS)]],
        },
        "collect",
    )
    assert got["outputs"][-1] == [kinds["Value"], 1, 0, 0, 0]
