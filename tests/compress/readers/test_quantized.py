"""Quantised models of Brevitas and QONNX: the same integers, and what differs is counted right."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from onnx_graphs import QONNX, W1, model, node, save
from quiet_exporters import quiet
from torch import nn

from eie.hls.boundary.errors import InexactWarning, ModelError, UncalibratedWarning
from eie.hls.spec.fixed_point import quantize
from eie.host.compress import TorchReference, compress, read_model

with quiet():
    import brevitas.nn as qnn
    from brevitas.export import export_qonnx
    from brevitas.quant import (
        Int8ActPerTensorFixedPoint,
        Int8WeightPerTensorFixedPoint,
        Int8WeightPerTensorFloat,
        Int32Bias,
        ShiftedUint8ActPerTensorFloat,
        Uint8ActPerTensorFixedPoint,
    )

INPUTS = np.random.default_rng(9).normal(size=(3000, 16)).clip(-3.9, 3.9).astype(np.float32)


def build(*, bias=None, weights=Int8WeightPerTensorFixedPoint, bits=4, largest=None) -> nn.Module:
    """A model after some steps that its scales come from.

    `largest` is a scale that no activation goes beyond; None learns one, as in training.
    """
    torch.manual_seed(0)
    scale = {} if largest is None else {"scaling_impl_type": "const", "max_val": largest}
    relu = {"act_quant": Uint8ActPerTensorFixedPoint, "bit_width": 8, **scale}
    linear = {"weight_quant": weights, "weight_bit_width": bits, "bias": True, "bias_quant": bias}
    made = nn.Sequential(
        qnn.QuantIdentity(act_quant=Int8ActPerTensorFixedPoint, return_quant_tensor=True),
        qnn.QuantLinear(16, 12, **linear),
        qnn.QuantReLU(**relu, return_quant_tensor=True),
        qnn.QuantLinear(12, 9, **linear),
        qnn.QuantReLU(**relu, return_quant_tensor=True),
        qnn.QuantLinear(9, 5, **linear),
    )
    with quiet(), torch.no_grad():
        for _ in range(20):
            made(torch.randn(32, 16))
    return made.eval()


def brevitas_codes(made: nn.Module, inputs: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Numbers of steps that each quantiser of activations gives, and the outputs."""
    codes = []
    with quiet(), torch.no_grad():
        values = torch.from_numpy(inputs)
        for part in made:
            values = part(values)
            if isinstance(part, qnn.QuantReLU):
                codes.append((values.value / values.scale).round().long().numpy())
    return codes, getattr(values, "value", values).double().numpy()


def compressed(made, calibration=INPUTS):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        network = compress(made, calibration=calibration)
    return network, {each.category for each in caught}


def test_the_models_own_integers():
    """Real biases lie off the grid of the sums, so that nothing is ever in the middle."""
    made = build(largest=64.0)
    network, caught = compressed(made)
    assert network.metadata["exactness"].startswith("exact for inputs from -4 to 3.96875")
    assert "1: 0 of 36000, 3: 0 of 27000, 5: 0 of 15000" in network.metadata["exactness"]
    assert InexactWarning not in caught
    outputs = TorchReference(network).layer_outputs(quantize(INPUTS, network.input_frac))
    codes, logits = brevitas_codes(made, INPUTS)
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(outputs, codes, strict=False))
    # The last layer's outputs are real numbers in the model, and here the nearest of 16 bits.
    frac = network.layers[-1].output_frac
    assert np.array_equal(outputs[-1], np.floor(np.ldexp(logits, frac) + 0.5))
    assert np.array_equal(np.unique(network.layers[0].codebook).size, 15)


def test_without_calibration_it_is_as_exact():
    network, caught = compressed(build(largest=64.0), None)
    assert network.metadata["exactness"].startswith("exact for inputs")
    assert UncalibratedWarning not in caught
    assert network.layers == compressed(build(largest=64.0))[0].layers


