"""Leading non-zero detection alone, against a plain model and under stalls."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
LANES = 16

ACTIVATIONS = st.one_of(st.just(0), st.just(0), st.integers(0, 0xFFFF))
WORD = st.one_of(
    st.just([0] * LANES),
    st.lists(ACTIVATIONS, min_size=LANES, max_size=LANES),
    st.lists(st.integers(1, 0xFFFF), min_size=LANES, max_size=LANES),
)
LAYER = st.lists(WORD, min_size=1, max_size=6)


@pytest.fixture(scope="module")
def project(project_of, small):
    return project_of(small)


#: Where the first column's pointer is, and which layer it is of.
ADDRESS, NUMBER = 77, 3


def words_of_layer(layer: Sequence[Sequence[int]], kinds: dict[str, int]) -> list[list[int]]:
    """WordTokens of a layer."""
    tokens = []
    for place, word in enumerate(layer):
        nonzero = sum((value != 0) << lane for lane, value in enumerate(word))
        packed = sum(value << (16 * lane) for lane, value in enumerate(word))
        beats = [packed >> (64 * beat) & (2**64 - 1) for beat in range(4)]
        last = int(place == len(layer) - 1)
        tokens.append([kinds["Word"], last, nonzero, NUMBER, ADDRESS + 16 * place, *beats])
    return tokens


def nonzeros_of_layer(layer: Sequence[Sequence[int]], kinds: dict[str, int]) -> list[list[int]]:
    """Tokens that must come out: each non-zero activation with its column, and an end."""
    values = enumerate(itertools.chain.from_iterable(layer))
    tokens = [
        [kinds["Activation"], ADDRESS + column | value << 24 | NUMBER << 40]
        for column, value in values
        if value
    ]
    if any(layer[-1]):
        tokens[-1][0] = kinds["LastActivation"]
    else:
        tokens.append([kinds["LayerEnd"], NUMBER << 40])
    return tokens


@PROPERTY
@given(data=st.data(), layers=st.lists(LAYER, max_size=3))
def test_detect_nonzero_finds_every_nonzero_in_order(
    project, drive, kinds, stall_patterns, data, layers
) -> None:
    end = [kinds["PacketEnd"], 0]
    words = [token for layer in layers for token in words_of_layer(layer, kinds)]
    expected = [token for layer in layers for token in nonzeros_of_layer(layer, kinds)]
    got = drive(
        project,
        "detect_nonzero.cpp",
        {"words": [*words, [kinds["PacketEnd"], *[0] * 8]]},
        stalls={"words": data.draw(stall_patterns), "tokens": data.draw(stall_patterns)},
    )
    assert got["tokens"] == [*expected, end]


@PROPERTY
@given(layer=LAYER)
def test_detect_nonzero_takes_a_cycle_for_each_nonzero_and_for_a_word_of_zeros(
    project, drive, kinds, layer
) -> None:
    end = [kinds["PacketEnd"], *[0] * 8]
    got = drive(project, "detect_nonzero.cpp", {"words": [*words_of_layer(layer, kinds), end]})
    cycles = sum(max(1, sum(value != 0 for value in word)) for word in layer)
    assert got["cycles"] == [[cycles + 1]]
