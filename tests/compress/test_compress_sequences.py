"""Recurrent models compressed: the formats of shared sums, densities by matrix, what is told."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from eie.hls.boundary.errors import (
    EieWarning,
    InputError,
    LossWarning,
    SaturationWarning,
    UncalibratedWarning,
)
from eie.host.compress import compress
from eie.host.compress.reader import read_model
from eie.host.compress.sequence_reference import SequenceReference
from eie.host.network import Network
from eie.host.network.loss_record import LossRecord
from eie.host.network.sequence_codes import sequence_codes
from eie.host.network.sizes import float32_bytes, model_weights

FEATURES = 5


class Net(nn.Module):
    def __init__(self, kind: type[nn.RNNBase] = nn.LSTM, layers: int = 2) -> None:
        super().__init__()
        self.pre = nn.Linear(FEATURES, 6)
        self.rnn = kind(6, 8, layers, batch_first=True)
        self.fc = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.rnn(torch.tanh(self.pre(x)))[0])


def share(model: nn.Module) -> nn.Module:
    """Give each matrix nine weights, so that nothing is lost but by rounding."""
    with torch.no_grad():
        for each in model.parameters():
            if each.ndim == 2:
                each.copy_((each * 8).round().clamp(-4, 4) / 8)
    return model


@pytest.fixture(scope="module")
def sequences() -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [random.standard_normal((length, FEATURES)) for length in (30, 4, 17, 9)]


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_integers_are_near_the_model(kind: type[nn.RNNBase], sequences: list[np.ndarray]) -> None:
    torch.manual_seed(0)
    model = share(Net(kind))
    network = compress(model, calibration=sequences, keep_weights=True)
    codes = sequence_codes(network, sequences).codes
    found = np.concatenate(SequenceReference(network)(codes).outputs) * 2.0**-network.output_frac
    wanted = read_model(model).forward(sequences)
    record = LossRecord.of(network)
    assert record is not None and record.error is not None
    assert record.vectors == 60 and [each.stage for each in record.stages][:2] == [
        "pruning",
        "sharing",
    ]
    error = np.sqrt(np.mean(np.square(found - wanted)) / np.mean(np.square(wanted)))
    # Sums have 11 fraction bits: a gate is off by 2^-12 / 4 at most, an output by little more.
    assert error == pytest.approx(record.error.rms) and error < 1e-3
    assert network.metadata["sequence_outputs"] == "all" and network.input_shape == (FEATURES,)


def test_sums_are_shared_by_both_matrices(sequences: list[np.ndarray]) -> None:
    torch.manual_seed(0)
    network = compress(share(Net()), calibration=sequences, keep_weights=True)
    names = [layer.name for layer in network.layers]
    of_x, of_h = (network.layers[names.index(f"rnn.weight_{part}_l1")] for part in ("ih", "hh"))
    assert of_x.accumulate and of_h.activation == "lstm" and of_h.source == names.index(of_h.name)
    assert of_x.input_frac == of_h.input_frac == of_h.output_frac == 15
    assert of_x.sum_frac == of_h.sum_frac and of_h.shift == of_h.sum_frac - 11
    assert network.layers[0].activation == "tanh" and network.layers[0].output_frac == 15


def test_a_gru_keeps_both_sums_of_its_candidate_apart(sequences: list[np.ndarray]) -> None:
    torch.manual_seed(0)
    network = compress(share(Net(nn.GRU, 1)), calibration=sequences, keep_weights=True)
    of_x, of_h = network.layers[1:3]
    assert of_x.rows == of_h.rows == 32
    assert not of_x.dense_codes()[24:].any() and not of_h.dense_codes()[16:24].any()
    assert of_x.dense_codes()[16:24].any() and of_h.dense_codes()[24:].any()
    biases = of_h.bias.reshape(4, 8)
    assert biases.any(1).all() and not of_x.bias.any()


def test_shares_of_a_gru_are_of_its_own_weights(sequences: list[np.ndarray]) -> None:
    model = Net(nn.GRU, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)
        network = compress(model, calibration=sequences, density=0.5)
    matrices = (
        model.pre.weight, model.rnn.weight_ih_l0, model.rnn.weight_hh_l0, model.fc.weight,
    )  # fmt: skip
    assert model_weights(network.layers) == tuple(each.numel() for each in matrices)
    parameters = sum(each.numel() for each in model.parameters())
    assert float32_bytes(network) == 4 * parameters
    kept = [float(each) for each in re.findall(r": ([0-9.]+)", network.metadata["density"])]
    assert kept == pytest.approx([0.5] * 4, abs=0.03)


def test_matrices_are_pruned_apart(sequences: list[np.ndarray]) -> None:
    torch.manual_seed(0)
    density = {"pre": 1.0, "rnn": 0.5, "rnn.weight_hh_l1": 0.25, "fc": 1.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LossWarning)
        network = compress(Net(), calibration=sequences, density=density)
    kept = {layer.name: layer.density for layer in network.layers}
    assert kept == {
        "pre": 1.0,
        "rnn.weight_ih_l0": 0.5,
        "rnn.weight_hh_l0": 0.5,
        "rnn.weight_ih_l1": 0.5,
        "rnn.weight_hh_l1": 0.25,
        "fc": 1.0,
    }
    with pytest.raises(InputError, match=r"layer 'lstm' must be one of"):
        compress(Net(), calibration=sequences, density={"lstm": 0.5})


def test_what_formats_give_up_is_named(sequences: list[np.ndarray]) -> None:
    torch.manual_seed(0)
    model = share(nn.LSTM(FEATURES, 8, batch_first=True))
    with torch.no_grad():
        model.weight_hh_l0.mul_(2.0**10)
    with (
        pytest.warns(EieWarning, match=r"'weight_ih_l0': its inputs take \d+ fraction bits"),
        pytest.warns(SaturationWarning, match=r"'weight_hh_l0' \(a gate's sum beyond"),
    ):
        compress(model, calibration=sequences, keep_weights=True)
    with torch.no_grad():
        model.weight_hh_l0.mul_(2.0**-10)
        model.weight_ih_l0.mul_(2.0**-5)
    loud = [2.0**12 * each for each in sequences]
    with pytest.warns(EieWarning) as told:
        compress(model, calibration=loud, keep_weights=True)
    assert any("'weight_hh_l0': its largest weight keeps" in str(each.message) for each in told)


def test_without_calibration_the_error_is_not_known() -> None:
    torch.manual_seed(0)
    with pytest.warns(UncalibratedWarning, match="give real sequences"):
        network = compress(share(Net()), keep_weights=True)
    assert LossRecord.of(network).error is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        (np.zeros((3, FEATURES - 1)), r"Net takes no steps of 4 features: its layers take 5, 6, 8"),
        ([np.full((2, FEATURES), np.nan)], "calibration: sequence 0 must be finite, not nan"),
        ([np.zeros((0, FEATURES))], "sequence 0 must have at least one step"),
    ],
)
def test_bad_calibration_is_refused(calibration: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        compress(share(Net()), calibration=calibration, keep_weights=True)  # type: ignore[arg-type]


def test_the_same_model_gives_the_same_file(sequences: list[np.ndarray], tmp_path: object) -> None:
    paths = [tmp_path / name for name in ("one.npz", "other.npz")]  # type: ignore[operator]
    for path in paths:
        torch.manual_seed(0)
        compress(share(Net(nn.GRU)), calibration=sequences, keep_weights=True).save(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert Network.load(paths[0]).recurrent
