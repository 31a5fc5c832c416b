"""The stand-in, simulated once for all tests, and a dataflow region in the shape of Vitis HLS."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from eie.hls.tools.rtl.exchanges import Exchange, exchanges_of
from eie.hls.tools.rtl.simulator import Simulation, Simulator, SimulatorMissing
from eie.hls.tools.rtl.sources import RtlSources, rtl_folder

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def standin() -> ModuleType:
    """The module of that name."""
    spec = importlib.util.spec_from_file_location("rtl_standin", HERE / "standin.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def synthesised(standin, tmp_path_factory) -> Path:
    """A project with the stand-in for RTL; to be left as it is."""
    return standin.make_project(tmp_path_factory.mktemp("rtl") / "project")


@pytest.fixture
def project(synthesised, tmp_path) -> Path:
    """The same, to change."""
    return shutil.copytree(
        synthesised, tmp_path / "project", ignore=lambda folder, names: {"rtl"} & set(names)
    )


@pytest.fixture(scope="session")
def exchanges(standin, synthesised) -> list[Exchange]:
    return exchanges_of(synthesised, standin.STANDIN)


@pytest.fixture(scope="session")
def simulator() -> Simulator:
    try:
        return Simulator.find()
    except SimulatorMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def simulation(simulator, synthesised, tmp_path_factory) -> Simulation:
    """The stand-in, compiled once: faults are chosen when it runs."""
    sources = RtlSources.load(rtl_folder(synthesised))
    return simulator.build(sources, tmp_path_factory.mktemp("simulation"))


@pytest.fixture
def refused() -> Callable[..., str]:
    """Call something that must raise, and give the message."""

    def call(kind: type[Exception], function: Callable[..., object], *arguments: object) -> str:
        with pytest.raises(kind) as caught:
            function(*arguments)
        return str(caught.value)

    return call


@pytest.fixture(scope="session")
def region() -> ModuleType:
    """The module of that name."""
    spec = importlib.util.spec_from_file_location("rtl_region", HERE / "region.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for it there
    spec.loader.exec_module(module)
    return module