@pytest.mark.parametrize("bits", [4, 6, 8])
@pytest.mark.parametrize("bias", [None, Int32Bias])
@pytest.mark.parametrize("largest", [None, 64.0])
def test_no_value_differs(bits, bias, largest):
    """Ties, the quantisers' bounds, and weights of 8 bits: two planes, that is six layers."""
    made = build(bits=bits, bias=bias, largest=largest)
    network, caught = compressed(made)
    assert InexactWarning not in caught
    assert network.metadata["exactness"].startswith("exact for inputs from -4 to 3.96875")
    assert len(network.layers) == (3 if bits == 4 else 6)
    outputs = TorchReference(network).layer_outputs(quantize(INPUTS, network.input_frac))
    ends = [values for values in outputs if values.shape[1]]
    codes, _ = brevitas_codes(made, INPUTS)
    assert [int((ours != theirs).sum()) for ours, theirs in zip(ends, codes, strict=False)] == [
        0,
        0,
    ]


def test_inputs_beyond_the_bounds_are_counted():
    inputs = INPUTS.copy()
    inputs[7, 3:5] = 5.0
    network, _ = compressed(build(largest=64.0), inputs)
    assert "2 input values beyond -4 to 3.96875" in network.metadata["exactness"]
    assert "numpy.clip" in network.metadata["exactness"]


def test_what_has_no_integers_of_ours_says_so():
    made = build(weights=Int8WeightPerTensorFloat)
    network, caught = compressed(made)
    assert InexactWarning in caught
    assert network.metadata["exactness"].startswith("not exact: ")
    assert "% rms of the model's outputs" in network.metadata["error"]


def test_what_is_read_computes_what_brevitas_computes():
    for options in ({}, {"bits": 8}, {"weights": Int8WeightPerTensorFloat, "bits": 6}):
        made = build(**options)
        outputs = read_model(made).forward(INPUTS.astype(np.float64))
        np.testing.assert_allclose(outputs, brevitas_codes(made, INPUTS)[1], rtol=1e-5, atol=1e-6)


def test_a_model_of_brevitas_is_left_as_it_was():
    made = build().train()
    before = [type(part) for part in made]
    read_model(made)
    assert [type(part) for part in made] == before
    assert all(part.training for part in made.modules())


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model, and its QONNX file."""
    made, path = build(largest=64.0), tmp_path_factory.mktemp("qonnx") / "m.onnx"
    with quiet():
        export_qonnx(made, torch.zeros(1, 16), str(path))
    return made, path


def test_qonnx_is_the_same_model(exported):
    made, path = exported
    one, other = read_model(made), read_model(path)
    assert one.quantizer == other.quantizer
    for ours, theirs in zip(one.layers, other.layers, strict=True):
        assert (ours.relu, ours.quantizer) == (theirs.relu, theirs.quantizer)
        assert np.array_equal(ours.weights, theirs.weights)
        assert np.array_equal(ours.bias, theirs.bias)


def test_qonnx_runs_alike(exported):
    """On qonnx's own execution, code by code."""
    _, path = exported
    with quiet():
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.core.onnx_exec import execute_onnx

        wrapper = ModelWrapper(str(path))
        names = (each.name for each in wrapper.graph.input)
        (given,) = (name for name in names if wrapper.get_initializer(name) is None)
        contexts = [
            execute_onnx(wrapper, {given: vector[np.newaxis]}, return_full_exec_context=True)
            for vector in INPUTS[:40]
        ]
    network, _ = compressed(path, INPUTS[:40])
    outputs = TorchReference(network).layer_outputs(quantize(INPUTS[:40], network.input_frac))
    values = [each.output[0] for each in wrapper.graph.node if each.op_type == "Quant"]
    hidden = [name for name in values if contexts[0][name].shape in ((1, 12), (1, 9))]
    assert len(hidden) == 2
    for name, ours, layer in zip(hidden, outputs, network.layers, strict=False):
        theirs = np.concatenate([each[name] for each in contexts])
        assert np.array_equal(np.ldexp(theirs, layer.output_frac), ours)


WIDE = {"scale": np.float32(0.25), "zero": np.float32(0), "bits": np.float32(8)}


