"""The emulator's outputs are those of dense integer products."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.spec.design import Design
from eie.hls.spec.packets import Status
from eie.host.network import Network
from eie.host.packing.packer import pack

SETTINGS = settings(max_examples=80, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="session")
def outputs(talk):
    """Load a network and run a batch, in packets."""

    def run(network, design, inputs, assignment="balanced"):
        packed = pack(network, design, assignment=assignment)
        talker = talk(design)
        assert talker.send(packed.load_packet()).status is Status.OK
        answer = talker.send(packed.run_packet(inputs))
        assert answer.status is Status.OK
        return packed.read_outputs(answer.body)

    return run


def codes(seed: int, batch: int, width: int, density: float = 0.6) -> np.ndarray:
    random = np.random.default_rng(seed)
    values = random.integers(-32768, 32768, (batch, width))
    return (values * (random.random(values.shape) < density)).astype(np.int16)


def with_layers(network: Network, **changes: object) -> Network:
    layers = tuple(dataclasses.replace(layer, **changes) for layer in network.layers)
    return Network(layers, network.golden_inputs, network.golden_outputs)


@SETTINGS
@given(
    st.lists(st.integers(1, 50), min_size=2, max_size=4),
    st.sampled_from([1 << power for power in range(9)]),
    st.integers(3, 8),
    st.sampled_from(["natural", "balanced"]),
    st.sampled_from([0.0, 0.1, 1.0]),
    st.integers(0, 6),
    st.sampled_from([1, 2, 4]),
    st.integers(0, 1000),
)
def test_outputs_equal_dense_integer_products(
    random_network,
    roomy,
    outputs,
    reference,
    sizes,
    pes,
    bits,
    assignment,
    density,
    batch,
    abreast,
    seed,
):
    network = random_network(*sizes, density=density, seed=seed, magnitude=300)
    design = roomy(pes, index_bits=bits, abreast=abreast)
    inputs = codes(seed, batch, sizes[0])
    result = outputs(network, design, inputs, assignment)
    assert result.dtype == np.int16
    assert result.shape == (batch, sizes[-1])
    assert np.array_equal(result, reference(network, inputs))


@pytest.mark.parametrize("sizes", [(37, 101, 13), (1, 1), (5, 1, 7), (64, 64), (17, 33, 65, 3)])
@pytest.mark.parametrize("activation", ["relu", "none"])
def test_odd_shapes_on_eight_pes(sizes, activation, random_network, roomy, outputs, reference):
    network = random_network(*sizes, activation=activation, magnitude=200)
    inputs = codes(1, 5, sizes[0])
    result = outputs(network, roomy(8), inputs)
    assert np.array_equal(result, reference(network, inputs))
    if activation == "none" and result.size > 20:
        assert (result < 0).any()


@pytest.mark.parametrize("shift", range(48))
def test_every_shift(shift, random_network, roomy, outputs, reference):
    network = with_layers(
        random_network(40, 30, magnitude=32767, density=1.0),
        input_frac=min(shift, 31),
        weight_frac=max(shift - 31, 0),
        output_frac=0,
    )
    inputs = codes(shift, 8, 40)
    result = outputs(network, roomy(4), inputs)
    assert np.array_equal(result, reference(network, inputs))


def test_sums_saturate_on_both_sides(random_network, roomy, outputs, reference):
    network = with_layers(random_network(40, 30, magnitude=32767), output_frac=8, weight_frac=0)
    result = outputs(network, roomy(4), codes(0, 8, 40))
    assert {-32768, 32767} <= set(result.ravel().tolist())
    assert np.array_equal(result, reference(network, codes(0, 8, 40)))


@pytest.mark.parametrize("code", [-32768, -1, 1, 32767])
def test_inputs_at_their_extremes(code, random_network, roomy, outputs, reference):
    network = random_network(300, 40, density=1.0, magnitude=32767, shift=24)
    inputs = np.full((2, 300), code, np.int16)
    assert np.array_equal(outputs(network, roomy(2), inputs), reference(network, inputs))


def test_zeros_give_the_bias(random_network, roomy, outputs, reference):
    network = random_network(30, 20, 10)
    inputs = np.zeros((3, 30), np.int16)
    result = outputs(network, roomy(4), inputs)
    assert np.array_equal(result, reference(network, inputs))
    assert result.any()


def test_a_batch_is_its_vectors_one_by_one(random_network, roomy, talk, reference):
    packed = pack(random_network(37, 101, 13), roomy(8))
    talker = talk(packed.design)
    talker.send(packed.load_packet())
    inputs = codes(4, 257, 37, density=0.3)
    inputs[5:9] = 0
    together = packed.read_outputs(talker.send(packed.run_packet(inputs)).body)
    single = [talker.send(packed.run_packet(vector[None])) for vector in inputs]
    assert np.array_equal(together, np.concatenate([packed.read_outputs(a.body) for a in single]))
    assert np.array_equal(together, reference(packed.network, inputs))


def test_a_batch_of_none_gives_none(random_network, roomy, outputs):
    result = outputs(random_network(37, 13), roomy(8), np.zeros((0, 37), np.int16))
    assert result.shape == (0, 13)


@pytest.mark.parametrize("batch", [1, 3])
def test_more_columns_than_a_block_of_the_batch_product(batch, random_network, outputs, reference):
    network = random_network(1300, 9, density=0.05)
    codes_of_column = network.layers[0].dense_codes()
    codes_of_column[:, 512:1024] = 0  # a block without a weight
    network = with_layers(network, **sparse(codes_of_column))
    inputs = codes(2, batch, 1300)
    result = outputs(network, Design(pes=2, accumulator_bits=48), inputs)
    assert np.array_equal(result, reference(network, inputs))


def sparse(dense: np.ndarray) -> dict[str, np.ndarray]:
    columns, rows = np.nonzero(dense.T)
    counts = np.bincount(columns, minlength=dense.shape[1])
    return {
        "indptr": np.concatenate([[0], np.cumsum(counts)]),
        "indices": rows.astype(np.int32),
        "codes": dense[rows, columns],
    }


def test_a_codebook_may_hold_zeros(random_network, roomy, outputs, reference):
    codebook = np.zeros(16, np.int16)
    codebook[3] = -77
    network = with_layers(random_network(20, 20), codebook=codebook)
    inputs = codes(6, 4, 20)
    assert np.array_equal(outputs(network, roomy(2), inputs), reference(network, inputs))


def test_the_last_network_loaded_is_the_one_that_runs(random_network, roomy, talk, reference):
    design = roomy(4)
    talker = talk(design)
    inputs = codes(8, 2, 20)
    for seed in (1, 2, 1):
        network = random_network(20, 9, seed=seed)
        packed = pack(network, design)
        assert talker.send(packed.load_packet()).network_id == packed.network_id
        answer = talker.send(packed.run_packet(inputs))
        assert np.array_equal(packed.read_outputs(answer.body), reference(network, inputs))


def test_activations_of_the_last_run_are_kept_by_slot(random_network, roomy, talk, reference):
    network = random_network(20, 30, 10)
    packed = pack(network, roomy(4))
    talker = talk(packed.design)
    assert talker.emulator.last_activations == []
    talker.send(packed.load_packet())
    inputs = codes(9, 2, 20)
    talker.send(packed.run_packet(inputs))
    before, hidden, after = talker.emulator.last_activations
    first = Network(network.layers[:1])
    assert np.array_equal(before[:, packed.layers[0].slot_of_column], inputs)
    assert np.array_equal(hidden[:, packed.layers[0].slot_of_row], reference(first, inputs))
    assert np.array_equal(after[:, packed.layers[1].slot_of_row], reference(network, inputs))
