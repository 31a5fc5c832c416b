"""Rows are dealt by the work that calibration expects, and nothing else changes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from eie.hls.boundary.errors import DoesNotFitError
from eie.hls.model.emulator import Emulator
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.packing.packed_network import PackedNetwork
from eie.host.packing.packer import pack, unpack
from eie.host.packing.row_assignment import assign_rows
from eie.host.protocol.client import Session
from eie.host.search.fit import fit

PES = 8


def known(network: Network, seed: int = 0) -> Network:
    """The network with an activity that differs much between inputs."""
    random = np.random.default_rng(seed)
    layers = (
        dataclasses.replace(layer, activity=random.beta(0.3, 0.6, layer.columns).astype(np.float32))
        for layer in network.layers
    )
    return dataclasses.replace(network, layers=tuple(layers))


def expected_work(packed: PackedNetwork, number: int, activity: np.ndarray) -> np.ndarray:
    """Entries that each PE meets in a layer, on average: shape (pes,)."""
    part = packed.layers[number]
    by_place = np.zeros(len(activity))
    by_place[part.slot_of_column] = activity
    return part.encoded.lengths() @ by_place


@pytest.fixture(scope="module")
def network(random_network) -> Network:
    return random_network(90, 120, 60, density=0.25)


def test_expected_work_is_evened_out_in_every_layer(network, roomy):
    design = roomy(PES, index_bits=8)
    by_activity, by_count = pack(known(network), design), pack(network, design)
    for number, layer in enumerate(known(network).layers):
        after, before = (
            expected_work(packed, number, layer.activity) for packed in (by_activity, by_count)
        )
        excess = after.max() / after.mean() - 1
        assert 2 * excess < before.max() / before.mean() - 1
        slots = by_activity.layers[number].slot_of_row
        assert np.array_equal(slots, assign_rows(layer, PES, "balanced", layer.activity))


@pytest.mark.parametrize("assignment", ["natural", "counted", "balanced"])
def test_the_network_and_its_outputs_stay_the_same(assignment, network, roomy, reference):
    full, design = known(network), roomy(PES)
    packed = pack(full, design, assignment=assignment)
    assert unpack(packed) == full
    assert pack(full, design, assignment=assignment).load_packet() == packed.load_packet()
    inputs = np.random.default_rng(2).integers(-900, 900, (5, 90)).astype(np.int16)
    outputs = Session(Emulator(design), packed).run(inputs)
    assert np.array_equal(outputs, reference(network, inputs))


def test_a_design_without_room_for_it_is_packed_as_if_nothing_were_known(network, roomy):
    full = known(network)
    entries = [
        int((part.layers[-1].entry_base + np.diff(part.layers[-1].encoded.pe_starts)).max())
        for part in (pack(network, roomy(PES)), pack(full, roomy(PES)))
    ]
    assert entries[0] + 8 < entries[1]
    tight: Design = roomy(PES, entries_per_pe=-(-entries[0] // 8) * 8)
    assert pack(full, tight).load_packet() == pack(network, tight).load_packet()
    with pytest.raises(DoesNotFitError, match=f"needs {entries[0]}, holds"):
        pack(full, roomy(PES, entries_per_pe=entries[0] // 8 * 8 - 8))
    given = {"pes": PES, "index_bits": 4, "entries_per_pe": tight.entries_per_pe}
    assert fit(full, **given).design == fit(network, **given).design
    on_board = fit(full, "zcu104", **given)
    assert pack(full, on_board.design).load_packet()
    assert on_board.design == fit(network, "zcu104", **given).design
