"""A network file is read as it was written, or refused with one kind of error."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import eie.hls.boundary.atomic
from eie.hls.boundary.errors import InputError, NetworkFileError
from eie.host.network import Network

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def network(random_network) -> Network:
    return random_network(6, 5, 3, golden=2)


@pytest.fixture(scope="module")
def contents(network, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "net.npz"
    network.save(path)
    return path.read_bytes()


@pytest.fixture
def arrays(contents) -> Arrays:
    with np.load(io.BytesIO(contents)) as archive:
        return {name: archive[name] for name in archive.files}


def digest(arrays: Arrays) -> np.ndarray:
    """The file's SHA-256, as its definition says."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        sha.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        sha.update(array.tobytes())
    return np.frombuffer(sha.digest(), np.uint8)


def write(path: Path, arrays: Arrays, *, sign: bool = True) -> Path:
    """Write a file of these arrays, with the right SHA-256."""
    if sign:
        arrays = {name: array for name, array in arrays.items() if name != "sha256"}
        arrays["sha256"] = digest(arrays)
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return path


def replace_member(path: Path, name: str, content: bytes | None) -> None:
    """Write a zip archive again with another member of this name, or without one."""
    with zipfile.ZipFile(path) as archive:
        members = {each: archive.read(each) for each in archive.namelist() if each != name}
    if content is not None:
        members[name] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, data in members.items():
            archive.writestr(each, data)


def with_header(arrays: Arrays, change: Callable[[Any], Any]) -> Arrays:
    header = change(json.loads(arrays["header"].tobytes()))
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return {**arrays, "header": np.frombuffer(text, np.uint8)}


def refusal(path: Path) -> str:
    """The message with which a file is refused: of the right kind, with the path, one line."""
    with pytest.raises(NetworkFileError) as caught:
        Network.load(path)
    message = str(caught.value)
    assert str(path) in message
    return message


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


def test_every_truncation_is_refused(contents, tmp_path):
    path = tmp_path / "net.npz"
    lengths = sorted({0, 1, 3, 4, 21, 22, *range(0, len(contents), 37), len(contents) - 1})
    for length in lengths:
        path.write_bytes(contents[:length])
        refusal(path)


def test_an_altered_byte_is_refused_or_means_the_same(network, contents, tmp_path):
    path = tmp_path / "net.npz"
    random = np.random.default_rng(0)
    refused = 0
    positions = range(0, len(contents), 7)
    for position in positions:
        damaged = bytearray(contents)
        damaged[position] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        try:
            # A few bytes of a zip archive mean nothing, such as its time stamps.
            assert Network.load(path) == network
        except NetworkFileError:
            refused += 1
    assert refused > 0.5 * len(positions)


def test_random_bytes_written_over_a_region_are_refused_or_mean_the_same(
    network, contents, tmp_path
):
    path = tmp_path / "net.npz"
    random = np.random.default_rng(1)
    for _ in range(300):
        damaged = bytearray(contents)
        start, length = int(random.integers(len(contents))), int(random.integers(1, 60))
        damaged[start : start + length] = random.bytes(length)
        path.write_bytes(damaged)
        try:
            assert Network.load(path) == network
        except NetworkFileError:
            continue


@pytest.mark.parametrize("name", ["layer0_codes", "layer1_bias", "golden_outputs", "header"])
def test_an_altered_array_is_refused(name, arrays, tmp_path):
    altered = arrays[name].copy()
    altered.reshape(-1)[-1] ^= 1
    path = write(tmp_path / "net.npz", {**arrays, name: altered}, sign=False)
    message = refusal(path)
    if name != "header":
        assert "was altered: its contents do not match its SHA-256" in message


def test_arrays_that_change_names_are_refused(arrays, tmp_path):
    swapped = {
        **arrays,
        "layer0_codebook": arrays["layer1_codebook"],
        "layer1_codebook": arrays["layer0_codebook"],
    }
    assert "was altered" in refusal(write(tmp_path / "net.npz", swapped, sign=False))


def test_another_version_is_refused(arrays, tmp_path):
    for version in (0, 4, "1", None):
        changed = with_header(arrays, lambda h, v=version: {**h, "version": v})
        message = refusal(write(tmp_path / "net.npz", changed))
        assert f"version {version!r}; this eie reads versions 1 to 3" in message


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "not an empty file"),
        (b"not a network", "not a text file: `eie compress` makes a network file of a model"),
        (b"PK\x03\x04 but no more", "damaged or not a network file"),
        (b"\x93NUMPY", "not a single array"),
        (pickle.dumps({"layers": []}), "not a pickle"),
        (json.dumps({"magic": "eie-network"}).encode(), "not a text file"),
        (bytes(1000), "not a binary file of an unknown kind"),
    ],
)
def test_a_file_of_another_kind_is_refused(content, kind, tmp_path):
    path = tmp_path / "net.npz"
    path.write_bytes(content)
    assert kind in refusal(path)


