"""What a package holds, that it is always the same, and what is no package."""

from __future__ import annotations

import dataclasses
import json
import shutil
import zipfile

import numpy as np
import pytest

from eie.hls.boundary.errors import DoesNotFitError, EieWarning, InputError
from eie.hls.spec.design import Design
from eie.hls.spec.fixed_point import dequantize
from eie.host.deploy import zip_file
from eie.host.deploy.package import package
from eie.host.deploy.zip_file import read_package, zip_bytes
from eie.host.network import Network
from eie.host.project.generate import generate, render
from eie.host.run.batch import emulate

DESIGN = Design(pes=4, entries_per_pe=8192, board="pynq-z2")


def members(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def test_before_a_build_it_holds_the_project(project_package, network, tmp_path):
    found = members(project_package)
    for name, text in render(DESIGN).items():
        assert found[f"project/{name}"] == text.encode()
    facts = json.loads(found["package.json"])
    assert facts["built"] is False
    assert facts["design"] == DESIGN.parameters()
    assert not any(name.startswith("bitstream/") for name in found)
    (tmp_path / "network.npz").write_bytes(found["network.npz"])
    assert Network.load(tmp_path / "network.npz") == network
    assert "no bitstream yet" in found["README.md"].decode()


def test_after_a_build_it_holds_the_bitstream(built_package, build):
    found = members(built_package)
    for name in ("eie.bit", "eie.hwh", "manifest.json"):
        assert found[f"bitstream/{name}"] == (build / name).read_bytes()
    assert not any(name.startswith("project/") for name in found)
    assert json.loads(found["package.json"])["built"] is True


def test_the_same_inputs_give_the_same_bytes(tmp_path, network, build):
    for number in (1, 2):
        package(tmp_path / f"{number}.zip", network=network, bitstream=build / "eie.bit")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    generate(DESIGN, tmp_path / "project")
    (tmp_path / "project" / "build").mkdir()
    (tmp_path / "project" / "build" / "log").write_text("of a tool")
    package(tmp_path / "3.zip", network=network, design=DESIGN)
    package(tmp_path / "4.zip", network=network, project=tmp_path / "project", design=DESIGN)
    assert (tmp_path / "3.zip").read_bytes() == (tmp_path / "4.zip").read_bytes()


def test_a_bitstream_comes_before_a_project(tmp_path, network, build):
    generate(DESIGN, tmp_path / "project")
    path = package(
        tmp_path / "p.zip",
        network=network,
        project=tmp_path / "project",
        bitstream=build / "eie.bit",
    )
    assert "bitstream/eie.bit" in members(path)
    assert "project/design.toml" not in members(path)


def load(data: bytes, path) -> np.ndarray:
    path.write_bytes(data)
    return np.load(path)


@pytest.mark.parametrize("kind", ["codes", "real"])
def test_vectors_may_be_given(tmp_path, network, kind):
    codes = np.random.default_rng(5).integers(-2000, 2000, (3, 20)).astype(np.int16)
    expected = emulate(network, DESIGN, codes, report=False).outputs
    real = kind == "real"
    path = package(
        tmp_path / "p.zip",
        network=network,
        design=DESIGN,
        inputs=dequantize(codes, network.input_frac) if real else codes,
        outputs=dequantize(expected, network.output_frac) if real else expected,
        labels=[1, 2, 3],
    )
    found = members(path)
    assert np.array_equal(load(found["vectors/inputs.npy"], tmp_path / "x.npy"), codes)
    assert np.array_equal(load(found["vectors/outputs.npy"], tmp_path / "x.npy"), expected)
    assert np.array_equal(load(found["vectors/labels.npy"], tmp_path / "x.npy"), [1, 2, 3])


def test_inputs_beyond_the_format_are_told(tmp_path, network):
    with pytest.warns(EieWarning, match="1 of 20 input values were saturated"):
        package(tmp_path / "p.zip", network=network, design=DESIGN, inputs=np.eye(1, 20) * 1e6)


X = np.zeros((2, 20), np.float32)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "there must be a design, a project or a bitstream"),
        ({"design": "design.toml"}, "design must be a Design, not str"),
        ({"design": DESIGN.replace(board="none")}, "must be for a board"),
        ({"design": DESIGN, "inputs": X[:, :5]}, r"inputs must have shape \(batch, 20\)"),
        ({"design": DESIGN, "inputs": X[:0]}, "at least one vector, not 0"),
        ({"design": DESIGN, "inputs": X.astype(int)}, "real numbers or int16 codes, not int64"),
        ({"design": DESIGN, "inputs": X * np.nan}, "inputs must be finite"),
        ({"design": DESIGN, "outputs": X}, "outputs must not be given without inputs"),
        ({"design": DESIGN, "inputs": X, "outputs": X}, r"shape \(2, 10\), not \(2, 20\)"),
        (
            {"design": DESIGN, "inputs": X, "outputs": np.full((2, 10), 0.3)},
            r"multiples of 2\*\*-8\), which 20 of 20 are not: `eie emulate`",
        ),
        (
            {"design": DESIGN, "inputs": X, "outputs": np.full((2, 10), 99, np.int16)},
            "outputs must be those of this network in integers: 20 of 20 differ; the first is "
            "output 0 of vector 0: code 99 instead of",
        ),
        ({"design": DESIGN, "inputs": X, "labels": [0]}, r"of shape \(2,\), not int64 of shape"),
        ({"design": DESIGN, "inputs": X, "labels": [0.5, 1]}, "classes, integers"),
        ({"design": DESIGN, "inputs": X, "labels": [0, 10]}, "0 to 9, which 1 of 2 are not"),
        ({"design": DESIGN, "labels": [0]}, r"of shape \(6,\)"),
        ({"project": "missing"}, "missing"),
        ({"bitstream": "missing.bit"}, "no bitstream missing.bit"),
    ],
)  # fmt: skip
def test_refused(tmp_path, network, arguments, message):
    with pytest.raises(InputError, match=message):
        package(tmp_path / "p.zip", network=network, **arguments)
    assert not list(tmp_path.iterdir())


