"""The packet format between host and accelerator, defined once.

A packet is a sequence of 64-bit little-endian beats on AXI4-Stream, TLAST on the last one: a
header of two beats, a payload, and a trailer with a CRC-32 (the one of zlib) over everything
before it. The header carries a CRC-32 of its own first 12 bytes, so a damaged header is known as
such before anything changes.

Everything else comes from the definitions here: the C++ constants (``packet_format.h``), the
numpy code below, and the tables in ``docs/reference/packets.md``.
"""

from __future__ import annotations

import enum
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eie.hls.boundary.errors import PacketError, Problems
from eie.hls.spec.matrix_format import CODEBOOK_SIZE
from eie.hls.spec.record import BEAT_BITS, Beats, record_of

__all__ = [
    "ACTIVATIONS_PER_BEAT",
    "ACTIVATIONS_PER_WORD",
    "ACTIVATION_BITS",
    "ALL_PES",
    "ANSWER_BIT",
    "BEAT_BITS",
    "BEAT_BYTES",
    "CODEBOOK_BEATS",
    "COUNTERS",
    "COUNTER_ROWS",
    "DESIGN",
    "HEADER",
    "HELD_LATENCY",
    "LAYER",
    "MAGIC",
    "MAX_COLUMNS",
    "MOST_LANES",
    "MOST_OUTPUT_BEATS",
    "NETWORK",
    "RECORDS",
    "RUN",
    "SATURATED",
    "SECTION",
    "STATE",
    "STATE_BEATS_PER_WORD",
    "STATUS",
    "TAG",
    "TRAILER",
    "VERSION",
    "Function",
    "Kind",
    "Packet",
    "Section",
    "Status",
    "answer_kind",
    "build_header",
    "build_packet",
    "build_trailer",
    "header_crc",
    "iterate_sections",
    "parse_packet",
]

#: Bytes of a beat of the AXI4-Stream.
BEAT_BYTES = BEAT_BITS // 8
#: Bits of an activation or a shared weight.
ACTIVATION_BITS = 16
#: Activations of a beat, and codebook weights.
ACTIVATIONS_PER_BEAT = BEAT_BITS // ACTIVATION_BITS
#: Activations of a word between the kernel's processes: 4 to the power of the two levels of the
#: tree in ``detect_nonzero``.
ACTIVATIONS_PER_WORD = 16
#: A column's index travels in 16 bits of a broadcast token.
MAX_COLUMNS = 1 << 16
#: The output vectors of a run have fewer beats than this: the length of an answer has 32 bits, and
#: the counts of what was saturated come on top.
MOST_OUTPUT_BEATS = 1 << 31
#: Lanes of held words, of which each belongs to one vector under way, at most.
MOST_LANES = 16
#: Iterations of the control unit from a held word's write to the first in which it may be read.
HELD_LATENCY = 3
#: First four bytes of every packet: "EIEP", little-endian.
MAGIC = int.from_bytes(b"EIEP", "little")
#: Version of the format; accelerator and host refuse any other.
VERSION = 3
#: Value of a section's PE field that addresses every PE.
ALL_PES = 0xFFFF
#: Beats of a layer's codebook.
CODEBOOK_BEATS = CODEBOOK_SIZE // ACTIVATIONS_PER_BEAT
#: Bit that the kind of an answer has, and that of a request has not.
ANSWER_BIT = 0x80


class Kind(enum.IntEnum):
    """What a packet asks for. An answer has the request's kind with bit 7 set."""

    IDENTIFY = 1  #: report the design; no payload
    LOAD = 2  #: make a network resident: NETWORK, then sections
    RUN = 3  #: take a batch of vectors through the resident network: RUN, then the vectors
    COUNTERS = 4  #: report cycles and per-PE counters of the last run; no payload
    STATE = 5  #: put the state of a recurrent layer into a lane: STATE, then the state


class Section(enum.IntEnum):
    """What a section of a load packet holds."""

    LAYERS = 1  #: a LAYER record for each layer; for all PEs
    CODEBOOKS = 2  #: 16 int16 weights for each layer, four a beat; for all PEs
    POINTERS = 3  #: column pointers of one PE: two uint32 a beat (even column low), or compact
    BIASES = 4  #: biases of one PE, one int64 a beat
    ENTRIES = 5  #: entries of one PE, ``Design.entries_per_word`` a beat, in lanes of equal width


