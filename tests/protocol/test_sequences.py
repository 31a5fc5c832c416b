"""The schedule of sequences: against the obvious loop, and what a lane may see."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eie.hls.boundary.errors import DeviceError, InputError
from eie.host.protocol.lane_states import LaneStates
from eie.host.protocol.sequence_run import run_sequences, run_step
from eie.host.protocol.sequences import Schedule, place, schedule

LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=12)
LANES = st.integers(1, 6)


def obvious(lengths: list[int], lanes: int) -> list[tuple[int, int, int]]:
    """(sequence, step, lane) of each vector: every round a step of each lane that has one."""
    waiting = sorted(range(len(lengths)), key=lambda each: -lengths[each])
    waiting = [each for each in waiting if lengths[each]]
    busy: list[list[int] | None] = [None] * lanes
    sent = []
    while waiting or any(busy):
        for lane in range(lanes):
            if busy[lane] is None and waiting:
                busy[lane] = [waiting.pop(0), 0]
        for lane, here in enumerate(busy):
            if here is not None:
                sent.append((here[0], here[1], lane))
                here[1] += 1
                if here[1] == lengths[here[0]]:
                    busy[lane] = None
    return sent


@given(LENGTHS, LANES, st.booleans())
def test_schedule_is_that_of_the_obvious_loop(lengths: list[int], lanes: int, last: bool) -> None:
    begun = np.zeros(len(lengths), bool)
    found = schedule(lengths, place(lengths, lanes), begun=begun, last=last)
    sent = obvious(lengths, lanes)
    assert list(zip(found.sequence, found.step, found.tags.lanes, strict=True)) == sent
    assert found.tags.starts.tolist() == [step == 0 for _, step, _ in sent]
    ends = [step == lengths[sequence] - 1 for sequence, step, _ in sent]
    assert found.tags.outputs.tolist() == (ends if last else [True] * len(sent))


@given(LENGTHS, LANES, st.booleans(), st.integers(1, 7), st.integers(1, 7))
def test_parts_cover_the_steps_and_hold_what_a_packet_may(
    lengths: list[int], lanes: int, last: bool, vectors: int, outputs: int
) -> None:
    begun = np.zeros(len(lengths), bool)
    found = schedule(lengths, place(lengths, lanes), begun=begun, last=last)
    parts = list(found.parts(vectors, outputs))
    covered = [step for part in parts for step in range(part.start, part.stop)]
    assert covered == list(range(sum(lengths)))
    for part in parts:
        tags = found.tags_of(part)
        assert 1 <= len(tags) <= vectors and tags.given <= outputs


class Lanes:
    """An engine of sums: a step's output is the sum of its sequence so far, in the lane."""

    def __init__(self, lanes: int) -> None:
        self.state: list[int | None] = [None] * lanes
        self.fails = False

    def send(self, vectors: npt.NDArray[Any], steps: Schedule) -> npt.NDArray[Any]:
        if self.fails:
            raise DeviceError("it broke")
        given = []
        for vector, lane, start, output in zip(
            vectors, steps.tags.lanes, steps.tags.starts, steps.tags.outputs, strict=True
        ):
            before = 0 if start else self.state[lane]
            assert before is not None, "a step goes on from a state that is not there"
            self.state[lane] = before + int(vector[0])
            if output:
                given.append([self.state[lane]])
        return np.array(given, np.int16).reshape(-1, 1)


def sums(sequences: list[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    return [np.cumsum(each, axis=0, dtype=np.int16) for each in sequences]


@given(LENGTHS, LANES, st.booleans(), st.integers(0, 2**32 - 1))
def test_sequences_give_what_each_gives_alone(
    lengths: list[int], lanes: int, last: bool, seed: int
) -> None:
    lengths = [max(each, int(last)) for each in lengths]
    random = np.random.default_rng(seed)
    sequences = [random.integers(-99, 99, (each, 1)).astype(np.int16) for each in lengths]
    engine, states = Lanes(lanes), LaneStates(lanes)
    found = run_sequences(states, sequences, engine.send, last=last, keep=False)
    wanted = [each[-1:] if last else each for each in sums(sequences)]
    for mine, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@given(st.data(), LANES)
def test_a_sequence_in_several_calls_is_the_whole(data: st.DataObject, lanes: int) -> None:
    count = data.draw(st.integers(1, lanes))
    calls = data.draw(st.integers(1, 4))
    pieces = [
        [
            np.array(data.draw(st.lists(st.integers(-99, 99), max_size=5)), np.int16)[:, np.newaxis]
            for _ in range(count)
        ]
        for _ in range(calls)
    ]
    engine, states = Lanes(lanes), LaneStates(lanes)
    found = [
        run_sequences(states, each, engine.send, last=False, keep=number > 0)
        for number, each in enumerate(pieces)
    ]
    wanted = sums([np.concatenate(each) for each in zip(*pieces, strict=True)])
    for sequence in range(count):
        np.testing.assert_array_equal(
            np.concatenate([each[sequence] for each in found]), wanted[sequence]
        )


def test_states_that_are_gone_are_not_continued() -> None:
    engine, states = Lanes(2), LaneStates(2)
    one = [np.ones((3, 1), np.int16)] * 2

    def call(sequences: list[npt.NDArray[Any]], keep: bool) -> None:
        run_sequences(states, sequences, engine.send, last=False, keep=keep)

    with pytest.raises(DeviceError, match="no sequences have been begun yet"):
        call(one, True)
    call(one, False)
    with pytest.raises(InputError, match="as many sequences as in the last call, 2, not 1"):
        call(one[:1], True)
    call(one, True)  # what was refused has changed nothing
    call([*one, *one], False)
    with pytest.raises(DeviceError, match=r"the last call had 4 sequences, and .* 2 lanes"):
        call(one, True)
    call(one, False)
    states.lose("another network was loaded")
    with pytest.raises(DeviceError, match="another network was loaded"):
        call(one, True)
    call(one, False)
    engine.fails = True
    with pytest.raises(DeviceError, match="it broke"):
        call(one, True)
    engine.fails = False
    with pytest.raises(DeviceError, match=r"a run broke off \(it broke\)"):
        call(one, True)


def test_streams_go_on_beside_each_other_until_their_lane_is_taken() -> None:
    engine, states = Lanes(3), LaneStates(3)

    def step(stream: object, value: int, start: bool = False) -> int:
        vector = np.array([value], np.int16)
        return int(run_step(states, stream, vector, engine.send, start=start)[0])  # type: ignore[arg-type]

    first, second = states.open_stream(), states.open_stream()
    assert [step(first, 1, True), step(second, 10, True)] == [1, 10]
    assert [step(first, 2), step(second, 20)] == [3, 30]
    # One sequence takes the lane that no stream has.
    one = [np.ones((3, 1), np.int16)]
    run_sequences(states, one, engine.send, last=False, keep=False)
    assert [step(first, 3), step(second, 30)] == [6, 60]
    run_sequences(states, one * 3, engine.send, last=False, keep=False)
    with pytest.raises(DeviceError, match="another call took its lane"):
        step(first, 4)
