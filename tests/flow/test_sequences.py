"""A recurrent model through the front door: all engines, states, streams, evaluation."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

import eie
from eie.hls.boundary.errors import DeviceError, EieWarning, InputError
from eie.host.compress.sequence_reference import SequenceReference
from eie.host.flow.packed_data import packed_data
from eie.host.flow.sequence_data import SequenceData
from eie.host.network.sequence_codes import SEQUENCE_OUTPUTS, sequence_codes
from eie.host.network.sequence_state import SequenceState

FEATURES = 5
ENGINES = ("emulator", "c++", "board")
Reals = npt.NDArray[np.float32]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.LSTM(FEATURES, 6, batch_first=True)
        self.second = nn.GRU(6, 7, batch_first=True)
        self.fc = nn.Linear(7, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.fc(self.second(self.first(x)[0])[0][:, -1]))


@pytest.fixture(scope="module")
def sequences() -> list[Reals]:
    random = np.random.default_rng(1)
    lengths = (9, 3, 12, 1, 5)
    return [random.standard_normal((each, FEATURES)).astype(np.float32) for each in lengths]


@pytest.fixture(scope="module")
def acc(sequences: list[Reals]) -> Iterator[eie.AcceleratedModel]:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)
        model = eie.convert(Net(), density=0.7, calibration=sequences, pes=4)
    with model:
        yield model.compile()


@pytest.fixture(scope="module")
def wanted(acc: eie.AcceleratedModel, sequences: list[Reals]) -> list[Reals]:
    codes = sequence_codes(acc.network, sequences).codes
    outputs = SequenceReference(acc.network)(codes).outputs
    return [each * np.float32(2.0**-acc.network.output_frac) for each in outputs]


@pytest.mark.filterwarnings("ignore:no bitstream was given")
@pytest.mark.parametrize("engine", ENGINES)
def test_engines_give_what_the_reference_gives(
    acc: eie.AcceleratedModel, sequences: list[Reals], wanted: list[Reals], engine: Any
) -> None:
    last = acc.predict(sequences, engine=engine)
    np.testing.assert_array_equal(last, np.stack([each[-1] for each in wanted]))
    first = acc.predict([each[:2] for each in sequences], engine=engine, outputs="all")
    rest = [each[2:] for each in sequences]
    second = acc.predict(rest, engine=engine, outputs="all", keep_state=True)
    for one, other, whole in zip(first, second, wanted, strict=True):
        np.testing.assert_array_equal(np.concatenate([one, other]), whole)
    streamed = list(acc.stream(sequences[0], engine=engine))
    np.testing.assert_array_equal(np.stack(streamed), wanted[0])


@pytest.mark.filterwarnings("ignore:no bitstream was given")
@pytest.mark.parametrize("engine", ENGINES)
def test_sequences_begin_where_they_are_told_to(
    acc: eie.AcceleratedModel, sequences: list[Reals], engine: Any
) -> None:
    random = np.random.default_rng(2)
    # More sequences than the network has lanes.
    many = [*sequences, *sequences[::-1]]
    h = [random.uniform(-1, 1, (len(many), units)) for units in (6, 7)]
    c = [random.uniform(-4, 4, (len(many), units)) for units in (6, 7)]
    begins = SequenceState.of_reals(acc.network, h, c)
    scale = np.float32(2.0**-acc.network.output_frac)
    wanted = SequenceReference(acc.network)(sequence_codes(acc.network, many).codes, begins)
    found = acc.predict(many, engine=engine, outputs="all", state=(h, c))
    for one, other in zip(found, wanted.outputs, strict=True):
        np.testing.assert_array_equal(one, other * scale)
    # Fewer go on where they ended; and a call without a state begins at zero again.
    few = sequences[:2]
    told = ([each[:2] for each in h], [each[:2] for each in c])
    first = acc.predict([each[:1] for each in few], engine=engine, outputs="all", state=told)
    rest = [each[1:] for each in few]
    second = acc.predict(rest, engine=engine, outputs="all", keep_state=True)
    for one, other, whole in zip(first, second, wanted.outputs, strict=False):
        np.testing.assert_array_equal(np.concatenate([one, other]), whole * scale)
    zero = acc.predict(few, engine=engine)
    np.testing.assert_array_equal(zero, acc.predict(few))


def test_states_of_another_shape_are_refused(
    acc: eie.AcceleratedModel, sequences: list[Reals]
) -> None:
    few = sequences[:2]
    h = [np.zeros((2, units)) for units in (6, 7)]
    with pytest.raises(InputError, match="c must be given with an LSTM"):
        acc.predict(few, state=h)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not a tuple of 3"):
        acc.predict(few, state=(h, h, h))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="h must be arrays of numbers"):
        acc.predict(few, state=(1.0, 2.0))
    with pytest.raises(InputError, match="h must be of 2 recurrent layers, not 1"):
        acc.predict(few, state=(h[:1], h))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"finite numbers of shape \(2, 7\), not \(2, 6\)"):
        acc.predict(few, state=(h, [h[0], h[0]]))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="must be of 2 sequences"):
        acc.predict(few, state=([each[:1] for each in h], [each[:1] for each in h]))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="must be left out with keep_state=True"):
        acc.predict(few, state=(h, h), keep_state=True)  # type: ignore[arg-type]


def test_kernel_and_emulator_take_as_many_cycles(
    acc: eie.AcceleratedModel, sequences: list[Reals]
) -> None:
    kernel = acc._engines.compiled()
    # Refused if outputs, saturated values or counters differ.
    found = eie.simulate(acc.network, acc.design, kernel, sequences, outputs="all")
    emulated = eie.emulate(acc.network, acc.design, sequences, outputs="all")
    assert found.report is not None and emulated.report is not None
    assert found.report.total_cycles == emulated.report.total_cycles
    assert repr(found).startswith("<RunResult of 30 vectors, 3 outputs each, ")


def test_evaluation_counts_sequences_or_steps(
    acc: eie.AcceleratedModel, sequences: list[Reals], wanted: list[Reals]
) -> None:
    right = np.array([each[-1].argmax() for each in wanted])
    found = acc.evaluate(sequences, right)
    assert (found.vectors, found.correct) == (5, 5) and found.rms_error is not None
    assert acc.findings.evaluation is not None
    with pytest.raises(InputError, match="must be one for each of 5 vectors, not 4 labels"):
        acc.evaluate(sequences, right[:-1])
    with pytest.raises(InputError, match="several sequences, not a single one"):
        acc.evaluate(sequences[0], right[:1])


def test_costs_are_those_of_a_step_in_the_middle(acc: eie.AcceleratedModel) -> None:
    costs = acc.findings.costs
    assert costs.single.vectors == 1 and costs.batch.vectors == 30
    layers = {layer.name: layer for layer in costs.single.layers}
    # Of a first step the state is zero, and takes no work.
    assert layers["first.weight_hh_l0"].ideal_cycles > 0


def test_summary_report_and_file(
    acc: eie.AcceleratedModel, sequences: list[Reals], tmp_path: Any
) -> None:
    assert "itself, a step before" in str(acc.summary())
    assert acc.report(tmp_path / "report.html").exists()
    folder = acc.save(tmp_path / "saved")
    again = eie.convert(folder / "network.npz", design=folder / "design.toml")
    np.testing.assert_array_equal(again.predict(sequences), acc.predict(sequences))


def test_layers_are_compared_in_every_step(
    acc: eie.AcceleratedModel, sequences: list[Reals]
) -> None:
    found = acc.compare(sequences)
    names = ["first.weight_hh_l0", "second.weight_hh_l0", "fc"]
    assert ([each.name for each in found.layers], found.vectors) == (names, 30)
    assert "against the model, 30 steps" in str(found)
    torch.manual_seed(0)
    module = Net().double().eval()
    assert acc.compare(module, sequences) == found
    # The model's own ranges, step by step in torch.
    with torch.no_grad():
        hidden = [module.first(torch.from_numpy(each).double()[None])[0] for each in sequences]
    assert found.layers[0].low == pytest.approx(min(float(each.min()) for each in hidden))
    # Of the outputs of every step, the error that evaluate gives of the last ones.
    assert acc.findings.comparison is not None
    last = [each[-1:] for each in sequences]
    error = acc.compare(last).layers[-1].rms_error
    assert acc.evaluate(last).rms_error == pytest.approx(error)
    with pytest.raises(InputError, match=r"5 -> 24, 6 -> 24 \(lstm\), 6 -> 28"):
        acc.compare(nn.LSTM(5, 7, batch_first=True), sequences)


def test_trace_gives_what_layers_give(
    acc: eie.AcceleratedModel, sequences: list[Reals], wanted: list[Reals]
) -> None:
    found = acc.trace(sequences)
    assert list(found) == [layer.name for layer in acc.network.layers]
    assert [each.shape for each in found["first.weight_hh_l0"]] == [
        (len(each), 6) for each in sequences
    ]
    for mine, theirs in zip(found["fc"], wanted, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    named = acc.trace({"a": sequences[1], "b": sequences[0]})
    np.testing.assert_array_equal(named["fc"]["b"], wanted[0])
    np.testing.assert_array_equal(acc.trace(sequences[0])["fc"], wanted[0])


@pytest.mark.parametrize("last", [True, False])
def test_a_package_gets_whole_sequences(
    last: bool, acc: eie.AcceleratedModel, sequences: list[Reals]
) -> None:
    kind = {SEQUENCE_OUTPUTS: "last" if last else "all"}
    network = replace(acc.network, metadata={**acc.network.metadata, **kind})
    labels = np.arange(len(sequences) if last else 30) % 3
    data = SequenceData(np.concatenate(sequences), labels, tuple(sequences))
    inputs, given = packed_data(data, network, None)
    assert [len(each) for each in inputs] == [len(each) for each in sequences]
    np.testing.assert_array_equal(given if last else np.concatenate(given), labels)
    assert last or [len(each) for each in given] == [len(each) for each in sequences]
    # As many as a package holds, and one however long it is.
    for steps, count in ((500, 2), (2000, 1)):
        long = (np.zeros((steps, FEATURES)),) * 3
        labels = np.zeros(3 if last else 3 * steps, np.int64)
        inputs, given = packed_data(SequenceData(np.concatenate(long), labels, long), network, None)
        assert (len(inputs), len(given)) == (count, count)


def test_sequences_may_have_names(
    acc: eie.AcceleratedModel, sequences: list[Reals], wanted: list[Reals], tmp_path: Any
) -> None:
    names = ("e", "d", "c", "b", "a")
    np.savez(tmp_path / "x.npz", **dict(zip(names, sequences, strict=True)))
    with np.load(tmp_path / "x.npz") as file:
        found = acc.predict(file, outputs="all")
        last = acc.predict(file)
        assert tuple(found) == names
    for mine, theirs in zip(found.values(), wanted, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(last, acc.predict(sequences))


def test_what_has_no_meaning_is_refused(acc: eie.AcceleratedModel, sequences: list[Reals]) -> None:
    acc.predict(sequences[:2])
    with pytest.raises(InputError, match="as many sequences as in the last call, 2, not 3"):
        acc.predict(sequences[:3], keep_state=True)
    with (
        eie.convert(acc.network, design=acc.design) as fresh,
        pytest.raises(DeviceError, match="no sequences have been begun yet"),
    ):
        fresh.predict(sequences, keep_state=True)
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)
        plain = eie.convert(nn.Linear(4, 2), pes=4)
    with pytest.raises(InputError, match="must be left out: the model has no recurrent layer"):
        plain.predict(np.zeros((1, 4)), keep_state=True)
    with pytest.raises(InputError, match="must have a network with a recurrent layer"):
        plain.stream([np.zeros(4)])
