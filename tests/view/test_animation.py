"""What the player gets is what the model says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from eie.hls.boundary.errors import DoesNotFitError, InputError
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.run.batch import emulate
from eie.host.view import view
from eie.host.view.animation import CYCLES, MATRIX_SIDE, PES
from eie.host.view.example import example_design, example_input, example_network


def test_the_example_is_the_papers(views):
    """Figure 3: relative row indices and column pointers of PE 0."""
    from eie.host.packing.packer import pack

    packed = pack(example_network(), example_design(), assignment="natural")
    encoded = packed.layers[0].encoded
    assert encoded.pointers[0].tolist() == [0, 3, 4, 6, 6, 8, 10, 11, 13]
    zeros = encoded.entries[:13] & 15
    assert zeros.tolist() == [0, 1, 0, 1, 0, 2, 0, 0, 0, 2, 0, 2, 0]
    data = views["example"].animation.data
    first = [[entry for entry in pe["entries"] if entry[1] == 0] for pe in data["pes"]]
    rows = [
        [pe["rows"][entry[4]][0] for entry in of_pe]
        for pe, of_pe in zip(data["pes"], first, strict=True)
    ]
    # Section III.C: column 2 has W0,2 and W12,2 in PE 0, none in PE 1.
    assert rows == [[0, 12], [], [2, 14], [11, 15]]


def test_results_are_the_emulators(views):
    network, design = example_network(), example_design()
    expected = emulate(network, design, example_input()[None]).outputs[0]
    found = {row[0]: row[3] for pe in views["example"].animation.data["pes"] for row in pe["rows"]}
    assert [found[row] for row in range(network.outputs)] == expected.tolist()


@pytest.mark.parametrize("name", ["example", "lone", "eight", "in_passes", "hostile"])
def test_sums_and_results_agree(name, views):
    """What the player adds up, with bias and write-back, is what it shows as the result."""
    data = views[name].animation.data
    for pe in data["pes"]:
        sums = [row[1] for row in pe["rows"]]
        for _, _, code, _, row, product in pe["entries"]:
            sums[row] += product if code else 0
        for total, (name, _, _, result) in zip(sums, pe["rows"], strict=True):
            if name < 0:
                continue
            total = max(total, 0) if data["relu"] else total
            rounded = (total + (1 << data["shift"] >> 1)) >> data["shift"]
            assert min(max(rounded, -32768), 32767) == result


def test_what_is_too_large_is_cut_and_said(views):
    large = views["large"].animation
    assert (large.played, large.shown) == (CYCLES, PES)
    assert large.cycles > CYCLES
    assert not large.data["matrix"]
    assert large.inputs > MATRIX_SIDE
    assert len(large.limits) == 3
    assert max(entry[0] for pe in large.data["pes"] for entry in pe["entries"]) < CYCLES
    assert len(json.dumps(large.data)) < 1_000_000
    assert "pass" in " ".join(views["in_passes"].animation.limits)
    assert views["example"].animation.limits == ()


@pytest.mark.parametrize("layer", [0, 1])
def test_every_layer_of_a_network_in_passes(layer, random_network):
    network = random_network(50, 200, 30)
    design = Design(pes=4, entries_per_pe=512, rows_per_pe=64, biases_per_pe=64)
    made = view(design, network, layer=layer).animation
    assert (made.inputs, made.passes > 1) == (network.layers[layer].columns, True)
    if layer == 1:
        codes = np.random.default_rng(0)
        values = codes.integers(1, 256, 50)
        inputs = (values * (codes.random(50) < 0.4)).astype(np.int16)
        expected = emulate(network, design, inputs[None]).outputs[0]
        found = {row[0]: row[3] for pe in made.data["pes"] for row in pe["rows"]}
        assert [found[row] for row in range(30)] == expected.tolist()


def test_inputs_of_the_user(random_network):
    network = random_network(6, 16, golden=1)
    design = Design(pes=2)
    one = view(design, network, inputs=[0.0, 0.5, 0.0, 0.0, -1.0, 0.0])
    assert one.animation.active == 2
    assert sorted(
        token["value"] for token in one.animation.data["tokens"] if token["input"] >= 0
    ) == [-256, 128]
    batch = view(design, network, inputs=np.zeros((3, 6), np.int16))
    assert batch.animation.active == 0
    golden = view(design, network)
    assert "golden" in golden.animation.origin


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": 1}, "layer must be 0 to 0, as the network has 1 layer, not 1"),
        ({"layer": -1}, "not -1"),
        ({"inputs": np.zeros((1, 7))}, "must have"),
        ({"inputs": np.zeros((0, 6))}, "at least one vector, not 0"),
        ({"inputs": [np.nan] * 6}, "finite"),
    ],
)
def test_what_does_not_belong_together_is_refused(options, message, random_network):
    with pytest.raises(InputError, match=message):
        view(Design(pes=2), random_network(6, 16), **options)


def test_a_network_that_does_not_fit_is_refused(random_network):
    with pytest.raises(DoesNotFitError, match="pointers_per_pe"):
        view(Design(pes=2, pointers_per_pe=4), random_network(60, 16))


def test_nothing_to_play_without_a_network():
    with pytest.raises(InputError, match="must be given with a network"):
        view(Design(pes=2), layer=1)


def test_of_a_recurrent_network_what_gives_its_own_results(recurrent_network, recurrent_design):
    steps = np.random.default_rng(0).integers(-4000, 4000, (3, 5)).astype(np.int16)
    played = view(recurrent_design, recurrent_network, inputs=steps).animation
    assert (played.number, played.name) == (2, "layer2")
    # In the state that the steps before leave.
    expected = emulate(recurrent_network, recurrent_design, steps, outputs="last").outputs
    found = {row[0]: row[3] for pe in played.data["pes"] for row in pe["rows"]}
    assert [found[row] for row in range(3)] == expected.tolist()
    for layer in (0, 1):
        with pytest.raises(InputError, match=f"own sums to the next one, which layer {layer}, "):
            view(recurrent_design, recurrent_network, layer=layer)
    alone = Network(recurrent_network.layers[:2])
    shown = view(recurrent_design, alone)
    assert shown.animation is None
    assert "fill-picture" in shown.as_html()
