"""Network files made to do harm: refused in bounded memory, whatever their bytes."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from eie.hls.boundary.errors import NetworkFileError
from eie.host.network import Layer, Network

#: Memory of a process that reads a bomb: Python and numpy alone take a quarter of it.
ADDRESS_SPACE = 1 << 30


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.fixture
def members(random_network, tmp_path) -> dict[str, bytes]:
    """Contents of a good network file, by name."""
    random_network(6, 5, 3, golden=2).save(tmp_path / "good.npz")
    with zipfile.ZipFile(tmp_path / "good.npz") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(NetworkFileError) as caught:
        Network.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def refusal_in_little_memory(path: Path) -> str:
    """Load in a process that has a gigabyte, and give the message."""
    program = (
        "import resource, sys\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({ADDRESS_SPACE}, {ADDRESS_SPACE}))\n"
        "from eie.hls.boundary.errors import NetworkFileError\n"
        "from eie.host.network import Network\n"
        "try:\n"
        "    Network.load(sys.argv[1])\n"
        "except NetworkFileError as error:\n"
        "    print(error)\n"
        "    sys.exit(3)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
        # A thread of BLAS reserves address space of its own.
        env={"OPENBLAS_NUM_THREADS": "1"},
    )
    assert ended.returncode == 3, ended.stderr
    return ended.stdout


def write_bomb(path: Path, members: dict[str, bytes], name: str, values: int) -> None:
    """Write an archive whose member `name` is an array of so many zeros."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<i8", "fortran_order": False, "shape": (values,)}
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, data in members.items():
            if each != name:
                archive.writestr(each, data)
        with archive.open(name, "w", force_zip64=True) as member:
            member.write(header.getvalue())
            block = bytes(1 << 20)
            for _ in range(8 * values >> 20):
                member.write(block)


@pytest.mark.parametrize("name", ["layer0_indptr.npy", "layer9_indptr.npy"])
def test_a_bomb_takes_no_memory(name, members, tmp_path):
    path = tmp_path / "net.npz"
    write_bomb(path, members, name, 200 << 20)
    assert path.stat().st_size < 4 << 20
    message = refusal_in_little_memory(path)
    assert "its arrays take" in message if name in members else "none of its arrays" in message


def test_a_header_that_promises_much_takes_no_memory(members, tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<i8", "fortran_order": False, "shape": (1 << 40,)}
    )
    path = pack(tmp_path / "net.npz", {**members, "layer0_bias.npy": header.getvalue()})
    assert "'layer0_bias' must take" in refusal_in_little_memory(path)


def test_a_directory_that_lies_about_a_size_is_refused(members, tmp_path):
    """The zip's directory says few bytes where the stream has many, and the other way round."""
    path = pack(tmp_path / "net.npz", {**members, "layer0_bias.npy": npy(np.zeros(5, np.int64))})
    data = bytearray(path.read_bytes())
    size = len(npy(np.zeros(5, np.int64))).to_bytes(4, "little")
    # The directory's entry for it; its size stands 22 bytes before the name.
    place = data.rindex(b"layer0_bias.npy") - 46 + 24
    assert data[place : place + 4] == size
    for wrong in (128, 129, 1 << 16, 0xFFFF_FFFE):
        data[place : place + 4] = wrong.to_bytes(4, "little")
        path.write_bytes(data)
        refusal(path)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_two_members_of_one_name_are_refused(members, tmp_path):
    path = pack(tmp_path / "net.npz", members)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("layer0_codes.npy", members["layer0_codes.npy"])
    assert "two members of one name" in refusal(path)


