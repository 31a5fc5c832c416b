"""What layers take and add to: the graph of a network, refused where it is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eie.hls.boundary.errors import InputError
from eie.hls.spec.fixed_point import WriteBack
from eie.host.network import INPUT, Layer, Network

CODEBOOK = np.arange(16, dtype=np.int16)


def layer(name: str, columns: int, rows: int, **fields: Any) -> Layer:
    codes = np.ones((rows, columns), np.uint8)
    fracs = {"input_frac": 8, "weight_frac": 12, "output_frac": 8}
    if fields.get("accumulate"):
        fracs["output_frac"] = 20
    return Layer.from_dense_codes(name, codes, codebook=CODEBOOK, **{**fracs, **fields})


def residual() -> list[Layer]:
    """``x + W_b f(W_a x)``, then another layer."""
    return [
        layer("a", 6, 5, activation="relu"),
        layer("b", 5, 6, accumulate=True),
        layer("x", 6, 6, source=INPUT, low=-7, high=9),
        layer("out", 6, 3),
    ]


def lstm() -> list[Layer]:
    """An LSTM of 2 units, and a layer on its results."""
    return [
        layer("ih", 6, 8, accumulate=True, input_frac=15, output_frac=27),
        layer("hh", 2, 8, activation="lstm", input_frac=15, output_frac=15, source=1),
        layer("out", 2, 3, input_frac=15),
    ]


def test_chains_and_what_they_hold():
    plain, added, steps = (Network(tuple(x)) for x in (residual()[3:], residual(), lstm()))
    assert plain.chains == (range(1),)
    assert (plain.held, plain.recurrent) == ((), False)
    assert added.chains == (range(1), range(1, 3), range(3, 4))
    assert (added.held, added.recurrent) == ((INPUT,), False)
    assert steps.chains == (range(2), range(2, 3))
    assert (steps.held, steps.recurrent, steps.outputs) == ((1,), True, 3)
    assert steps.layers[1].results == 2
    assert repr(added) == "<Network 6-5-6-3, 114 weights>"


def test_write_back_is_what_the_layer_says():
    assert residual()[2].write_back == WriteBack(12, -7, 9)
    assert layer("y", 2, 2, activation="relu", high=5).write_back == WriteBack(12, 0, 5)
    leaky = layer("y", 2, 2, activation="leaky_relu", slope=77, half_even=True)
    assert leaky.write_back == WriteBack(12, slope=77, half_even=True)
    # A table takes 11 fraction bits, whatever it gives.
    assert lstm()[1].write_back == WriteBack(27 - 11)
    assert layer("y", 2, 2, activation="tanh", output_frac=15).write_back == WriteBack(20 - 11)
    assert residual()[1].shift == 0


def test_the_summary_says_what_layers_take():
    table = str(Network(tuple(residual())).summary())
    assert [line.split()[:3] for line in table.splitlines()[1:6]] == [
        ["layer", "takes", "size"],
        ["a", "the", "input"],
        ["b", "a", "5"],
        ["x", "the", "input"],
        ["out", "x", "6"],
    ]
    assert "adds to the next" in table
    assert "none, -0.0273438 to 0.0351562" in table
    assert "itself, a step before" in str(Network(tuple(lstm())))


@pytest.mark.parametrize("make", [residual, lstm])
def test_a_file_of_them_is_version_3_and_says_only_what_is_not_usual(make, tmp_path):
    network = Network(tuple(make()))
    path = tmp_path / "net.npz"
    network.save(path)
    assert Network.load(path) == network
    header = _header(path)
    assert header["version"] == 3
    assert len(header["layers"][0]) == (7 if make is residual else 8)
    scaled = replace(network, feature_fracs=np.arange(network.inputs))
    scaled.save(path)
    assert Network.load(path) == scaled


def test_a_file_that_needs_less_is_of_the_version_before(tmp_path):
    path = tmp_path / "net.npz"
    for last, version in (
        (layer("out", 6, 3, activation="relu"), 1),
        (layer("out", 6, 3, activation="sigmoid", output_frac=15), 3),
        (layer("out", 6, 3, half_even=True), 3),
        (layer("out", 6, 3, low=0), 3),
    ):
        Network((last,)).save(path)
        assert _header(path)["version"] == version


def _header(path: Path) -> dict[str, Any]:
    with np.load(path) as archive:
        header: dict[str, Any] = json.loads(archive["header"].tobytes())
    return header


@pytest.mark.parametrize(
    ("make", "index", "changes", "message"),
    [
        (residual, 0, {"source": INPUT}, "layer 'a' is the first and must take what arrives"),
        (residual, 2, {"source": None}, "layer 'x' must have a source: layer 'b' before it accum"),
        (residual, 2, {"source": 3}, "layer 'x' must have a source from -1 to 2, .* not 3"),
        (residual, 2, {"source": 2}, "layer 'x' must be an LSTM or a GRU to take its own"),
        (residual, 3, {"source": 1}, "must not take the results of layer 'b', which accumulates"),
        (residual, 2, {"source": 0}, "layer 'x' takes 6 inputs, but layer 'a' gives 5"),
        (residual, 2, {"input_frac": 9}, "layer 'x' reads 9 .* but the network writes 8"),
        (residual, 2, {"input_frac": 9}, "layer 'b' must have 21 for input_frac.* not 20"),
        (residual, 3, {"input_frac": 9}, "layer 'out' reads 9 .* but layer 'x' writes 8"),
        (residual, 3, {"source": INPUT}, "layer 'x' gives results that no layer takes"),
        (lstm, 1, {"source": INPUT}, "layer 'hh' is an LSTM or a GRU and must take its own"),
        (lstm, 2, {"source": 2}, "layer 'out' must be an LSTM or a GRU to take its own"),
    ],
)
def test_a_graph_that_is_none_is_refused(make, index, changes, message):
    layers = make()
    layers[index] = replace(layers[index], **changes)
    with pytest.raises(InputError, match=message):
        Network(tuple(layers))


def test_sums_without_an_end_are_refused():
    a, b, *_ = residual()
    with pytest.raises(InputError, match="layer 'b' is the last and must not accumulate"):
        Network((a, b))
    narrow = layer("x", 6, 5, source=INPUT)
    with pytest.raises(InputError, match="layer 'b' must have 5 rows, as layer 'x', whose sums"):
        Network((a, b, narrow))
    lonely = layer("s", 2, 4, activation="lstm", input_frac=15, output_frac=15, source=0)
    with pytest.raises(InputError, match="layer 's' is the first"):
        Network((lonely,))
