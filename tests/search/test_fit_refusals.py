"""What no design holds, and what cannot be fixed: refused with what is short and what to do."""

from __future__ import annotations

import re

import numpy as np
import pytest

from eie.hls.boundary.errors import DesignError, DoesNotFitError, InputError
from eie.hls.spec.design import NO_BOARD, RANGES
from eie.host.network import Layer, Network
from eie.host.packing.packer import pack
from eie.host.search.fit import fit


@pytest.fixture(scope="module")
def network(random_network) -> Network:
    return random_network(100, 120, 30, density=0.1, magnitude=300, golden=1)


def test_a_network_that_no_board_holds_is_refused_with_what_is_short(random_network):
    network = random_network(1000, 1000, density=0.5)
    with pytest.raises(DoesNotFitError) as caught:
        fit(network, "pynq-z1")
    message = str(caught.value)
    assert message.startswith("no design for PYNQ-Z1 holds this network; the closest has ")
    found = re.search(r"BRAM36: needs (\d+), may use 112 of 140 \((\d+) too many\)", message)
    assert found
    assert int(found[1]) - int(found[2]) == 112
    assert message.endswith(
        "run it in passes (passes=True), prune it further, or take a larger board"
    )


def test_a_network_that_only_one_full_pe_makes_too_large_is_refused():
    codes = np.zeros((64, 8192), np.uint8)
    codes[::4] = 1  # in natural order all on PE 0 of four
    layer = Layer.from_dense_codes("only", codes, codebook=np.arange(16, dtype=np.int16))
    network = Network((layer,))
    assert fit(network, "pynq-z1", pes=4).design.entries_per_pe < 65536
    with pytest.raises(DoesNotFitError, match=r"BRAM36: needs \d+, may use 112 of 140"):
        fit(network, "pynq-z1", pes=4, assignment="natural")


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"entries_per_pe": 8}, "entries_per_pe: needs .*, may use 8 of 8"),
        ({"pointers_per_pe": 100}, "pointers_per_pe: needs 224, may use 100 of 100 .124 too many"),
        ({"rows_per_pe": 1}, "rows_per_pe: needs"),
        ({"biases_per_pe": 1}, "biases_per_pe: needs"),
        ({"layers": 1}, "layers: needs 2, may use 1 of 1 .1 too many"),
        ({"hidden_activations": 16}, "hidden_activations: needs 128, may use 16 of 16"),
        ({"accumulator_bits": 24}, "accumulator_bits: needs"),
    ],
)
@pytest.mark.parametrize("board", ["kv260", NO_BOARD])
def test_a_fixed_capacity_that_is_too_small_is_refused(fixed, message, board, network):
    with pytest.raises(DoesNotFitError, match=message):
        fit(network, board, pes=8, **fixed)


@pytest.mark.parametrize("board", ["rfsoc4x2", NO_BOARD])
@pytest.mark.parametrize(
    ("sizes", "fixed", "parameter"),
    [
        ((65536,) * 6, {}, "pointers_per_pe: needs 327680, may use 262144 of 262144"),
        ((3, 70000), {"pes": 1}, "rows_per_pe: needs 70000, may use 65536 of 65536"),
        ((2,) * 302, {}, "layers: needs 301, may use 256 of 256 .45 too many"),
    ],
)
def test_a_network_beyond_every_design_is_refused(sizes, fixed, parameter, board, zero_network):
    with pytest.raises(DoesNotFitError, match=parameter):
        fit(zero_network(*sizes), board, **fixed)


def test_sums_beyond_every_accumulator_are_refused():
    codebook = np.zeros(16, np.int16)
    codebook[1] = -32768
    layer = Layer.from_dense_codes(
        "wide", np.ones((1, 65536), np.uint8), codebook=codebook,
        bias=np.array([(1 << 47) - 1]), input_frac=8, weight_frac=0, output_frac=0,
    )  # fmt: skip
    network = Network((layer,))
    assert RANGES["accumulator_bits"][1] == 48
    with pytest.raises(DoesNotFitError, match="accumulator_bits: needs 49, may use 48 of 48"):
        fit(network)


@pytest.mark.parametrize(
    ("board", "fixed", "error", "message"),
    [
        ("pynq-z9", {}, InputError, "board must be one of"),
        ("pynq-z1", {"speed": 3}, DesignError, "not speed"),
        ("pynq-z1", {"pes": 3}, DesignError, "power of two"),
        ("pynq-z1", {"pes": "4"}, DesignError, "pes must be an integer"),
        ("pynq-z1", {"queue_depth": 1}, DesignError, "queue_depth must be"),
        ("pynq-z1", {"memory": "uram"}, DesignError, "which has no UltraRAM"),
        ("pynq-z1", {"memory": "sram"}, DesignError, "memory must be"),
        (NO_BOARD, {"index_bits": 2}, DesignError, "index_bits must be"),
    ],
)
def test_what_cannot_be_fixed_is_refused(board, fixed, error, message, network):
    with pytest.raises(error, match=message):
        fit(network, board, **fixed)


@pytest.mark.parametrize("board", ["pynq-z2", NO_BOARD])
def test_lengths_too_short_for_a_column_are_refused_with_what_to_do(board, random_network):
    network = random_network(20, 30, 10, golden=2)
    with pytest.raises(DoesNotFitError) as caught:
        fit(network, board, pes=2, length_bits=1)
    message = str(caught.value)
    found = re.search(r"length_bits: needs (\d), may use 1 of 1 \((\d) too many\)", message)
    assert found
    needed = int(found[1])
    assert needed == 1 + int(found[2])
    assert message.endswith(f"give length_bits={needed} or more, or 0, or leave length_bits out"), (
        message
    )
    for enough in (needed, 0):
        pack(network, fit(network, board, pes=2, length_bits=enough).design)


def test_columns_too_long_for_any_length_are_not_told_to_take_a_longer_one(random_network):
    network = random_network(4, 600, density=1.0)
    with pytest.raises(DoesNotFitError) as caught:
        fit(network, "pynq-z2", pes=1, length_bits=8)
    assert "length_bits: needs 10, may use 8 of 8 (2 too many)" in str(caught.value)
    assert str(caught.value).endswith("\ngive length_bits=0, or leave length_bits out")


def test_the_closest_lacks_what_was_fixed_rather_than_what_the_board_has(network):
    """Many PEs need but a little more than the board has, and would hide what is to be changed."""
    with pytest.raises(DoesNotFitError) as caught:
        fit(network, "kv260", layers=1)
    message = str(caught.value)
    assert message.startswith("no design for KV260 with layers 1 holds this network; ")
    assert message.endswith(
        "  - layers: needs 2, may use 1 of 1 (1 too many)\n"
        "give layers=2 or more, or leave layers out"
    )
