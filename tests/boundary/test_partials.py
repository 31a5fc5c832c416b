"""What killed runs left goes with the next one, and nothing else does."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading

import pytest
from folder_contents import names

from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.partials import (
    is_partial,
    partial_file,
    partial_folder,
    sweep,
    temporary_folder,
)

KILLED = """
import os, signal, sys
import eie.hls.boundary.partials
from pathlib import Path
make = getattr(eie.hls.boundary.partials, sys.argv[1])
with make(Path(sys.argv[2])) as made:
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("make", ["partial_file", "partial_folder"])
def test_what_a_killed_run_left_goes_with_the_next_run(tmp_path, make):
    ran = subprocess.run([sys.executable, "-c", KILLED, make, tmp_path], check=False)
    assert ran.returncode == -signal.SIGKILL
    left = names(tmp_path)
    assert len(left) == 1 and is_partial(left[0])
    code = "import sys; from eie.hls.boundary.atomic import write_whole; write_whole(*sys.argv[1:])"
    subprocess.run([sys.executable, "-c", code, tmp_path / "file", "text"], check=True)
    assert names(tmp_path) == ["file"]


def test_temporary_folders_of_killed_runs_are_swept(tmp_path, monkeypatch):
    code = """
import os, signal
from eie.hls.boundary.partials import temporary_folder
with temporary_folder() as folder:
    (folder / "object.o").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert len(names(tmp_path)) == 1
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with temporary_folder() as folder:
        assert names(tmp_path) == [folder.name]
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert names(tmp_path) == []


def test_what_lives_is_not_swept(tmp_path):
    with partial_file(tmp_path) as (file, descriptor), partial_folder(tmp_path) as folder:
        (folder / "inside").touch()
        sweep(tmp_path)
        code = "import pathlib, sys; from eie.hls.boundary.partials import sweep; "
        code += "sweep(pathlib.Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
        assert file.exists() and (folder / "inside").exists()
        os.close(descriptor)
        sweep(tmp_path)
        assert file.exists()


@pytest.mark.parametrize(
    "name", ["eie-x", ".net.npz.123.partial", ".eie-12.partial", f".eie-{'g' * 32}.partial"]
)
def test_what_may_be_somebody_elses_is_not_swept(tmp_path, name):
    (tmp_path / name).touch()
    sweep(tmp_path)
    assert names(tmp_path) == [name]


def test_a_link_with_the_name_of_a_partial_leads_nowhere(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").touch()
    name = f".eie-{'0' * 32}.partial"
    (tmp_path / name).symlink_to("mine")
    sweep(tmp_path)
    assert names(tmp_path / "mine") == ["thesis"]


@pytest.mark.skipif(os.geteuid() != 0, reason="files of others are made by root")
def test_partials_of_other_users_are_left(tmp_path):
    path = tmp_path / f".eie-{'0' * 32}.partial"
    path.touch()
    os.chown(path, 65534, 65534)
    sweep(tmp_path)
    assert path.exists()


def test_many_sweep_while_many_write(tmp_path):
    """What is swept between being made and being locked is made again."""
    stop = threading.Event()

    def sweeping() -> None:
        while not stop.is_set():
            sweep(tmp_path)

    sweepers = [threading.Thread(target=sweeping) for _ in range(2)]
    for sweeper in sweepers:
        sweeper.start()
    try:
        for number in range(300):
            write_whole(tmp_path / "file", f"{number}")
            assert (tmp_path / "file").read_text() == f"{number}"
            with partial_folder(tmp_path) as folder:
                (folder / "inside").touch()
    finally:
        stop.set()
        for sweeper in sweepers:
            sweeper.join()
    assert names(tmp_path) == ["file"]
