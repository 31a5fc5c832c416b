"""Views of a few kinds of designs and networks, and a browser to look at them."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from chromium.fixture import browser  # noqa: F401

from eie.hls.spec.dataflow import Process, Stream, Wiring, wire
from eie.hls.spec.design import Design
from eie.host.view import View, view, view_example
from eie.host.view.pictures import PICTURES
from eie.host.view.svg import Drawing


def design_of(pes: int, **others: Any) -> Design:
    return Design(pes=pes, **{"board": "zcu104", "length_bits": 5, **others})


def in_passes(make: Callable[..., Any]) -> View:
    """A layer that takes several passes."""
    design = design_of(4, entries_per_pe=512, rows_per_pe=64, biases_per_pe=64, memory="uram")
    return view(design, make(50, 200, 30), layer=1)


def hostile(make: Callable[..., Any]) -> View:
    """A name that tries to get out of its place."""
    network = make(20, 30, 5)
    names = ('</script><script>alert(1)</script>{{ 7*7 }}"\u202e', "<b onload='x'>")
    layers = [replace(each, name=name) for each, name in zip(network.layers, names, strict=True)]
    return view(design_of(2), replace(network, layers=tuple(layers)))


#: By name: what makes it of a maker of random networks.
VIEWS: dict[str, Callable[[Callable[..., Any]], View]] = {
    "example": lambda make: view_example(),
    "lone": lambda make: view(design_of(1), make(20, 12, 4)),
    # Few places in the queues, so that the broadcast waits, and large numbers.
    "eight": lambda make: view(
        design_of(8, queue_depth=2), make(60, 48, density=0.5, magnitude=30000)
    ),
    "large": lambda make: view(
        design_of(64, queue_depth=32), make(300, 500, density=0.3, golden=1)
    ),
    "in_passes": in_passes,
    "hostile": hostile,
    "alone": lambda make: view(design_of(256, queue_depth=256, result_depth=80, board="none")),
}


@pytest.fixture(scope="session")
def views(random_network) -> dict[str, View]:
    """Each of them."""
    return {name: make(random_network) for name, make in VIEWS.items()}


@pytest.fixture(params=VIEWS)
def shown(request: pytest.FixtureRequest, views: dict[str, View]) -> View:
    """One after the other."""
    return views[request.param]


@pytest.fixture(scope="session")
def make_pictures() -> ModuleType:
    """The command that draws docs/images/*.svg."""
    path = Path(__file__).parents[2] / "docs" / "make_pictures.py"
    spec = importlib.util.spec_from_file_location("make_pictures", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def drawings(make_pictures: ModuleType) -> dict[str, Drawing]:
    """The documentation's pictures."""
    network = make_pictures.network()
    return {name: draw(make_pictures.DESIGN, network) for name, draw in PICTURES.items()}


def _with_cells(design: Design, of_pes: bool) -> Wiring:
    """A wiring with a process between results and what takes them, and a way back from it.

    In every PE, or as one behind the gather tree.
    """
    wiring = wire(design)
    (collect,) = (each for each in wiring.processes if each.function == "collect")
    root = next(read for read in collect.reads if "[" in read)
    old = "results" if of_pes else root.split("[")[0]
    element = next(stream.element for stream in wiring.streams if stream.name == old)
    added = [
        Stream("states", element, "kStreamDepth", design.pes if of_pes else None, "of cells"),
        Stream("gates", "Answer", "kStreamDepth", None, "of the next step"),
    ]
    takers = "gather" if of_pes else "collect"

    def renamed(name: str) -> str:
        if name.split("[")[0] != old:
            return name
        return name.replace(old, "states") if of_pes else "states"

    processes = []
    for process in wiring.processes:
        reads = process.reads
        if process.function.startswith(takers):
            reads = tuple(map(renamed, reads))
        if process.function == "control_activations":
            reads = (*reads, "gates")
        processes.append(dataclasses.replace(process, reads=reads))
    for number in range(design.pes if of_pes else 1):
        writes = (f"states[{number}]" if of_pes else "states", *(["gates"] if number == 0 else []))
        function = f"cell<{number}>" if of_pes else "cell"
        processes.append(Process(function, (f"{old}[{number}]",), writes, ()))
    return Wiring((*wiring.streams, *added), tuple(processes))


@pytest.fixture(scope="session")
def with_cells() -> Callable[[Design, bool], Wiring]:
    """Make a wiring that has a process more than today's."""
    return _with_cells