def quantized(**changes) -> dict[str, np.ndarray]:
    return {**WIDE, **{name: np.float32(value) for name, value in changes.items()}}


@pytest.mark.parametrize(
    ("constants", "attributes", "said"),
    [
        (quantized(bits=17), {}, "quantises activations to 17 bits: the accelerator has 16"),
        (quantized(bits=2.5), {}, "must have a whole number of bits from 2 to 48, not 2.5"),
        (quantized(bits=1e9), {}, "must have a whole number of bits"),
        (quantized(zero=3), {}, "has a zero point of 3"),
        (quantized(scale=0), {}, "must have a scale above 0"),
        (quantized(scale=[0.5, 0.25, 1, 2, 4]), {}, "must have one scale, zero point and width"),
        (
            quantized(),
            {"rounding_mode": "FLOOR"},
            "rounds activations by FLOOR: ROUND is supported",
        ),
        (quantized(), {"rounding_mode": "DICE"}, "rounds by 'DICE'"),
    ],
)
def test_quantisers_of_activations_that_are_refused(constants, attributes, said, tmp_path):
    nodes = [
        node("Gemm", "x W1 B1", "h", transB=1),
        node("Quant", "h scale zero bits", "y", name="q", domain=QONNX, **attributes),
    ]
    made = model(nodes, constants=constants, opsets=[("", 20), (QONNX, 1)])
    with pytest.raises(ModelError) as error:
        read_model(save(made, tmp_path))
    assert f"node 'q' ({QONNX}::Quant, number 2 of 2) {said}" in str(error.value)


def test_weights_of_more_than_8_bits_are_refused(tmp_path):
    nodes = [
        node("Quant", "W1 scale zero bits", "w", name="q", domain=QONNX),
        node("Gemm", "x w B1", "y", transB=1, name="fc1"),
    ]
    made = model(nodes, constants=quantized(bits=9), opsets=[("", 20), (QONNX, 1)])
    with pytest.raises(ModelError, match=r"'fc1' .* which quantises weights to 9 bits: at most 8"):
        read_model(save(made, tmp_path))
    with pytest.raises(ModelError, match=r"module '1' of type QuantLinear .* weights to 9 bits"):
        read_model(build(bits=9))


def test_weights_are_quantised_as_qonnx_does(tmp_path):
    nodes = [
        node("Quant", "W1 scale zero bits", "w", domain=QONNX, narrow=1),
        node("BipolarQuant", "V1 scale", "v", domain=QONNX),
        node("Gemm", "x w B1", "h", transB=1),
        node("Gemm", "h v", "y", transB=1),
    ]
    constants = quantized(bits=3) | {"V1": np.eye(3, 5, dtype=np.float32) - 0.5}
    made = model(nodes, constants=constants, opsets=[("", 20), (QONNX, 1)])
    first, second = read_model(save(made, tmp_path)).layers
    assert np.array_equal(first.weights, np.clip(np.rint(W1 / 0.25), -3, 3) * np.float32(0.25))
    assert set(np.unique(second.weights)) <= {-0.25, 0.25}


def test_all_modules_of_brevitas_that_are_refused_at_once():
    made = nn.Sequential(
        qnn.QuantIdentity(act_quant=ShiftedUint8ActPerTensorFloat),
        qnn.QuantLinear(16, 16, bias=True, weight_bit_width=4),
        qnn.QuantLinear(16, 16, bias=True, weight_bit_width=12),
    )
    with quiet(), torch.no_grad():
        made(torch.randn(64, 16) + 3)
    with pytest.raises(ModelError) as error:
        read_model(made.eval())
    for said in (
        "2 problems",
        "module '0' of type QuantIdentity (Brevitas) has a zero point",
        "module '2' of type QuantLinear (Brevitas) quantises weights to 12 bits",
    ):
        assert said in str(error.value)


def test_an_inner_sigmoid_is_taken():
    made = nn.Sequential(qnn.QuantLinear(4, 4, bias=True), qnn.QuantSigmoid(), nn.Linear(4, 2))
    with quiet():
        assert read_model(made.eval()).layers[0].function == "sigmoid"
