"""Narrower arithmetic, and the measure of how uneven a layer is."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.measure.digits_net import excess, outputs_at
from eie.hls.spec.fixed_point import dequantize
from eie.host.compress import TorchReference
from eie.host.network import Layer, Network


@pytest.mark.parametrize("seed", range(3))
def test_sixteen_bits_are_the_accelerators_arithmetic(random_network, seed):
    network = random_network(30, 40, 20, 10, seed=seed)
    codes = np.random.default_rng(seed).integers(-3000, 3000, (5, 30)).astype(np.int16)
    outputs = outputs_at(network, dequantize(codes, network.input_frac), 16)
    assert np.array_equal(outputs, TorchReference(network)(codes))


def test_eight_bits_by_hand():
    codebook = np.zeros(16, np.int16)
    codebook[1], codebook[2] = 640, -32768  # 2.5 and -128 at 8 fraction bits; -32768 saturates not
    layer = Layer.from_dense_codes(
        "x",
        np.array([[1, 1], [2, 0]], np.uint8),
        codebook=codebook,
        bias=np.array([3 << 16, 1 << 15], np.int64),
        input_frac=8,
        weight_frac=8,
        output_frac=8,
    )
    network = Network((layer,))
    # Eight bits fewer leave none behind the point: 2.5 becomes 2 (ties to even), as do inputs of
    # 1.5; 200 saturates at 127. The second row's bias of 0.5 becomes 0 and its sum saturates.
    outputs = outputs_at(network, np.array([[1.5, 200.0]], np.float32), 8)
    assert outputs.tolist() == [[127, -128]]
    outputs = outputs_at(network, np.array([[1.5, 3.0]], np.float32), 8)
    assert outputs.tolist() == [[2 * 2 + 2 * 3 + 3, -128]]


def test_excess_is_zero_for_chance_and_the_spread_for_certain_rows():
    random = np.random.default_rng(0)
    assert excess(random.binomial(10_000, 0.1, 2000), 0.1) < 0.02
    counts = np.array([500, 1500] * 100)  # half of the mean up and down
    assert excess(counts, 0.1) == pytest.approx(0.5, rel=0.01)
