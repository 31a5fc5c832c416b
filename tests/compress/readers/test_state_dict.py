"""A state_dict with the module that it belongs to."""

from __future__ import annotations

import pickle
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from eie.hls.boundary.errors import InputError, ModelError
from eie.host.compress import compress, read_model


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 2))


@pytest.fixture
def trained():
    torch.manual_seed(1)
    model = net()
    model[1].running_mean.normal_()
    return model.eval()


def same(one, other) -> bool:
    pairs = zip(one.layers, other.layers, strict=True)
    return all(
        np.array_equal(a.weights, b.weights) and np.array_equal(a.bias, b.bias) for a, b in pairs
    )


def wrappings(state):
    yield state
    yield {"state_dict": state, "epoch": 3}
    yield {"model_state_dict": state, "optimizer": {}}
    yield {f"module.{name}": value for name, value in state.items()}
    yield {f"_orig_mod.{name}": value for name, value in state.items()}


def test_as_training_loops_save_it(trained, tmp_path):
    wanted = read_model(trained)
    for number, state in enumerate(wrappings(trained.state_dict())):
        path = tmp_path / f"{number}.pth"
        torch.save(state, path, _use_new_zipfile_serialization=number != 1)
        for given in (state, str(path)):
            assert same(read_model(net(), state_dict=given), wanted)


def test_the_module_is_left_as_it_was_even_after_an_error(trained):
    module = net()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    wrong = {**trained.state_dict(), "3.weight": torch.zeros(2, 6)}
    for state in (trained.state_dict(), wrong, {**trained.state_dict(), "0.bias": torch.ones(5)}):
        try:
            compress(module, state_dict=state)
        except ModelError:
            assert state is wrong
        after = module.state_dict()
        assert all(torch.equal(after[name], value) for name, value in before.items())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("0.bias"), 'Missing key(s) in state_dict: "0.bias"'),
        (lambda state: state.update(more=torch.ones(1)), 'Unexpected key(s) in state_dict: "more"'),
        (lambda state: state.update({"0.bias": torch.ones(6)}), "size mismatch for 0.bias"),
        (lambda state: state.update(epoch=3), "must have tensors by name"),
        (lambda state: state.clear(), "must have tensors by name"),
    ],
)
def test_weights_of_another_module(change, said, trained):
    state = dict(trained.state_dict())
    change(state)
    with pytest.raises(ModelError) as error:
        read_model(net(), state_dict=state)
    assert "state_dict must" in str(error.value)
    assert said in str(error.value)


def test_what_is_no_module_takes_none(trained, tmp_path):
    with pytest.raises(InputError, match=r"state_dict must be given with a torch\.nn\.Module"):
        read_model(tmp_path / "model.pt2", state_dict=trained.state_dict())


class Trap:
    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_files_run_nothing(trained, tmp_path):
    for number in range(2):
        path = tmp_path / f"{number}.pth"
        state = {**trained.state_dict(), "trap": Trap(tmp_path / "sprung")}
        torch.save(state, path, _use_new_zipfile_serialization=bool(number))
        with pytest.raises(ModelError, match="is no state_dict that is safe to read"):
            read_model(net(), state_dict=path)
    (tmp_path / "p.pth").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(ModelError, match="is no state_dict that is safe to read"):
        read_model(net(), state_dict=tmp_path / "p.pth")
    assert not (tmp_path / "sprung").exists()


def test_files_that_grow_are_refused(trained, tmp_path):
    torch.save(trained.state_dict(), tmp_path / "good.pth")
    with (
        zipfile.ZipFile(tmp_path / "good.pth") as good,
        zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in good.namelist():
            bomb.writestr(name, good.read(name) + bytes(1 << 20) * name.endswith("data/0"))
    with pytest.raises(ModelError, match="must not be compressed or overlap"):
        read_model(net(), state_dict=tmp_path / "bomb.pth")


def test_no_file(tmp_path):
    with pytest.raises(ModelError, match=r"no file .*gone\.pth"):
        read_model(net(), state_dict=tmp_path / "gone.pth")
