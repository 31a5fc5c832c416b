import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from eie.hls.boundary.errors import InputError, ModelError
from eie.hls.spec.fixed_point import dequantize, quantize
from eie.host.compress import TorchReference, compress, read_model
from eie.host.network import Network

# What is compressed here has no calibration, or loses much: tests of their own hold the warnings.
pytestmark = pytest.mark.filterwarnings("ignore::eie.hls.boundary.errors.EieWarning")


def _float_bound(network: Network) -> float:
    """Largest error that rounding can make, if nothing saturates and the weights are exact."""
    error = 2.0 ** -(network.input_frac + 1)
    for layer in network.layers:
        weights = np.ldexp(np.abs(layer.dense_weights().astype(np.float64)), -layer.weight_frac)
        bias = 2.0 ** -(layer.input_frac + layer.weight_frac + 1)
        error = weights.sum(1).max() * error + bias + 2.0 ** -(layer.output_frac + 1)
    return error


def _run(network: Network, inputs: np.ndarray) -> np.ndarray:
    codes = TorchReference(network)(quantize(inputs, network.input_frac))
    return dequantize(codes, network.output_frac)


def test_every_form_in_exact_integers(case, integer_outputs):
    for density in (0.3, 1.0):
        network = compress(case.model, input_shape=case.shape, density=density)
        assert [(layer.name, layer.relu) for layer in network.layers] == case.layers
        inputs = np.random.default_rng(1).normal(size=(9, network.inputs))
        codes = quantize(inputs, network.input_frac)
        assert np.array_equal(TorchReference(network)(codes), integer_outputs(network, codes))
        assert len(network.golden_inputs) == 16
        expected = integer_outputs(network, network.golden_inputs)
        assert np.array_equal(network.golden_outputs, expected)


@pytest.mark.parametrize("calibrated", [False, True])
def test_shared_weights_give_the_floats_of_torch_up_to_rounding(shared_model, calibrated):
    inputs = np.random.default_rng(0).uniform(-1, 1, (64, 12))
    network = compress(
        shared_model, keep_weights=True, calibration=inputs[:32] if calibrated else None
    )
    with torch.no_grad():
        expected = shared_model.double()(torch.from_numpy(inputs)).numpy()
    bound = _float_bound(network)
    assert bound < 0.1
    assert np.abs(_run(network, inputs) - expected).max() <= bound


@pytest.mark.parametrize("as_file", [False, True])
def test_kept_weights_are_exact(shared_model, as_file, export, tmp_path):
    model = shared_model
    if as_file:
        model = tmp_path / "model.pt2"
        torch.export.save(export(shared_model, (12,)), model)
    network = compress(model, keep_weights=True)
    for layer, part in zip(network.layers, shared_model[::2], strict=True):
        weights = part.weight.detach().numpy()
        restored = np.ldexp(layer.dense_weights().astype(np.float64), -layer.weight_frac)
        assert np.array_equal(restored, weights)
        assert np.array_equal(layer.dense_codes() != 0, weights != 0)
        scale = layer.input_frac + layer.weight_frac
        assert np.array_equal(np.ldexp(layer.bias.astype(np.float64), -scale), part.bias.detach())


def test_kept_weights_beyond_16_bits_keep_their_structure_and_grouping():
    values = np.array([1.0, 1.0 + 2.0**-20, -1e-9, 0.3, 0.0])
    weights = values[np.random.default_rng(0).integers(0, 5, (6, 7))]
    model = nn.Linear(7, 6, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(torch.from_numpy(weights))
    layer = compress(model, keep_weights=True).layers[0]
    codes = layer.dense_codes()
    assert np.array_equal(codes != 0, weights != 0)
    for value in values:
        assert len(set(codes[weights == value])) == 1
    assert len(set(codes.ravel())) == 5
    assert np.array_equal(
        layer.dense_weights(), quantize(weights, layer.weight_frac, name="weights")
    )


def test_keeping_too_many_weights_names_every_layer():
    model = nn.Sequential(nn.Linear(9, 8), nn.ReLU(), nn.Linear(8, 7))
    with pytest.raises(ModelError) as error:
        compress(model, keep_weights=True)
    assert "layer '0' must have at most 15 distinct non-zero weights, not 72" in str(error.value)
    assert "layer '2' must have at most 15 distinct non-zero weights, not 56" in str(error.value)


def test_density_of_each_layer():
    model = nn.Sequential(nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 10))
    network = compress(model)
    assert [layer.nonzeros for layer in network.layers] == [120, 30]
    network = compress(model, density={"2": 0.5})
    assert [layer.nonzeros for layer in network.layers] == [120, 150]
    assert network.metadata["density"] == "0: 0.1000, 2: 0.5000"


