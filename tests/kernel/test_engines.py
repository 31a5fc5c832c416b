"""The compiled kernel answers every packet with the bytes of the emulator, counters included."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import write_back
from eie.hls.spec.packets import Kind, Status, build_packet
from eie.host.network import Layer, Network
from eie.host.packing.packer import pack

Codes = npt.NDArray[np.int16]


KINDS_OF_INPUT = ("zeros", "ones", "dense", "negative", "sparse", "extreme")


@pytest.fixture(scope="session")
def twin(grid_design, twin_of):
    return twin_of(grid_design)


def make_inputs(kinds: Sequence[str], width: int, seed: int) -> Codes:
    """A vector of each kind."""
    random = np.random.default_rng(seed)
    vectors = {
        "zeros": np.zeros(width),
        "ones": np.ones(width),
        "dense": random.integers(1, 3000, width),
        "negative": random.integers(-3000, 0, width),
        "sparse": random.integers(-3000, 3000, width) * (random.random(width) < 0.1),
        "extreme": random.choice([-32768, 32767, 0], width),
    }
    return np.array([vectors[kind] for kind in kinds], np.int16).reshape(-1, width)


def dense_outputs(network: Network, inputs: Codes) -> Codes:
    """Plain matrix products: the definition, with nothing of a kernel in it."""
    values = inputs
    for layer in network.layers:
        sums = values.astype(np.int64) @ layer.dense_weights().astype(np.int64).T + layer.bias
        values = write_back(sums, layer.write_back)
    return values


def one_layer(codes: npt.NDArray[np.integer], seed: int = 0, **options: object) -> Network:
    """A network of one layer with the given (rows, columns) codes."""
    codebook = np.random.default_rng(seed).integers(-900, 900, 16).astype(np.int16)
    codebook[0] = 0
    layer = Layer.from_dense_codes("layer", codes.astype(np.uint8), codebook=codebook, **options)
    return Network((layer,))


def test_identify_reports_the_design(twin) -> None:
    status, beats = twin.ask(build_packet(Kind.IDENTIFY, 7))
    assert status is Status.OK
    record = twin.design.record()
    assert beats.view("<u4").tolist()[: len(record)] == list(record.values())


@pytest.mark.parametrize(
    "shape",
    [(37, 101, 13), (5, 1), (1, 1), (1, 40), (16, 16), (33, 17, 49, 3), (300, 5)],
    ids=lambda shape: "-".join(map(str, shape)),
)
@pytest.mark.parametrize("density", [0.15, 1.0])
def test_outputs_and_counters(twin, random_network, shape, density) -> None:
    network = random_network(*shape, seed=sum(shape), density=density, magnitude=900)
    inputs = make_inputs(KINDS_OF_INPUT, shape[0], seed=1)
    assert np.array_equal(twin.run(network, inputs), dense_outputs(network, inputs))


@settings(max_examples=12, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_network_and_batch(twin, random_network, data) -> None:
    shape = data.draw(st.lists(st.integers(1, 90), min_size=2, max_size=5), "shape")
    network = random_network(
        *shape,
        seed=data.draw(st.integers(0, 1000), "seed"),
        density=data.draw(st.sampled_from([0.0, 0.02, 0.3, 0.9]), "density"),
        magnitude=data.draw(st.sampled_from([3, 900]), "magnitude"),
        shift=data.draw(st.integers(0, 12), "shift"),
        activation=data.draw(st.sampled_from([None, "none", "relu"]), "activation"),
    )
    kinds = data.draw(st.lists(st.sampled_from(KINDS_OF_INPUT), max_size=5), "inputs")
    inputs = make_inputs(kinds, shape[0], seed=2)
    assert np.array_equal(twin.run(network, inputs), dense_outputs(network, inputs))


def test_layer_without_weights(twin) -> None:
    bias = np.arange(-20, 21, dtype=np.int64) * 5000
    network = one_layer(np.zeros((41, 30)), bias=bias)
    inputs = make_inputs(["dense", "zeros"], 30, seed=3)
    expected = dense_outputs(network, inputs)
    assert expected.any()
    assert np.array_equal(twin.run(network, inputs), expected)


def test_long_columns(twin) -> None:
    """All rows that fit, in three columns: long zero runs with padding, and none."""
    rows = twin.design.rows_per_pe * twin.design.pes // 16 * 16
    codes = np.zeros((rows, 3), np.int64)
    codes[:, 0] = 1 + np.arange(rows) % 15
    codes[-1, 1] = codes[0, 2] = codes[-1, 2] = 7
    network = one_layer(codes)
    inputs = make_inputs(["dense", "extreme"], 3, seed=4)
    assert np.array_equal(twin.run(network, inputs), dense_outputs(network, inputs))


def test_columns_of_one_entry_in_the_same_row(twin) -> None:
    """The accumulator hazard: each entry adds to the sum that the one before is still writing."""
    codes = np.zeros((twin.design.pes, 300), np.int64)
    codes[:] = 1 + np.arange(300) % 15
    network = one_layer(codes)
    inputs = make_inputs(["dense", "negative", "sparse"], 300, seed=5)
    assert np.array_equal(twin.run(network, inputs), dense_outputs(network, inputs))


def test_another_network_replaces_the_first(twin, random_network) -> None:
    first = pack(random_network(20, 30, magnitude=900), twin.design)
    second = pack(random_network(20, 30, magnitude=900, seed=1), twin.design)
    inputs = make_inputs(["dense"], 20, seed=6)
    assert twin.status(first.load_packet(1)) is Status.OK
    assert twin.status(second.load_packet(2)) is Status.OK
    assert twin.status(first.run_packet(inputs, 3)) is Status.WRONG_NETWORK
    assert twin.status(second.run_packet(inputs, 4)) is Status.OK


@pytest.mark.slow  # half a minute of simulation
def test_layer_of_more_rows_than_17_bits_count(twin_of: Callable) -> None:
    """The last layer's rows are limited by the PEs' memories alone."""
    wide = Design(
        pes=16,
        index_bits=8,
        entries_per_pe=1024,
        pointers_per_pe=16,
        rows_per_pe=8208,
        biases_per_pe=8208,
    )
    rows = (1 << 17) + 256
    random = np.random.default_rng(0)
    where = np.sort(random.choice(rows, 500, replace=False)).astype(np.int32)
    layer = Layer(
        name="layer",
        rows=rows,
        columns=1,
        indptr=np.array([0, len(where)]),
        indices=where,
        codes=np.full(len(where), 1, np.uint8),
        codebook=np.arange(16, dtype=np.int16),
        bias=np.zeros(rows, np.int64),
        activation="none",
        input_frac=8,
        weight_frac=8,
        output_frac=8,
    )
    network = Network((layer,))
    outputs = twin_of(wide).run(network, np.array([[512]], np.int16))
    assert np.array_equal(np.flatnonzero(outputs[0]), where)


@pytest.mark.slow
@pytest.mark.parametrize("pes", [1, 2, 4, 8, 16, 32, 64, 128, 256])
@pytest.mark.parametrize(
    ("index_bits", "queue_depth", "length_bits", "result_depth"),
    [(3, 5, 0, 2), (6, 2, 8, 7), (8, 32, 8, 64)],
)
def test_every_size(
    twin_of: Callable,
    sized_design,
    random_network,
    pes,
    index_bits,
    queue_depth,
    length_bits,
    result_depth,
) -> None:
    others = {"length_bits": length_bits, "result_depth": result_depth}
    twin = twin_of(sized_design(pes, index_bits, queue_depth, **others))
    for seed, density in enumerate((0.03, 0.3, 1.0)):
        network = random_network(130, 40, 60, 9, seed=seed, density=density, magnitude=900)
        inputs = make_inputs(KINDS_OF_INPUT, 130, seed=seed)
        assert np.array_equal(twin.run(network, inputs), dense_outputs(network, inputs))
    twin.close()
