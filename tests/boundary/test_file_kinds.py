"""Every kind of file that people give is known by its contents, and nothing in it is run."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from eie.hls.boundary.errors import EieError, InputError, ModelError
from eie.hls.boundary.file_kinds import identify, refusal
from eie.host.cli.arrays import read_array
from eie.host.compress import read_model
from eie.host.network import Network


def saved(value: object, *, legacy: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"{}")
    return file.getvalue()


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def program() -> bytes:
    file = io.BytesIO()
    torch.export.save(torch.export.export(nn.Linear(2, 2), (torch.zeros(2, 2),)), file)
    return file.getvalue()


def safetensors() -> bytes:
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


#: As torch.onnx writes it: version, producer, graph.
ONNX = b"\x08\x08\x12\x07pytorch\x1a\x052.6.0\x3a\x40\x0a\x10" + bytes(60)
KINDS = {
    "empty": b"",
    "array": npy(np.zeros(3)),
    "npz": npz(a=np.zeros(3)),
    "network": npz(header=np.zeros(3), sha256=np.zeros(3)),
    "state_dict": saved(nn.Linear(2, 2).state_dict()),
    "module": saved(nn.Sequential(nn.Linear(2, 2))),
    "torch": saved({"epoch": 3}),
    "torchscript": zipped("net/data.pkl", "net/code/__torch__.py", "net/constants.pkl"),
    "compiled": zipped("net/data/aotinductor/model/x.so", "net/archive_format"),
    "program": zipped("net/models/model.json", "net/archive_format"),
    "keras": zipped("config.json", "metadata.json", "model.weights.h5"),
    "zip": zipped("something"),
    "onnx": ONNX,
    "safetensors": safetensors(),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100),
    "tflite": b"\x1c\0\0\0TFL3" + bytes(100),
    "executorch": b"\x1c\0\0\0ET12" + bytes(100),
    "gguf": b"GGUF" + bytes(100),
    "bitstream": b"\x00\x09\x0f\xf0\x0f\xf0\x0f\xf0\x0f\xf0\x00\x00\x01a" + bytes(100),
    "design": b"# a design\nformat = 1\n\n[design]\npes = 4\n",
    "hwh": b'<?xml version="1.0"?>\n<EDKSYSTEM EDWVERSION="1.2">',
    "compressed": gzip.compress(b"text"),
    "text": "a,b\n1,2 \u00e9".encode(),
    "binary": bytes(range(255, 0, -1)),
    "pickle": pickle.dumps({"a": 1}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_known(kind, tmp_path):
    path = tmp_path / "file"  # a name that does not tell
    path.write_bytes(KINDS[kind])
    assert identify(path).name == kind


def test_other_files_of_torch_are_known(tmp_path):
    path = tmp_path / "file"
    for content, kind in (
        (program(), "program"),
        (saved(nn.Linear(2, 2).state_dict(), legacy=True), "pickle"),
        (saved({"model": nn.Linear(2, 2).state_dict(), "epoch": 3}), "state_dict"),
        (saved(torch.zeros(3)), "state_dict"),
        (b"\x80\x02ctorch.ao.nn.quantized.modules.linear\nLinear\n.", "quantized"),
        (b"\x80\x04\x8c\x1atorch.nn.modules.container\x8c\x0aSequential\x93.", "module"),
    ):
        path.write_bytes(content)
        assert identify(path).name == kind


def test_what_is_no_file_is_known(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "project" / "kernel").mkdir(parents=True)
    (tmp_path / "project" / "kernel" / "eie.cpp").write_text("")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_text("")
    for name, kind in (
        ("missing", "missing"), ("n" * 300, "missing"), ("a\0b", "missing"), ("pipe", "special"),
        (".", "folder"), ("project", "project"), ("saved", "saved_model"),
    ):  # fmt: skip
        assert identify(tmp_path / name).name == kind


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"program", "onnx", "keras"}))
def test_a_model_that_is_none_is_refused_by_what_it_is(kind, tmp_path):
    path = tmp_path / "model.pt2"
    path.write_bytes(KINDS[kind])
    with pytest.raises(ModelError) as caught:
        read_model(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    if kind != "zip":
        text = identify(path).text
        wanted = "a saved torch.export program (.pt2), an ONNX (.onnx) or a Keras 3 model (.keras)"
        assert f"must be {wanted}, not {text}" in message


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"array"}))
def test_an_array_that_is_none_is_refused_by_what_it_is(kind, tmp_path):
    path = tmp_path / "x.npy"
    path.write_bytes(KINDS[kind])
    with pytest.raises(InputError) as caught:
        read_array(path)
    assert f"{path} must be a .npy file of numbers, not {identify(path).text}" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("program", "not a saved torch.export program: `eie compress MODEL.pt2 --out NET.npz`"),
        ("state_dict", "load_state_dict(torch.load(path, weights_only=True)), and save with"),
        ("module", "not a module pickled by torch.save: load it where its classes are"),
        ("onnx", "not an ONNX model: `eie compress MODEL --out NET.npz`"),
        ("bitstream", "not a bitstream (.bit): `eie run --bitstream` takes it"),
        ("text", "not a text file: `eie compress` makes a network file of a model"),
    ],
)
def test_a_network_that_is_none_is_told_what_makes_it_usable(kind, text, tmp_path):
    path = tmp_path / "net.npz"
    path.write_bytes(KINDS[kind])
    assert text in refusal(path, "network")
    with pytest.raises(InputError) as caught:
        Network.load(path)
    assert text in str(caught.value)


def test_an_array_with_more_or_fewer_bytes_is_refused(tmp_path):
    path = tmp_path / "x.npy"
    good = npy(np.arange(6.0).reshape(2, 3))
    for content in (good[:-1], good + b"\0", good + good, good[:100], good[:11]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"must be a \.npy file of numbers"):
            read_array(path)
    for array in (np.asfortranarray(np.ones((2, 3))), np.ones(3, ">f4"), np.zeros((0, 4))):
        np.save(path, array)
        assert np.array_equal(read_array(path), array)


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"\x80\x04"]),
)
def test_any_bytes_are_some_kind(tmp_path_factory, content, start):
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(start + content)
    assert identify(path).text
    for read in (read_array, Network.load):
        try:
            read(path)
        except EieError:
            continue