def test_density_for_a_layer_that_does_not_exist():
    with pytest.raises(InputError, match="layer 'fc9' must be one of '0'"):
        compress(nn.Sequential(nn.Linear(4, 4)), density={"fc9": 0.5})


def test_the_largest_weights_survive_compression():
    model = nn.Linear(30, 20)
    weights = model.weight.detach().numpy()
    layer = compress(model, density=0.2).layers[0]
    kept = layer.dense_codes() != 0
    assert np.abs(weights[kept]).min() >= np.abs(weights[~kept]).max()
    restored = np.ldexp(layer.dense_weights().astype(np.float64), -layer.weight_frac)
    assert np.abs(restored - weights)[kept].max() < 0.01


def test_empty_rows_columns_and_layers(integer_outputs):
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        model[0].weight[1] = 0
        model[0].weight[:, 2] = 0
        model[2].weight.zero_()
        model[4].bias.zero_()
    for keep in (False, True):
        network = compress(model, density=1.0, keep_weights=keep)
        assert [layer.nonzeros for layer in network.layers] == [6, 0, 2]
        codes = quantize(np.random.default_rng(0).normal(size=(5, 4)), network.input_frac)
        assert np.array_equal(TorchReference(network)(codes), integer_outputs(network, codes))


def test_a_model_of_zeros():
    model = nn.Linear(3, 2)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    for calibration in (None, np.zeros((2, 3))):
        network = compress(model, calibration=calibration)
        assert not TorchReference(network)(np.full((1, 3), 7, np.int16)).any()


def test_calibration_sets_the_formats_and_the_golden_inputs():
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    calibration = np.random.default_rng(0).normal(size=(40, 5)) * 100
    network = compress(model, calibration=calibration)
    assert np.array_equal(network.golden_inputs, quantize(calibration[:16], network.input_frac))
    largest = np.abs(calibration).max() * 2.0**network.input_frac
    assert 32767 / 4 < largest <= 32767 / 2 + 1  # one bit of headroom, not more
    assert network.metadata["formats"].startswith("calibration: ranges of 40 vectors")
    assert len(compress(model, calibration=calibration[:3]).golden_inputs) == 3
    assert len(compress(model, calibration=calibration, golden=5).golden_inputs) == 5


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int64, np.uint8, bool])
def test_calibration_of_every_real_type(dtype):
    calibration = np.random.default_rng(0).integers(0, 2, (6, 4)).astype(dtype)
    network = compress(nn.Linear(4, 2), calibration=calibration)
    assert np.array_equal(
        dequantize(network.golden_inputs, network.input_frac), calibration.astype(np.float32)
    )


def test_calibration_is_flattened_as_the_model_does(export):
    model = nn.Sequential(nn.Flatten(), nn.Linear(6, 3))
    images = np.random.default_rng(0).normal(size=(8, 2, 3))
    networks = [
        compress(source, calibration=calibration)
        for source in (model, export(model, (2, 3)))
        for calibration in (images, images.reshape(8, 6))
    ]
    for network in networks[1:]:
        assert np.array_equal(network.golden_inputs, networks[0].golden_inputs)
        assert np.array_equal(network.golden_outputs, networks[0].golden_outputs)


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        (np.zeros((3, 5)), r"calibration must have shape \(n, 4\), not \(3, 5\)"),
        (np.zeros((3, 2, 2)), r"calibration must have shape \(n, 4\), not \(3, 2, 2\)"),
        (np.zeros(4), r"must have shape \(n, features\) with n at least 1, not \(4,\)"),
        (np.zeros((0, 4)), r"must have shape .* not \(0, 4\)"),
        (np.full((2, 4), np.nan), r"must be finite, not nan at index \(0, 0\) \(8 such values\)"),
        (np.array([[0, 1, np.inf, 0.0]]), r"must be finite, not inf at index \(0, 2\)"),
        (np.array([["a"] * 4]), "must be real numbers, not dtype <U1"),
        (np.zeros((1, 4), complex), "must be real numbers, not dtype complex128"),
    ],
)
def test_calibration_that_is_refused(calibration, message, export):
    with pytest.raises(InputError, match=message):
        compress(export(nn.Linear(4, 2), (4,)), calibration=calibration)


def test_calibration_for_a_program_that_flattens(export):
    program = export(nn.Sequential(nn.Flatten(), nn.Linear(6, 3)), (2, 3))
    with pytest.raises(
        InputError, match=r"must have shape \(n, 2, 3\) or \(n, 6\), not \(1, 3, 2\)"
    ):
        compress(program, calibration=np.zeros((1, 3, 2)))


