from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eie.hls.boundary.errors import InputError
from eie.hls.spec.fixed_point import FRAC_MAX, FRAC_MIN, MAX_SHIFT
from eie.hls.spec.packets import MAX_COLUMNS
from eie.host.network import Layer, Network

SETTINGS = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@pytest.fixture
def layer(random_network) -> Layer:
    return random_network(7, 5).layers[0]


@SETTINGS
@given(st.integers(1, 12), st.integers(1, 12), st.floats(0, 1), st.integers(0, 1000))
def test_dense_codes_survive_the_sparse_form(rows, columns, density, seed):
    random = np.random.default_rng(seed)
    codes = random.integers(1, 16, (rows, columns)) * (random.random((rows, columns)) < density)
    codes = codes.astype(np.uint8)
    codebook = np.arange(16, dtype=np.int16) * 100
    layer = Layer.from_dense_codes("layer", codes, codebook=codebook)
    assert (layer.rows, layer.columns) == codes.shape
    assert np.array_equal(layer.dense_codes(), codes)
    assert np.array_equal(layer.dense_weights(), codes.astype(np.int16) * 100)
    assert layer.nonzeros == np.count_nonzero(codes)
    assert layer.density == np.count_nonzero(codes) / codes.size
    expected = np.nonzero(codes.T)[0]
    assert np.array_equal(layer.column_of_entry(), expected)


def test_layers_are_equal_by_contents(random_network):
    layer = random_network(7, 5).layers[0]
    assert layer == random_network(7, 5).layers[0]
    assert layer != random_network(7, 5, seed=1).layers[0]
    assert layer != "layer"
    for name, value in (
        ("name", "other"),
        ("activation", "relu"),
        ("output_frac", 7),
        ("codebook", np.roll(layer.codebook[1:], 1)),
        ("bias", layer.bias + 1),
    ):
        if name == "codebook":
            value = np.concatenate([[0], value]).astype(np.int16)
        assert layer != dataclasses.replace(layer, **{name: value})


def test_arrays_are_read_only_and_a_layers_own(layer):
    bias = np.zeros(5, np.int64)
    mine = dataclasses.replace(layer, bias=bias)
    bias[0] = 7
    assert mine.bias[0] == 0
    for name in ("indptr", "indices", "codes", "codebook", "bias"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(mine, name)[0] = 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "name must be a non-empty string"),
        ({"name": 3}, "name must be a non-empty string"),
        ({"rows": 0}, "rows must be at least 1, not 0"),
        ({"rows": 5.0}, "rows must be at least 1, not 5.0"),
        ({"rows": 6}, "bias must have 6 values, not 5"),
        ({"columns": 0}, "columns must be 1 to 65536, not 0"),
        ({"columns": MAX_COLUMNS + 1}, "columns must be 1 to 65536, not 65537"),
        ({"columns": 8}, "indptr must rise from 0 to .* in 9 values"),
        ({"activation": "gelu"}, "activation must be one of 'none', 'relu', .*, not 'gelu'"),
        ({"activation": ["relu"]}, "activation must be"),
        (
            {"input_frac": FRAC_MIN - 1},
            f"input_frac must be {FRAC_MIN} to {FRAC_MAX}, not -97",
        ),
        (
            {"weight_frac": FRAC_MAX + 1},
            f"weight_frac must be {FRAC_MIN} to {FRAC_MAX}, not 97",
        ),
        ({"output_frac": 8.0}, f"output_frac must be {FRAC_MIN} to {FRAC_MAX}, not 8.0"),
        ({"output_frac": 31}, "must be 0 to 47, not -15"),
        ({"input_frac": 31, "weight_frac": 31, "output_frac": 0}, "must be 0 to 47, not 62"),
        ({"codebook": np.zeros(15, np.int16)}, "codebook must have 16 weights, not 15"),
        ({"codebook": np.ones(16, np.int16)}, r"codebook\[0\] must be 0"),
        ({"codebook": np.zeros(16)}, "codebook must be a one-dimensional array of int16"),
        ({"codebook": np.zeros((4, 4), np.int16)}, "codebook must be a one-dimensional array"),
        ({"codebook": None}, "codebook must be a one-dimensional array"),
        ({"bias": np.zeros(5, np.int32)}, "bias must be a one-dimensional array of int64"),
        ({"bias": np.zeros(5, ">i8")}, "bias must be a one-dimensional array of int64"),
        ({"bias": [0] * 5}, "bias must be a one-dimensional array of int64"),
        ({"bias": np.full(5, 1 << 47)}, "bias must fit in 48 signed bits"),
        ({"bias": np.full(5, -(1 << 63))}, "bias must fit in 48 signed bits"),
        ({"low": -32769}, "low must be -32768 to 32767, not -32769"),
        ({"high": 1.0}, "high must be -32768 to 32767, not 1.0"),
        ({"low": 5, "high": 4}, "low must be at most high, not 5 with a high of 4"),
        ({"activation": "relu", "low": 1}, "low must be 0 with 'relu', not 1"),
        ({"activation": "leaky_relu", "slope": 1, "high": 9}, "low and high must be .* 'leaky_r"),
        ({"activation": "leaky_relu"}, "slope must be 1 to 65535, not 0"),
        ({"activation": "leaky_relu", "slope": 1 << 16}, "slope must be 1 to 65535, not 65536"),
        ({"activation": "leaky_relu", "slope": 0.5}, "slope must be an integer, not 0.5"),
        ({"slope": 1}, "slope must be 0 without 'leaky_relu', not 1"),
        ({"half_even": 1}, "half_even must be true or false, not 1"),
        ({"accumulate": None}, "accumulate must be true or false, not None"),
        ({"source": -2}, "source must be nothing, -1 .*, not -2"),
        ({"source": True}, "source must be nothing"),
        ({"activation": "tanh"}, "output_frac must be 15 with 'tanh', not 8"),
        ({"activation": "tanh", "output_frac": 15, "weight_frac": 2}, "must be 11 to 58 .*not 10"),
        ({"activation": "lstm", "output_frac": 15}, "rows must be a multiple of 4 .* not 5"),
        ({"accumulate": True}, r"that accumulates \(16\), not 8"),
        ({"accumulate": True, "output_frac": 20}, "bias must be 0 in a layer that accumulates"),
        ({"accumulate": True, "activation": "relu"}, "must have no activation, bounds or round"),
        ({"accumulate": True, "half_even": True}, "must have no activation, bounds or rounding"),
    ],
)
def test_a_layer_that_is_not_one_is_refused(changes, message, layer):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(layer, **changes)


