"""Models in parts: where they are cut, that the parts together are the model, what is refused."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import eie
from eie.hls.boundary.errors import InputError, ModelError
from eie.host.cut import HostPart, HostParts, read_parts
from eie.host.network.head_record import HeadRecord

#: What float64 loses of sums of a few dozen numbers.
EXACT = {"rtol": 0, "atol": 1e-12}


def test_the_parts_are_the_model(case):
    wanted = case.exact(case.x)
    parts = read_parts(case.model.double(), input_shape=case.parted.shape)
    assert parts.host is not None
    assert tuple(layer.name for layer in parts.dense.layers) == case.parted.layers
    record = parts.host.record
    assert (record.positions, record.front, record.behind) == (
        case.parted.positions,
        case.parted.front,
        case.parted.behind,
    )
    costs = parts.host.multiply_adds, parts.multiply_adds, parts.host.parameters
    assert costs == (case.parted.host, case.parted.head, case.parted.parameters)
    for x, result in ((case.x, wanted), (case.x[:1], wanted[:1])):
        features = parts.host.features(x)
        assert features.shape == (len(x) * record.vectors, parts.dense.features)
        found = parts.host.finish(parts.dense.forward(features.astype(np.float64)))
        assert found.shape == result.shape
        assert np.allclose(found, result, **EXACT)


def test_programs_are_cut_as_modules_are(case, tmp_path):
    x = torch.from_numpy(case.x)
    expected = read_parts(case.model, input_shape=case.parted.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own workings
        dynamic = torch.export.export(
            case.model, (x[:2],), dynamic_shapes=({0: torch.export.Dim.AUTO},)
        )
        torch.export.save(torch.export.export(case.model, (x[:4],)), tmp_path / "four.pt2")
    for program in (dynamic, tmp_path / "four.pt2"):
        parts = read_parts(program)
        assert parts.host.record == expected.host.record
        # Of a fixed batch, too, any number of inputs goes through.
        assert np.allclose(parts.host.features(case.x[:6]), expected.host.features(case.x[:6]))


def test_what_is_saved_is_read_again(case, tmp_path):
    host = read_parts(case.model, input_shape=case.parted.shape).host
    host.save(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(host.names)
    again = HostParts.load(tmp_path, host.record)
    features = host.features(case.x)
    assert np.array_equal(again.features(case.x), features)
    outputs = (
        np.random.default_rng(0)
        .normal(size=(len(features), host.record.result[0]))
        .astype(np.float32)
    )
    assert np.array_equal(again.finish(outputs), host.finish(outputs))


def test_a_model_that_fits_whole_is_read_whole(convolutions):
    head = convolutions.model[6:]
    assert read_parts(head).host is None
    with pytest.raises(ModelError, match="must have at least one Linear"):
        read_parts(nn.Sequential(nn.BatchNorm1d(4), nn.ReLU()), cut=False)


def test_a_later_change_of_the_module_changes_nothing(convolutions):
    host = read_parts(convolutions.model, input_shape=(1, 8, 8)).host
    before = host.features(convolutions.x)
    with torch.no_grad():
        convolutions.model[0].weight.zero_()
    assert np.array_equal(host.features(convolutions.x), before)


def test_weights_may_come_as_a_state_dict(convolutions):
    state = {name: value.clone() for name, value in convolutions.model.state_dict().items()}
    other = type(convolutions.model)(*convolutions.parted.make()).eval()
    parts = read_parts(other, input_shape=(1, 8, 8), state_dict=state)
    expected = read_parts(convolutions.model, input_shape=(1, 8, 8))
    assert parts.host.record == expected.host.record


@pytest.mark.parametrize(
    ("cut", "layers", "behind"),
    [
        ("6", ("6", "9"), ""),
        ("9", ("9",), ""),
        (("6", "8"), ("6",), "1 linear"),
        (("6", "6"), ("6",), "1 batch_norm, 1 relu, 1 linear"),
    ],
)
def test_the_cut_is_where_it_is_asked_for(convolutions, cut, layers, behind):
    wanted = convolutions.exact(convolutions.x)
    parts = read_parts(convolutions.model.double(), input_shape=(1, 8, 8), cut=cut)
    assert tuple(layer.name for layer in parts.dense.layers) == layers
    assert parts.host.record.behind == behind
    features = parts.host.features(convolutions.x)
    found = parts.host.finish(parts.dense.forward(features))
    assert np.allclose(found, wanted, **EXACT)


class Noisy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.sin(x) + torch.rand_like(x))


@pytest.mark.parametrize(
    ("model", "keywords", "message"),
    [
        (
            lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten()),
            {"input_shape": (1, 4, 4)},
            r"node 'conv2d' .*module '0'(.|\n)*nor can a part of it go onto the accelerator",
        ),
        (
            lambda: nn.Sequential(nn.Linear(4, 4), nn.Unflatten(1, (1, 4)), nn.Conv1d(1, 1, 3)),
            {"input_shape": (4,)},
            r"module '2' of type Conv1d(.|\n)*; cut can name one in the middle: '0'",
        ),
        (
            lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)),
            {},
            r"input_shape must be given for Sequential, which begins with convolutions",
        ),
        (
            lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)),
            {"input_shape": (1, 4, 4), "cut": False},
            r"node 'conv2d' \(aten.conv2d.default, module '0' of type Conv2d\) is not supported",
        ),
        (Noisy, {}, r"node 'rand_like' .* is random, and cannot be a part on the host"),
        (
            lambda: nn.Sequential(nn.Linear(4, 3), nn.ReLU()),
            {"cut": "classifier"},
            r"cut must name a module .*, such as '0', '1', not 'classifier'",
        ),
        (
            lambda: nn.Sequential(nn.GELU(), nn.Linear(4, 3)),
            {"cut": "0"},
            r"cut must name modules that the accelerator can take, not '0'",
        ),
        (lambda: nn.Linear(4, 3), {"cut": 3}, r"cut must be the path of a module.*not 3"),
    ],
)
def test_what_cannot_be_cut_is_refused(model, keywords, message):
    with pytest.raises(InputError, match=message):
        read_parts(model().eval(), **keywords)


def test_statistics_of_the_batch_are_refused(convolutions):
    x = torch.from_numpy(convolutions.x)
    training = torch.export.export(convolutions.model.train(), (x[:4],))
    with pytest.raises(ModelError, match="must use its running statistics"):
        read_parts(training)


class Turned(nn.Module):
    """Its head takes what is not a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.sin(x).t()).mean(1)


