"""Widths of what travels between the processes: numbers.h, vectors_*.h, types.h."""

from __future__ import annotations

from eie.hls.spec.design import Design
from eie.hls.spec.packets import (
    ACTIVATION_BITS,
    ACTIVATIONS_PER_BEAT,
    ACTIVATIONS_PER_WORD,
    BEAT_BITS,
    LAYER,
    MOST_LANES,
)

__all__ = [
    "COUNTER",
    "CRC",
    "ELEMENTS",
    "KIND",
    "RESULT",
    "ROW",
    "TOKEN",
    "WORD",
    "WORD_COUNT",
    "address_bits",
    "element_bits",
    "function_bits",
    "held_bits",
    "lane_bits",
    "section_bits",
    "token_bits",
    "vector_bits",
]

#: Kind of a token.
KIND = 4
#: A token with a beat: kind and data.
TOKEN = KIND + BEAT_BITS
#: A word of activations.
WORD = ACTIVATIONS_PER_WORD * ACTIVATION_BITS
#: A local row: row_t.
ROW = 17
#: A number of words of a layer: word_count_t.
WORD_COUNT = 21
#: A counter of cycles or beats: ap_uint<32>.
COUNTER = 32
#: A CRC under way: crc_t.
CRC = 32
#: A result: activation and mark, without its kind.
RESULT = ACTIVATION_BITS + 1
_RESULT_KIND = 2
#: Entries that follow a column's first one, in a token of work.
_MORE = 16

#: Bits of an element of a stream, by its type in C++: those that are the same in every design.
ELEMENTS = {
    "ReceivedBeat": BEAT_BITS + CRC + 1,
    "SentBeat": BEAT_BITS + 1,
    "InputWord": WORD + 1,
    "Answer": 8 + 16 + 32 + 32 + 9,
    "Result": _RESULT_KIND + RESULT,
    "ResultBeat": _RESULT_KIND + ACTIVATIONS_PER_BEAT * RESULT,
    "ResultWord": _RESULT_KIND + ACTIVATIONS_PER_WORD * RESULT,
    "ActivationWord": _RESULT_KIND + WORD,
}


def address_bits(words: int) -> int:
    """Bits of an address into `words` words."""
    return max(1, (words - 1).bit_length())


def element_bits(design: Design) -> dict[str, int]:
    """Bits of an element of every stream: those of which a layer and an address are a part, too."""
    layer, address = address_bits(design.layers), address_bits(design.pointers_per_pe)
    others = vector_bits(design)
    vector = lane_bits(design) + 2 + others
    for_cell = function_bits(design) + held_bits(design)
    of_word = KIND + 1 + ACTIVATIONS_PER_WORD + layer + address
    marks = 2 if design.abreast > 1 else 0
    return {
        **ELEMENTS,
        "Token": token_bits(design),
        "WordToken": of_word + WORD + marks,
        "GroupToken": of_word + WORD * design.abreast + others,
        "HiddenWord": WORD + layer + 1 + vector + 1,
        "word_t": WORD,
        "Command": 3 + 2 * WORD_COUNT + 4 + 8 + 3 + vector + for_cell,
    }


def vector_bits(design: Design) -> int:
    """Bits of a vector of a group, vector_t; none where vectors go one by one."""
    return 0 if design.abreast == 1 else address_bits(design.abreast)


def token_bits(design: Design) -> int:
    """Bits of a token on the way to the PEs: kind, and data as wide as a load's beats at least."""
    if design.abreast == 1:
        return TOKEN
    of_group = ACTIVATION_BITS * design.abreast + address_bits(design.layers) + vector_bits(design)
    work = design.pointer_bits + _MORE + of_group
    activation = address_bits(design.pointers_per_pe) + of_group
    return KIND + max(BEAT_BITS, work, activation)


def section_bits(design: Design) -> int:
    """Bits of a number of beats of a section: section_beats_t."""
    pointers = design.pointer_words_per_pe * design.beats_per_pointer_word
    layers = LAYER.beats * design.layers
    return address_bits(max(design.entry_words_per_pe, pointers, design.biases_per_pe, layers) + 2)


def lane_bits(design: Design) -> int:
    """Bits of a vector's lane: lane_t."""
    return address_bits(MOST_LANES if design.held_activations else 1)


def held_bits(design: Design) -> int:
    """Bits of a held word's place: held_t."""
    return address_bits(max(1, design.held_words))


def function_bits(design: Design) -> int:
    """Bits of a layer's function and slope: one each where there is no cell to want them."""
    return 3 + ACTIVATION_BITS if design.cell_units else 2