def test_the_ends_of_the_ranges_are_allowed(layer):
    edge = np.full(5, (1 << 47) - 1)
    assert dataclasses.replace(layer, bias=edge).bias[0] == edge[0]
    assert dataclasses.replace(layer, bias=-edge - 1).bias[0] == -edge[0] - 1
    longest = dataclasses.replace(layer, input_frac=31, weight_frac=16, output_frac=0)
    assert longest.shift == MAX_SHIFT
    assert dataclasses.replace(layer, weight_frac=0).shift == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a["indptr"].__setitem__(0, 1), "indptr must rise from 0"),
        (lambda a: a["indptr"].__setitem__(-1, 3), "indptr must rise from 0"),
        (lambda a: a["indptr"].__setitem__(3, -9), "indptr must rise from 0"),
        (lambda a: a["codes"].__setitem__(0, 0), "codes must be 1 to 15"),
        (lambda a: a["codes"].__setitem__(0, 16), "codes must be 1 to 15"),
        (lambda a: a["indices"].__setitem__(0, -1), "indices must be 0 to 4"),
        (lambda a: a["indices"].__setitem__(0, 5), "indices must be 0 to 4"),
        (lambda a: a["indices"].__setitem__(1, 0), "indices must rise within each column"),
        (lambda a: a["indices"].__setitem__(slice(0, 2), [1, 0]), "indices must rise within"),
        (lambda a: a.__setitem__("indices", a["indices"][:-1]), "indices must have as many"),
    ],
)
def test_a_sparse_form_that_is_not_one_is_refused(change, message, random_network):
    layer = random_network(7, 5, density=1.0).layers[0]
    arrays = {name: getattr(layer, name).copy() for name in ("indptr", "indices", "codes")}
    change(arrays)
    with pytest.raises(InputError, match=message):
        dataclasses.replace(layer, **arrays)


def test_every_problem_of_a_layer_is_reported_at_once(layer):
    with pytest.raises(InputError) as caught:
        dataclasses.replace(layer, rows=0, activation="gelu", codebook=None, input_frac=99)
    for problem in ("4 problems", "rows must", "activation must", "codebook must", "input_frac"):
        assert problem in str(caught.value)


@pytest.mark.parametrize(
    "codes", [np.full((2, 3), 16), np.full((2, 3), 257), np.full((2, 3), -1), np.full((2, 3), 1.5)]
)
def test_dense_codes_that_do_not_fit_a_codebook_are_refused(codes):
    with pytest.raises(InputError, match="codes must be integers from 0 to 15"):
        Layer.from_dense_codes("layer", codes, codebook=np.zeros(16, np.int16))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (3,), (2, 2, 2)])
