"""A network file is read as it was written, and written whole or not at all."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from typing import Any

import numpy as np
import pytest
from network_archives import refusal, with_header, write

import eie.hls.boundary.atomic
from eie.hls.boundary.errors import InputError, NetworkFileError
from eie.host.network import Network


def test_a_network_survives_its_file(network, tmp_path):
    path = tmp_path / "net.npz"
    network.save(path)
    assert Network.load(path) == network
    assert Network.load(str(path)) == network
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]


def test_features_with_a_scale_each_survive_and_are_version_2(network, arrays, tmp_path):
    assert json.loads(arrays["header"].tobytes())["version"] == 1
    fracs = np.array([-20, 0, 13, 14, 40, 90])
    scaled = dataclasses.replace(network, feature_fracs=fracs)
    assert scaled != network
    scaled.save(tmp_path / "net.npz")
    loaded = Network.load(tmp_path / "net.npz")
    assert loaded == scaled
    assert np.array_equal(loaded.input_frac, fracs)
    with np.load(tmp_path / "net.npz") as archive:
        stored = {name: archive[name] for name in archive.files}
    assert json.loads(stored["header"].tobytes())["version"] == 2
    wrong = (fracs[:5], fracs.astype(np.int32), fracs + 7, np.zeros((6, 1), np.int64))
    for number, bad in enumerate(wrong):
        path = write(tmp_path / f"{number}.npz", {**stored, "feature_fracs": bad})
        assert re.search("'?feature_fracs'? must be", refusal(path))
    del stored["feature_fracs"]
    assert "no 'feature_fracs'" in refusal(write(tmp_path / "none.npz", stored))


def with_activity(network: Network, number: int) -> Network:
    """The network with the activity of one layer."""
    layers = list(network.layers)
    share = np.linspace(0, 1, layers[number].columns, dtype=np.float32)
    layers[number] = dataclasses.replace(layers[number], activity=share)
    return dataclasses.replace(network, layers=tuple(layers))


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("scaled", [False, True])
def test_activity_survives_and_is_version_3(number, scaled, network, tmp_path):
    known = with_activity(network, number)
    if scaled:
        known = dataclasses.replace(known, feature_fracs=np.arange(6))
    assert known != network
    known.save(tmp_path / "net.npz")
    assert Network.load(tmp_path / "net.npz") == known
    with np.load(tmp_path / "net.npz") as archive:
        stored = {name: archive[name] for name in archive.files}
    assert json.loads(stored["header"].tobytes())["version"] == 3
    assert f"layer{1 - number}_activity" not in stored
    older = with_header(stored, lambda header: {**header, "version": 1 + scaled})
    assert f"'layer{number}_activity.npy', which is none" in refusal(
        write(tmp_path / "older.npz", older)
    )


@pytest.mark.parametrize(
    ("activity", "message"),
    [
        (np.full(6, np.nan, np.float32), "activity must be 0 to 1.*not nan at input 0"),
        (np.array([0, 0, 0, 1.5, 0, 0], np.float32), "activity must be 0 to 1.*not 1.5 at input 3"),
        (np.array([0, 0, 0, 0, -1, 0], np.float32), "activity must be 0 to 1.*not -1.0 at input 4"),
        (np.full(6, np.inf, np.float32), "activity must be 0 to 1.*not inf at input 0"),
        (np.zeros(5, np.float32), r"activity must be None or float32 of shape \(6,\)"),
        (np.zeros(6, np.float64), "'layer0_activity' must be of float32"),
        (np.zeros((6, 1), np.float32), "'layer0_activity' must .* have 1 dimension"),
    ],
)
def test_an_impossible_activity_is_refused_by_name(activity, message, network, tmp_path):
    with_activity(network, 0).save(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz") as archive:
        stored = {name: archive[name] for name in archive.files}
    found = refusal(write(tmp_path / "bad.npz", {**stored, "layer0_activity": activity}))
    assert re.search(message, found)
    with pytest.raises(InputError, match=r"layer 'layer0': activity must be"):
        dataclasses.replace(network.layers[0], activity=activity)


def test_what_later_versions_brought_is_refused_in_a_file_of_an_earlier_one(arrays, tmp_path):
    def held(header: dict[str, Any]) -> dict[str, Any]:
        header["layers"][1]["source"] = 0
        return header

    path = write(tmp_path / "net.npz", with_header(arrays, held))
    assert "version 1 has no 'source' of layers" in refusal(path)
    newer = with_header(arrays, lambda header: {**held(header), "version": 3})
    assert Network.load(write(path, newer)).layers[1].source == 0


@pytest.mark.parametrize("density", [0.0, 1.0])
def test_networks_at_the_ends_survive_their_file(density, random_network, tmp_path):
    for sizes in ((1, 1), (1, 9), (9, 1), (65536, 1), (3, 70000)):
        network = random_network(*sizes, density=density)
        network.save(tmp_path / "net.npz")
        assert Network.load(tmp_path / "net.npz") == network


def test_text_of_any_script_survives(network, tmp_path):
    metadata = {"modèle": "数字 \ud800 \x00 \n", "": ""}
    named = Network(network.layers, network.golden_inputs, network.golden_outputs, metadata)
    named.save(tmp_path / "net.npz")
    assert Network.load(tmp_path / "net.npz").metadata == metadata


def test_the_same_network_gives_the_same_bytes(random_network, contents, tmp_path):
    random_network(6, 5, 3, golden=2).save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == contents


def test_a_file_read_and_written_again_has_the_same_bytes(contents, tmp_path):
    (tmp_path / "net.npz").write_bytes(contents)
    Network.load(tmp_path / "net.npz").save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == contents


def test_numpy_alone_reads_it_without_pickles(arrays):
    assert all(array.dtype != object for array in arrays.values())
    assert set(arrays) >= {"header", "sha256", "layer0_codes", "layer1_bias", "golden_inputs"}


def test_a_saved_network_replaces_the_one_before(network, random_network, tmp_path):
    random_network(4, 4).save(tmp_path / "net.npz")
    network.save(tmp_path / "net.npz")
    assert Network.load(tmp_path / "net.npz") == network


def test_what_is_no_file_is_refused(tmp_path):
    assert "not a folder" in refusal(tmp_path)
    assert "no network file at" in refusal(tmp_path / "missing.npz")
    (tmp_path / "link.npz").symlink_to("nowhere.npz")
    assert "no network file at" in refusal(tmp_path / "link.npz")


def test_a_network_that_cannot_be_written_leaves_nothing_behind(network, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept")
    for target in ("missing/net.npz", "folder", "file/net.npz", "n" * 300):
        with pytest.raises(NetworkFileError, match="cannot write network file"):
            network.save(tmp_path / target)
    with pytest.raises(NetworkFileError, match="cannot write network file"):
        network.save(".")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "kept"


def test_a_failure_in_the_middle_leaves_the_old_file(network, contents, tmp_path, monkeypatch):
    path = tmp_path / "net.npz"
    path.write_bytes(contents)

    def full(descriptor: int, content: memoryview) -> None:
        os.write(descriptor, content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(eie.hls.boundary.atomic, "_write_all", full)
    with pytest.raises(NetworkFileError, match="No space left"):
        network.save(path)
    assert path.read_bytes() == contents
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]
