"""An entry a cycle (II = 1), as the counters of the whole kernel tell it.

The same of a PE alone is in test_pe.py, and of the other blocks beside their tests.
"""

from __future__ import annotations

import numpy as np
import pytest

from eie.hls.spec.packets import Kind, build_packet
from eie.host.network import Layer, Network
from eie.host.packing.packer import pack
from eie.host.protocol.responses import read_counters


@pytest.fixture(scope="module")
def twin(twin_of, sized_design):
    """A lone PE, which has every entry: nobody else can hold it up. It is that of the grid."""
    return twin_of(sized_design(1, 4, 2, hidden_activations=112))


def count(twin, rows: int, columns: int, density: float, active: float = 1.0):
    """Counters of one vector through one layer."""
    random = np.random.default_rng(rows + columns)
    codes = random.integers(1, 16, (rows, columns)) * (random.random((rows, columns)) < density)
    layer = Layer.from_dense_codes(
        "layer", codes.astype(np.uint8), codebook=np.arange(16, dtype=np.int16)
    )
    network = Network((layer,))
    packed = pack(network, twin.design)
    inputs = (random.random((1, columns)) < active).astype(np.int16)
    twin.run(packed, inputs)
    lengths = packed.layers[0].encoded.lengths()[0]
    _, beats = twin.ask(build_packet(Kind.COUNTERS, 9))
    return read_counters(beats, 1), int(lengths[packed.in_order_sent(inputs)[0] != 0].sum())


def besides(twin) -> int:
    """Header, the way through the trees, and rows that wait for the last sums: of any layer."""
    return 13 + twin.design.write_latency


SHAPES = [(64, 32), (64, 100), (128, 32), (256, 7), (16, 300), (1024, 15)]


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
@pytest.mark.parametrize("density", [0.3, 1.0])
def test_a_layer_takes_its_entries_and_its_rows(twin, rows, columns, density) -> None:
    counters, met = count(twin, rows, columns, density)
    assert counters.busy.tolist() == [met]
    # Until the first activations are there; then no cycle goes by without an entry.
    assert counters.starved[0] <= 4
    assert counters.cycles == counters.busy[0] + counters.starved[0] + rows + besides(twin)


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_every_cycle_of_a_sparse_layer_is_busy_or_starved(twin, rows, columns) -> None:
    counters, met = count(twin, rows, columns, density=0.05, active=0.2)
    assert counters.busy.tolist() == [met]
    # A layer of which no entry is met, as that of seven columns, ends a cycle sooner.
    rest = besides(twin) - (met == 0)
    assert counters.cycles == counters.busy[0] + counters.starved[0] + rows + rest


def test_padding_entries_take_a_cycle_too(twin) -> None:
    """Zero runs of 4 bits: 1,008 zeros in front of a weight are 63 entries of padding."""
    codes = np.zeros((1024, 1), np.uint8)
    codes[1008, 0] = 3
    layer = Layer.from_dense_codes("layer", codes, codebook=np.arange(16, dtype=np.int16))
    network = Network((layer,))
    twin.run(pack(network, twin.design, assignment="natural"), np.ones((1, 1), np.int16))
    counters = read_counters(twin.ask(build_packet(Kind.COUNTERS, 9))[1], 1)
    assert counters.busy.tolist() == [64]
