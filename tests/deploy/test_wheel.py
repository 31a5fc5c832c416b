"""The wheel that a package brings: made of the files that run, installed without an index."""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy
import pytest

from eie.hls.boundary.errors import ToolError
from eie.host.deploy.wheel import wheel_of_eie

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    made = wheel_of_eie()
    path = tmp_path_factory.mktemp("wheel") / made.name
    path.write_bytes(made.data)
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder that pip installed the wheel to."""
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*command, "--target", str(folder), str(wheel)], check=True)
    return folder


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_it_holds_what_a_wheel_of_the_clone_holds(wheel):
    wanted = {
        f"eie/{path.relative_to(ROOT).as_posix()}"
        for folder in ("hls", "host", "templates", "notebooks")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    found = {name for name in names(wheel) if name.startswith("eie/")}
    assert found >= wanted
    with zipfile.ZipFile(wheel) as archive:
        for name in wanted:
            assert archive.read(name) == (ROOT / name.removeprefix("eie/")).read_bytes()


def test_bitstreams_of_this_machine_stay_here(wheel):
    assert {n for n in names(wheel) if n.startswith("eie/bitstreams/")} <= {
        "eie/bitstreams/README.md"
    }
    assert not any(name.endswith(".pyc") for name in names(wheel))


def test_its_record_is_right(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (record,) = [name for name in archive.namelist() if name.endswith(".dist-info/RECORD")]
        rows = list(csv.reader(io.StringIO(archive.read(record).decode())))
        assert {row[0] for row in rows} == names(wheel)
        for name, digest, size in rows:
            if name == record:
                assert (digest, size) == ("", "")
                continue
            data = archive.read(name)
            encoded = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
            assert digest == f"sha256={encoded.decode()}"
            assert int(size) == len(data)


def test_it_says_nothing_of_how_this_eie_was_installed(wheel):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if ".dist-info/" in name:
                assert str(ROOT).encode() not in archive.read(name)


def alone(installed: Path, code: str) -> str:
    """Run code with the installed wheel and numpy; without site, so without this clone."""
    paths = [str(installed), str(Path(numpy.__file__).parents[1])]
    return subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {paths!r}\n{code}"],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
    ).stdout


def test_pip_installs_it_without_an_index(installed):
    code = "import eie.hls, eie.host.board.driver; print(eie.hls.__file__)"
    assert alone(installed, code).strip() == str(installed / "eie/hls/__init__.py")
    version = importlib.metadata.version("eie")
    code = "import importlib.metadata as m; print(m.version('eie'))"
    assert alone(installed, code).strip() == version


def test_packed_again_where_it_is_installed_it_is_the_same(installed, wheel):
    code = (
        "import hashlib; from eie.host.deploy.wheel import wheel_of_eie\n"
        "made = wheel_of_eie(); print(made.name, hashlib.sha256(made.data).hexdigest())"
    )
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert alone(installed, code).split() == [wheel.name, digest]


def test_an_eie_that_is_not_installed_is_told(monkeypatch):
    def none(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", none)
    with pytest.raises(ToolError, match="eie must be installed to be packed"):
        wheel_of_eie()
