"""The root of the way back alone: words to their places, saturated results counted."""

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


#: What is behind `final` in a command: the vector, and what only a cell looks at.
REST = [0, 1, 1, 0, 0, 0]


def command(kind: int, words: int = 0, keep: int = 0, spare: int = 0, layer: int = 0, **to: int):
    """A command, with where its words go by name."""
    return [
        kind,
        words,
        keep,
        spare,
        layer,
        *(to.get(x, 0) for x in ("out", "back", "final")),
        *REST,
    ]


@PROPERTY
@given(data=st.data())
def test_collect_sends_words_where_commands_say_and_drops_padding(
    project, drive, kinds, results, data
) -> None:
    """Activations lose their marks, which are counted by layer but for lanes without a row."""
    commands, elements = [], []
    expected = {"hidden": [], "outputs": []}
    saturated = {}
    lanes = st.lists(
        st.tuples(st.integers(0, 2**16 - 1), st.integers(0, 1)), min_size=16, max_size=16
    )
    for _ in range(data.draw(st.integers(1, 4), "commands")):
        to = data.draw(st.sampled_from([["hidden"], ["outputs"], ["hidden", "outputs"]]))
        words = data.draw(st.integers(1, 6))
        keep = data.draw(st.integers(0, words))
        spare = data.draw(st.integers(0, 15))
        layer = data.draw(st.integers(0, 1))
        final = data.draw(st.integers(0, 1))
        layer_lanes = data.draw(st.lists(lanes, min_size=words, max_size=words))
        kinds_of_words = [kind for kind, _ in results.marked(layer_lanes)]
        for kind, word in zip(kinds_of_words, layer_lanes, strict=True):
            packed = sum(
                (value | mark << 16) << RESULT_BITS * lane
                for lane, (value, mark) in enumerate(word)
            )
            elements.append([kind, *results.fields_of(packed, WORD_BITS)])
        for place, word in enumerate(layer_lanes[:keep]):
            values = sum(value << 16 * lane for lane, (value, _) in enumerate(word))
            fields = results.fields_of(values, 256)
            if "hidden" in to:
                marks = [layer, int(place == keep - 1), 0, 1, 1, final]
                expected["hidden"].append([*fields, *marks])
            if "outputs" in to:
                expected["outputs"].append([kinds_of_words[place], *fields])
            counted = word[: 16 - spare] if place == keep - 1 else word
            saturated[layer] = saturated.get(layer, 0) + sum(mark for _, mark in counted)
        saturated.setdefault(layer, 0)
        where = {"out": int("outputs" in to), "back": int("hidden" in to), "final": final}
        commands.append(command(kinds["Results"], words, keep, spare, layer, **where))
    commands += [command(kinds["RunEnd"], 2), command(kinds["RunEnd"], 3)]
    expected["outputs"] += [
        *([kinds["Value"], saturated.get(layer, 0), 0, 0, 0] for layer in range(2)),
        # Of the next run, without vectors, nothing that was counted before is told.
        *[[kinds["Value"], 0, 0, 0, 0]] * 3,
    ]
    got = drive(
        project,
        "collect.cpp",
        {
            "commands": [*commands, command(kinds["Stop"])],
            "results": [*elements, [kinds["End"], *results.fields_of(0, WORD_BITS)]],
        },
        "collect",
        stalls=results.stalls(data, ["commands", "results", "hidden", "outputs"]),
    )
    assert {name: got.get(name, []) for name in expected} == expected


def test_a_report_changes_no_count(project, drive, kinds, results) -> None:
    """Its words are no results, whatever they look like."""
    word = [kinds["Last"], *results.fields_of(1 << 16, WORD_BITS)]
    plain = [kinds["Last"], *results.fields_of(1 << 16 | 7, WORD_BITS)]
    got = drive(
        project,
        "collect.cpp",
        {
            "commands": [
                command(kinds["Results"], 1, 1, out=1),
                command(kinds["Table"], 1, 1, out=1),
                command(kinds["RunEnd"], 1),
                command(kinds["Stop"]),
            ],
            "results": [word, plain, [kinds["End"], *results.fields_of(0, WORD_BITS)]],
        },
        "collect",
    )
    assert got["outputs"][-1] == [kinds["Value"], 1, 0, 0, 0]
