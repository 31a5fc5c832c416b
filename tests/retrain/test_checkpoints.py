"""An interrupted retraining ends with the same weights as one that was not, bit by bit."""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from eie.hls.boundary.errors import InputError
from eie.host.retrain import Schedule
from eie.host.retrain.checkpoint import Checkpoint
from eie.host.retrain.run import Run

pytestmark = pytest.mark.filterwarnings("ignore::eie.hls.boundary.errors.InexactWarning")

#: Batches of the schedule of the small problem: 8 an epoch, 2 epochs in each of 4 steps.
BATCHES = 64


@pytest.fixture(autouse=True)
def no_costs(monkeypatch):
    """Cycles are predicted elsewhere; here they would take most of the time."""
    monkeypatch.setattr(Run, "_cost", lambda self, step: (1, 2, 3.0))
    monkeypatch.setattr(Run, "_measure_balance", lambda self: None)


class Interrupted(Exception):
    pass


def interrupt_at(problem, batch):
    """Stop before the batch of that number, as a signal would."""
    left = iter(range(batch))

    def before() -> None:
        # Draws from all three generators, as augmentations do.
        random.random()
        np.random.rand()  # noqa: NPY002 - what users call
        if next(left, None) is None:
            raise Interrupted

    problem.before_batch = before


def assert_same(one, two):
    assert one.reports == two.reports
    assert one.densities == two.densities
    assert str(one.sensitivity) == str(two.sensitivity)
    for (name, mine), (_, theirs) in zip(
        one.model.state_dict().items(), two.model.state_dict().items(), strict=True
    ):
        assert torch.equal(mine, theirs), name


