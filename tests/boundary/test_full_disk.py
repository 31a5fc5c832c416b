"""A disk without room: one message, nothing half-written, and what was there before stays."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eie.hls.boundary.errors import InputError, NetworkFileError
from eie.hls.spec.design import Design
from eie.host.network import Network
from eie.host.project.generate import generate
from eie.host.search.explore.result import PointResult
from eie.host.search.explore.store import Header, Store

KIB = 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(path)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root mounts a small disk, and not in every container")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def large(tmp_path: Path, random_network) -> Path:
    """A network file that has no room on the disk."""
    random_network(1000, 900, 10, golden=1).save(tmp_path / "large.npz")
    assert (tmp_path / "large.npz").stat().st_size > 256 * KIB
    return tmp_path / "large.npz"


def fill(disk: Path, left: int) -> None:
    """Leave so many bytes of the disk."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    (disk / "filling").write_bytes(bytes(free - left))


def eie(*words: object, environment: dict[str, str] | None = None) -> tuple[int, str]:
    """Call the command line in a process, where ignored exceptions are printed; its errors."""
    ran = subprocess.run(
        [sys.executable, "-m", "eie.host.cli.main", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    return ran.returncode, ran.stderr


def test_a_network(disk, large, random_network):
    small = random_network(6, 5, 3, golden=2)
    small.save(disk / "net.npz")
    with pytest.raises(NetworkFileError) as refusal:
        Network.load(large).save(disk / "net.npz")
    assert str(refusal.value) == (
        f"cannot write network file {disk / 'net.npz'}: No space left on device"
    )
    assert Network.load(disk / "net.npz") == small
    assert [path.name for path in disk.iterdir()] == ["net.npz"]


def test_outputs_of_a_command(disk, tmp_path, random_network):
    # Small enough that nothing saturates.
    random_network(20, 30, 10, golden=2, magnitude=300).save(tmp_path / "net.npz")
    np.save(tmp_path / "x.npy", np.zeros((10_000, 20), np.float32))
    (disk / "y.npy").write_bytes(b"old")
    words = ("--inputs", tmp_path / "x.npy", "--outputs", disk / "y.npy")
    assert eie("emulate", tmp_path / "net.npz", *words) == (
        2,
        f"eie: cannot write {disk / 'y.npy'}: No space left on device\n",
    )
    assert (disk / "y.npy").read_bytes() == b"old"
    assert [path.name for path in disk.iterdir()] == ["y.npy"]


def test_a_new_project(disk, tmp_path):
    Design(pes=1).save(tmp_path / "design.toml")
    fill(disk, 64 * KIB)
    assert eie("generate", tmp_path / "design.toml", "--out", disk / "deep" / "p") == (
        2,
        f"eie: cannot write project folder {disk / 'deep' / 'p'}: No space left on device, "
        f"in the folder {disk / 'deep'}\n",
    )
    assert [path.name for path in disk.iterdir()] == ["filling"]


def test_an_old_project_stays(tmp_path, disk):
    subprocess.run(["mount", "-o", "remount,size=1m", str(disk)], check=True)
    project = generate(Design(pes=1, board="pynq-z2"), disk / "p")
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    fill(disk, 64 * KIB)
    with pytest.raises(InputError, match="No space left on device, in the folder"):
        generate(Design(pes=2), project)
    after = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    assert after == before


def test_temporary_files_of_a_compilation(disk, tmp_path):
    """Where g++ has no room for its own files."""
    project = generate(Design(pes=1), tmp_path / "p")
    Design(pes=1).save(project / "design.toml")
    code = f"""
from eie.hls.tools.compiled_kernel import CompiledKernel
from eie.hls.boundary.errors import EieError
try:
    CompiledKernel({str(project)!r})
except EieError as error:
    print(type(error).__name__)
"""
    fill(disk, 16 * KIB)
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(disk)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (ran.stdout, ran.stderr) == ("ToolError\n", "")
    assert [path.name for path in disk.iterdir()] == ["filling"]


def test_results_of_an_exploration(disk):
    """Those that have room stay; the same call goes on with them when there is room again."""
    header = Header("network", "version", "balanced")
    result = PointResult.of("key", Design(pes=1), 10, ())
    with Store(disk / "points.jsonl", header) as store:
        store.add([result])
        whole = (disk / "points.jsonl").read_bytes()
        fill(disk, 0)
        with pytest.raises(InputError, match=r"cannot write .*points\.jsonl: No space left"):
            store.add([result] * 1000)
    assert (disk / "points.jsonl").read_bytes() == whole
    (disk / "filling").unlink()
    with Store(disk / "points.jsonl", header) as store:
        assert list(store.results) == [result.key]
        store.add([result])
