"""Nodes of the broadcast tree, each alone, against a plain model and under stalls."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def project(project_of, small):
    return project_of(small)


def stalled(stall: tuple[int, int, int], cycle: int) -> bool:
    """Whether a stream rests in a cycle: SplitMix64 as simulation/fifo.h defines it."""
    seed, numerator, denominator = stall
    mask = 2**64 - 1
    z = (seed + (cycle + 1) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return (z ^ (z >> 31)) % denominator < numerator


def broadcast_model(tokens, children, leaf, parent_stall, child_stalls, kinds):
    """What each child gets, and the cycles taken: the node, one child after the other."""
    counted = {kinds["Activation"], kinds["LastActivation"], kinds["LayerEnd"]}
    got = [[] for _ in range(children)]
    full = [0] * children
    cycle = 0
    for kind, data in tokens:
        while stalled(parent_stall, cycle):
            cycle += 1
        if kind == kinds["RunBegin"]:
            full = [0] * children
        for child in range(children):
            full[child] += kind in counted and stalled(child_stalls[child], cycle)
        for child in range(children):
            while stalled(child_stalls[child], cycle):
                cycle += 1
            reports = leaf and kind == kinds["Report"]
            got[child].append([kind, full[child] if reports else data])
        cycle += 1
    return got, cycle


@PROPERTY
@pytest.mark.parametrize("children", [1, 2, 4])
@pytest.mark.parametrize("leaf", [True, False])
@given(data=st.data())
def test_broadcast_gives_every_child_every_token_and_counts_who_was_full(
    project, drive, kinds, stall_patterns, children, leaf, data
) -> None:
    names = ("RunBegin", "Activation", "Activation", "LastActivation", "LayerEnd", "Report")
    draw = data.draw(
        st.lists(st.tuples(st.sampled_from(names), st.integers(0, 2**64 - 1)), max_size=30),
        "tokens",
    )
    tokens = [[kinds[name], value] for name, value in draw]
    tokens += [[kinds["Report"], 0], [kinds["PacketEnd"], 0]]
    parent, *child = (data.draw(stall_patterns) for _ in range(children + 1))
    stalls = {"parent": parent} | {f"child_{i}": each for i, each in enumerate(child)}
    got = drive(project, "broadcast.cpp", {"parent": tokens}, children, int(leaf), stalls=stalls)
    # The counters are static: a fresh program starts with zero, as the model does.
    expected, cycles = broadcast_model(tokens, children, leaf, parent, child, kinds)
    assert [got[f"child_{i}"] for i in range(children)] == expected
    assert got["cycles"] == [[cycles]]


@pytest.mark.parametrize("children", [1, 2, 4])
def test_broadcast_takes_a_cycle_for_each_token(project, drive, kinds, children) -> None:
    tokens = [[kinds["Activation"], index] for index in range(100)] + [[kinds["PacketEnd"], 0]]
    got = drive(project, "broadcast.cpp", {"parent": tokens}, children, 1)
    assert got["cycles"] == [[101]]
