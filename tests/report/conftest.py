"""Reports of a few kinds of networks, and a browser to look at them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium.fixture import browser  # noqa: F401

from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.network.loss_record import (
    METADATA_KEY,
    CutValue,
    ErrorFigures,
    LayerLoss,
    LossRecord,
    StageLoss,
)
from eie.host.report import EngineAgreement, Report, make_report
from eie.host.run.batch import emulate
from eie.host.search.fit import fit

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Evaluated:
    """Stands for an evaluation."""

    vectors: int = 200
    classes: int | None = 10
    float_correct: int | None = 197
    correct: int | None = 196
    same_class: int | None = 199
    rms_error: float | None = 0.0123


@dataclass(frozen=True)
class ComparedLayer:
    name: str
    rms_error: float
    largest_error: float = 0.125
    low: float = 0.0
    high: float = 7.25


@dataclass(frozen=True)
class Compared:
    layers: tuple[ComparedLayer, ...]
    vectors: int = 200


LOSS = LossRecord(
    vectors=100,
    error=ErrorFigures(rms=0.04, median=0.03, worst=0.2, worst_vector=7),
    stages=(StageLoss("pruning", 0.028, 0.17), StageLoss("saturation", 0.0, 0.01)),
    layers=(
        LayerLoss("layer0", 9, 2, 2, 0, 1.0, 0, 0, saturated=3),
        LayerLoss("layer1", 9, 0, 0, 0, 1.0, 0, 0, saturated=0),
    ),
    inputs_saturated=5,
    largest_cut=(CutValue(0, 1, 9.0),),
    features_zeroed=(3,),
    features_coarse=(),
)


def inputs_of(network: Network, count: int) -> np.ndarray:
    random = np.random.default_rng(1)
    codes = random.integers(0, 900, (count, network.inputs))
    return (codes * (random.random(codes.shape) < 0.5)).astype(np.int16)


@pytest.fixture(scope="session")
def report_on() -> Callable[..., Report]:
    """Run a network on a design, a batch and one vector, and report it."""

    def make(network: Network, design: Design, *, vectors: int = 6, **others: Any) -> Report:
        codes = inputs_of(network, vectors)
        return make_report(
            network=network,
            design=design,
            run=emulate(network, design, codes),
            single=emulate(network, design, codes[:1]),
            **others,
        )

    return make


@pytest.fixture(scope="session")
def full(random_network, report_on) -> Report:
    """Everything is known."""
    network = random_network(60, 100, 40, 10, density=0.2)
    network = replace(network, metadata={"model": "LeNet", METADATA_KEY: LOSS.as_text()})
    chosen = fit(network, "pynq-z2")
    return report_on(
        network,
        chosen.design,
        fit=chosen,
        evaluation=Evaluated(),
        comparison=Compared(tuple(ComparedLayer(each.name, 0.01) for each in network.layers)),
        agreement=[EngineAgreement("generated C++", 6, 60, 60)],
    )


@pytest.fixture(scope="session")
def bare(random_network) -> Report:
    """Nothing is known but the network, and there is no board."""
    network = random_network(13, 40, 1, density=0.5)
    return make_report(network=network, design=fit(network).design)


@pytest.fixture(scope="session")
def deep(random_network, report_on) -> Report:
    """Twenty layers of long names."""
    network = random_network(40, *[48] * 19, 10, density=0.1)
    layers = tuple(
        replace(layer, name=f"encoder.blocks.{number}.{'feed_forward_projection.' * 8}linear")
        for number, layer in enumerate(network.layers)
    )
    network = replace(network, layers=layers)
    return report_on(network, fit(network, "kv260").design, vectors=3)


@pytest.fixture(scope="session")
def in_passes(random_network, report_on, roomy) -> Report:
    """A network larger than the chip: its first layer alone takes several passes."""
    network = random_network(50, 200, 30, density=0.3)
    return report_on(network, roomy(4, entries_per_pe=512, rows_per_pe=64, biases_per_pe=64))


@pytest.fixture(scope="session")
def hostile(random_network, report_on) -> Report:
    """Names and texts that try to get out of their place."""
    network = random_network(20, 30, 5)
    names = (
        '"><script>alert(1)</script>',
        "</style></title>&lt;b onload='x'>{{ 7*7 }}\x00\u202e\ud800",
    )
    network = replace(
        network,
        layers=tuple(
            replace(layer, name=name) for layer, name in zip(network.layers, names, strict=True)
        ),
        metadata={"<img src=x onerror=alert(1)>": "https://example.org/<svg/onload=alert(2)>"},
    )
    return report_on(
        network, fit(network, "pynq-z2").design, title="<h1>'\"&amp;</title><script>", vectors=2
    )


REPORTS = ("full", "bare", "deep", "in_passes", "hostile")


@pytest.fixture(params=REPORTS)
def report(request: pytest.FixtureRequest) -> Report:
    """Each of them."""
    found: Report = request.getfixturevalue(request.param)
    return found