@pytest.mark.parametrize(
    "options",
    [
        # A scan first, which is what takes a minute.
        pytest.param({"density": None, "budget": 0.4}, marks=pytest.mark.slow),
        {"activation_bits": 8},
    ],
)
def test_it_goes_on_from_anywhere_to_the_same_weights(problem, tmp_path, options):
    interrupt_at(problem, BATCHES)
    whole = problem.retrain(**options)
    # In the first epoch, between steps, within an epoch, in fixed point, before the last batch.
    for batch in (1, 8, 16, 21, 32, 40, 53, 63):
        path = tmp_path / f"{batch}.pt"
        interrupt_at(problem, batch)
        with pytest.raises(Interrupted):
            problem.retrain(checkpoint=path, **options)
        interrupt_at(problem, BATCHES - batch // 8 * 8)
        torch.manual_seed(batch)  # whatever happened to the generators meanwhile
        assert_same(whole, problem.retrain(checkpoint=path, **options))
    # Interrupted again and again; and once it is finished, nothing is left to do.
    path = tmp_path / "often.pt"
    for _ in range(7):
        interrupt_at(problem, 9)
        with pytest.raises(Interrupted):
            problem.retrain(checkpoint=path, **options)
    interrupt_at(problem, 9)
    assert_same(whole, problem.retrain(checkpoint=path, **options))
    interrupt_at(problem, 0)
    assert_same(whole, problem.retrain(checkpoint=path, **options))


def test_an_evaluation_that_fails_is_made_again(problem, tmp_path):
    whole = problem.retrain()
    calls = iter(range(100))

    def failing(model: nn.Module) -> float:
        if next(calls) == 3:
            raise Interrupted
        return problem.accuracy(model)

    path = tmp_path / "checkpoint.pt"
    with pytest.raises(Interrupted):
        problem.retrain(evaluate=failing, checkpoint=path)
    assert_same(whole, problem.retrain(evaluate=failing, checkpoint=path))


def test_a_loader_with_a_generator_of_its_own_goes_on_with_it(problem, tmp_path):
    def loader():
        data = torch.utils.data.TensorDataset(problem.inputs, problem.labels)
        own = torch.Generator().manual_seed(3)
        return torch.utils.data.DataLoader(data, 32, shuffle=True, generator=own)

    whole = problem.retrain(batches=loader(), calibration=None)
    path = tmp_path / "checkpoint.pt"
    interrupt_at(problem, 29)
    with pytest.raises(Interrupted):
        problem.retrain(batches=loader(), calibration=None, checkpoint=path)
    problem.before_batch = lambda: None
    assert_same(whole, problem.retrain(batches=loader(), calibration=None, checkpoint=path))
    with pytest.raises(InputError, match="batches must have a generator"):
        problem.retrain(calibration=None, checkpoint=path)


_PROGRAM = """
import os, signal, sys, torch
from torch import nn
from eie.host.retrain import Schedule, retrain
torch.set_num_threads(1)
torch.manual_seed(0)
inputs, labels = torch.randn(64, 6), torch.randint(0, 3, (64,))
class Last(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.out = nn.LSTM(6, 5, batch_first=True), nn.Linear(5, 3)
    def forward(self, x):
        return self.out(self.lstm(x.unsqueeze(1))[0][:, -1])
count = 0
def step(model, batch):
    global count
    count += 1
    if count == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return nn.functional.cross_entropy(model(batch[0] + torch.randn_like(batch[0])), batch[1])
def accuracy(model):
    return float((model(inputs).argmax(1) == labels).double().mean())
found = retrain(Last(), step, [(inputs[:32], labels[:32]), (inputs[32:], labels[32:])],
    evaluate=accuracy, density=0.4, schedule=Schedule(2, 2, 2, 2), checkpoint=sys.argv[1] or None)
torch.save(found.model.state_dict(), sys.argv[3])
"""


def test_a_process_that_is_killed_goes_on(tmp_path):
    def run(checkpoint: str, batch: int) -> int:
        command = [sys.executable, "-c", _PROGRAM, checkpoint, str(batch), str(tmp_path / "out.pt")]
        return subprocess.run(command, env={**os.environ}, check=False).returncode

    assert run("", 0) == 0
    wanted = torch.load(tmp_path / "out.pt", weights_only=True)
    path = str(tmp_path / "checkpoint.pt")
    assert run(path, 4) == -signal.SIGKILL  # while it prunes
    assert run(path, 7) == -signal.SIGKILL  # while codebooks learn
    (tmp_path / "out.pt").unlink()
    assert run(path, 0) == 0
    found = torch.load(tmp_path / "out.pt", weights_only=True)
    assert list(found) == list(wanted)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_a_checkpoint_that_is_cut_off_or_damaged_is_refused(problem, tmp_path):
    path = tmp_path / "checkpoint.pt"
    interrupt_at(problem, 30)
    with pytest.raises(Interrupted):
        problem.retrain(checkpoint=path)
    whole = path.read_bytes()
    places = [0, 20, 78, 79, 200, *np.random.default_rng(0).integers(0, len(whole), 50)]
    flipped = []
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1
        flipped.append(bytes(damaged))
    for content in (whole[:0], whole[:10], whole[: len(whole) // 2], whole[:-1], *flipped):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"cut off or damaged|no checkpoint"):
            Checkpoint.load(path)
    with pytest.raises(InputError, match="delete this one"):
        problem.retrain(checkpoint=path)
    assert path.read_bytes() == content  # left for whoever wants to look at it

    def written(value):
        stream = io.BytesIO()
        torch.save(value, stream)
        digest = hashlib.sha256(stream.getvalue()).hexdigest()
        path.write_bytes(f"eie retrain 1 {digest}\n".encode() + stream.getvalue())

    written({"epoch": 3})
    with pytest.raises(InputError, match="must have the fields of this version"):
        problem.retrain(checkpoint=path)
    written(Path)  # code, which is not run
    with pytest.raises(InputError, match="cannot be read by torch"):
        problem.retrain(checkpoint=path)
    stream, packed = io.BytesIO(), io.BytesIO()
    torch.save({"epoch": torch.zeros(1000)}, stream)
    with zipfile.ZipFile(stream) as plain, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as to:
        for name in plain.namelist():
            to.writestr(name, plain.read(name))
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    path.write_bytes(f"eie retrain 1 {digest}\n".encode() + packed.getvalue())
    with pytest.raises(InputError, match="must not be compressed"):
        problem.retrain(checkpoint=path)
    torch.save({"epoch": 3}, path)
    with pytest.raises(InputError, match="no checkpoint of eie retrain"):
        problem.retrain(checkpoint=path)
    with pytest.raises(InputError, match="must be a file"):
        problem.retrain(checkpoint=tmp_path)


def test_a_checkpoint_of_something_else_is_refused(problem, tmp_path):
    path = tmp_path / "checkpoint.pt"
    interrupt_at(problem, 10)
    with pytest.raises(Interrupted):
        problem.retrain(checkpoint=path)
    problem.before_batch = lambda: None
    with pytest.raises(InputError) as error:
        problem.retrain(checkpoint=path, density=0.2, seed=4, schedule=Schedule(2, 2, 2, 2, 3))
    assert len(error.value.problems) == 3
    assert "density must be 0.3 as it was, not 0.2" in str(error.value)
    with torch.no_grad():
        problem.model[0].weight[0, 0] += 1
    with pytest.raises(InputError, match="must have begun with this model's weights"):
        problem.retrain(checkpoint=path)
    problem.model[0] = nn.Linear(12, 24, bias=False)
    with pytest.raises(InputError, match=r"'0.bias' is \(24,\) float32 there and missing here"):
        problem.retrain(checkpoint=path)


def test_a_checkpoint_that_cannot_be_written_is_said_so(problem, tmp_path):
    with pytest.raises(InputError, match="cannot write checkpoint"):
        problem.retrain(checkpoint=Path(tmp_path) / "missing" / "checkpoint.pt")
