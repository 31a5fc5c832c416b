import numpy as np
import pytest
import torch
from torch import nn

from eie.hls.boundary.errors import InputError
from eie.host.compress import compress, freeze_codebooks, prune_linears, read_model, share_linears

# What is compressed here has no calibration, or loses much: tests of their own hold the warnings.
pytestmark = pytest.mark.filterwarnings("ignore::eie.hls.boundary.errors.EieWarning")


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 30), nn.ReLU(), nn.Linear(30, 4))
    prune_linears(model, 0.5)
    return model


def test_only_codebooks_and_biases_are_parameters(model):
    share_linears(model)
    shapes = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    assert shapes == {
        "0.bias": (30,),
        "0.parametrizations.weight.original": (15,),
        "2.bias": (4,),
        "2.parametrizations.weight.original": (15,),
    }


def test_gradient_of_a_centroid_is_the_sum_over_its_weights(model):
    share_linears(model)
    plain = nn.Sequential(nn.Linear(8, 30), nn.ReLU(), nn.Linear(30, 4))
    for part, shared in ((plain[0], model[0]), (plain[2], model[2])):
        part.load_state_dict({"weight": shared.weight.detach(), "bias": shared.bias.detach()})
    inputs = torch.randn(6, 8)
    model(inputs).square().sum().backward()
    plain(inputs).square().sum().backward()
    for shared, dense in ((model[0], plain[0]), (model[2], plain[2])):
        codes = shared.parametrizations.weight[0].codes
        expected = [dense.weight.grad[codes == code].sum() for code in range(1, 16)]
        gradient = shared.parametrizations.weight.original.grad
        torch.testing.assert_close(gradient, torch.stack(expected), rtol=1e-4, atol=1e-5)


def test_training_moves_centroids_and_keeps_the_structure(model):
    zeros = model[0].weight == 0
    share_linears(model)
    before = model[0].weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    inputs, targets = torch.randn(32, 8), torch.randn(32, 4)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(inputs), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    after = model[0].weight.detach()
    assert torch.equal(after == 0, zeros)
    assert not torch.equal(after, before)
    assert len(after[~zeros].unique()) == 15
    trained = after.clone()
    freeze_codebooks(model)
    assert torch.equal(model[0].weight, trained)
    assert model[0].weight.grad is None
    assert [name for name, _ in model.named_parameters()] == [
        "0.bias",
        "0.weight",
        "2.bias",
        "2.weight",
    ]
    model(inputs).sum().backward()
    read_model(model)  # a gradient of the wrong shape would stop the export


def test_compress_reads_codebooks_before_and_after_freezing(model):
    share_linears(model)
    shared = compress(model, keep_weights=True)
    freeze_codebooks(model)
    assert compress(model, keep_weights=True) == shared
    assert np.count_nonzero(shared.layers[0].codebook) == 15


def test_sharing_twice_is_refused(model):
    share_linears(model)
    with pytest.raises(InputError, match="must not be parametrized already"):
        share_linears(model)