def test_golden_outputs_that_no_board_would_give_are_refused(tmp_path, network):
    outputs = network.golden_outputs.copy()
    outputs[2, 3] += 1
    wrong = Network(network.layers, network.golden_inputs, outputs)
    with pytest.raises(InputError, match=r"golden outputs must be those .* output 3 of vector 2"):
        package(tmp_path / "p.zip", network=wrong, design=DESIGN)


def test_sequences_may_be_given(tmp_path, recurrent_network, recurrent_design):
    random = np.random.default_rng(3)
    x = {"a": random.uniform(-1, 1, (2, 5)), "b": random.uniform(-1, 1, (3, 5))}
    arguments = {"network": recurrent_network, "design": recurrent_design}
    found = members(package(tmp_path / "p.zip", **arguments, inputs=x, labels=[0, 2]))
    assert load(found["vectors/lengths.npy"], tmp_path / "x.npy").tolist() == [2, 3]
    assert load(found["vectors/inputs.npy"], tmp_path / "x.npy").shape == (5, 5)
    assert load(found["vectors/labels.npy"], tmp_path / "x.npy").tolist() == [0, 2]

    def refused(message: str, **more: object) -> None:
        with pytest.raises(InputError, match=message):
            package(tmp_path / "q.zip", **arguments, **more)
        assert not (tmp_path / "q.zip").exists()

    refused("labels must be given with inputs", labels=[0])
    refused(r"integers of shape \(2,\), not int64 of shape \(5,\)", inputs=x, labels=[0] * 5)
    refused(r"shape \(2, 3\), not \(5, 3\)", inputs=x, outputs=np.zeros((5, 3), np.int16))
    refused("the first is output . of sequence 0", inputs=x, outputs=np.full((2, 3), 9, np.int16))
    metadata = dict(recurrent_network.metadata, golden_sequence_crc="0x00000000")
    wrong = dataclasses.replace(recurrent_network, metadata=metadata)
    arguments["network"] = wrong
    refused("as the 4 steps of one sequence must give")


def test_a_network_without_vectors_needs_inputs(tmp_path, network):
    bare = Network(network.layers, network.golden_inputs[:0], network.golden_outputs[:0])
    with pytest.raises(InputError, match="give inputs"):
        package(tmp_path / "p.zip", network=bare, design=DESIGN)


def test_a_network_that_fits_in_no_way_is_refused(tmp_path, random_network):
    with pytest.raises(DoesNotFitError):
        package(
            tmp_path / "p.zip",
            network=random_network(20, 9000, 10, golden=1),
            design=DESIGN.replace(hidden_activations=64),
        )


