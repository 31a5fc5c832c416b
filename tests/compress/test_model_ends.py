"""A softmax at a model's end is left off, with a warning, and only there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from eie.hls.boundary.errors import EieWarning, ModelError
from eie.host.compress import compress, read_model


class Ended(nn.Module):
    def __init__(self, end) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.end = end

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.end(self.fc(x))


ENDS = {
    "softmax": nn.Softmax(dim=1),
    "softmax over the last axis": nn.Softmax(dim=-1),
    "log_softmax": nn.LogSoftmax(dim=1),
    "softmax, then nothing": nn.Sequential(nn.Softmax(1), nn.Dropout(), nn.Identity()),
}


@pytest.mark.parametrize("kind", ENDS)
def test_an_end_is_left_off(kind):
    torch.manual_seed(0)
    model = Ended(ENDS[kind])
    with pytest.warns(EieWarning, match="at the end is left off.*the largest output is the same"):
        network = compress(model, density=1.0)
    torch.manual_seed(0)
    assert np.array_equal(
        network.layers[0].dense_codes(), compress(model.fc, density=1.0).layers[0].dense_codes()
    )
    assert network.outputs == 3


def test_the_warning_points_to_the_call_of_compress():
    with pytest.warns(EieWarning) as caught:
        compress(Ended(nn.Softmax(dim=1)))
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "model",
    [
        nn.Sequential(nn.Linear(4, 4), nn.Softmax(1), nn.Linear(4, 4)),
        nn.Sequential(nn.Linear(4, 4), nn.Softmax(0)),
        nn.Sequential(nn.Linear(4, 4), nn.Softplus()),
    ],
)
def test_anything_else_is_refused(model):
    with pytest.raises(ModelError, match="is not supported"):
        read_model(model)
