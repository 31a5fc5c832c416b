import re

import numpy as np
import pytest
import torch
from torch import nn

from eie.hls.boundary.errors import EieError, InputError, ModelError
from eie.host.compress import compress, read_model

SUPPORTED = (
    "Linear, ReLU, LeakyReLU, clamps, sigmoid, tanh, Flatten, Dropout, Identity, BatchNorm1d"
)
LINEAR_PART = (
    "\neie takes fully connected layers only: give the part behind the convolutions by itself"
)


class Forward(nn.Module):
    """A module with two Linear layers and a forward of its own."""

    def __init__(self, forward) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(4, 4), nn.Linear(4, 4)
        self.run = forward

    def forward(self, x: torch.Tensor):
        return self.run(self, x)


def _tied() -> nn.Module:
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    model[2].weight = model[0].weight
    return model


def _reused() -> nn.Module:
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, nn.ReLU(), layer)


REFUSED = {
    "gelu": (
        nn.Sequential(nn.Linear(4, 4), nn.GELU(), nn.Linear(4, 4)),
        (4,),
        ["'gelu'", "aten.gelu", "module '1' of type GELU", SUPPORTED],
    ),
    "convolution": (
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)),
        (1, 4, 4),
        ["'conv2d'", "aten.conv", "module '0' of type Conv2d", SUPPORTED, LINEAR_PART],
    ),
    "convolution without a shape": (
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)),
        None,
        ["'0' (Conv2d)", SUPPORTED, LINEAR_PART],
    ),
    "every unsupported node": (
        nn.Sequential(nn.Linear(4, 4), nn.ELU(), nn.Linear(4, 4), nn.Softplus()),
        (4,),
        ["2 problems", "module '1' of type ELU", "module '3' of type Softplus"],
    ),
    "product": (
        Forward(lambda self, x: self.fc2(x * self.fc1(x))),
        (4,),
        ["'mul'", "aten.mul", "in Forward", "'x'", "'linear'", "products of branches"],
    ),
    "two outputs": (
        Forward(lambda self, x: (self.fc1(x), self.fc2(x))),
        (4,),
        ["one input", "one output", "linear (2, 4), linear_1 (2, 4)"],
    ),
    "constant output": (
        Forward(lambda self, x: self.fc1.weight * 2),
        (4,),
        ["must depend on its input"],
    ),
    "same layer twice": (
        _reused(),
        (4,),
        ["'linear_1'", "'2.weight'", "node 'linear'", "shared layers"],
    ),
    "tied weights": (_tied(), (4,), ["'linear_1'", "module '2'", "node 'linear'", "shared layers"]),
    "tied by transposition": (
        Forward(lambda self, x: self.fc1(x) @ self.fc1.weight),
        (4,),
        ["'matmul'", "'fc1.weight'", "shared layers"],
    ),
    "linear over three axes": (
        nn.Sequential(nn.Linear(4, 3)),
        (5, 4),
        ["'linear'", "module '0' of type Linear", "(2, 5, 4)", "Flatten"],
    ),
    "norm over three axes": (
        nn.Sequential(nn.BatchNorm1d(5), nn.Flatten(), nn.Linear(20, 3)),
        (5, 4),
        ["module '0' of type BatchNorm1d", "(2, 5, 4)"],
    ),
    "norm of the batch": (
        nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4, track_running_stats=False)),
        (4,),
        ["module '1' of type BatchNorm1d", "running statistics", "track_running_stats"],
    ),
    "no linear": (nn.Sequential(nn.Flatten()), (4,), ["must have at least one Linear"]),
    "no linear, no shape": (nn.Sequential(nn.Flatten()), None, ["give input_shape"]),
    "reshaped batch": (
        Forward(lambda self, x: self.fc1(x.view(-1, 2).view(-1, 4))),
        (4,),
        ["'view'", "aten.view", "not supported"],
    ),
    "product with the data on the right": (
        Forward(lambda self, x: self.fc1(self.fc2.weight @ x.view(4, -1)).view(2, -1)),
        (8,),
        ["'matmul'", "constant weights"],
    ),
    "bias that is not one for each output": (
        Forward(lambda self, x: torch.addmm(self.fc1.weight[:2], x, self.fc2.weight)),
        (4,),
        ["'addmm'", "bias of shape (4,)", "(2, 4)"],
    ),
    "scaled product": (
        Forward(lambda self, x: torch.addmm(self.fc1.bias, x, self.fc2.weight, alpha=2)),
        (4,),
        ["'addmm'", "constant weights"],
    ),
    "random weights": (
        Forward(lambda self, x: x @ torch.rand(4, 4)),
        (4,),
        ["'rand'", "must be constant"],
    ),
    "integers": (
        Forward(lambda self, x: self.fc1(x.int().float())),
        (4,),
        ["aten._to_copy", "not supported"],
    ),
    "complex weights": (nn.Linear(4, 4, dtype=torch.complex64), (4,), ["'weight'", "complex64"]),
    "control flow": (
        Forward(lambda self, x: self.fc1(x) if x.sum() > 0 else self.fc2(x)),
        (4,),
        ["torch.export cannot trace Forward", "input_shape"],
    ),
    "shape that does not fit": (
        nn.Sequential(nn.Linear(4, 4)),
        (5,),
        ["torch.export cannot trace Sequential", "(2, 5)", "input_shape"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    model, shape, fragments = REFUSED[name]
    with pytest.raises(ModelError) as error:
        read_model(model, input_shape=shape)
    for fragment in fragments:
        assert fragment in str(error.value)


@pytest.mark.parametrize("name", ["gelu", "product", "two outputs", "same layer twice"])
@pytest.mark.parametrize("decompose", [False, True])
def test_refused_from_a_file(name, decompose, export, tmp_path):
    model, shape, fragments = REFUSED[name]
    torch.export.save(export(model.eval(), shape, decompose=decompose), tmp_path / "model.pt2")
    with pytest.raises(ModelError) as error:
        read_model(tmp_path / "model.pt2")
    assert fragments[-1] in str(error.value) or "one output" in str(error.value)


def test_two_inputs_are_refused():
    program = torch.export.export(nn.Bilinear(4, 3, 2), (torch.zeros(5, 4), torch.zeros(5, 3)))
    with pytest.raises(ModelError, match=r"not inputs \[input1 \(5, 4\), input2 \(5, 3\)\]"):
        read_model(program)


def test_input_without_a_batch_is_refused():
    program = torch.export.export(nn.Linear(4, 3), (torch.zeros(4),))
    with pytest.raises(ModelError, match=re.escape("one input of shape (batch, features...)")):
        read_model(program)


def test_norm_exported_in_training_mode_is_refused(export):
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU()).train()
    with pytest.raises(ModelError, match=r"module '1' of type BatchNorm1d.*call model\.eval\(\)"):
        read_model(export(model, (4,), batch=3))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_are_refused(value):
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        model[0].weight[1, 2] = value
        model[2].bias[1] = value
    with pytest.raises(ModelError) as error:
        compress(model)
    assert f"layer '0': weights must be finite, not {value!r} at index (1, 2)" in str(error.value)
    assert f"layer '2': bias must be finite, not {value!r} at index (1,)" in str(error.value)


def test_norm_with_a_negative_variance_is_refused():
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    model[1].running_var.fill_(-1.0)
    with pytest.raises(ModelError, match="layer '0': weights must be finite, not nan"):
        read_model(model)


def test_no_file(tmp_path):
    with pytest.raises(ModelError, match=r"no model file at .*missing\.pt2"):
        compress(tmp_path / "missing.pt2")


@pytest.mark.parametrize("contents", ["text", "state", "truncated"])
def test_files_that_are_no_program(contents, tmp_path, rich, export):
    path = tmp_path / "model.pt2"
    if contents == "text":
        path.write_text("no model")
    elif contents == "state":
        torch.save(rich.model.state_dict(), path)
    else:
        torch.export.save(export(rich.model.eval(), rich.shape), path)
        path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError, match=r"model\.pt2 must be a saved torch\.export program"):
        compress(path)


@pytest.mark.parametrize("model", [None, 3, np.zeros((2, 2)), [nn.Linear(2, 2)]])
def test_things_that_are_no_model(model):
    with pytest.raises(InputError, match=r"model must be a torch\.nn\.Module"):
        compress(model)


@pytest.mark.parametrize("shape", [(), (0,), (4, -1), (4.0,)])
def test_input_shapes_that_are_none(shape):
    with pytest.raises(InputError, match="input_shape must be positive integers"):
        compress(nn.Linear(4, 2), input_shape=shape)


def test_a_program_takes_no_input_shape(export):
    with pytest.raises(InputError, match="input_shape must be None"):
        compress(export(nn.Linear(4, 2), (4,)), input_shape=(4,))


def test_refusals_are_errors_of_eie():
    assert issubclass(ModelError, EieError)