def test_a_build_must_be_whole_and_the_right_one(tmp_path, network, build):
    folder = shutil.copytree(build, tmp_path / "build")
    generate(DESIGN.replace(pes=2, queue_depth=4), tmp_path / "project")

    def refused(message: str, **arguments) -> None:
        with pytest.raises(InputError, match=message):
            package(tmp_path / "p.zip", network=network, bitstream=folder / "eie.bit", **arguments)
        assert not (tmp_path / "p.zip").exists()

    refused(
        "the design must be .* not one with queue_depth 4", design=DESIGN.replace(queue_depth=4)
    )
    refused("project.* must be that of the bitstream.*pes 2 for 4", project=tmp_path / "project")
    with (folder / "eie.bit").open("ab") as file:
        file.write(b"more")
    refused("eie.bit is not the file that was built")
    (folder / "eie.hwh").unlink()
    refused("eie.hwh is missing")
    (folder / "manifest.json").unlink()
    refused("cannot read manifest")


def test_a_project_that_lacks_files_is_refused(tmp_path, network):
    generate(DESIGN, tmp_path / "project")
    (tmp_path / "project" / "kernel" / "eie.cpp").unlink()
    with pytest.raises(InputError, match=r"kernel/eie.cpp is missing"):
        package(tmp_path / "p.zip", network=network, project=tmp_path / "project")


@pytest.mark.parametrize("name", ["p.tar", "missing/p.zip"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path, network, name):
    with pytest.raises(InputError, match=r"must end in .zip|there is no folder"):
        package(tmp_path / name, network=network, design=DESIGN)


# Reading back.


def test_a_whole_package_is_described(project_package):
    found = read_package(project_package)
    assert found.size == project_package.stat().st_size
    assert found.unpacked == sum(map(len, members(project_package).values()))
    assert found.facts.folder == "eie-pynq-z2-4pe"
    assert found.facts.labelled
    assert found.facts.golden
    assert "run.py" in found.members


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network.npz": b"other"}, "network.npz is not the file that was packed"),
        ({"network.npz": None}, "network.npz is missing"),
        ({"more.py": b""}, "more.py is not in SHA256SUMS"),
        ({"run.py": b"", "README.md": b""}, "2 problems\n  - README.md.*\n  - run.py"),
        ({"SHA256SUMS": b""}, "run.py must be in SHA256SUMS"),
        ({"SHA256SUMS": None}, "SHA256SUMS"),
        ({"SHA256SUMS": b"nonsense\n"}, "a sum and a name in each line"),
    ],
)
def test_an_altered_package_is_refused(project_package, repacked, changes, message):
    with pytest.raises(InputError, match=message):
        read_package(repacked(project_package, changes, right=False))


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (b"[]", "format must be 2, not None"),
        (b"{", "must be JSON"),
        (b'{"format": 1}', "another version of eie"),
        (b'{"format": 2}', "7 problems"),
        (b'{"format": 2, "design": {"pes": 3}}', "power of two"),
    ],
)
def test_facts_that_make_no_sense_are_refused(project_package, repacked, facts, message):
    with pytest.raises(InputError, match=message):
        read_package(repacked(project_package, {"package.json": facts}))


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "a//b", "a/", "evil", "a\\b/c", "a/\x1b"]
)
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    path = tmp_path / "p.zip"
    path.write_bytes(zip_bytes({name: b"", "top/run.py": b""}))
    with pytest.raises(InputError, match=r"plain path|one folder|bad|damaged"):
        read_package(path)


def test_no_bomb_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_file, "_MOST_BYTES", 1 << 20)
    path = tmp_path / "p.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("top/zeros", "w") as file,
    ):
        for _ in range(2):
            file.write(bytes(1 << 20))
    with pytest.raises(InputError, match="must have at most 1048576 bytes, not 2097152"):
        read_package(path)


def test_what_is_no_package_is_named(tmp_path, network, project_package):
    network.save(tmp_path / "n.npz")
    (tmp_path / "cut.zip").write_bytes(project_package.read_bytes()[:5000])
    for name, message in (
        ("n.npz", "must be a package of `eie package` .* not a compressed network"),
        ("cut.zip", "is damaged, or no package"),
        ("missing.zip", "no file"),
        (".", "must be a package .* not a folder"),
    ):
        with pytest.raises(InputError, match=message):
            read_package(tmp_path / name)


def test_any_flipped_byte_is_found_or_harmless(project_package, tmp_path):
    whole = project_package.read_bytes()
    path = tmp_path / "p.zip"
    random = np.random.default_rng(1)
    refused = 0
    for position in random.integers(0, len(whole), 40):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        try:
            found = read_package(path)
        except InputError:
            refused += 1
        else:  # in a date or a mode, which nobody reads
            assert set(found.members) == set(members(project_package))
    assert refused > 30
