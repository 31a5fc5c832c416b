"""What the accelerator answers: checked, and decoded into values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import DesignError, DeviceError, PacketError
from eie.hls.spec.counters import Counters
from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    BEAT_BYTES,
    COUNTER_ROWS,
    COUNTERS,
    DESIGN,
    HEADER,
    STATUS,
    TRAILER,
    Kind,
    Status,
    answer_kind,
    parse_packet,
)
from eie.host.packing.packed_network import PackedNetwork

__all__ = [
    "Answer",
    "AnswerError",
    "answer_bytes",
    "counters_beats",
    "read_answer",
    "read_counters",
    "read_design",
    "read_run_answer",
]

_DAMAGED = "the request was damaged on its way: try again, and check that the bitstream met timing"
_OTHER_VERSION = "another version of eie made the bitstream: build it again, or use that version"
_LOAD_AGAIN = "load the network again"
_BEGIN_AGAIN = "begin the sequences again, without keep_state"
_WHAT_TO_DO = {
    Status.BAD_MAGIC: _DAMAGED,
    Status.BAD_VERSION: _OTHER_VERSION,
    Status.BAD_HEADER_CRC: _DAMAGED,
    Status.BAD_KIND: _OTHER_VERSION,
    Status.BAD_LENGTH: _DAMAGED,
    Status.BAD_CRC: _DAMAGED,
    Status.NO_NETWORK: _LOAD_AGAIN,
    Status.WRONG_NETWORK: f"something else loaded another network: {_LOAD_AGAIN}",
    Status.BAD_BATCH: f"host and accelerator differ about the network: {_LOAD_AGAIN}",
    Status.BAD_SECTION: "the network was packed for another design: load it for this one",
    Status.BAD_CONTENTS: "the load contradicts itself or the design: pack the network again",
    Status.BAD_LAYERS: f"host and accelerator differ about the network: {_LOAD_AGAIN}",
    Status.BAD_TAG: f"host and accelerator differ about the sequences: {_BEGIN_AGAIN}",
    Status.NO_STATE: (
        "a step goes on from a state that is not there: a run broke off, or something else used "
        f"the accelerator in between: {_BEGIN_AGAIN}"
    ),
}


class AnswerError(DeviceError):
    """The accelerator refused a request, or answered something it must not."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        #: Status of a sound answer, a :class:`~eie.hls.spec.packets.Status` where known; None when
        #: the answer itself was wrong, so that host and accelerator may be out of step.
        self.status = status


@dataclass(frozen=True, eq=False)
class Answer:
    """A sound answer with status OK."""

    #: uint64, the payload before its status.
    payload: npt.NDArray[np.uint64]
    #: Resident network, 0 when none is valid.
    network_id: int


def answer_bytes(payload_beats: int) -> int:
    """Bytes of a whole answer with `payload_beats` beats before its status."""
    return (HEADER.beats + payload_beats + STATUS.beats + TRAILER.beats) * BEAT_BYTES


def counters_beats(pes: int) -> int:
    """Payload beats of an answer to counters, before its status."""
    return COUNTERS.beats + len(COUNTER_ROWS) * 2 * pes // BEAT_BYTES


def read_answer(data: bytes | memoryview, kind: Kind, sequence: int, payload_beats: int) -> Answer:
    """Check the answer to a request.

    Parameters
    ----------
    data
        Bytes of the answer; the payload returned is a view of them.
    kind, sequence
        Of the request.
    payload_beats
        Beats before the status in an answer that says OK.

    Raises
    ------
    AnswerError
        If the answer is damaged, is for another request, has another length, or says that the
        request was refused (then with its ``status``).
    """
    name = kind.name.lower()
    try:
        packet = parse_packet(data)
        status = STATUS.parse(packet.payload[-STATUS.beats :])
    except PacketError as error:
        raise AnswerError(f"the answer to {name} is damaged: {error}") from error
    if (packet.kind, packet.sequence) != (answer_kind(kind), sequence):
        raise AnswerError(
            f"the answer must be to {name} with sequence {sequence}, not kind {packet.kind:#04x} "
            f"with sequence {packet.sequence}: host and accelerator are out of step"
        )
    if status["status"] != Status.OK:
        raise _refusal(name, status["status"])
    beats = len(packet.payload) - STATUS.beats
    if beats != payload_beats:
        raise AnswerError(f"the answer to {name} must have {payload_beats} beats, not {beats}")
    return Answer(packet.payload[:beats], status["network_id"])


def read_run_answer(
    packed: PackedNetwork,
    data: memoryview,
    outputs: npt.NDArray[np.int16],
    sequence: int = 0,
) -> tuple[int, ...]:
    """Check the answer to a run and write its outputs.

    Parameters
    ----------
    packed
        The network, as it is resident.
    data
        Bytes of the answer.
    outputs
        int16, shape (batch, outputs), contiguous; written unless the answer is refused.
    sequence
        The packet's number, of 16 bits.

    Returns
    -------
    tuple of int
        How many results of each layer were saturated.

    Raises
    ------
    AnswerError
        As :func:`read_answer`.
    """
    answer = read_answer(data, Kind.RUN, sequence, packed.answer_beats(len(outputs)))
    packed.read_outputs(answer.payload, outputs)
    return packed.read_saturated(answer.payload)


def read_design(payload: npt.NDArray[np.uint64]) -> Design:
    """Decode the answer to identify: the design that the bitstream was made from.

    The packet carries no board, so the design's is ``"none"``.

    Raises
    ------
    AnswerError
        If the parameters are none that this eie makes, or do not have the identity reported.
    """
    try:
        return Design.from_record(DESIGN.parse(payload))
    except DesignError as error:
        raise AnswerError(f"{_OTHER_VERSION} ({error})") from error


def read_counters(payload: npt.NDArray[np.uint64], pes: int) -> Counters:
    """Decode the answer to counters.

    Parameters
    ----------
    payload
        uint64, shape (:func:`counters_beats` of `pes`,).
    pes
        Processing elements of the design.
    """
    halves = payload[COUNTERS.beats :].view("<u2").reshape(len(COUNTER_ROWS), pes).astype(np.int64)
    rows = dict(zip(COUNTER_ROWS, halves, strict=True))

    def counter(name: str) -> npt.NDArray[np.int64]:
        value: npt.NDArray[np.int64] = rows[f"{name}_low"] + (rows[f"{name}_high"] << 16)
        return value

    return Counters(
        cycles=COUNTERS.parse(payload)["cycles"],
        busy=counter("busy"),
        starved=counter("starved"),
        full=counter("full"),
    )


def _refusal(request: str, value: int) -> AnswerError:
    try:
        status = Status(value)
    except ValueError:
        return AnswerError(f"{request} ended with unknown status {value}: {_OTHER_VERSION}", value)
    return AnswerError(f"{request} was refused with {status.name}: {_WHAT_TO_DO[status]}", status)