def test_a_single_array_is_refused(tmp_path):
    with (tmp_path / "net.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    assert "single array" in refusal(tmp_path / "net.npz")


def test_another_archive_is_refused(tmp_path):
    path = tmp_path / "net.npz"
    np.savez(path, weights=np.zeros(3))
    assert "no 'header'" in refusal(path)
    np.savez(path)
    assert "no 'header'" in refusal(path)
    np.savez(path, header=np.frombuffer(b'{"magic": "other"}', np.uint8))
    assert "is not a network file" in refusal(path)


def test_pickled_arrays_are_refused_without_being_run(arrays, tmp_path):
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    for name in ("header", "layer0_codes", "sha256"):
        path = write(tmp_path / "net.npz", {**arrays, name: np.zeros(0)})
        trap = io.BytesIO()
        np.save(trap, np.array([Trap()], object), allow_pickle=True)
        replace_member(path, f"{name}.npy", trap.getvalue())
        assert "Python objects, which are pickled" in refusal(path)
    assert not (tmp_path / "sprung").exists()


def test_a_member_that_is_no_array_is_refused(arrays, tmp_path):
    path = write(tmp_path / "net.npz", arrays)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("layer9_codes.npy", b"text")
    assert "it has a member 'layer9_codes.npy', which is none of its arrays" in refusal(path)
    replace_member(path, "layer9_codes.npy", None)
    replace_member(path, "layer0_codes.npy", b"text")
    assert "does not begin as a .npy file" in refusal(path)


def test_every_missing_array_is_refused(arrays, tmp_path):
    for name in arrays:
        others = {other: array for other, array in arrays.items() if other != name}
        path = write(tmp_path / "net.npz", others, sign=name != "sha256")
        assert f"no '{name}'" in refusal(path)


def test_an_array_too_many_is_refused(arrays, tmp_path):
    path = write(tmp_path / "net.npz", {**arrays, "layer2_codes": arrays["layer1_codes"]})
    assert "it has a member 'layer2_codes.npy'" in refusal(path)


@pytest.mark.parametrize("name", ["layer0_codes", "layer0_indptr", "golden_inputs", "layer1_bias"])
@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.astype(float),
        lambda a: a.astype(a.dtype.newbyteorder() if a.itemsize > 1 else "i1"),
        lambda a: a.astype(str),
        lambda a: a.astype("M8[s]"),
        lambda a: a.astype(np.int64).astype([("x", "i8")]),
        lambda a: a[:-1],
        lambda a: a[None],
        lambda a: a.ravel()[0],
        lambda a: np.zeros((0,) * a.ndim, a.dtype),
    ],
)
def test_arrays_of_the_wrong_kind_are_refused(name, change, arrays, tmp_path):
    changed = np.asarray(change(arrays[name]))
    refusal(write(tmp_path / "net.npz", {**arrays, name: changed}))


@pytest.mark.parametrize("name", ["layer0_codes", "layer0_indices", "layer0_indptr"])
def test_arrays_with_values_out_of_range_are_refused(name, arrays, tmp_path):
    for value in (99, -1 if name != "layer0_codes" else 0):
        changed = np.full_like(arrays[name], value)
        refusal(write(tmp_path / "net.npz", {**arrays, name: changed}))


@pytest.mark.parametrize(
    "stored",
    [np.zeros(32, np.uint8), np.zeros(0, np.uint8), np.array("0" * 64), np.zeros((), "M8[s]"),
     np.zeros(32), np.zeros(32, [("x", "i8")])],
)  # fmt: skip
def test_a_wrong_digest_is_refused(stored, arrays, tmp_path):
    refusal(write(tmp_path / "net.npz", {**arrays, "sha256": stored}, sign=False))


def layer_change(**changes: Any) -> Callable[[Any], Any]:
    return lambda h: {**h, "layers": [{**h["layers"][0], **changes}, *h["layers"][1:]]}


@pytest.mark.parametrize(
    "change",
    [
        lambda h: [],
        lambda h: 3,
        lambda h: None,
        lambda h: "eie-network",
        lambda h: {**h, "magic": ["eie-network"]},
        lambda h: {key: value for key, value in h.items() if key != "version"},
        lambda h: {key: value for key, value in h.items() if key != "layers"},
        lambda h: {key: value for key, value in h.items() if key != "metadata"},
        lambda h: {**h, "layers": []},
        lambda h: {**h, "layers": None},
        lambda h: {**h, "layers": 2},
        lambda h: {**h, "layers": "ab"},
        lambda h: {**h, "layers": {"a": h["layers"][0]}},
        lambda h: {**h, "layers": [1, 2]},
        lambda h: {**h, "layers": [None, []]},
        lambda h: {**h, "layers": h["layers"] * 2},
        lambda h: {**h, "layers": h["layers"][::-1]},
        lambda h: {**h, "layers": h["layers"][:1]},
        layer_change(rows="5"),
        layer_change(rows=5.0),
        layer_change(rows=-5),
        layer_change(rows=10**30),
        layer_change(columns=None),
        layer_change(columns=[6]),
        layer_change(name=None),
        layer_change(name="layer1"),
        layer_change(activation=None),
        layer_change(activation={"relu": 1}),
        layer_change(input_frac=float("nan")),
        layer_change(weight_frac=float("inf")),
        layer_change(output_frac=9),
        layer_change(speed=3),
        lambda h: {**h, "metadata": None},
        lambda h: {**h, "metadata": ["a"]},
        lambda h: {**h, "metadata": {"accuracy": float("nan")}},
        lambda h: {**h, "metadata": {"accuracy": {"top1": "a"}}},
        lambda h: b"",
        lambda h: b"{",
        lambda h: b"\xff\xfe{}",
        lambda h: b"[" * 100_000,
    ],
)
def test_an_absurd_header_is_refused(change, arrays, tmp_path):
    refusal(write(tmp_path / "net.npz", with_header(arrays, change)))


@pytest.mark.parametrize("header", [np.zeros((), np.uint8), np.array("{}"), np.zeros(3)])
def test_a_header_that_is_no_text_is_refused(header, arrays, tmp_path):
    refusal(write(tmp_path / "net.npz", {**arrays, "header": header}))


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
