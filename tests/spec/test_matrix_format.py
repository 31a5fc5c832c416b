"""Interleaved CSC against an encoder of plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.spec.matrix_format import EncodedLayer, decode, encode

SETTINGS = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def encode_slowly(
    codes: np.ndarray, pes: int, index_bits: int
) -> tuple[list[list[int]], list[list[int]]]:
    """Entries and pointers of each PE, for codes of shape (slots, columns): section III."""
    longest = (1 << index_bits) - 1
    all_entries, all_pointers = [], []
    for pe in range(pes):
        entries: list[int] = []
        pointers = [0]
        for column in range(codes.shape[1]):
            zeros = 0
            for code in codes[pe::pes, column]:
                if code == 0:
                    zeros += 1
                    continue
                while zeros > longest:
                    entries.append(longest)  # v = 0, and with itself 2**index_bits zeros
                    zeros -= longest + 1
                entries.append(int(code) << index_bits | zeros)
                zeros = 0
            pointers.append(len(entries))
        all_entries.append(entries)
        all_pointers.append(pointers)
    return all_entries, all_pointers


def encode_dense(codes: np.ndarray, pes: int, index_bits: int, seed: int = 0) -> EncodedLayer:
    """The encoding of a dense matrix, its non-zeros given in a random order."""
    slots, columns = np.nonzero(codes)
    order = np.random.default_rng(seed).permutation(len(slots))
    slots, columns = slots[order], columns[order]
    return encode(
        slots,
        columns,
        codes[slots, columns],
        columns=codes.shape[1],
        pes=pes,
        index_bits=index_bits,
    )


@st.composite
def matrices(draw: st.DrawFn) -> np.ndarray:
    rows, columns = draw(st.integers(1, 90)), draw(st.integers(1, 12))
    density = draw(st.sampled_from([0.0, 0.02, 0.1, 0.5, 1.0]))
    random = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    codes = random.integers(1, 16, (rows, columns)) * (random.random((rows, columns)) < density)
    return codes.astype(np.uint8)


PES = st.sampled_from([1 << power for power in range(9)])
INDEX_BITS = st.integers(3, 8)


def test_the_papers_worked_example():
    column = np.array([0, 0, 1, 2, *[0] * 18, 3], np.uint8)[:, None]
    encoded = encode_dense(column, 1, 4)
    assert (encoded.entries >> 4).tolist() == [1, 2, 0, 3]
    assert (encoded.entries & 15).tolist() == [2, 0, 15, 2]
    assert encoded.pointers.tolist() == [[0, 4]]
    assert encoded.padding == 1


def test_interleaving_by_hand():
    # Two PEs: rows 0, 2, 4 and rows 1, 3, 5.
    codes = np.array([[1, 0], [0, 0], [0, 2], [3, 0], [4, 0], [0, 5]], np.uint8)
    encoded = encode_dense(codes, 2, 3)
    assert encoded.pe_starts.tolist() == [0, 3, 5]
    assert encoded.pointers.tolist() == [[0, 2, 3], [0, 1, 2]]
    assert [(e >> 3, e & 7) for e in encoded.entries.tolist()] == [
        (1, 0), (4, 1), (2, 1),  # PE 0: column 0, then column 1
        (3, 1), (5, 2),  # PE 1
    ]  # fmt: skip


@SETTINGS
@given(matrices(), PES, INDEX_BITS, st.integers(0, 1000))
def test_every_entry_is_that_of_the_slow_encoder(codes, pes, index_bits, seed):
    entries, pointers = encode_slowly(codes, pes, index_bits)
    encoded = encode_dense(codes, pes, index_bits, seed)
    assert encoded.entries.dtype == np.uint16
    assert encoded.pointers.tolist() == pointers
    for pe in range(pes):
        start, stop = encoded.pe_starts[pe : pe + 2]
        assert encoded.entries[start:stop].tolist() == entries[pe]
    assert encoded.pe_starts[-1] == len(encoded.entries)
    assert encoded.padding == len(encoded.entries) - np.count_nonzero(codes)
    assert encoded.lengths().tolist() == [np.diff(p).tolist() for p in pointers]
    assert (encoded.pes, encoded.columns) == (pes, codes.shape[1])


@SETTINGS
@given(matrices(), PES, INDEX_BITS)
def test_decoding_gives_the_matrix_back(codes, pes, index_bits):
    slots, columns, values = decode(encode_dense(codes, pes, index_bits))
    again = np.zeros_like(codes)
    again[slots, columns] = values
    assert np.array_equal(again, codes)
    assert len(values) == np.count_nonzero(codes)


@pytest.mark.parametrize("index_bits", range(3, 9))
def test_a_gap_takes_padding_exactly_when_it_is_too_long(index_bits):
    longest = (1 << index_bits) - 1
    for zeros, padding in (
        (longest, 0),
        (longest + 1, 1),
        (2 * longest + 1, 1),
        (2 * longest + 2, 2),
    ):
        column = np.zeros((zeros + 1, 1), np.uint8)
        column[-1] = 7
        encoded = encode_dense(column, 1, index_bits)
        assert encoded.padding == padding
        assert encoded.entries[-1] == 7 << index_bits | (zeros - padding * (longest + 1))


def test_zeros_behind_the_last_weight_take_nothing():
    column = np.zeros((1000, 1), np.uint8)
    column[0] = 1
    assert encode_dense(column, 1, 3).entries.tolist() == [1 << 3]


def test_zeros_are_counted_afresh_in_every_column():
    codes = np.zeros((20, 2), np.uint8)
    codes[10, 0] = codes[10, 1] = 1
    assert encode_dense(codes, 1, 4).entries.tolist() == [1 << 4 | 10] * 2


def test_a_layer_of_eight_pes_and_many_columns():
    random = np.random.default_rng(3)
    codes = random.integers(0, 16, (300, 700)) * (random.random((300, 700)) < 0.05)
    codes = codes.astype(np.uint8)
    entries, pointers = encode_slowly(codes, 8, 3)
    encoded = encode_dense(codes, 8, 3)
    assert encoded.pointers.tolist() == pointers
    assert encoded.entries.tolist() == [entry for of_pe in entries for entry in of_pe]


def test_columns_and_rows_of_16_bits_and_more_stay_in_order():
    columns = np.array([0, 65535, 65535, 255, 256])
    slots = np.array([0, 70001, 70000, 65536, 5])
    encoded = encode(
        slots, columns, np.arange(1, 6, dtype=np.uint8), columns=65536, pes=1, index_bits=8
    )
    assert np.count_nonzero(encoded.lengths()) == 4
    slots, columns, codes = decode(encoded)
    assert list(zip(columns.tolist(), slots.tolist(), codes.tolist(), strict=True)) == [
        (0, 0, 1), (255, 65536, 4), (256, 5, 5), (65535, 70000, 3), (65535, 70001, 2),
    ]  # fmt: skip
