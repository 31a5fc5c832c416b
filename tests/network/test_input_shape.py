from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from eie.hls.boundary.errors import InputError, NetworkFileError
from eie.host.network import Network


def with_shape(network: Network, text: str) -> Network:
    return dataclasses.replace(network, metadata={"input_shape": text})


def test_the_models_own_shape(random_network, tmp_path):
    plain = random_network(12, 3)
    network = with_shape(plain, "1x3x4")
    assert (plain.input_shape, network.input_shape) == ((12,), (1, 3, 4))
    network.save(tmp_path / "net.npz")
    assert Network.load(tmp_path / "net.npz").input_shape == (1, 3, 4)
    codes = np.arange(24, dtype=np.int16).reshape(2, 1, 3, 4)
    assert np.array_equal(network.check_inputs(codes), codes.reshape(2, 12))
    assert np.array_equal(network.check_inputs(codes.reshape(2, 12)), codes.reshape(2, 12))
    for wrong in (codes[0], codes[:, 0], codes.reshape(2, 3, 4, 1)):
        with pytest.raises(InputError, match=r"\(batch, 12\) or \(batch, 1, 3, 4\), not"):
            network.check_inputs(wrong)
    with pytest.raises(InputError, match=r"\(batch, 12\), not \(2, 1, 3, 4\)"):
        plain.check_inputs(codes)


@pytest.mark.parametrize(
    "text", ["", "13", "12x", "x12", "-12", "012", "3x5", "٣x4", "12\n", "9" * 99]
)
def test_a_shape_that_is_none(random_network, text):
    with pytest.raises(InputError, match=r"metadata\['input_shape'\] must be a shape of 12 inputs"):
        with_shape(random_network(12, 3), text)


def test_objects_are_short(random_network):
    network = random_network(300, 100, 10, golden=3)
    assert repr(network).startswith("<Network 300-100-10, ")
    assert len(str(network).splitlines()) <= 8
    assert "<table>" in network._repr_html_()
    assert repr(network.layers[0]).startswith("<Layer 'layer0': 300 -> 100, ")
    assert len(repr(network.layers[0])) < 120
    assert str(network.summary()) == repr(network.summary()) == str(network)


def test_names_do_not_steer_a_terminal_or_a_page(random_network):
    layer = dataclasses.replace(random_network(4, 3).layers[0], name="\x1b[31m<script>")
    network = dataclasses.replace(random_network(4, 3), layers=(layer,))
    assert "\x1b" not in str(network) + repr(network) + repr(layer)
    assert "<script>" not in network._repr_html_()


def test_a_foreign_loss_record_is_not_in_the_way(random_network):
    network = dataclasses.replace(random_network(4, 3), metadata={"loss": "{"})
    assert "not known" in str(network)
    assert NetworkFileError  # what LossRecord.of would raise
