"""The packet of a run, written where the DMA reads it, and its answer, read where it arrived."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from eie.hls.spec.packets import (
    BEAT_BYTES,
    HEADER,
    RUN,
    TRAILER,
    Kind,
    build_header,
    build_trailer,
)
from eie.host.packing.packed_network import PackedNetwork
from eie.host.protocol.responses import read_answer

__all__ = ["read_run_answer", "run_packet_bytes", "write_run_packet"]

#: Beats before the first vector.
_START = HEADER.beats + RUN.beats
#: Activations of a beat.
_LANES = 4


def run_packet_bytes(packed: PackedNetwork, vectors: int) -> int:
    """Bytes of the packet that runs `vectors` vectors."""
    return (_START + vectors * packed.input_beats + TRAILER.beats) * BEAT_BYTES


def write_run_packet(
    packed: PackedNetwork,
    codes: npt.NDArray[np.int16],
    buffer: npt.NDArray[np.uint8],
    sequence: int = 0,
) -> None:
    """Write the packet that runs a batch into `buffer`.

    The bytes are those of :meth:`~eie.host.packing.packed_network.PackedNetwork.run_packet`; the
    vectors are written once, to where they are sent from.

    Parameters
    ----------
    packed
        The network, as it is resident.
    codes
        int16, shape (batch, inputs).
    buffer
        uint8, shape (:func:`run_packet_bytes` of the batch,), contiguous and aligned to a beat.
    sequence
        The packet's number, of which the lowest 16 bits count.
    """
    beats = buffer.view("<u8")
    lanes = beats[_START : -TRAILER.beats].view("<i2")
    packed.write_inputs(codes, lanes.reshape(len(codes), packed.input_beats * _LANES))
    beats[HEADER.beats : _START] = RUN.build(network_id=packed.network_id, batch=len(codes))
    payload = len(beats) - HEADER.beats - TRAILER.beats
    data = buffer.data
    data[: HEADER.beats * BEAT_BYTES] = build_header(Kind.RUN, sequence, payload)
    covered = len(data) - TRAILER.beats * BEAT_BYTES
    data[covered:] = build_trailer(data[:covered])


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
        As :func:`~eie.host.protocol.responses.read_answer`.
    """
    answer = read_answer(data, Kind.RUN, sequence, packed.answer_beats(len(outputs)))
    packed.read_outputs(answer.payload, outputs)
    return packed.read_saturated(answer.payload)