def test_calibration_that_does_not_fit_a_module():
    with pytest.raises(ModelError, match=r"cannot trace Linear with inputs of shape \(2, 5\)"):
        compress(nn.Linear(4, 2), calibration=np.zeros((3, 5)))


def test_golden_inputs_without_calibration_are_of_unit_scale():
    model = nn.Linear(50, 2)
    network = compress(model, golden=30)
    values = dequantize(network.golden_inputs, network.input_frac)
    assert values.shape == (30, 50)
    assert -1 <= values.min() < -0.9
    assert 0.9 < values.max() <= 1
    assert network.metadata["formats"].startswith("weights and unit-scale inputs")
    assert compress(model, golden=0).golden_inputs.shape == (0, 50)


@pytest.mark.parametrize("golden", [-1, 1.5, True, "3"])
def test_golden_out_of_range(golden):
    with pytest.raises(InputError, match="golden must be an integer of at least 0"):
        compress(nn.Linear(4, 2), golden=golden)


def test_metadata(shared_model, export, tmp_path):
    network = compress(shared_model, keep_weights=True)
    assert network.metadata["model"] == "Sequential"
    assert network.metadata["torch"] == torch.__version__
    assert network.metadata["compression"] == "weights kept as given"
    pruned = compress(shared_model, density=0.1)
    assert pruned.metadata["compression"] == "pruned and shared"
    assert pruned.metadata["clustering"] == "0: optimal, 2: optimal, 4: optimal"
    path = tmp_path / "mlp.pt2"
    torch.export.save(export(shared_model, (12,)), path)
    assert compress(path, density=0.1).metadata["model"] == "mlp.pt2"


def test_the_same_call_gives_the_same_bytes(rich, export, tmp_path):
    torch.export.save(export(rich.model.eval(), rich.shape), tmp_path / "model.pt2")
    for name in ("a.npz", "b.npz"):
        compress(tmp_path / "model.pt2").save(tmp_path / name)
        torch.rand(3)  # the state of torch's generator must not matter
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert Network.load(tmp_path / "a.npz") == compress(tmp_path / "model.pt2")


def test_module_and_file_give_the_same_layers(rich, export):
    program = export(rich.model.eval(), rich.shape)
    assert compress(program).layers == compress(rich.model, input_shape=rich.shape).layers


def test_compress_leaves_the_generator_of_torch_alone(rich):
    state = torch.random.get_rng_state()
    compress(rich.model, input_shape=rich.shape)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_unit_scale_inputs_do_not_saturate_without_calibration():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(100, 80), nn.ReLU(), nn.Linear(80, 60), nn.Linear(60, 10))
    network = compress(model, density=1.0)
    inputs = np.random.default_rng(0).normal(size=(50, 100))
    outputs = TorchReference(network).layer_outputs(quantize(inputs, network.input_frac))
    assert max(int(np.abs(codes.astype(np.int32)).max()) for codes in outputs) < 32767
    expected = read_model(model).forward(inputs)
    assert np.abs(_run(network, inputs) - expected).max() < 0.1 * np.abs(expected).max()


def test_host_does_not_import_torch():
    code = "import sys, eie.host, eie.host.network; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_torch_the_message_says_what_to_install():
    code = "import sys; sys.modules['torch'] = None; import eie.host.compress"
    result = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert "ImportError: eie.host.compress needs torch" in result.stderr


def test_calibration_says_how_often_inputs_are_active(shared_model):
    inputs = np.random.default_rng(0).uniform(-1, 1, (2000, 12))
    inputs[::4, 3] = 0
    inputs[:, 5] = 0
    inputs[:, 7] = 1e-9  # rounds to zero: it is never broadcast
    network = compress(shared_model, density=0.5, calibration=inputs)
    codes = quantize(inputs, network.input_frac)
    taken = [codes, *TorchReference(network).layer_outputs(codes)[:-1]]
    for layer, values in zip(network.layers, taken, strict=True):
        share = (np.count_nonzero(values, axis=0) / 2000).astype(np.float32)
        assert np.array_equal(layer.activity, share)
    assert network.layers[0].activity[[3, 5, 7]].tolist() == [0.75, 0, 0]
    assert "activity of inputs in calibration, by which rows go to PEs: 0: 81 %" in str(network)


@pytest.mark.parametrize("calibration", [None, np.zeros((4, 12))])
def test_without_calibration_activity_is_not_known(shared_model, calibration):
    network = compress(shared_model, density=0.5, calibration=calibration)
    assert all(layer.activity is None for layer in network.layers)
    assert "activity of inputs: not known" in str(network)
