"""Results that 16 bits cannot hold: counted by layer, and equal in kernel, emulator and products.

That the kernel's answers are the emulator's is checked by the twin, byte by byte.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.spec.design import Design
from eie.hls.spec.packets import Status
from eie.host.network import Layer, Network
from eie.host.packing.packer import pack


def network_of(*layers: Layer) -> Network:
    none = np.zeros((0, layers[0].columns), np.int16), np.zeros((0, layers[-1].rows), np.int16)
    return Network(layers, *none)


def dense_run(network: Network, inputs) -> tuple[np.ndarray, tuple[int, ...]]:
    """Outputs, and how many results of each layer lie outside the codes: plain products."""
    values, saturated = inputs, []
    for layer in network.layers:
        sums = values.astype(np.int64) @ layer.dense_weights().astype(np.int64).T + layer.bias
        if layer.relu:
            sums = np.maximum(sums, 0)
        rounded = (sums + ((1 << layer.shift) >> 1)) >> layer.shift
        values = np.clip(rounded, -32768, 32767).astype(np.int16)
        saturated.append(int((values != rounded).sum()))
    return values, tuple(saturated)


@pytest.fixture
def run(twin_of):
    """Give run(design, network, inputs): outputs and counts, of kernel and emulator alike."""

    def both(design: Design, network: Network, inputs) -> tuple[np.ndarray, tuple[int, ...]]:
        twin, packed = twin_of(design), pack(network, design)
        assert twin.status(packed.load_packet(1)) is Status.OK
        status, body = twin.ask(packed.run_packet(inputs, 2))
        assert status is Status.OK
        return packed.read_outputs(body), packed.read_saturated(body)

    return both


@settings(max_examples=15, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_network_that_saturates(twin_of, grid_design, random_network, data) -> None:
    shape = data.draw(st.lists(st.integers(1, 70), min_size=2, max_size=5), "shape")
    network = random_network(
        *shape,
        seed=data.draw(st.integers(0, 1000), "seed"),
        density=data.draw(st.sampled_from([0.0, 0.1, 0.6]), "density"),
        magnitude=data.draw(st.sampled_from([300, 900]), "magnitude"),
        shift=data.draw(st.integers(0, 5), "shift"),
        activation=data.draw(st.sampled_from([None, "none", "relu"]), "activation"),
    )
    random = np.random.default_rng(data.draw(st.integers(0, 99), "inputs"))
    twin, packed = twin_of(grid_design), pack(network, grid_design)
    assert twin.status(packed.load_packet(1)) is Status.OK
    # Twice: a run begins to count anew. Then one of no vectors, of which nothing is counted.
    for batch in (data.draw(st.integers(1, 4), "batch"), 2, 0):
        inputs = random.integers(-3000, 3000, (batch, shape[0])).astype(np.int16)
        status, body = twin.ask(packed.run_packet(inputs, 2))
        assert status is Status.OK
        outputs, saturated = dense_run(network, inputs)
        assert np.array_equal(packed.read_outputs(body), outputs)
        assert packed.read_saturated(body) == saturated


@pytest.mark.parametrize("rows", [1, 15, 16, 17, 40])
def test_every_row_counts_and_no_other(run, small, rows) -> None:
    """All results of two layers are too large, one way and the other; padding rows are not."""
    top = (1 << 30) - 1
    codebook = np.zeros(16, np.int16)
    first = Layer.from_dense_codes(
        "first", np.zeros((rows, 3), np.uint8), codebook=codebook, bias=np.full(rows, top)
    )
    second = Layer.from_dense_codes(
        "second", np.zeros((rows, rows), np.uint8), codebook=codebook, bias=np.full(rows, -top)
    )
    outputs, saturated = run(
        small.replace(accumulator_bits=40), network_of(first, second), np.ones((5, 3), np.int16)
    )
    assert (outputs == -32768).all()
    assert saturated == (5 * rows, 5 * rows)


def test_the_largest_and_smallest_codes_are_no_saturation(run, small) -> None:
    bias = np.array([32767, 32768, -32768, -32769, 0])
    layer = Layer.from_dense_codes(
        "layer", np.zeros((5, 2), np.uint8), codebook=np.zeros(16, np.int16), bias=bias,
        input_frac=0, weight_frac=0, output_frac=0,
    )  # fmt: skip
    outputs, saturated = run(small, network_of(layer), np.zeros((3, 2), np.int16))
    assert outputs[0].tolist() == [32767, 32767, -32768, -32768, 0]
    assert saturated == (3 * 2,)


@pytest.mark.parametrize("activation", ["none", "relu"])
def test_a_shift_of_the_accumulators_width_is_refused_and_one_less_is_exact(
    run, small, activation
) -> None:
    """Where all sums are negative ReLU gives 0, and padding rows are 0: the half must fit alone.

    The second layer takes what fills up the first one's word, if that is not 0.
    """
    codebook = np.arange(16, dtype=np.int16)
    first = Layer.from_dense_codes(
        "first", np.zeros((1, 1), np.uint8), codebook=codebook, bias=np.array([-(1 << 31)]),
        activation=activation, input_frac=12, weight_frac=28, output_frac=8,
    )  # fmt: skip
    second = Layer.from_dense_codes(
        "second", np.full((3, 1), 5, np.uint8), codebook=codebook, input_frac=8, weight_frac=0
    )
    assert first.shift == 32
    network = network_of(first, second)
    with pytest.raises(DoesNotFitError, match="row 0 of layer 'first' can reach sums of 33 bits"):
        pack(network, small.replace(accumulator_bits=32))
    inputs = np.array([[-32768], [0], [7]], np.int16)
    outputs, saturated = run(small.replace(accumulator_bits=33), network, inputs)
    expected, _ = dense_run(network, inputs)
    assert np.array_equal(outputs, expected)
    assert saturated == (0, 0)
