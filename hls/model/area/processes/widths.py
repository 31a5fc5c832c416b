"""Widths of what travels between the processes: types.h."""

from __future__ import annotations

from eie.hls.spec.packets import (
    ACTIVATION_BITS,
    ACTIVATIONS_PER_BEAT,
    ACTIVATIONS_PER_WORD,
    BEAT_BITS,
)

__all__ = [
    "COLUMN",
    "COUNTER",
    "ELEMENTS",
    "KIND",
    "RESULT",
    "ROW",
    "TOKEN",
    "WORD",
    "WORD_COUNT",
    "address_bits",
]

#: Kind of a token.
KIND = 4
#: A token: kind and data.
TOKEN = KIND + BEAT_BITS
#: A word of activations.
WORD = ACTIVATIONS_PER_WORD * ACTIVATION_BITS
#: A local row: row_t.
ROW = 17
#: A number of words of a layer: word_count_t.
WORD_COUNT = 21
#: A column: column_t.
COLUMN = 16
#: A counter of cycles or beats: ap_uint<32>.
COUNTER = 32
#: A result: activation and mark, without its kind.
RESULT = ACTIVATION_BITS + 1
_RESULT_KIND = 2

#: Bits of an element of a stream, by its type in C++.
ELEMENTS = {
    "Token": TOKEN,
    "WordToken": KIND + ACTIVATIONS_PER_WORD + WORD,
    "Answer": 8 + 16 + 32 + 32 + 9,
    "Command": 2 + 2 * WORD_COUNT + 4 + 8 + 1,
    "Result": _RESULT_KIND + RESULT,
    "ResultBeat": _RESULT_KIND + ACTIVATIONS_PER_BEAT * RESULT,
    "ResultWord": _RESULT_KIND + ACTIVATIONS_PER_WORD * RESULT,
    "ActivationWord": _RESULT_KIND + WORD,
}


def address_bits(words: int) -> int:
    """Bits of an address into `words` words."""
    return max(1, (words - 1).bit_length())