class Status(enum.IntEnum):
    """How a request ended; in the last payload beat of every answer."""

    OK = 0  #: done
    BAD_MAGIC = 1  #: not a packet; nothing changed
    BAD_VERSION = 2  #: a packet of another format version; nothing changed
    BAD_HEADER_CRC = 3  #: a damaged header; nothing changed
    BAD_KIND = 4  #: an unknown request; nothing changed
    BAD_LENGTH = 5  #: TLAST not where the header said, or a payload too short for NETWORK or RUN
    BAD_CRC = 6  #: damaged payload: outputs are void, a loaded network is invalid
    NO_NETWORK = 7  #: a run without a valid resident network; refused
    WRONG_NETWORK = 8  #: a run meant for another network than the resident one; refused
    BAD_BATCH = 9  #: a run of another length than its batch, or 2^31 beats of outputs; refused
    BAD_SECTION = 10  #: a load with a section missing, out of order, or larger than its memory
    BAD_CONTENTS = 11  #: a load whose contents contradict each other or the design
    BAD_LAYERS = 12  #: layers or a lane that are not there or not meant for it; refused
    BAD_TAG = 13  #: a tag that is none, or whose outputs are not those announced: outputs are void
    NO_STATE = 14  #: a step of a sequence whose state is not there: outputs are void


class Function(enum.IntEnum):
    """What becomes of a layer's rounded sums, before they are clamped and sent on."""

    LINEAR = 0  #: nothing
    LEAKY_RELU = 1  #: negative codes are multiplied by the slope
    SIGMOID = 2  #: the logistic function, of 11 fraction bits
    TANH = 3  #: the hyperbolic tangent, of 11 fraction bits
    LSTM = 4  #: rows are gates of 11 fraction bits, four for each unit: see the cell
    GRU = 5  #: the same, with torch's definition (ONNX: linear_before_reset)


