"""A project's folder that came from somebody else: nothing outside of it is touched."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from folder_contents import tree

from eie.hls.boundary.errors import InputError
from eie.hls.project.folder_lock import LOCK
from eie.hls.project.project_folder import LISTING
from eie.hls.spec.design import Design
from eie.host.project.generate import generate

#: Designs here are of different boards, to differ in as many files as they can.
pytestmark = pytest.mark.filterwarnings("ignore:.* was a project for board")

DESIGN = Design(pes=2)
#: A design with more files, and others with other contents.
OTHER = Design(pes=4, board="pynq-z2")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is none of the project's business."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "victim").write_bytes(b"kept")
    (folder / "merge.h").write_bytes(b"kept, too")
    return folder


@pytest.mark.parametrize(
    "path",
    [
        "../outside/victim",
        "kernel/../../outside/victim",
        "{outside}/victim",
        "kernel//merge.h",
        "./README.md",
        ".eie.lock",
        "SHA256SUMS",
        "",
        "..",
    ],
)
def test_a_listing_that_names_what_lies_outside_is_refused(tmp_path, outside, path) -> None:
    project = generate(OTHER, tmp_path / "project")
    digest = hashlib.sha256(b"kept").hexdigest()
    with (project / LISTING).open("a") as listing:
        listing.write(f"{digest}  {path.format(outside=outside)}\n")
    before = tree(tmp_path)
    with pytest.raises(InputError, match=r"line \d+ of SHA256SUMS must be a sum and a path below"):
        generate(DESIGN, project)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("text", [b"\xff\xfe\n", b"no sum  kernel/eie.h\n", b"\n", b"0" * 100_000])
def test_a_listing_that_is_none_is_refused(tmp_path, text) -> None:
    project = generate(OTHER, tmp_path / "project")
    (project / LISTING).write_bytes(text)
    before = tree(tmp_path)
    with pytest.raises(InputError, match="line 1 of SHA256SUMS must be a sum and a path"):
        generate(DESIGN, project)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("path", ["kernel", "testbench/golden", "vivado"])
def test_a_folder_that_is_a_link_is_refused(tmp_path, outside, path) -> None:
    project = generate(DESIGN, tmp_path / "project")
    if (project / path).exists():
        (project / path).rename(tmp_path / "moved")
    (project / path).symlink_to(outside)
    before = tree(outside)
    with pytest.raises(InputError, match=f"{path} must be a folder, not a link"):
        generate(OTHER, project)
    assert tree(outside) == before


@pytest.mark.parametrize("path", ["kernel/merge.h", LISTING, "vivado/build.tcl"])
def test_a_file_that_is_a_link_is_refused(tmp_path, outside, path) -> None:
    project = generate(DESIGN, tmp_path / "project")
    file = project / path
    file.parent.mkdir(exist_ok=True)
    if file.exists():  # what lies outside has the very contents
        file.rename(outside / file.name)
    file.symlink_to(outside / file.name)
    before = tree(outside)
    with pytest.raises(InputError, match=f"{path} must be a file, not a link"):
        generate(OTHER, project)
    assert tree(outside) == before
    assert file.is_symlink()


def test_what_is_no_file_is_refused(tmp_path) -> None:
    project = generate(DESIGN, tmp_path / "project")
    (project / "kernel" / "merge.h").unlink()
    os.mkfifo(project / "kernel" / "merge.h")
    with pytest.raises(InputError, match=r"kernel/merge\.h must be a file, not a device"):
        generate(OTHER, project)
    assert (project / "kernel" / "merge.h").is_fifo()


def test_a_read_only_file_is_refused_if_it_would_change(tmp_path) -> None:
    project = generate(DESIGN, tmp_path / "project")
    for path in ("kernel/config.h", "simulation/fifo.h"):
        (project / path).chmod(0o444)
    with pytest.raises(InputError) as refusal:
        generate(OTHER, project)
    assert "kernel/config.h is read-only: chmod u+w makes it writable" in str(refusal.value)
    assert "fifo.h" not in str(refusal.value)
    generate(DESIGN, project)


def test_a_lock_is_a_file(tmp_path, outside) -> None:
    project = generate(DESIGN, tmp_path / "project")
    (project / LOCK).symlink_to(outside / "victim")
    with pytest.raises(InputError, match=r"cannot write project folder .* not a link"):
        generate(OTHER, project)
    assert (outside / "victim").read_bytes() == b"kept"
