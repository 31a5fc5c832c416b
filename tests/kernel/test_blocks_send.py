"""The sender alone: beats and checksums of answers, and the cycles that it counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.spec.packets import COUNTERS, STATUS, Kind, Status, parse_packet

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)

#: Of a run, in front of its first output: see send.h.
BEFORE_BODY = 4
NETWORK_ID = 0x1234


@pytest.fixture(scope="module")
def project(project_of, small):
    return project_of(small)


def answer_of(got) -> bytes:
    """What was sent, which must end with TLAST and have it nowhere else."""
    assert [last for _, last in got["packets"]] == [0] * (len(got["packets"]) - 1) + [1]
    return np.array([beat for beat, _ in got["packets"]], "<u8").tobytes()


#: Saturated values of each layer, more than 32 bits hold.
SATURATED = [5, 0, (1 << 48) - 1]


def run_answers(vectors: int, beats: int) -> list[list[int]]:
    return [
        [Kind.RUN, 7, vectors, beats, len(SATURATED)],
        [Kind.RUN, 7, Status.OK, NETWORK_ID, 0],
    ]


def words_of(vectors: int, beats: int) -> tuple[list[list[int]], list[int]]:
    """Words of outputs and of counts of saturated values, and the beats that are sent of them."""
    words, sent = [], []
    for vector in range(vectors):
        values = [1000 * vector + beat for beat in range(beats)]
        sent += values
        for start in range(0, beats, 4):
            words.append([0, *(values[start : start + 4] + [0xDEAD] * 4)[:4]])
    return words + [[0, count, 0, 0, 0] for count in SATURATED], sent + SATURATED


@PROPERTY
@given(data=st.data(), vectors=st.integers(0, 4), beats=st.integers(1, 9))
def test_a_run_whatever_the_streams_do(
    project, drive, stall_patterns, data, vectors, beats
) -> None:
    words, sent = words_of(vectors, beats)
    stalls = {name: data.draw(stall_patterns, name) for name in ("answers", "outputs", "packets")}
    got = drive(
        project,
        "send.cpp",
        {"answers": run_answers(vectors, beats), "outputs": words},
        stalls=stalls,
    )
    payload = parse_packet(answer_of(got)).payload
    assert payload[:-1].tolist() == sent
    assert STATUS.parse(payload[-1:]) == {"status": Status.OK, "network_id": NETWORK_ID}


@pytest.mark.parametrize(("vectors", "beats"), [(0, 3), (1, 1), (3, 8), (5, 6)])
@pytest.mark.parametrize("stall_out", [(0, 0, 1), (5, 3, 4)])
def test_every_beat_counts_and_no_cycle_in_which_the_dma_takes_none(
    project, drive, vectors, beats, stall_out
) -> None:
    words, _ = words_of(vectors, beats)
    streams = {"answers": run_answers(vectors, beats), "outputs": words}
    got = drive(project, "send.cpp", streams, stalls={"packets": stall_out})
    assert got["run_cycles"] == [[BEFORE_BODY + vectors * beats]]


def test_cycles_without_an_output_count(project, drive) -> None:
    """Of a stream that can be read in one cycle of fifty, a word takes more than one."""
    words, sent = words_of(4, 4)
    streams = {"answers": run_answers(4, 4), "outputs": words}
    got = drive(project, "send.cpp", streams, stalls={"outputs": (9, 49, 50)})
    ((cycles,),) = got["run_cycles"]
    # Answers did not stall: what the sender took in all is its count and the fixed rest.
    ((total,),) = got["cycles"]
    assert cycles > BEFORE_BODY + len(sent) - len(SATURATED) + 50
    # One cycle less before the body (that of the receiver), two beats after it, and the counts.
    assert total >= cycles - 1 + 2 + len(SATURATED)


def test_the_counters_tell_the_cycles_of_the_last_run(project, drive) -> None:
    """Neither a refused run nor a load between them changes that."""
    beats = 32
    words, sent = words_of(1, beats)
    answers = [
        *run_answers(1, beats),
        *(
            [kind, 8, count, detail, 0]
            for kind in (Kind.RUN, Kind.LOAD)
            for count, detail in ((0, 0), (8, 0))
        ),
        [Kind.COUNTERS, 9, 1, beats, 0],
        [Kind.COUNTERS, 9, Status.OK, NETWORK_ID, 0],
    ]
    table = words[: -len(SATURATED)]
    got = drive(project, "send.cpp", {"answers": answers, "outputs": words + table}, runs=4)
    assert got["run_cycles"] == [[BEFORE_BODY + beats]] * 4
    last = got["packets"][-(math.prod((1, beats)) + COUNTERS.beats + 4) :]
    payload = parse_packet(answer_of({"packets": last})).payload
    assert payload[0] == BEFORE_BODY + beats
    assert payload[COUNTERS.beats : -1].tolist() == sent[:beats]
