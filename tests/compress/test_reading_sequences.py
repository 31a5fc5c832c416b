"""Recurrent models of torch: read in whatever way they are written, or refused by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize, prune

from eie.hls.boundary.errors import ModelError
from eie.host.compress.reader import read_model
from eie.host.compress.sequence_model import SequenceModel

FEATURES, UNITS, OUTPUTS = 5, 4, 3


class Net(nn.Module):
    """A Linear, a recurrent layer, and a Linear; how it goes on is a function."""

    def __init__(self, go_on: Callable[[Net, torch.Tensor], torch.Tensor], kind=nn.LSTM, **more):
        super().__init__()
        self.pre = nn.Linear(FEATURES, 6)
        self.norm = nn.BatchNorm1d(6)
        self.rnn = kind(6, UNITS, **{"batch_first": True, **more})
        self.fc = nn.Linear(UNITS, OUTPUTS)
        self.go_on = go_on

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.go_on(self, x)


def last_of_all(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.fc(net.rnn(torch.tanh(net.pre(x)))[0][:, -1])


def last_of_states(net: Net, x: torch.Tensor) -> torch.Tensor:
    states = net.rnn(torch.relu(net.pre(x)))[1]
    return torch.sigmoid(net.fc((states[0] if isinstance(states, tuple) else states)[-1]))


def squeezed_state(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.fc(net.rnn(net.pre(x))[1][0].squeeze(0))


def last_by_slice(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.fc(net.rnn(net.pre(x))[0][:, -1:, :].squeeze(1))


def every_step(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.fc(net.rnn(net.pre(x))[0])


def every_step_flat(net: Net, x: torch.Tensor) -> torch.Tensor:
    out = net.rnn(net.pre(x))[0]
    return net.fc(out.reshape(-1, UNITS)).view(x.shape[0], -1, OUTPUTS)


def turned(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.fc(net.rnn(net.pre(x.transpose(0, 1)))[0][-1])


def own_zeros(net: Net, x: torch.Tensor) -> torch.Tensor:
    h = x.new_zeros(1, x.shape[0], UNITS)
    return net.fc(net.rnn(net.pre(x), (h, torch.zeros_like(h)))[0])


def normalised(net: Net, x: torch.Tensor) -> torch.Tensor:
    x = net.norm(net.pre(x).transpose(1, 2)).transpose(1, 2)
    return net.fc(net.rnn((x - 0.5) * 2.0)[0])


def scaled_result(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.fc(net.rnn(net.pre(x))[0] * 3.0 + 1.0)


CASES = {
    "last": (last_of_all, {}),
    "last of three layers": (last_of_all, {"num_layers": 3, "dropout": 0.5}),
    "no bias": (last_of_all, {"bias": False}),
    "GRU": (last_of_all, {"kind": nn.GRU, "num_layers": 2}),
    "GRU without bias": (every_step, {"kind": nn.GRU, "bias": False}),
    "h_n[-1]": (last_of_states, {"num_layers": 2}),
    "h_n[-1] of a GRU": (last_of_states, {"kind": nn.GRU}),
    "h_n.squeeze(0)": (squeezed_state, {}),
    "out[:, -1:]": (last_by_slice, {}),
    "all": (every_step, {}),
    "all, flat in between": (every_step_flat, {}),
    "turned": (turned, {"batch_first": False}),
    "zeros given": (own_zeros, {}),
    "BatchNorm and constants": (normalised, {}),
    "scaled result": (scaled_result, {}),
}


def numbers(model: nn.Module, x: torch.Tensor) -> np.ndarray:
    model.eval()
    with torch.no_grad():
        return model.double()(x.double()).numpy()


def check(model: nn.Module, read: SequenceModel, last: bool) -> None:
    random = torch.Generator().manual_seed(1)
    x = torch.randn(4, 7, FEATURES, generator=random)
    wanted = numbers(model, x)
    assert read.last == last
    found = read.forward(list(x.numpy()))
    np.testing.assert_allclose(found, wanted.reshape(found.shape), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("given", ["module", "program"])
def test_models_are_read_as_they_compute(case: str, given: str) -> None:
    go_on, more = CASES[case]
    torch.manual_seed(0)
    model = Net(go_on, **more)
    model.norm.running_mean.uniform_(-1, 1)
    model.norm.running_var.uniform_(0.5, 2)
    model.eval()
    source = model
    if given == "program":
        sizes = ({0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO},)
        if "turned" in case or "[" in case or "last" in case or "flat" in case or "zeros" in case:
            sizes = None
        example = (torch.zeros(2, 7, FEATURES),)
        with warnings.catch_warnings():  # torch's own, of nn.LSTM
            warnings.simplefilter("ignore")
            source = torch.export.export(model, example, dynamic_shapes=sizes)
    read = read_model(source)
    assert isinstance(read, SequenceModel) and read.input_shape == (FEATURES,)
    last = go_on in (last_of_all, last_of_states, squeezed_state, last_by_slice, turned)
    check(model, read, last)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_a_layer_alone_gives_its_outputs(kind: type[nn.RNNBase]) -> None:
    torch.manual_seed(0)
    model = kind(FEATURES, UNITS, 2, batch_first=True)
    read = read_model(model)
    names = [layer.name for layer in read.layers]
    assert names == ["weight_ih_l0", "weight_hh_l0", "weight_ih_l1", "weight_hh_l1"]
    x = torch.randn(3, 6, FEATURES)
    found = read.forward(list(x.numpy()))
    model.double()
    wanted = model(x.double())[0].detach().numpy()
    np.testing.assert_allclose(found, wanted.reshape(found.shape), rtol=1e-5, atol=1e-6)


def test_the_size_of_a_step_is_found_whatever_layer_is_made_first() -> None:
    class Behind(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(UNITS, OUTPUTS)
            self.rnn = nn.LSTM(FEATURES, UNITS, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(self.rnn(x)[0])

    assert read_model(Behind()).input_shape == (FEATURES,)


class Half(nn.Module):
    def forward(self, weights: torch.Tensor) -> torch.Tensor:
        return weights / 2


def test_weights_are_taken_from_where_they_are_computed() -> None:
    torch.manual_seed(0)
    pruned, halved = Net(last_of_all), Net(last_of_all)
    prune.l1_unstructured(pruned.rnn, "weight_hh_l0", 0.75)
    parametrize.register_parametrization(halved.rnn, "weight_hh_l0", Half())
    read = read_model(pruned)
    matrix = next(layer for layer in read.layers if layer.name == "rnn.weight_hh_l0")
    assert np.count_nonzero(matrix.weights) == UNITS * UNITS
    check(pruned, read, True)
    check(halved, read_model(halved), True)


def middle_step(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.fc(net.rnn(net.pre(x))[0][:, 3])


def cell_state(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.fc(net.rnn(net.pre(x))[1][1][-1])


def flattened(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.rnn(net.pre(x))[0].flatten(1)


def all_states(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.fc(net.rnn(net.pre(x))[1][0])


def ones_state(net: Net, x: torch.Tensor) -> torch.Tensor:
    h = torch.ones(1, x.shape[0], UNITS)
    return net.fc(net.rnn(net.pre(x), (h, h))[0])


def residual(net: Net, x: torch.Tensor) -> torch.Tensor:
    out = net.rnn(net.pre(x))[0]
    return net.fc(out + torch.relu(out))


def packed(net: Net, x: torch.Tensor) -> torch.Tensor:
    lengths = torch.tensor([7, 7])
    sequences = nn.utils.rnn.pack_padded_sequence(net.pre(x), lengths, batch_first=True)
    return net.fc(net.rnn(sequences)[1][0][-1])


def loop(net: Net, x: torch.Tensor) -> torch.Tensor:
    cell = nn.LSTMCell(FEATURES, UNITS)
    h = c = torch.zeros(x.shape[0], UNITS)
    for step in range(x.shape[1]):
        h, c = cell(x[:, step], (h, c))
    return net.fc(h)


def layer_norm(net: Net, x: torch.Tensor) -> torch.Tensor:
    return net.fc(nn.functional.layer_norm(net.rnn(net.pre(x))[0], (UNITS,)))


@pytest.mark.parametrize(
    ("go_on", "more", "message"),
    [
        (every_step, {"bidirectional": True}, "'rnn' of type LSTM.* is bidirectional"),
        (every_step, {"proj_size": 2}, r"has a projection of its outputs \(proj_size\)"),
        (middle_step, {}, "all steps, or the last one"),
        (cell_state, {}, "the cell's state c, which stays on the accelerator"),
        (flattened, {}, "keep steps and batch apart"),
        (all_states, {"num_layers": 2}, r"of h_n take the last layer's, h_n\[-1\]"),
        (ones_state, {}, "starts from a state, .* that is not zero"),
        (residual, {}, "joins .* branches are not supported"),
        (packed, {}, "leave pack_padded_sequence out of forward"),
        (layer_norm, {}, "layer_norm.* is not supported"),
        (every_step, {"kind": nn.RNN}, "use an LSTM or a GRU"),
        (loop, {}, "call nn.LSTM or nn.GRU on the whole sequence"),
    ],
)
def test_what_is_near_is_refused_by_name(
    go_on: Callable[[Net, torch.Tensor], torch.Tensor], more: dict[str, object], message: str
) -> None:
    model = Net(go_on, **more)
    if "bidirectional" in more or "proj_size" in more:
        model.fc = nn.Linear(2 * UNITS if "bidirectional" in more else 2, OUTPUTS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ModelError, match=message):
            read_model(model)
