import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize, prune

from eie.host.compress import DenseModel, read_model


def _assert_reads(model: DenseModel, case) -> None:
    """The layers compute what torch computes in float64, to float64's accuracy."""
    assert [(layer.name, layer.relu) for layer in model.layers] == case.layers
    assert model.input_shape == case.shape
    inputs = np.random.default_rng(3).normal(size=(11, *case.shape))
    with torch.no_grad():
        expected = copy.deepcopy(case.model).eval().double()(torch.from_numpy(inputs)).numpy()
    outputs = model.forward(inputs.reshape(len(inputs), -1))
    np.testing.assert_allclose(outputs, expected, rtol=1e-9, atol=1e-12)


def test_module(case):
    state = {name: value.clone() for name, value in case.model.state_dict().items()}
    case.model.train()
    _assert_reads(read_model(case.model, input_shape=case.shape), case)
    assert all(part.training for part in case.model.modules())
    after = case.model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in state.items())


@pytest.mark.parametrize("decompose", [False, True])
def test_saved_program(case, export, decompose, tmp_path):
    path = tmp_path / "model.pt2"
    torch.export.save(export(case.model.eval(), case.shape, decompose=decompose), path)
    model = read_model(path)
    assert model.name == "model.pt2"
    _assert_reads(model, case)


@pytest.mark.parametrize("batch", [1, 5, None])
@pytest.mark.parametrize("strict", [False, True])
def test_program_of_any_batch_and_tracing(rich, export, batch, strict):
    program = export(rich.model.eval(), rich.shape, batch=batch, strict=strict)
    _assert_reads(read_model(program), rich)


def test_path_may_be_a_string(rich, export, tmp_path):
    path = tmp_path / "model.pt2"
    torch.export.save(export(rich.model.eval(), rich.shape), path)
    _assert_reads(read_model(str(path)), rich)


def test_input_shape_comes_from_the_first_layer():
    assert read_model(nn.Sequential(nn.Flatten(), nn.Linear(6, 2))).input_shape == (6,)
    assert read_model(nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 2))).input_shape == (5,)


def test_parts_keep_their_own_training_mode():
    model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(), nn.BatchNorm1d(3).eval())
    read_model(model)
    assert [part.training for part in model.modules()] == [True, True, True, False]


def test_dropout_in_training_mode_is_read_as_in_inference(export):
    model = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5), nn.ReLU(), nn.Linear(3, 2)).train()
    layers = read_model(export(model, (4,))).layers
    assert [layer.relu for layer in layers] == [True, False]
    assert np.array_equal(layers[0].weights, model[0].weight.detach().numpy())


@pytest.mark.parametrize(
    ("dtype", "read"),
    [
        (torch.float64, np.float64),
        (torch.float32, np.float32),
        (torch.float16, np.float32),
        (torch.bfloat16, np.float32),
    ],
)
def test_weights_of_every_float_type_are_read_exactly(dtype, read, export):
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).to(dtype)
    for source in (model, export(model, (4,))):
        layers = read_model(source).layers
        assert [layer.weights.dtype for layer in layers] == [read, read]
        assert np.array_equal(layers[0].weights, model[0].weight.detach().to(torch.float64))
        assert np.array_equal(layers[1].bias, model[2].bias.detach().to(torch.float64))


def test_arrays_are_not_those_of_the_module():
    model = nn.Linear(4, 3)
    layer = read_model(model).layers[0]
    before = layer.weights.copy(), layer.bias.copy()
    with torch.no_grad():
        model.weight.zero_()
        model.bias.zero_()
    assert np.array_equal(layer.weights, before[0])
    assert np.array_equal(layer.bias, before[1])


def test_weights_under_a_pruning_mask():
    model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    prune.l1_unstructured(model[0], "weight", amount=0.5)
    masked = model[0].weight.detach().numpy().copy()
    layers = read_model(model).layers
    assert [layer.name for layer in layers] == ["0", "2"]
    assert np.count_nonzero(layers[0].weights) == 16
    assert np.array_equal(layers[0].weights, masked)


def test_parametrized_weights():
    class Double(nn.Module):
        def forward(self, weight: torch.Tensor) -> torch.Tensor:
            return 2 * weight

    model = nn.Sequential(nn.Linear(8, 4))
    plain = model[0].weight.detach().numpy().copy()
    parametrize.register_parametrization(model[0], "weight", Double())
    layer = read_model(model).layers[0]
    assert layer.name == "0"
    assert np.array_equal(layer.weights, 2 * plain)


def test_layer_names_are_unique():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Parameter(torch.randn(3, 4))
            self.second = nn.Parameter(torch.randn(2, 3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = nn.functional.linear(x, 2 * self.first)
            return nn.functional.linear(hidden, 2 * self.second)

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Twice()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x)

    names = [layer.name for layer in read_model(Outer(), input_shape=(4,)).layers]
    assert names[0] == "inner"
    assert names[1].startswith("inner.")


def test_the_result_of_an_in_place_relu_need_not_be_used(export):
    class InPlace(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(4, 3), nn.Linear(3, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = self.fc1(x)
            nn.functional.relu_(hidden)
            return self.fc2(hidden)

    assert [layer.relu for layer in read_model(export(InPlace(), (4,))).layers] == [True, False]