def test_encrypted_members_are_refused(members, tmp_path):
    path = pack(tmp_path / "net.npz", members)
    data = bytearray(path.read_bytes())
    place = data.rindex(b"layer0_codes.npy") - 46 + 8
    data[place] |= 1
    path.write_bytes(data)
    assert "'layer0_codes.npy' is encrypted" in refusal(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_other_compressions_are_refused(compression, members, tmp_path):
    assert "stored or deflated" in refusal(pack(tmp_path / "net.npz", members, compression))


@pytest.mark.parametrize(
    "extra",
    ["../layer0_codes.npy", "/etc/passwd", "layer0_codes.npy\n", "layer-1_codes.npy", "x.npy",
     "layer00_codes.npy", "layer0_codes", "header.npy.npy", "x" * 60_000],
)  # fmt: skip
def test_unknown_members_are_refused(extra, members, tmp_path):
    message = refusal(pack(tmp_path / "net.npz", {**members, extra: b""}))
    assert "none of its arrays" in message
    assert len(message) < 600


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '|O', 'fortran_order': False, 'shape': (9,)}",
        b"{'descr': '<i8', 'fortran_order': False, 'shape': (-9,)}",
        b"{'descr': '<i8', 'fortran_order': False, 'shape': (9" + b"9" * 6000 + b",)}",
        b"{'descr': '<i8', 'fortran_order': False, 'shape': " + b"(" * 5000,
        b"{'descr': [('a', '<i8')], 'fortran_order': False, 'shape': (5,)}",
        b"{'descr': '|V0', 'fortran_order': False, 'shape': (99999999999,)}",
        b"{'descr': '<i8', 'fortran_order': False, 'shape': (0, 99999999999999999999)}",
        b"{'descr': '<i8', 'fortran_order': False, 'shape': (True,)}",
        b"__import__('os')",
        b"",
    ],
)
def test_absurd_array_headers_are_refused(header, members, tmp_path):
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    refusal(pack(tmp_path / "net.npz", {**members, "layer0_bias.npy": data}))


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0), (9, 9), (2, 255)])
def test_lengths_of_array_headers_are_checked(version, members, tmp_path):
    data = b"\x93NUMPY" + bytes(version) + b"\xff" * 200
    refusal(pack(tmp_path / "net.npz", {**members, "layer0_bias.npy": data}))


def test_pointers_whose_differences_wrap_around_are_refused():
    top = np.iinfo(np.int64).max
    for indptr in ([0, top, -top - 1, 1], [0, top, 0, 1], [0, -1, 2, 1]):
        with pytest.raises(ValueError, match="indptr must rise from 0 to 1"):
            Layer(
                "layer", 1, 3, np.array(indptr, np.int64), np.zeros(1, np.int32),
                np.ones(1, np.uint8), np.zeros(16, np.int16), np.zeros(1, np.int64), "none",
                8, 8, 8,
            )  # fmt: skip


@pytest.mark.parametrize("name", ["rows", "input_frac"])
def test_true_is_no_number(name, members, tmp_path, random_network):
    network = random_network(1, 1)
    with pytest.raises(ValueError, match=f"{name} must be"):
        Layer(**{**network.layers[0].scalars(), **network.layers[0].arrays(), name: True})


def test_fortran_order_is_read(random_network, tmp_path):
    network = random_network(6, 5, golden=3)
    turned = Network(
        network.layers,
        np.asfortranarray(network.golden_inputs),
        np.asfortranarray(network.golden_outputs),
        network.metadata,
    )
    turned.save(tmp_path / "net.npz")
    assert Network.load(tmp_path / "net.npz") == network


def test_a_network_as_regular_as_a_bomb_is_written_so_that_it_can_be_read(tmp_path):
    """All weights the same, in every place: compressed a thousandfold, if it were."""
    codebook = np.zeros(16, np.int16)
    codebook[1] = 100
    layer = Layer.from_dense_codes("layer", np.ones((4096, 4096), np.uint8), codebook=codebook)
    network = Network((layer,))
    network.save(tmp_path / "net.npz")
    assert Network.load(tmp_path / "net.npz") == network


def test_metadata_that_could_not_be_read_again_is_not_written(random_network, tmp_path):
    network = random_network(2, 2)
    large = Network(
        network.layers, network.golden_inputs, network.golden_outputs, {"a": "b" * (5 << 20)}
    )
    with pytest.raises(NetworkFileError, match="names and metadata must take at most"):
        large.save(tmp_path / "net.npz")
    assert list(tmp_path.iterdir()) == []


def test_headers_of_much_text_are_refused(members, tmp_path):
    header = json.dumps({"magic": "eie-network", "version": 1, "x": "y" * (5 << 20)}).encode()
    data = npy(np.frombuffer(header, np.uint8))
    path = pack(tmp_path / "net.npz", {**members, "header.npy": data})
    assert "may take 4194304 bytes" in refusal(path)


def test_devices_and_pipes_are_refused(tmp_path):
    os.mkfifo(tmp_path / "net.npz")
    assert "not a device, pipe or socket" in refusal(tmp_path / "net.npz")
    assert "not a device" in refusal(Path("/dev/zero"))
