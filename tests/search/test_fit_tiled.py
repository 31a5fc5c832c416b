"""Designs for networks in passes, where something is fixed or unusual."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from eie.host.network import Network
from eie.host.run.batch import emulate
from eie.host.search.fit import fit


@pytest.fixture(scope="module")
def network(random_network) -> Network:
    """Too large for a PYNQ-Z2, with as many columns as a block RAM holds pointers."""
    return random_network(2048, 600, density=0.5, magnitude=200)


@pytest.mark.parametrize("fixed", [{"pointers_per_pe": 2050}, {"length_bits": 0}])
def test_plain_pointers_run_in_passes_too(fixed, network):
    """2050 pointers are no whole words of compact ones; a plain layer takes one for its end."""
    found = fit(network, "pynq-z2", passes=True, pes=4, **fixed)
    assert found.in_passes
    assert {name: getattr(found.design, name) for name in fixed} == fixed
    assert found.design.length_bits == 0
    report = emulate(network, found.design, np.ones((1, 2048), np.int16)).report
    assert report.passes == found.in_passes[0].passes


def test_a_layer_without_weights_runs_in_passes_too(network):
    none = dataclasses.replace(
        network.layers[0],
        name="none",
        columns=600,
        rows=20,
        indptr=np.zeros(601, np.int64),
        indices=np.zeros(0, np.int32),
        codes=np.zeros(0, np.uint8),
        bias=np.zeros(20, np.int64),
    )
    both = Network(
        (*network.layers, none), np.zeros((0, 2048), np.int16), np.zeros((0, 20), np.int16)
    )
    assert fit(both, "pynq-z2", passes=True, pes=4).in_passes