def test_dense_codes_of_no_matrix_are_refused(shape):
    with pytest.raises(InputError, match=r"must have shape|must be"):
        Layer.from_dense_codes("layer", np.zeros(shape, np.uint8), codebook=np.zeros(16, np.int16))


def test_a_network_is_equal_by_contents(random_network):
    network = random_network(6, 5, 4, golden=2)
    assert network == random_network(6, 5, 4, golden=2)
    assert network != random_network(6, 5, 4, golden=3)
    assert network != dataclasses.replace(network, metadata={})
    assert network != dataclasses.replace(network, layers=network.layers[:1], **no_golden(6, 5))
    assert network != network.layers[0]


def test_a_network_says_what_goes_in_and_out(random_network):
    network = random_network(6, 5, 4)
    assert (network.inputs, network.outputs) == (6, 4)
    assert (network.input_frac, network.output_frac) == (8, 8)


def no_golden(inputs: int, outputs: int) -> dict[str, np.ndarray]:
    return {
        "golden_inputs": np.zeros((0, inputs), np.int16),
        "golden_outputs": np.zeros((0, outputs), np.int16),
    }


def test_layers_that_do_not_follow_each_other_are_refused(random_network):
    first, second = random_network(6, 5).layers[0], random_network(4, 3).layers[0]
    second = dataclasses.replace(second, input_frac=7)
    with pytest.raises(InputError) as caught:
        Network((first, second))
    for problem in ("must be unique", "takes 4 inputs, but .* gives 5", "reads 7 fraction bits"):
        assert problem.split(".*")[0] in str(caught.value)
    assert "3 problems" in str(caught.value)


def test_a_network_without_layers_is_refused():
    with pytest.raises(InputError, match="must have at least one layer"):
        Network(())


@pytest.mark.parametrize(
    "golden",
    [
        np.zeros((2, 5), np.int16),
        np.zeros((2, 6), np.int32),
        np.zeros(6, np.int16),
        np.zeros((), np.int16),
        [[0] * 6],
        None,
    ],
)
def test_golden_vectors_of_the_wrong_kind_are_refused(golden, random_network):
    layers = random_network(6, 5).layers
    with pytest.raises(InputError, match=r"golden_inputs must be int16 of shape \(vectors, 6\)"):
        Network(layers, golden, np.zeros((2, 5), np.int16))


def test_golden_inputs_without_outputs_are_refused(random_network):
    layers = random_network(6, 5).layers
    with pytest.raises(InputError, match="as many vectors each"):
        Network(layers, np.zeros((2, 6), np.int16), np.zeros((3, 5), np.int16))


def test_golden_vectors_need_not_be_given(random_network):
    network = Network(random_network(6, 5).layers)
    assert network.golden_inputs.shape == (0, 6) and network.golden_outputs.shape == (0, 5)
    with pytest.raises(InputError, match="as many vectors each"):
        Network(network.layers, np.zeros((2, 6), np.int16))


@pytest.mark.parametrize("metadata", [None, "text", ["text"], {"a": float("nan")}, {3: "a"}])
def test_metadata_that_is_not_text_is_refused(metadata, random_network):
    with pytest.raises(InputError, match="metadata must map strings to strings"):
        Network(random_network(6, 5).layers, metadata=metadata)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((1, 6)), "input codes must be int16, not float64"),
        (np.zeros((1, 6), np.uint16), "input codes must be int16, not uint16"),
        (np.full((1, 6), np.nan), "input codes must be int16, not float64"),
        (np.array([[None] * 6]), "input codes must be real numbers, not dtype object"),
        (np.zeros(6, np.int16), r"inputs must have shape \(batch, 6\), not \(6,\)"),
        (np.zeros((1, 7), np.int16), r"not \(1, 7\)"),
        (np.zeros((6, 1), np.int16), r"not \(6, 1\)"),
        (np.zeros((1, 1, 6), np.int16), r"not \(1, 1, 6\)"),
    ],
)
def test_inputs_of_the_wrong_kind_are_refused(inputs, message, random_network):
    with pytest.raises(InputError, match=message):
        random_network(6, 5).check_inputs(inputs)


def test_inputs_are_made_contiguous(random_network):
    codes = np.arange(24, dtype=np.int16).reshape(6, 4).T
    checked = random_network(6, 5).check_inputs(codes)
    assert checked.flags.c_contiguous
    assert np.array_equal(checked, codes)