def test_the_batch_must_stay_in_front():
    program = torch.export.export(Turned(), (torch.zeros(2, 4),))
    with pytest.raises(ModelError, match=r"'t' must have the batch in front.*not shape \(4, 2\)"):
        read_parts(program)


def test_sizes_must_be_known():
    model = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
    )
    sizes = ({0: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.DYNAMIC},)
    program = torch.export.export(model.eval(), (torch.zeros(2, 1, 8, 8),), dynamic_shapes=sizes)
    with pytest.raises(ModelError, match=r"must have fixed sizes but for the batch, not shape \(s"):
        read_parts(program)


def test_a_model_of_another_format_cannot_be_cut(tmp_path):
    (tmp_path / "model.onnx").write_text("a model of another format")
    with pytest.raises(InputError, match="cut must be left out for a model that is none of torch"):
        read_parts(tmp_path / "model.onnx", cut="0")


def test_inputs_that_torch_cannot_take_are_refused(convolutions):
    host = read_parts(convolutions.model, input_shape=(1, 8, 8)).host
    large = np.full((2, 1, 8, 8), np.inf, np.float32)
    with pytest.raises(InputError, match=r"gives .* values that are not finite"):
        host.features(large)


def test_parts_of_another_network_are_refused(convolutions, tmp_path):
    host = read_parts(convolutions.model, input_shape=(1, 8, 8)).host
    host.save(tmp_path)
    with torch.no_grad():
        convolutions.model[0].weight.neg_()
    other = read_parts(convolutions.model, input_shape=(1, 8, 8)).host
    with pytest.raises(ModelError, match=r"host.pt2 must be what the network was compressed with"):
        HostParts.load(tmp_path, other.record)
    read_parts(convolutions.model, input_shape=(1, 8, 8), cut="9").host.save(tmp_path)
    with pytest.raises(ModelError, match=re.escape("not (1, 8, 8) and (8,)")):
        HostParts.load(tmp_path, host.record)
    (tmp_path / "host.pt2").unlink()
    with pytest.raises(ModelError, match=r"no model file at .*host.pt2"):
        HostParts.load(tmp_path, host.record)
    (tmp_path / "host.pt2").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ModelError, match=r"host.pt2"):
        HostPart.load(tmp_path / "host.pt2")


def test_a_record_that_is_none_is_refused(convolutions):
    network = eie.convert(convolutions.model, calibration=convolutions.x).network
    record = HeadRecord.of(network)
    assert record.features == (27,)
    with pytest.raises(InputError, match=r"shape \(batch, 27\).*the head of a model.*1x8x8"):
        network.flat_inputs(convolutions.x)
    for text in ("", "[]", '{"input_shape": [0]}', record.as_text().replace("27", '"27"')):
        with pytest.raises(InputError, match="must be the record of a model that was cut"):
            HeadRecord.of(_Texts({"head": text}))


class _Texts:
    def __init__(self, metadata: dict[str, str]) -> None:
        self.metadata = metadata
