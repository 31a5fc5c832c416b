"""Every warning names the line of the user, however deep in eie it arises."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="compressing reads torch models")
from torch import nn  # noqa: E402

import eie  # noqa: E402
from eie.hls.boundary.errors import (  # noqa: E402
    BeyondBoardWarning,
    EieWarning,
    KeptDensityWarning,
    LossWarning,
    SaturationWarning,
    UncalibratedWarning,
    UnderflowWarning,
)
from eie.host.flow.flow import Flow  # noqa: E402

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class World:
    """What the calls below work on."""

    folder: Path
    model: nn.Module
    x: np.ndarray
    acc: eie.AcceleratedModel
    #: Beyond its board, and large enough for the network.
    large: eie.Design

    def glitch(self) -> np.ndarray:
        """The samples often, with a value far beyond the others once."""
        x = np.tile(self.x, (50, 1))
        x[3, 2] = 1e5
        return x

    def flow(self, **keywords) -> Flow:
        """A flow of the model as a program."""
        example = (torch.zeros(1, 16),)
        path = self.folder / "model.pt2"
        if not path.exists():
            torch.export.save(torch.export.export(self.model, example), path)
        return Flow(path, "pynq-z2", self.folder / "flow", **keywords)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 5)).eval()
    x = np.random.default_rng(0).normal(size=(20, 16)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EieWarning)
        acc = eie.convert(model, board="pynq-z2", density=0.6, calibration=x)
    large = eie.Design(pes=256, entries_per_pe=8192, board="pynq-z2")
    return World(tmp_path_factory.mktemp("world"), model, x, acc, large)


def small_weights() -> nn.Module:
    model = nn.Sequential(nn.Linear(16, 12))
    with torch.no_grad():
        model[0].weight[:6] *= 1e-9
    return model


def on_emulated_board(world: World) -> object:
    board = eie.EmulatedBoard("pynq-z2", lambda: eie.Emulator(world.acc.design))
    with board, eie.Accelerator(board.bitfile) as accelerator:
        accelerator.load(world.acc.network)
        return accelerator.run(world.x * 1e4)


def replaced_project(world: World) -> object:
    eie.generate(replace(world.acc.design, board="kv260"), world.folder / "project")
    return eie.generate(world.acc.design, world.folder / "project")


def edited_project(world: World) -> object:
    project = eie.generate(eie.Design(pes=1), world.folder / "edited")
    (project / "kernel" / "more.cpp").write_text("int more;\n")
    try:
        return eie.CompiledKernel(project).close()
    except eie.EieError:
        return None


def flow_twice(world: World) -> object:
    list(world.flow(inputs=world.x).run())
    return list(world.flow(inputs=world.x).run())  # kept, and still true


CALLS: dict[str, tuple[type[Warning], Callable[[World], object]]] = {
    "convert, pruned": (LossWarning, lambda w: eie.convert(w.model, calibration=w.x)),
    "convert, no data": (UncalibratedWarning, lambda w: eie.convert(w.model)),
    "convert, softmax": (
        EieWarning,
        lambda w: eie.convert(
            nn.Sequential(w.model, nn.Softmax(1)), density=1.0, calibration=w.x
        ),
    ),
    "convert, glitch": (
        SaturationWarning,
        lambda w: eie.convert(w.model, density=1.0, calibration=w.glitch()),
    ),
    "convert, small weights": (
        UnderflowWarning,
        lambda w: eie.convert(small_weights(), density=1.0, calibration=w.x),
    ),
    "convert, sparse": (
        KeptDensityWarning,
        lambda w: eie.convert(sparse(), calibration=w.x),
    ),
    "compress": (LossWarning, lambda w: eie.compress(w.model, calibration=w.x)),
    "predict": (SaturationWarning, lambda w: w.acc.predict(w.x * 1e4)),
    "predict, single": (SaturationWarning, lambda w: w.acc.predict(w.x[0] * 1e4)),
    "predict, board": (EieWarning, lambda w: eie.convert(
        w.acc.network, design=w.acc.design).predict(w.x, "board")),
    "predict, beyond board": (BeyondBoardWarning, lambda w: eie.convert(
        w.acc.network, design=w.large).predict(w.x)),
    "evaluate": (SaturationWarning, lambda w: w.acc.evaluate(w.x * 1e4)),
    "compare": (SaturationWarning, lambda w: w.acc.compare(w.x * 1e4)),
    "trace": (SaturationWarning, lambda w: w.acc.trace(w.x * 1e4)),
    "quantize_inputs": (SaturationWarning, lambda w: eie.quantize_inputs(w.acc.network, w.x * 1e4)),
    "emulate": (SaturationWarning, lambda w: eie.emulate(w.acc.network, w.acc.design, w.x * 1e4)),
    "simulate": (SaturationWarning, lambda w: eie.simulate(
        w.acc.network, w.acc.design, eie.Emulator(w.acc.design), w.x * 1e4)),
    "Accelerator.run": (SaturationWarning, on_emulated_board),
    "generate, beyond board": (
        BeyondBoardWarning, lambda w: eie.generate(w.large, w.folder / "large")),
    "generate, other board": (EieWarning, replaced_project),
    "CompiledKernel": (EieWarning, edited_project),
    "build": (BeyondBoardWarning, lambda w: built(w)),
    "package": (BeyondBoardWarning, lambda w: eie.convert(
        w.acc.network, design=w.large).package(w.folder / "p.zip")),
    "flow": (LossWarning, flow_twice),
    "flow, step by step": (LossWarning, lambda w: next(w.flow(inputs=w.x).run())),
}  # fmt: skip


def sparse() -> nn.Module:
    model = nn.Sequential(nn.Linear(16, 12))
    eie.prune_linears(model, 0.3)
    return model


def built(world: World) -> object:
    try:
        return eie.convert(world.acc.network, design=world.large).build(world.folder / "built")
    except eie.EieError:  # no Vitis here
        return None


@pytest.mark.parametrize("name", CALLS)
def test_it_names_the_users_line(name, world, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))  # no g++, no Vitis: nothing is compiled
    category, call = CALLS[name]
    with pytest.warns(EieWarning) as caught:
        call(world)
    told = [each for each in caught if issubclass(each.category, EieWarning)]
    assert category in {each.category for each in told}
    assert {each.filename for each in told} == {__file__}


def test_the_command_line_is_no_user(world, monkeypatch, capsys):
    """What eie calls itself is one line on standard error."""
    from eie.host.cli.main import main

    monkeypatch.chdir(world.folder)
    world.acc.save(world.folder)
    np.save("x.npy", world.x * 1e4)
    assert main(["emulate", "network.npz", "--inputs", "x.npy", "--outputs", "y.npy"]) == 0
    assert capsys.readouterr().err.startswith("eie: ")


def test_all_of_them_go_that_way():
    """A fixed ``stacklevel`` would be right for one depth alone."""
    sources = [*(ROOT / "hls").rglob("*.py"), *(ROOT / "host").rglob("*.py")]
    by_hand = {
        path.relative_to(ROOT).as_posix()
        for path in sources
        if "warnings.warn(" in path.read_text(encoding="utf-8")
    }
    assert by_hand == {"hls/boundary/warning.py"}
