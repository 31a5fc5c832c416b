"""What the receiver checks of a packet before it obeys it: ``receive.h``, in its order."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from eie.hls.model.resident_network import ResidentNetwork
from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    ALL_PES,
    CODEBOOK_BEATS,
    LAYER,
    MAGIC,
    MOST_OUTPUT_BEATS,
    NETWORK,
    RUN,
    SECTION,
    STATE,
    TRAILER,
    VERSION,
    Kind,
    Section,
    Status,
    header_crc,
)
from eie.hls.spec.record import Beats

__all__ = ["beats_read", "check_header", "check_run", "check_trailer", "sections_good"]


def check_header(header: Mapping[str, int], beats: int, first: Beats) -> Status:
    """Check a header in the receiver's order."""
    if beats <= 1:
        return Status.BAD_LENGTH
    if header["magic"] != MAGIC:
        return Status.BAD_MAGIC
    if header["version"] != VERSION:
        return Status.BAD_VERSION
    if header["header_crc"] != header_crc(first.tobytes()):
        return Status.BAD_HEADER_CRC
    if header["kind"] not in tuple(Kind):
        return Status.BAD_KIND
    return Status.OK


def beats_read(kind: Kind, length: int, beats: int) -> int:
    """Beats that the receiver takes for payload, when the header says `length`."""
    if kind is Kind.LOAD:
        return max(length, NETWORK.beats)
    # A run without its record: the receiver reads on to TLAST.
    least = {Kind.RUN: RUN.beats, Kind.STATE: STATE.beats}.get(kind, 0)
    return beats if length < least else length


def check_run(resident: ResidentNetwork, fields: Mapping[str, int], length: int) -> Status:
    """Check a run's record against the resident network, in the receiver's order."""
    if fields["network_id"] != resident.network_id:
        return Status.WRONG_NETWORK
    layers, first, tagged = resident.layers, fields["first"], fields["tagged"]
    last = first + fields["layers"] - 1
    if fields["layers"] == 0 or last >= len(layers):
        return Status.BAD_LAYERS
    if not layers[first].begins or not layers[last].ends:
        return Status.BAD_LAYERS
    if tagged > 1 or (tagged and (resident.lanes == 0 or fields["layers"] != len(layers))):
        return Status.BAD_LAYERS
    if tagged and resident.abreast > 1:
        return Status.BAD_LAYERS
    beats = fields["batch"] * (resident.input_beats(first) + tagged)
    answer = fields["outputs"] * resident.output_beats(last)
    if beats + RUN.beats != length or answer >= MOST_OUTPUT_BEATS:
        return Status.BAD_BATCH
    fewer = tagged and resident.recurrent and fields["outputs"] < fields["batch"]
    return Status.OK if fewer or fields["outputs"] == fields["batch"] else Status.BAD_BATCH


def check_trailer(beats: Beats, taken: int, status: Status) -> Status:
    """Check what is behind the `taken` beats: exactly a trailer with the right CRC."""
    if len(beats) != taken + TRAILER.beats:
        return Status.BAD_LENGTH
    crc = zlib.crc32(beats[:taken].tobytes())
    if TRAILER.parse(beats[taken:]) != {"crc": crc, "reserved": 0}:
        return Status.BAD_CRC
    return status


def sections_good(design: Design, length: int, payload: Beats) -> bool:
    """Whether a load's sections are all there, in order, and fit; the receiver's check."""
    if length < NETWORK.beats or len(payload) < NETWORK.beats:
        return False
    layers = NETWORK.parse(payload)["layers"]
    if not 1 <= layers <= design.layers:
        return False
    expected = [
        (Section.LAYERS, ALL_PES, layers * LAYER.beats, layers * LAYER.beats),
        (Section.CODEBOOKS, ALL_PES, layers * CODEBOOK_BEATS, layers * CODEBOOK_BEATS),
    ]
    pointer_beats = design.pointer_words_per_pe * design.beats_per_pointer_word
    for pe in range(design.pes):
        expected += [
            (Section.POINTERS, pe, 0, pointer_beats),
            (Section.BIASES, pe, 0, design.biases_per_pe),
            (Section.ENTRIES, pe, 0, design.entry_words_per_pe),
        ]
    position = NETWORK.beats
    for section, pe, least, most in expected:
        if position >= len(payload):
            return False
        fields = SECTION.parse(payload[position:])
        if (fields["section"], fields["pe"]) != (section, pe):
            return False
        if SECTION.build(**fields)[0] != payload[position]:  # the record's gap is zero
            return False
        if not least <= fields["length"] <= most:
            return False
        position += SECTION.beats + fields["length"]
    return position == len(payload)
