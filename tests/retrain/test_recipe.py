"""The whole way on a small problem: what each step leaves, and what goes on to the hardware."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from torch import nn

import eie
from eie.host.compress import TorchReference
from eie.host.network.input_codes import quantize_inputs

pytestmark = pytest.mark.filterwarnings("ignore::eie.hls.boundary.errors.InexactWarning")


def test_every_step_is_reported_and_the_model_given_is_left_alone(problem):
    before = copy.deepcopy(problem.model.state_dict())
    told = []
    found = problem.retrain(board="pynq-z2", on_step=told.append)
    assert tuple(told) == found.reports
    assert [report.title for report in found.reports] == [
        "float",
        "pruning 1 of 2",
        "pruned",
        "shared",
        "shared, trained",
        "fixed point, 16 bits",
        "fixed point, trained",
        "integer",
    ]
    weights = 12 * 24 + 24 * 16 + 16 * 4
    kept = round(0.3 * 288) + round(0.3 * 384) + round(0.3 * 64)
    assert found.reports[0].size == 4 * (weights + 44)
    assert found.reports[2].size == 4 * (kept + 44)
    assert found.reports[2].density == kept / weights
    # Half of the way there leaves an eighth of what is to be removed.
    assert found.reports[1].density == pytest.approx(0.3 + 0.7 / 8, abs=2e-3)
    assert {report.weight_bits for report in found.reports[3:]} == {4}
    assert all(report.cycles and report.latency_us for report in found.reports)
    assert found.reports[-1].cycles < found.reports[0].cycles
    assert found.reports[-1].accuracy > 0.8
    for name, value in problem.model.state_dict().items():
        assert torch.equal(value, before[name])
    text = str(found)
    assert "points against the model" in text
    assert "not synthesised" in text
    assert repr(found).startswith("<Retrained: ")


@pytest.mark.parametrize("bits", [8, 16])
def test_what_was_measured_is_what_convert_makes_of_it(problem, bits):
    found = problem.retrain(activation_bits=bits)
    calibration = found.calibration
    # Another calibration changes nothing: the steps are those that it was trained with.
    acc = eie.convert(found.part, keep_weights=True, calibration=calibration[:9] / 2)
    for mine, theirs in zip(acc.network.layers, found.network.layers, strict=True):
        assert np.array_equal(mine.codebook[mine.codes], theirs.codebook[theirs.codes])
        assert np.array_equal(mine.bias, theirs.bias)
        assert (mine.input_frac, mine.output_frac) == (theirs.input_frac, theirs.output_frac)
    outputs = acc.predict(problem.inputs.numpy())
    right = float((outputs.argmax(1) == problem.labels.numpy()).mean())
    assert right == found.reports[-1].accuracy
    for layer in found.network.layers:
        assert np.unique(layer.codes).size <= 15
    given = quantize_inputs(found.network, calibration)
    codes = TorchReference(found.network).layer_outputs(given)
    with torch.no_grad():
        rounded = found.model.double()(problem.inputs.double()).numpy()
    # Torch in double precision gives the integers of the accelerator; with 8 bits, where the
    # accelerator's 16 do not go beyond them.
    within = np.ones(len(given), bool)
    if bits == 8:
        assert all(each.min() >= 0 for each in codes[:-1])
        for values, low, high in ((given, -128, 127), *((each, 0, 255) for each in codes[:-1])):
            within &= ((values >= low) & (values <= high)).all(1)
        within &= (np.abs(codes[-1]) <= 127).all(1)
    assert within.mean() > 0.5
    assert np.array_equal(np.ldexp(rounded, found.network.output_frac)[within], codes[-1][within])


def test_the_same_arguments_give_the_same_weights_and_leave_the_generators_alone(problem):
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    one = problem.retrain(calibration=None)
    assert torch.equal(torch.rand(3), wanted)
    two = problem.retrain(calibration=None)
    other = problem.retrain(calibration=None, seed=1)
    same = [
        [
            torch.equal(a, b)
            for a, b in zip(one.model.parameters(), each.model.parameters(), strict=True)
        ]
        for each in (two, other)
    ]
    assert all(same[0])
    assert not any(same[1])


def test_without_calibration_the_way_ends_with_shared_weights(problem):
    found = problem.retrain(calibration=None)
    assert found.reports[-1].title == "shared, trained"
    assert found.network is None
    assert "no calibration" in str(found)
    for module in found.model.modules():
        if isinstance(module, nn.Linear):
            assert torch.unique(module.weight[module.weight != 0]).numel() <= 15
    pickle.loads(pickle.dumps(found.model))


def test_a_batchnorm_behind_a_linear_is_folded_before_weights_are_shared(problem):
    torch.manual_seed(0)
    problem.model = nn.Sequential(
        nn.Linear(12, 24, bias=False), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 4)
    )
    found = problem.retrain()
    assert found.network is not None
    assert not any(isinstance(each, nn.BatchNorm1d) for each in found.model.modules())
    problem.model = nn.Sequential(nn.BatchNorm1d(12), nn.Linear(12, 4))
    found = problem.retrain()
    assert found.network is None
    assert "BatchNorm before it" in found.not_integer


def test_a_head_goes_to_the_integers_and_the_rest_stays(problem):
    class Two(nn.Module):
        def __init__(self, head: nn.Module) -> None:
            super().__init__()
            self.first = nn.Conv1d(1, 2, 1)
            self.head = head

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return self.head(self.first(inputs.unsqueeze(1)).relu().mean(1))

    torch.manual_seed(0)
    problem.model = Two(problem.model)
    found = problem.retrain(head="head")
    assert found.part is found.model.head
    assert set(found.densities) == {"0", "3", "5"}
    assert found.calibration.shape == (256, 12)
    assert found.model.first.weight.count_nonzero() == 2
    acc = eie.convert(found.part, keep_weights=True, calibration=found.calibration)
    right = (acc.predict(found.calibration).argmax(1) == problem.labels.numpy()).mean()
    assert right == found.reports[-1].accuracy


def test_a_model_that_was_trained_in_fixed_point_is_saved_and_read_again(problem, tmp_path):
    found = problem.retrain()
    program = torch.export.export(found.part, (problem.inputs[:2],))
    torch.export.save(program, tmp_path / "part.pt2")
    network = eie.compress(tmp_path / "part.pt2", keep_weights=True, calibration=found.calibration)
    for mine, theirs in zip(network.layers, found.network.layers, strict=True):
        assert np.array_equal(mine.bias, theirs.bias)
        assert (mine.input_frac, mine.output_frac) == (theirs.input_frac, theirs.output_frac)


def test_balanced_masks_load_every_pe_alike(problem):
    found = problem.retrain(balance=4, schedule=eie.Schedule(1, 1, 1, 0, 0), density=0.25)
    assert found.balance.pes == 4
    # 24, 16 and 4 rows of 12, 24 and 16 columns: a quarter is the same number on each PE.
    assert [layer.natural for layer in found.balance.layers] == [1, 1, 1]
    plain = problem.retrain(schedule=eie.Schedule(1, 1, 1, 0, 0), density=0.25)
    assert max(layer.natural for layer in plain.balance.layers) > 1
    assert "heaviest over mean PE of 4" in str(found)
    assert [report.title for report in found.reports[-3:]] == [
        "shared",
        "fixed point, 16 bits",
        "integer",
    ]


def test_a_board_that_holds_none_of_it_is_said_so(problem):
    schedule = eie.Schedule(1, 1, 1, 0, 0)
    found = problem.retrain(balance=256, board="pynq-z1", schedule=schedule)
    assert found.reports[-1].cycles is None
    assert "no design of pynq-z1 with 256 PEs" in str(found)
    assert found.network is not None
