"""torch's own fake quantiser, in a module and in a saved program, is a quantiser of the model."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from eie.hls.boundary.errors import InexactWarning
from eie.host.compress import TorchReference, compress, read_model
from eie.host.compress.model_graph import Quantize
from eie.host.network.input_codes import quantize_inputs


class Rounded(nn.Module):
    def __init__(self, zero: int = 0, bits: int = 8) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(6, 5)
        with torch.no_grad():
            self.layer.weight.copy_((self.layer.weight * 4).round() / 4)
        self._zero, self._step = zero, 0.25 if bits == 8 else 4.0
        self._bounds = -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        rounded = torch.fake_quantize_per_tensor_affine(
            inputs, self._step, self._zero, *self._bounds
        )
        sums = self.layer(rounded)
        return torch.fake_quantize_per_tensor_affine(sums, 0.5, self._zero, *self._bounds).relu()


@pytest.mark.parametrize("zero", [0, -100])
@pytest.mark.parametrize("saved", [False, True])
def test_it_is_read_with_its_bounds(tmp_path, zero, saved):
    module = Rounded(zero).eval()
    model = module
    if saved:
        model = tmp_path / "model.pt2"
        torch.export.save(torch.export.export(module, (torch.zeros(2, 6),)), model)
    dense = read_model(model)
    assert dense.quantizer == Quantize(0.25, -128 - zero, 127 - zero)
    assert dense.layers[0].quantizer == Quantize(0.5, -128 - zero, 127 - zero)
    inputs = torch.randn(50, 6) * 20
    wanted = module.double()(inputs.double()).detach().numpy()
    assert np.array_equal(dense.forward(inputs.double().numpy()), wanted)


def test_sixteen_bits_are_cut_off_where_write_back_cuts_them_off():
    module = Rounded(bits=16).double()
    inputs = torch.randn(200, 6) * 20_000
    with warnings.catch_warnings():
        warnings.simplefilter("error", InexactWarning)  # it is exact
        network = compress(module, keep_weights=True, calibration=inputs.numpy())
    codes = TorchReference(network)(quantize_inputs(network, inputs.numpy()))
    assert (codes == 32767).any()
    assert np.array_equal(codes, module(inputs.double()).detach().numpy() * 2)
