"""A network file that was altered, or is none, is refused with one kind of error."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from network_archives import refusal, replace_member, with_header, write

from eie.hls.boundary.errors import NetworkFileError
from eie.host.network import Network


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