HEADER = record_of(
    "header",
    "Starts every packet.",
    ("magic", 32, 'ASCII "EIEP"'),
    ("version", 8, "version of this format"),
    ("kind", 8, "what is asked for; bit 7 set in an answer"),
    ("sequence", 16, "chosen by the host; an answer repeats it"),
    ("length", 32, "beats of payload"),
    ("header_crc", 32, "CRC-32 of the 12 bytes before it"),
)
TRAILER = record_of(
    "trailer",
    "Ends every packet, with TLAST.",
    ("crc", 32, "CRC-32 of header and payload"),
    ("reserved", 32, "0"),
)
NETWORK = record_of(
    "network",
    "Starts the payload of a load.",
    ("network_id", 32, "chosen by the host (a CRC-32 of the sections); a run repeats it"),
    ("layers", 32, "number of layers"),
    ("lanes", 8, "parts of the held words, a vector under way in each; 0: no layer holds any"),
    ("hold", 8, "1 if a run's input vectors are held, else 0"),
    ("hold_base", 16, "held word of a lane in which an input vector begins"),
    ("stride", 16, "held words of a lane"),
    ("reserved", 16, "0"),
)
SECTION = record_of(
    "section",
    "Starts each section of a load.",
    ("section", 8, "what the section holds"),
    ("", 8, ""),
    ("pe", 16, "PE that it is for, or 0xFFFF for all"),
    ("length", 32, "beats that follow"),
)
LAYER = record_of(
    "layer",
    "Describes one layer, in a LAYERS section.",
    ("columns", 32, "inputs"),
    ("rows", 32, "outputs"),
    ("pointer_base", 32, "first of the layer's words of pointers; the same in every PE"),
    ("bias_base", 32, "first of the layer's biases; the same in every PE"),
    ("local_rows", 32, "rows that each PE works on, padding included"),
    ("shift", 8, "right shift at write-back, in bits"),
    ("rounding", 8, "1 if ties go to the even code at write-back, 0 if up"),
    ("function", 8, "what becomes of the rounded sums: a Function"),
    ("accumulate", 8, "1 if the next layer adds to the same sums, which are not written back"),
    ("low", 16, "int16: lowest code that write-back gives"),
    ("high", 16, "int16: highest code"),
    ("slope", 16, "of LEAKY_RELU: what negative codes are multiplied by, in 2^-16; else 0"),
    ("", 16, ""),
    ("source", 8, "1 if the layer takes held words, 0 if what the layer before gives"),
    ("hold", 8, "1 if the layer's results are held, else 0"),
    ("begins", 8, "1 if a run may begin with the layer"),
    ("ends", 8, "1 if a run may end with the layer"),
    ("source_base", 16, "held word of a lane in which the layer's activations begin"),
    ("hold_base", 16, "held word of a lane in which the layer's results begin"),
)
RUN = record_of(
    "run",
    "Starts the payload of a run; the input vectors follow.",
    ("network_id", 32, "network that the vectors are for"),
    ("batch", 32, "number of vectors"),
    ("first", 8, "the layer that takes the vectors"),
    ("tagged", 8, "1 if each vector has a TAG before it, else 0"),
    ("layers", 16, "how many layers they go through"),
    ("outputs", 32, "how many of them give an output: batch, or as the tags say"),
)
TAG = record_of(
    "tag",
    "Before each vector of a tagged run: whose it is, and what becomes of it.",
    ("lane", 8, "lane of the vector's sequence, with its held words and its state"),
    ("start", 8, "1 if it is the first of its sequence, so that the state is zero, else 0"),
    ("output", 8, "1 if it gives an output, else 0"),
)
STATE = record_of(
    "state",
    "Starts the payload of a state: for each 16 units, 16 int16 of h, and 16 int32 of c or h.",
    ("network_id", 32, "network that it is for"),
    ("layer", 8, "a recurrent layer"),
    ("lane", 8, "lane of the sequence"),
)
#: Beats of a state for each word of a layer's results: h, and what the cell keeps, two a beat.
STATE_BEATS_PER_WORD = ACTIVATIONS_PER_WORD // ACTIVATIONS_PER_BEAT + ACTIVATIONS_PER_WORD // 2
SATURATED = record_of(
    "saturated",
    "Behind the output vectors in the answer to a run: one for each layer, in order.",
    ("count", 64, "results of the whole batch that 16 bits could not hold"),
)
STATUS = record_of(
    "status",
    "Ends the payload of every answer; nothing before it counts unless it says OK.",
    ("status", 32, "how the request ended"),
    ("network_id", 32, "resident network, 0 when none is valid"),
)
DESIGN = record_of(
    "design",
    "The answer to identify: the parameters of the design.",
    ("id", 32, "identity of the design"),
    ("pes", 32, "processing elements"),
    ("index_bits", 32, "zero-run bits of an entry"),
    ("weight_bits", 32, "weight code bits of an entry"),
    ("queue_depth", 32, "queue in front of a PE's multiplier, in columns"),
    ("entries_per_pe", 32, "entries that a PE holds"),
    ("pointers_per_pe", 32, "column pointers that a PE holds"),
    ("rows_per_pe", 32, "accumulators of a PE"),
    ("biases_per_pe", 32, "biases that a PE holds"),
    ("layers", 32, "layers that may be resident"),
    ("hidden_activations", 32, "activations that may wait between layers"),
    ("accumulator_bits", 32, "width of an accumulator"),
    ("memory", 32, "0 for BRAM, 1 for UltraRAM"),
    ("clock_mhz", 32, "clock that the design was made for"),
    ("length_bits", 32, "bits of a column's length, 0 for plain pointers"),
    ("result_depth", 32, "results of a PE that may wait, in rows"),
    ("held_activations", 32, "activations that layers may hold, over all vectors under way"),
    ("cell_units", 32, "units of a recurrent layer in a cycle; 0 for none"),
    ("bounds", 32, "1 if layers may have bounds besides a ReLU, and round ties to even"),
    ("counters", 32, "1 if PEs count, 0 if their counters are zero"),
    ("abreast", 32, "vectors that go through the layers together"),
    ("spare_luts", 32, "1 if block RAM holds what LUTs hold otherwise"),
)
COUNTERS = record_of(
    "counters",
    "The answer to counters; a table of uint16 follows, COUNTER_ROWS rows of one value a PE.",
    (
        "cycles",
        64,
        "cycles of the last run, from its header to its last output, but for those in which the "
        "DMA took no beat",
    ),
)
#: Rows of the counters table: low and high halves of each counter of each PE.
COUNTER_ROWS = (
    "busy_low",
    "busy_high",
    "starved_low",
    "starved_high",
    "full_low",
    "full_high",
    "zero_6",
    "zero_7",
)

#: Every record, in the order of the documentation.
RECORDS = (
    HEADER,
    TRAILER,
    NETWORK,
    SECTION,
    LAYER,
    RUN,
    TAG,
    STATE,
    SATURATED,
    STATUS,
    DESIGN,
    COUNTERS,
)


