"""A folder with one file of each kind, and the command line called in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.cli.main import main
from eie.host.project.generate import generate


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture(scope="session")
def originals(tmp_path_factory, random_network) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    # Small enough that nothing saturates.
    network = random_network(20, 30, 10, golden=2, magnitude=300)
    network.save(folder / "net.npz")
    inputs = np.random.default_rng(0).normal(size=(3, 20))
    np.save(folder / "x.npy", inputs)
    Design(pes=2, queue_depth=4, entries_per_pe=512).save(folder / "design.toml")
    generate(Design.load(folder / "design.toml"), folder / "project")
    return folder


@pytest.fixture
def folder(originals, tmp_path, monkeypatch) -> Path:
    """The current folder: net.npz, x.npy, design.toml and project/."""
    shutil.copytree(originals, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def eie(folder, capsys) -> Callable[..., Ended]:
    """Call the command line: ``eie("info net.npz")``, or with a word for each argument."""

    def call(*arguments: object) -> Ended:
        words = arguments[0].split() if len(arguments) == 1 else [str(word) for word in arguments]
        capsys.readouterr()
        try:
            status = main(words)
        except SystemExit as ended:  # as argparse ends
            status = ended.code
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err)

    return call


def contents(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def board_on_an_emulator(monkeypatch) -> None:
    """An emulator in place of every compiled kernel, which needs no compiling."""

    class Kernel(Emulator):
        def __init__(self, project: Path) -> None:
            super().__init__(Design.load(project / "design.toml"))

        def __enter__(self) -> Kernel:
            return self

        def __exit__(self, *_: object) -> None:
            self.close()

    for place in ("eie.hls.tools.compiled_kernel", "eie.host.flow.engines"):
        monkeypatch.setattr(f"{place}.CompiledKernel", Kernel)


@pytest.fixture
def refused(eie, folder) -> Callable[..., str]:
    """Call a command that must be refused; gives the message.

    It must end with status 2 and one readable message, and leave every file as it was.
    """

    def call(*arguments: object) -> str:
        before = contents(folder)
        ended = eie(*arguments)
        assert ended.status == 2
        assert "Traceback" not in ended.err
        # argparse says how a command is used first.
        usage, _, message = ended.err.rpartition("eie: " if ended.err[:5] == "eie: " else "error: ")
        assert message.strip()
        assert usage == "" or usage.startswith("usage: eie")
        after = contents(folder)
        assert after.keys() == before.keys()
        assert after == before
        return message.strip()

    return call
