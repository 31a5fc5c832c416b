"""Sequences through an engine: placed, scheduled, sent, and put back in the caller's order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from eie.host.packing.run_tags import RunTags
from eie.host.protocol.lane_states import LaneStates, Stream
from eie.host.protocol.sequences import Placement, Schedule, schedule

__all__ = ["Send", "run_from_state", "run_sequences", "run_step"]

Codes = npt.NDArray[np.int16]
#: Takes vectors, int16 of shape (steps, inputs), with what is said of each; gives the outputs,
#: int16 of shape (outputs announced, outputs), in the order of the vectors.
Send = Callable[[Codes, Schedule], Codes]


def run_sequences(
    states: LaneStates, sequences: Sequence[Codes], send: Send, *, last: bool, keep: bool
) -> list[Codes]:
    """Take sequences through a network.

    Parameters
    ----------
    states
        What is known of the engine's lanes; brought up to date.
    sequences
        int16 codes, each of shape (steps, inputs); at least one sequence. With `last`, each has at
        least one step.
    send
        Sends them.
    last
        Whether a sequence's last step alone gives an output, or every one.
    keep
        Whether they go on where those of the last call ended.

    Returns
    -------
    list of ndarray of int16
        For each sequence, shape (steps, outputs), or (1, outputs) with `last`.

    Raises
    ------
    DeviceError
        If there is no state to go on from, or the engine fails; all states are lost then.
    InputError
        If with `keep` there are others than in the last call.
    """
    placement, begun = states.place([len(each) for each in sequences], keep=keep)
    return _run_placed(states, sequences, send, placement, begun, last=last)


def run_from_state(
    states: LaneStates,
    sequences: Sequence[Codes],
    send: Send,
    put: Callable[[int, int], None],
    *,
    last: bool,
) -> list[Codes]:
    """Take sequences through a network, each from a state that is given.

    As many at a time as there are lanes.

    Parameters
    ----------
    states, sequences, send, last
        As for :func:`run_sequences`.
    put
        Puts the state of a sequence, by its place among `sequences`, into a lane.
    """
    outputs: list[Codes] = []
    for start in range(0, len(sequences), states.lanes):
        group = sequences[start : start + states.lanes]
        placement = states.place_given(len(group))
        try:
            for lane in range(len(group)):
                put(start + lane, lane)
        except BaseException as error:
            states.lose(_reason(error))
            raise
        begun = np.ones(len(group), np.bool_)
        outputs += _run_placed(states, group, send, placement, begun, last=last)
    if len(sequences) > states.lanes:
        states.lose(
            f"the last call had {len(sequences)} sequences, and the network has {states.lanes} "
            "lanes, each for one"
        )
    return outputs


def _run_placed(
    states: LaneStates,
    sequences: Sequence[Codes],
    send: Send,
    placement: Placement,
    begun: npt.NDArray[np.bool_],
    *,
    last: bool,
) -> list[Codes]:
    lengths = [len(each) for each in sequences]
    steps = schedule(lengths, placement, begun=begun, last=last)
    first = np.cumsum([0, *lengths])
    vectors = np.concatenate(sequences)[first[steps.sequence] + steps.step]
    try:
        results = send(vectors, steps)
    except BaseException as error:
        states.lose(_reason(error))
        raise
    states.done(placement, begun, lengths)
    given = steps.tags.outputs
    ends = np.arange(len(lengths) + 1) if last else first
    places = steps.sequence[given] if last else (first[steps.sequence] + steps.step)[given]
    outputs = np.empty_like(results)
    outputs[places] = results
    return [outputs[ends[each] : ends[each + 1]] for each in range(len(lengths))]


def run_step(
    states: LaneStates, stream: Stream, vector: Codes, send: Send, *, start: bool
) -> Codes:
    """Take one step of a stream through a network: int16 (inputs,) to int16 (outputs,).

    Raises
    ------
    DeviceError
        If the stream's state is gone, or the engine fails; all states are lost then.
    """
    states.check_stream(stream)
    nothing = np.zeros(1, np.int64)
    tags = RunTags(np.array([stream.lane]), np.array([start]), np.ones(1, bool))
    try:
        outputs = send(vector[np.newaxis], Schedule(nothing, nothing, tags))
    except BaseException as error:
        states.lose(_reason(error))
        raise
    first: Codes = outputs[0]
    return first


def _reason(error: BaseException) -> str:
    return f"a run broke off ({str(error) or type(error).__name__})"