#: Bytes that the header's own CRC is over.
_HEADER_CRC_OFFSET = HEADER.offset_of("header_crc")


def answer_kind(kind: int) -> int:
    """Kind of the answer to a request."""
    return kind | ANSWER_BIT


@dataclass(frozen=True, eq=False)
class Packet:
    """A packet whose header, length and CRC were right."""

    #: A :class:`Kind`, with bit 7 set in an answer.
    kind: int
    #: As in the header.
    sequence: int
    #: uint64 beats between header and trailer.
    payload: Beats


def build_packet(kind: int, sequence: int, payload: npt.NDArray[np.uint64] | None = None) -> bytes:
    """Put header and trailer around `payload` (uint64 beats)."""
    body = np.zeros(0, "<u8") if payload is None else np.ascontiguousarray(payload, "<u8")
    packet = build_header(kind, sequence, len(body)) + body.tobytes()
    return packet + build_trailer(packet)


def build_header(kind: int, sequence: int, length: int) -> bytes:
    """Build the header of a packet with `length` beats of payload."""
    fields = (MAGIC, VERSION, kind, sequence & 0xFFFF, length)
    pack = HEADER.bytes_layout.pack
    return pack(*fields, header_crc(pack(*fields, 0)))


def header_crc(header: bytes | memoryview) -> int:
    """CRC-32 of a header's bytes before its own field; more bytes may follow."""
    return zlib.crc32(header[:_HEADER_CRC_OFFSET])


def build_trailer(packet: bytes | memoryview) -> bytes:
    """Build the trailer of a packet from all that comes before it."""
    return TRAILER.bytes_layout.pack(zlib.crc32(packet), 0)


def parse_packet(data: bytes | bytearray | memoryview) -> Packet:
    """Check a whole packet and take it apart.

    Raises
    ------
    PacketError
        If the bytes are truncated, altered or no packet at all.
    """
    size = len(data)
    least = (HEADER.beats + TRAILER.beats) * BEAT_BYTES
    if size < least or size % BEAT_BYTES:
        raise PacketError(
            f"packet must be whole beats of {BEAT_BYTES} bytes, at least {least} bytes, not {size}"
        )
    beats = np.frombuffer(data, "<u8")
    header = HEADER.parse(beats)
    crc = header_crc(memoryview(data))
    if (header["magic"], header["version"], header["header_crc"]) != (MAGIC, VERSION, crc):
        _refuse_header(header, crc)
    payload = len(beats) - HEADER.beats - TRAILER.beats
    if header["length"] != payload:
        raise PacketError(f"packet must have {header['length']} beats of payload, not {payload}")
    trailer = TRAILER.parse(beats[-TRAILER.beats :])
    crc = zlib.crc32(memoryview(data)[: -TRAILER.beats * BEAT_BYTES])
    if trailer != {"crc": crc, "reserved": 0}:
        raise PacketError(
            f"packet CRC must be {crc:#010x}, and 0 behind it, not {trailer['crc']:#010x} and "
            f"{trailer['reserved']:#010x}: altered on the way"
        )
    return Packet(header["kind"], header["sequence"], beats[HEADER.beats : -TRAILER.beats])


def _refuse_header(header: Mapping[str, int], crc: int) -> None:
    """Say all that is wrong with a header, whose first bytes have the CRC `crc`."""
    problems = Problems("packet header")
    problems.require(
        header["magic"] == MAGIC, f"magic must be {MAGIC:#010x}, not {header['magic']:#010x}"
    )
    problems.require(
        header["version"] == VERSION, f"version must be {VERSION}, not {header['version']}"
    )
    problems.require(
        header["header_crc"] == crc, f"CRC must be {crc:#010x}, not {header['header_crc']:#010x}"
    )
    problems.raise_as(PacketError)


def iterate_sections(beats: Beats) -> Iterator[tuple[Mapping[str, int], Beats]]:
    """Sections of a load's payload after its NETWORK record: (SECTION fields, beats)."""
    position = 0
    while position < len(beats):
        fields = SECTION.parse(beats[position:])
        position += SECTION.beats
        body = beats[position : position + fields["length"]]
        if len(body) < fields["length"]:
            raise PacketError(
                f"section at beat {position} must have {fields['length']} beats, not {len(body)}"
            )
        yield fields, body
        position += fields["length"]
